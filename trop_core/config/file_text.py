"""The text of a configuration file, as far as it can be told to be one without a parser."""

from __future__ import annotations

import errno
import os
import re
import stat

from trop_core.config.values import Problems
from trop_core.errors.system import PermissionDenied, SystemFailure

LARGEST_FILE = 1024 * 1024

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""The characters that YAML 1.1 does not allow (section 5.1 of its specification)."""


def read_text(path: str, *, climbing: bool = False) -> str | None:
    """The text of a configuration file, or None if there is no such file. Raises what both functions below raise."""
    content = read_bytes(path, climbing=climbing)
    return None if content is None else decoded(content, path)


def read_bytes(path: str, *, climbing: bool = False) -> bytes | None:
    """What a configuration file holds, or None if there is no such file. Opens it once, and never waits for it.

    ``climbing`` is for a file that nobody said exists: where its directory cannot be looked into, there is none.
    Raises ``ConfigError`` for what is no regular file, ``PermissionDenied`` or ``SystemFailure`` for a file that cannot
    be read. Of a file that is too large, a part comes back that is too large as well.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe waits until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if climbing and not os.path.lexists(path):
            return None
        raise _failure(error, path) from error
    problems = Problems(path)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "something else"
            problems.fail(None, None, f"expected a file, and this is {what}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _failure(error, path) from error
    finally:
        os.close(descriptor)


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but empty lines and comments: YAML's parser need not be loaded to read that."""
    return all(not line or line.startswith("#") for line in map(str.strip, _LINE_BREAK.split(text)))


def decoded(content: bytes, path: str) -> str:
    """The text that a configuration file's bytes stand for, without a byte order mark.

    Raises ``ConfigError`` for what is too large, not UTF-8 or full of control characters.
    """
    problems = Problems(path)
    if len(content) > LARGEST_FILE:
        problems.fail(None, None, f"the file is larger than {LARGEST_FILE} bytes, the most that is read")
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _position(content[: error.start].decode("utf-8"))
        problems.fail(*place, f"the byte 0x{content[error.start]:02x} here is not valid UTF-8")
    forbidden = re.search(_FORBIDDEN, text)
    if forbidden:
        place = _position(text[: forbidden.start()])
        problems.fail(*place, f"the character U+{ord(forbidden[0]):04X} must not stand in YAML")
    return text


def _position(before: str) -> tuple[int, int]:
    """Line and column of what comes after a text."""
    lines = _LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


def _failure(error: OSError, path: str) -> SystemFailure:
    reason = error.strerror or str(error)
    denied = error.errno in (errno.EACCES, errno.EPERM)
    return (PermissionDenied if denied else SystemFailure)("read", path=path, reason=reason)
