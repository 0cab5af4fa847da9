"""Bytes as they come over a pipe: in pieces, and some of them broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator


def broken_header(rng: random.Random) -> bytes:
    """Bytes after which nobody can tell where the next message begins."""
    length = rng.choice([b"-1", b"x", b"", b"1e3", b"0x10", b"67108865", b"9" * rng.choice([20, 5000]), "٢".encode()])
    return rng.choice(
        [
            b"Content-Length: %s\r\n\r\n{}" % length,
            b"X: y\r\nContent-Length: %s\r\n\r\n{}" % length,
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Type: application/json\r\n\r\n{}",
            b"\r\n\r\n",
            b"{" + rng.randbytes(20),
            b"\xff" + rng.randbytes(20),
            b"\0",
            b"X: " + b"y" * 9000,
        ]
    )


def reading_in_pieces(rng: random.Random, data: bytes) -> Callable[[], bytes]:
    """A function that reads a stream of these bytes, as much at a time as comes in."""
    pieces = iter(cut(rng, data))
    return lambda: next(pieces, b"")


def cut(rng: random.Random, data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        size = rng.choice([rng.randint(1, 40), rng.randint(1, 2000), 65536, len(data)])
        yield data[start : start + size]
        start += size
