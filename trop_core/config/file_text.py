"""The text of a configuration file, as far as it can be told to be one without a parser."""

from __future__ import annotations

import errno
import os

from trop_core import small_files
from trop_core.config.values import Problems
from trop_core.errors.system import PermissionDenied, SystemFailure
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TOO_LARGE = f"the file is larger than {small_files.LARGEST_CONFIGURATION} bytes, the most that is read"
"""What is said of a larger one."""


def read_bytes(path: str) -> bytes | None:
    """What a configuration file holds that somebody named, or None if there is no such file. Never waits for it.

    Raises ``ConfigError`` for what is no regular file or too large, ``PermissionDenied`` or ``SystemFailure`` for a
    file that cannot be read.
    """
    content = small_files.read(path, most=small_files.LARGEST_CONFIGURATION)
    if isinstance(content, bytes):
        return content
    if content.reason == "missing":
        return None
    if content.error is not None:
        raise failure(content.error, path) from content.error
    problems = Problems(path)
    if content.reason == "too_large":
        problems.fail(None, None, TOO_LARGE)
    what = "a directory" if os.path.isdir(path) else "something else"
    return problems.fail(None, None, f"expected a file, and this is {what}")


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but empty lines and comments: YAML's parser need not be loaded to read that."""
    return all(not line or line.startswith("#") for line in map(str.strip, _lines(text)))


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, one by one: the first tells nearly always whether there is anything in it."""
    if text.isascii():
        begin = 0
        while (end := text.find("\n", begin)) >= 0:
            yield from text[begin:end].split("\r")
            begin = end + 1
        yield from text[begin:].split("\r")
        return
    from trop_core.config.characters import LINE_BREAK

    begin = 0
    for found in LINE_BREAK.finditer(text):
        yield text[begin : found.start()]
        begin = found.end()
    yield text[begin:]


def decoded(content: bytes, path: str) -> str:
    """The text that a configuration file's bytes stand for, without a byte order mark.

    Raises ``ConfigError`` for what is too large, not UTF-8 or full of control characters.
    """
    problems = Problems(path)
    if len(content) > small_files.LARGEST_CONFIGURATION:
        problems.fail(None, None, TOO_LARGE)
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _position(content[: error.start].decode("utf-8"))
        problems.fail(*place, f"the byte 0x{content[error.start]:02x} here is not valid UTF-8")
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    import re

    from trop_core.config.characters import FORBIDDEN

    forbidden = re.search(FORBIDDEN, text)
    if forbidden:
        place = _position(text[: forbidden.start()])
        problems.fail(*place, f"the character U+{ord(forbidden[0]):04X} must not stand in YAML")
    return text


def _position(before: str) -> tuple[int, int]:
    """Line and column of what comes after a text."""
    from trop_core.config.characters import LINE_BREAK

    lines = LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


def failure(error: OSError, path: str) -> SystemFailure:
    """The error for a file that the system does not let us read."""
    reason = error.strerror or str(error)
    denied = error.errno in (errno.EACCES, errno.EPERM)
    return (PermissionDenied if denied else SystemFailure)("read", path=path, reason=reason)
