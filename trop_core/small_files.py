"""Small files that a stranger may have put there.

What stands under a name may be a pipe that nobody writes to, a device, a loop of links or a file without an end. Each
is told in bounded time and memory, and is no error: whoever asks decides what it means that there is no content.
"""

from __future__ import annotations

import errno
import os
import stat

from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_CONFIGURATION = 1024 * 1024
"""Bytes; the most that is read of a configuration, git's or ours."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PIECE = 64 * 1024


class Unread(NamedTuple):
    """Why a file has no content for us.

    There is none, it is no regular file, it is too large, reading it failed, or it belongs to somebody whose files are
    not taken. ``error`` is what the system said, if it was the system that refused; ``owner`` is that somebody.
    """

    reason: Literal["missing", "irregular", "too_large", "failed", "foreign"]
    error: OSError | None = None
    owner: int | None = None


def read(path: str, *, most: int, takes: Callable[[int], bool] | None = None) -> bytes | Unread:
    """What a regular file holds, if that is ``most`` bytes or fewer; links to one are followed. Raises nothing.

    ``takes`` says of the owner of what was opened whether it is read; without it, everybody's is.

    Opens nothing but regular files, never waits for one, and reads no more than one byte above the bound. On a network
    mount that is dead, the system itself may wait.
    """
    try:
        # Opening alone does something to some devices, and to a program that waits for a reader of its pipe.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return Unread("irregular")
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        return Unread("missing" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "failed", error)
    except ValueError:
        return Unread("missing")  # no file can have a name with a NUL, or with half of a character
    try:
        return _content(descriptor, most, takes)
    except OSError as error:
        return Unread("failed", error)
    finally:
        os.close(descriptor)


def _content(descriptor: int, most: int, takes: Callable[[int], bool] | None) -> bytes | Unread:
    found = os.fstat(descriptor)
    # The file may have been replaced since it was looked at.
    if not stat.S_ISREG(found.st_mode):
        return Unread("irregular")
    if takes is not None and not takes(found.st_uid):
        return Unread("foreign", owner=found.st_uid)
    if found.st_size > most:
        return Unread("too_large")
    content = bytearray()
    # Files that the kernel makes up have no size, and some have no end.
    while len(content) <= most and (piece := os.read(descriptor, min(_PIECE, most + 1 - len(content)))):
        content += piece
    return bytes(content) if len(content) <= most else Unread("too_large")
