"""What the server writes arrives in its order, whichever way it takes."""

from __future__ import annotations

import os
import threading

from trop_server.transport.output import Output


def test_short_messages_do_not_overtake_long_ones() -> None:
    reading, writing = os.pipe()
    broken = threading.Event()
    output = Output(writing, broken.set)
    # More than a pipe holds, then less than the system writes as a whole.
    sent = [f"{number:03d}".encode() * (1 if number % 3 else 70_000) for number in range(60)]
    expected = b"".join(sent)
    received = bytearray()

    def read() -> None:
        while len(received) < len(expected):
            received.extend(os.read(reading, 4096))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    for message in sent:
        output.send(message)
    reader.join(60)

    assert bytes(received) == expected
    assert not broken.is_set()
