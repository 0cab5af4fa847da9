"""Small files that a stranger may have put there.

What stands under a name may be a pipe that nobody writes to, a device, a loop of links or a file without an end. Each
is told in bounded time and memory, and is no error: whoever asks decides what it means that there is no content.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import Literal

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a file has no content for us: there is none, it is no regular file, it is too large, or reading it failed.

    ``error`` is what the system said, if it was the system that refused.
    """

    reason: Literal["missing", "irregular", "too_large", "failed"]
    error: OSError | None = None


def read(path: str, *, most: int) -> bytes | Unread:
    """What a regular file holds, if that is ``most`` bytes or fewer; links to one are followed. Raises nothing.

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
        return _content(descriptor, most)
    except OSError as error:
        return Unread("failed", error)
    finally:
        os.close(descriptor)


def _content(descriptor: int, most: int) -> bytes | Unread:
    found = os.fstat(descriptor)
    # The file may have been replaced since it was looked at.
    if not stat.S_ISREG(found.st_mode):
        return Unread("irregular")
    if found.st_size > most:
        return Unread("too_large")
    content = bytearray()
    # Files that the kernel makes up have no size, and some have no end.
    while len(content) <= most and (piece := os.read(descriptor, min(_PIECE, most + 1 - len(content)))):
        content += piece
    return bytes(content) if len(content) <= most else Unread("too_large")
