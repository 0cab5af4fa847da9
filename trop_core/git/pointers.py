"""The one-line files in which git keeps paths, and what there is where they lead.

A path in them is anybody's: it is never followed further than the system itself would follow it.
"""

from __future__ import annotations

import errno
import os

from trop_core import small_files
from trop_core.paths import LONGEST_PATH

LARGEST_FILE = 64 * 1024
"""Bytes; what git writes into its small files is a path or the name of a reference."""


def git_file(path: str) -> str | None:
    """Where a file called ``.git`` leads, absolute; "" if it says nothing of use. None if no such file can be read."""
    content = small_files.read(path, most=LARGEST_FILE)
    if not isinstance(content, bytes):
        return None
    prefix, _, target = content.partition(b":")
    return _absolute(target.lstrip(), os.path.dirname(path)) if prefix == b"gitdir" else ""


def pointer(git_directory: str, name: str) -> str | None:
    """The path that ``commondir`` or ``gitdir`` holds, absolute; "" if it is of no use. None if there is no file."""
    content = small_files.read(os.path.join(git_directory, name), most=LARGEST_FILE)
    if isinstance(content, bytes):
        return _absolute(content, git_directory)
    return None if content.reason == "missing" else ""


def canonical(path: str) -> str | None:
    """The one name of something that exists; None for what does not, or cannot be reached."""
    try:
        # The system gives up after some forty links. Python would not.
        os.stat(path)
        return os.path.realpath(path)
    except (OSError, ValueError):
        return None


def nearest_directory(path: str) -> str:
    """The path itself if it is a directory, else the nearest one above it that is."""
    while not os.path.isdir(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path


def followed(path: str) -> str:
    """An absolute path with its links followed, as far as it exists."""
    above = nearest_directory(path)
    real = canonical(above)
    return path if real is None else os.path.normpath(os.path.join(real, os.path.relpath(path, above)))


def is_same_directory(one: str, other: str) -> bool:
    """Whether two paths lead to one directory that exists. A file can have two names without a link; this cannot."""
    try:
        return os.path.isdir(one) and os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def is_gone(path: str) -> bool:
    """Whether the system says that there is nothing of this name, not even a link that leads nowhere."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    except ValueError:
        pass
    return False


def _absolute(content: bytes, base: str) -> str:
    path = content.rstrip(b"\r\n")
    if not path or len(path) > LONGEST_PATH or b"\0" in path:
        return ""
    return os.path.normpath(os.path.join(base, os.fsdecode(path)))
