"""Frames: how messages are cut out of a stream of bytes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from support.messages import frame, request

from trop_server.transport.framing import BrokenFrame, Input, read_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client


def contents(message_id: int) -> bytes:
    return json.dumps(request(message_id, "workspace/executeCommand", {"command": "trop.list"})).encode()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Content-Length: %d\r\n\r\n", id="as everybody writes it"),
        pytest.param(b"content-length: %d\r\n\r\n", id="lower case"),
        pytest.param(b"CONTENT-LENGTH:%d\r\n\r\n", id="upper case and no space"),
        pytest.param(b"cOnTeNt-LeNgTh:   %d  \r\n\r\n", id="mixed case and spaces"),
        pytest.param(
            b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n", id="after"
        ),
        pytest.param(b"Content-Length: %d\r\nContent-Type: application/json\r\nX-A: b:c\r\n\r\n", id="before others"),
        pytest.param(b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n", id="twice the same"),
        pytest.param(b"Content-Length: %d\n\n", id="line feeds alone"),
        pytest.param(b"Content-Length: 00%d\r\n\r\n", id="leading zeros"),
    ],
)
def test_a_header_may_be_written_in_many_ways(shared: Client, head: bytes) -> None:
    content = contents(1)

    shared.write(head % ((len(content),) * head.count(b"%d")) + content)

    assert shared.answer(1)["result"]["reservations"] == []


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_frame_may_come_in_pieces(shared: Client, size: int) -> None:
    data = frame(contents(2))

    for start in range(0, len(data), size):
        shared.write(data[start : start + size])

    assert shared.answer(2)["result"]["reservations"] == []


def test_many_frames_may_come_in_one_piece(shared: Client) -> None:
    shared.write(b"".join(frame(contents(number)) for number in range(100, 200)))

    for number in range(100, 200):
        assert shared.answer(number)["result"]["reservations"] == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{nope", id="half an object"),
        pytest.param(b'{"jsonrpc": "2.0"', id="cut off"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param('{"jsonrpc": "2.0", "id": 1, "method": "größe"}'.encode("latin-1"), id="Latin-1"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}', id="NaN"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"x","params":[-Infinity]}', id="Infinity"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="nested deeply"),
        pytest.param(b"1" * 10_000, id="a number of ten thousand digits"),
        pytest.param(b'"\n"', id="a bare line feed in a text"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
    ],
)
def test_what_is_no_json_is_answered_without_an_id_and_the_next_message_counts(shared: Client, content: bytes) -> None:
    shared.write(frame(content))
    shared.send(request(3, "workspace/executeCommand", {"command": "trop.list"}))

    refusal = shared.answer(None)
    following = shared.answer(3)

    assert refusal["error"]["code"] == -32700
    assert refusal["error"]["data"]["hint"]
    assert following["result"]["reservations"] == []


BROKEN = [
    pytest.param(b"Content-Type: application/json\r\n\r\n{}", id="no length"),
    pytest.param(b"\r\n\r\n{}", id="no header at all"),
    pytest.param(b"Content-Length: -1\r\n\r\n{}", id="a negative length"),
    pytest.param(b"Content-Length: many\r\n\r\n{}", id="no number"),
    pytest.param(b"Content-Length: 0x10\r\n\r\n{}", id="hexadecimal"),
    pytest.param(b"Content-Length: 2.0\r\n\r\n{}", id="a fraction"),
    pytest.param(b"Content-Length:\r\n\r\n{}", id="an empty length"),
    pytest.param("Content-Length: ٢\r\n\r\n{}".encode(), id="digits of another script"),
    pytest.param(b"Content-Length: 67108865\r\n\r\n", id="one byte more than 64 MiB"),
    pytest.param(b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", id="a length of five thousand digits"),
    pytest.param(b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
    pytest.param(b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}', id="JSON without a header"),
    pytest.param(b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}\n', id="JSON on a line"),
    pytest.param(b"GET / HTTP/1.1\r\n", id="another protocol"),
    pytest.param(b"X: " + b"y" * 20_000, id="a header without an end"),
]


@pytest.mark.parametrize("data", BROKEN)
def test_nothing_is_read_beyond_a_broken_header(data: bytes) -> None:
    """In process, byte by byte: whoever sends it waits for an answer, and will not send any more."""
    pieces = iter([bytes([byte]) for byte in data])

    with pytest.raises(BrokenFrame):
        list(read_frames(lambda: next(pieces)))


@pytest.mark.parametrize(("length", "shown"), [(b"-5", '"-5"'), (b"", '""'), (b"\xff\x1b", r'"\xff\x1b"')])
def test_a_length_that_is_none_is_shown_as_a_person_reads_it(length: bytes, shown: str) -> None:
    with pytest.raises(BrokenFrame) as refused:
        list(read_frames(iter([b"Content-Length: " + length + b"\r\n\r\n"]).__next__))

    assert str(refused.value) == f"Content-Length: expected 0 to 67108864, not {shown}"


@pytest.mark.parametrize("data", BROKEN[::4])
def test_a_broken_header_ends_the_session_with_an_answer(start: Callable[..., Client], data: bytes) -> None:
    client = start()

    client.write(data)
    answer = client.receive()
    code = client.wait()

    assert answer["id"] is None
    assert answer["error"]["code"] == -32700
    assert answer["error"]["data"]["hint"]
    assert code == 1
    assert client.rest() == []


def test_what_was_asked_before_a_broken_header_is_answered(start: Callable[..., Client]) -> None:
    client = start()
    client.initialize()

    client.write(frame(contents(1)) + b"Content-Length: x\r\n\r\n")
    code = client.wait()

    answers = {answer["id"]: answer for answer in client.rest()}
    assert code == 1
    assert set(answers) == {1, None}


def test_a_message_of_ten_megabytes_is_read_and_refused_for_what_it_says(shared: Client) -> None:
    long = "x" * 10_000_000

    refusal = shared.refused("trop.reserve", {"tag": long})

    assert refusal.code == -32602
    assert refusal.data["kind"] == "invalid_identifier"
    assert refusal.data["details"] == {"field": "tag", "value": long}
    assert len(refusal.message) < 500


def test_an_argument_that_is_nested_deeply_is_refused_like_any_other(shared: Client) -> None:
    for depth in (10, 100, 300, 500, 900):
        content = json.dumps(request(5, "workspace/executeCommand", {"command": "trop.list", "arguments": ["HERE"]}))
        nested = '{"limit": ' + "[" * depth + "]" * depth + "}"
        shared.write(frame(content.replace('"HERE"', nested).encode()))

        message = shared.next_answer()

        assert message["error"]["code"] == (-32602 if message["id"] == 5 else -32700), depth


def test_what_goes_wrong_with_one_message_is_no_matter_of_the_others() -> None:
    source, sink = os.pipe()
    os.write(sink, b"".join(map(frame, [1, b"{", 2])))
    os.close(sink)
    received, wrong = list[Any](), list[Any]()

    def take(message: Any) -> None:
        received.append(message)
        raise ValueError(message)

    async def session() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: wrong.append(context["exception"]))
        ended = loop.create_future()
        Input(
            source,
            loop,
            on_message=take,
            on_garbage=take,
            on_end=ended.set_result,
            may_read=lambda _: True,
        ).start()
        assert await ended is None

    try:
        asyncio.run(session())
    finally:
        os.close(source)
    assert received[::2] == [1, 2]
    assert [type(error) for error in wrong] == [ValueError] * 3
