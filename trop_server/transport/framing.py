"""Messages out of a stream of bytes: as the Language Server Protocol's base protocol frames them, or one a line."""

from __future__ import annotations

import json
import os
import re
import select
import stat
from typing import TYPE_CHECKING, Any

from trop_core.errors.spelling import quoted

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Iterator

LARGEST_MESSAGE = 64 * 1024 * 1024
LARGEST_HEADER = 8 * 1024
_CHUNK = 64 * 1024
_PATIENCE = 0.5
_BETWEEN_LOOKS = 0.02

# A line feed alone is taken for a line's end as well: what is typed or piped by hand would wait for ever without.
_END_OF_LINE = re.compile(rb"\r?\n")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_HEADER_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(?::[^\n]*)?")
_BEGINNING = re.compile(_HEADER_FIELD.pattern + rb"|\r?")


class BrokenFrame(Exception):
    """A header from which nobody can tell where its message ends: the stream is of no more use."""


class NotJson(Exception):
    """A message whose content is not JSON in UTF-8. The next one may be."""


def read_frames(read: Callable[[], bytes | None]) -> Iterator[bytes | None]:
    """The contents of messages, until ``read`` returns nothing. What is cut off by the end is dropped.

    Where ``read`` has None for the time being, so has this. Raises ``BrokenFrame`` for a header without a length, or
    with one that is negative, no number or over 64 MiB, and for bytes that cannot become a header: whoever sends JSON
    alone would wait for ever for an answer.
    """
    buffer = bytearray()
    while True:
        while (end := _END_OF_HEADER.search(buffer, 0, LARGEST_HEADER)) is None:
            if buffer:
                _check_beginning(buffer)
            chunk = yield from _next(read)
            if not chunk:
                return
            buffer += chunk
        length = _content_length(bytes(buffer[: end.start()]))
        del buffer[: end.end()]
        while len(buffer) < length:
            chunk = yield from _next(read)
            if not chunk:
                return
            buffer += chunk
        content = bytes(buffer[:length])
        del buffer[:length]
        yield content


def read_lines(read: Callable[[], bytes | None]) -> Iterator[bytes | None]:
    """The lines of a stream, until ``read`` returns nothing, as MCP frames its messages. Empty ones are passed over.

    Where ``read`` has None for the time being, so has this. The last one may lack its end; what is cut off in the
    middle, and so is no JSON, is dropped. Raises ``BrokenFrame`` for a line of more than 64 MiB.
    """
    buffer = bytearray()
    while chunk := (yield from _next(read)):
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            buffer += end
            if buffer.strip():
                yield bytes(buffer)
            buffer.clear()
        buffer += rest
        if len(buffer) > LARGEST_MESSAGE:
            raise BrokenFrame(f"no line ends within {LARGEST_MESSAGE} bytes")
    if _is_json(bytes(buffer)):
        yield bytes(buffer)


def _is_json(content: bytes) -> bool:
    try:
        decode(content)
    except NotJson:
        return False
    return True


def _next(read: Callable[[], bytes | None]) -> Generator[None, None, bytes]:
    while (chunk := read()) is None:
        yield None
    return chunk


def decode(content: bytes) -> Any:
    """The JSON value of a message's content. Raises ``NotJson``."""
    try:
        return _DECODER.decode(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or "nested too deeply") from error


def encode(message: Any) -> bytes:
    """A message as a frame. The content is ASCII, so that characters and bytes are the same number."""
    content = _ENCODER.encode(message)
    return f"Content-Length: {len(content)}\r\n\r\n{content}".encode("ascii")


def encode_line(message: Any) -> bytes:
    """A message as a line of its own, in ASCII."""
    return _ENCODER.encode(message).encode("ascii") + b"\n"


class Input:
    """Reads messages from a descriptor in the event loop as they come, and hands on each by itself.

    pygls reads through the thread pool that its handlers use, so that a few that wait make it deaf; and to hand a
    message from thread to thread takes as long as a good part of a command.
    ``on_message`` gets a decoded value, ``on_garbage`` what is no JSON, ``on_end`` the reason for the end, or None
    where the input simply ended. ``may_read`` waits, up to the seconds that it is given, until there is room for
    answers, and tells whether there is. No more is read than the loop keeps up with. ``split`` finds the messages in
    the bytes.
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
        split: Callable[[Callable[[], bytes | None]], Iterator[bytes | None]] = read_frames,
    ) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._on_message = on_message
        self._on_garbage = on_garbage
        self._on_end = on_end
        self._may_read = may_read
        self._messages = split(self._take)
        self._chunk: bytes | None = None
        self._is_never_late = _is_never_late(descriptor)
        self._is_waited_for = False

    def start(self) -> None:
        """Begin to read."""
        self._go_on(self._loop.time())

    def _go_on(self, since: float) -> None:
        """Read as soon as there is something to be read, and room for answers, which has been missing ``since``."""
        if not self._may_read(0):
            self._pause()
            if self._loop.time() - since > _PATIENCE and self._has_hung_up():
                self._end(None)
            else:
                self._loop.call_later(_BETWEEN_LOOKS, self._go_on, since)
        elif self._is_never_late:
            self._loop.call_soon(self._read)
        elif not self._is_waited_for:
            self._loop.add_reader(self._descriptor, self._read)
            self._is_waited_for = True

    def _read(self) -> None:
        try:
            self._chunk = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._chunk = b""
        try:
            for content in self._messages:
                if content is None:
                    self._go_on(self._loop.time())
                    return
                self._hand_on(content)
        except BrokenFrame as error:
            self._end(error)
        else:
            self._end(None)

    def _take(self) -> bytes | None:
        chunk, self._chunk = self._chunk, None
        return chunk

    def _hand_on(self, content: bytes) -> None:
        try:
            try:
                message = decode(content)
            except NotJson as error:
                self._on_garbage(error)
            else:
                self._on_message(message)
        except Exception as error:  # noqa: BLE001 - what goes wrong with one message is no matter of the others
            self._loop.call_exception_handler({"message": "a message was not handled", "exception": error})

    def _end(self, reason: BrokenFrame | None) -> None:
        self._pause()
        self._loop.call_soon(self._on_end, reason)

    def _pause(self) -> None:
        if self._is_waited_for:
            self._loop.remove_reader(self._descriptor)
            self._is_waited_for = False

    def _has_hung_up(self) -> bool:
        """Whether the other end is closed, found out without reading."""
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return bool(poll.poll(0))


def _is_never_late(descriptor: int) -> bool:
    """Whether it is a file or the like, whose end is all that one can come to: no event loop waits for it."""
    mode = os.fstat(descriptor).st_mode
    return not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor))


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
                shown = quoted(digits[:40].decode("ascii", "backslashreplace"))
                raise BrokenFrame(f"Content-Length: expected 0 to {LARGEST_MESSAGE}, not {shown}")
            if length not in (None, int(digits)):
                raise BrokenFrame(f"two values of Content-Length: {length} and {int(digits)}")
            length = int(digits)
    if length is None:
        raise BrokenFrame("a header without a Content-Length")
    return length


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# json.loads and json.dumps would make such a one for every message.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
