"""Messages out of a stream of bytes: as the Language Server Protocol's base protocol frames them, or one a line."""

from __future__ import annotations

import json
import os
import re
import select
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

LARGEST_MESSAGE = 64 * 1024 * 1024
LARGEST_HEADER = 8 * 1024
_CHUNK = 64 * 1024
_PATIENCE = 0.5
_BACKLOG = 256

# A line feed alone is taken for a line's end as well: what is typed or piped by hand would wait for ever without.
_END_OF_LINE = re.compile(rb"\r?\n")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_HEADER_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(?::[^\n]*)?")
_BEGINNING = re.compile(_HEADER_FIELD.pattern + rb"|\r?")


class BrokenFrame(Exception):
    """A header from which nobody can tell where its message ends: the stream is of no more use."""


class NotJson(Exception):
    """A message whose content is not JSON in UTF-8. The next one may be."""


def read_frames(read: Callable[[], bytes]) -> Iterator[bytes]:
    """The contents of messages, until ``read`` returns nothing. What is cut off by the end is dropped.

    Raises ``BrokenFrame`` for a header without a length, or with one that is negative, no number or over 64 MiB, and
    for bytes that cannot become a header: whoever sends JSON alone would wait for ever for an answer.
    """
    buffer = bytearray()
    while True:
        while (end := _END_OF_HEADER.search(buffer, 0, LARGEST_HEADER)) is None:
            _check_beginning(buffer)
            chunk = read()
            if not chunk:
                return
            buffer += chunk
        length = _content_length(bytes(buffer[: end.start()]))
        del buffer[: end.end()]
        while len(buffer) < length:
            chunk = read()
            if not chunk:
                return
            buffer += chunk
        content = bytes(buffer[:length])
        del buffer[:length]
        yield content


def read_lines(read: Callable[[], bytes]) -> Iterator[bytes]:
    """The lines of a stream, until ``read`` returns nothing, as MCP frames its messages. Empty ones are passed over.

    What is cut off by the end is dropped. Raises ``BrokenFrame`` for a line of more than 64 MiB.
    """
    buffer = bytearray()
    while chunk := read():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            buffer += end
            if buffer.strip():
                yield bytes(buffer)
            buffer.clear()
        buffer += rest
        if len(buffer) > LARGEST_MESSAGE:
            raise BrokenFrame(f"no line ends within {LARGEST_MESSAGE} bytes")


def decode(content: bytes) -> Any:
    """The JSON value of a message's content. Raises ``NotJson``."""
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or "nested too deeply") from error


def encode(message: Any) -> bytes:
    """A message as a frame. The content is ASCII, so that characters and bytes are the same number."""
    content = json.dumps(message, separators=(",", ":"))
    return f"Content-Length: {len(content)}\r\n\r\n{content}".encode("ascii")


def encode_line(message: Any) -> bytes:
    """A message as a line of its own, in ASCII."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


class Input:
    """Reads messages from a descriptor in a thread of its own, and hands each to the event loop.

    pygls reads through the thread pool that its handlers use, so that a few that wait make it deaf.
    ``on_message`` gets a decoded value, ``on_garbage`` what is no JSON, ``on_end`` the reason for the end, or None
    where the input simply ended; all are called in the event loop. ``may_read`` waits, up to the seconds that it is
    given, until there is room for answers, and tells whether there is. No more is read than the loop keeps up with.
    ``split`` finds the messages in the bytes.
    """

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        *,
        on_message: Callable[[Any], object],
        on_garbage: Callable[[NotJson], object],
        on_end: Callable[[BrokenFrame | None], object],
        may_read: Callable[[float], bool],
        split: Callable[[Callable[[], bytes]], Iterator[bytes]] = read_frames,
    ) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._on_message = on_message
        self._on_garbage = on_garbage
        self._on_end = on_end
        self._may_read = may_read
        self._split = split
        self._backlog = threading.Semaphore(_BACKLOG)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._work, name="input", daemon=True).start()

    def _work(self) -> None:
        try:
            for content in self._split(self._read):
                try:
                    message = decode(content)
                except NotJson as error:
                    self._hand_on(self._on_garbage, error)
                else:
                    self._hand_on(self._on_message, message)
        except BrokenFrame as error:
            self._hand_on(self._on_end, error)
        else:
            self._hand_on(self._on_end, None)

    def _hand_on(self, handler: Callable[[Any], object], value: Any) -> None:
        self._backlog.acquire()
        self._loop.call_soon_threadsafe(self._deliver, handler, value)

    def _deliver(self, handler: Callable[[Any], object], value: Any) -> None:
        self._backlog.release()
        handler(value)

    def _read(self) -> bytes:
        while not self._may_read(_PATIENCE):
            if self._has_hung_up():
                return b""
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:
            return b""

    def _has_hung_up(self) -> bool:
        """Whether the other end is closed, found out without reading."""
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return bool(poll.poll(0))


def _check_beginning(buffer: bytearray) -> None:
    """Raise ``BrokenFrame`` if no header can begin like this."""
    if len(buffer) >= LARGEST_HEADER:
        raise BrokenFrame(f"no header ends within {LARGEST_HEADER} bytes")
    *lines, last = _END_OF_LINE.split(buffer)
    if not all(map(_HEADER_FIELD.fullmatch, lines)) or not _BEGINNING.fullmatch(last):
        raise BrokenFrame("a message begins with a header, such as Content-Length: 123, and an empty line")


def _content_length(header: bytes) -> int:
    length: int | None = None
    for line in _END_OF_LINE.split(header):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            digits = value.strip()
            if not digits.isdigit() or len(digits) > len(str(LARGEST_MESSAGE)) or int(digits) > LARGEST_MESSAGE:
                raise BrokenFrame(f"Content-Length: expected 0 to {LARGEST_MESSAGE}, not {digits[:40]!r}")
            if length not in (None, int(digits)):
                raise BrokenFrame(f"two values of Content-Length: {length} and {int(digits)}")
            length = int(digits)
    if length is None:
        raise BrokenFrame("a header without a Content-Length")
    return length


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
