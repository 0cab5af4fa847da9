"""A look at a store that leaves it as it is: no byte changes, and no file is left beside it that was not there.

SQLite reads a file in WAL mode only with a -wal and a -shm file, and one that may not write leaves both behind. So
where nobody has such a file open, a copy is read in its place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trop_core import temporary
from trop_core.database.failures import system_failure
from trop_core.database.handles import connect_read_only
from trop_core.errors.store import NoDataDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience

_OPERATION = "validate it"
_ATTEMPTS = 3
_PAUSE = 0.02
_FORMAT = slice(18, 20)
_WAL_FORMAT = b"\x02\x02"
"""What the header says of a file in WAL mode. https://sqlite.org/fileformat.html, "File format version numbers"."""

_Stamp = tuple[tuple[int, int, int] | None, ...]


@contextmanager
def read_only(path: str, patience: Patience) -> Iterator[StoreConnection]:
    """A connection to what a store's file holds now, what is only in its -wal included; it cannot write.

    Text that is not UTF-8 comes as ``Undecodable``. Raises ``NoDataDirectory``, ``LockTimeout``, ``Cancelled``,
    ``SystemFailure`` or ``PermissionDenied``; SQLite's own errors pass through.
    """
    with temporary.directory() as place:
        name = _copied(path, place, patience) or path
        with contextlib.closing(_connect(name)) as connection:
            patience.insist(lambda: connection.execute("BEGIN"), _OPERATION)
            # A transaction begins with the first look.
            patience.insist(lambda: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone(), _OPERATION)
            yield connection


class Undecodable(str):
    """A text of the file that is not UTF-8, with its odd bytes escaped."""

    __slots__ = ()


def _copied(path: str, place: str, patience: Patience) -> str | None:
    """A copy of a store that nobody has open, or None where the file itself can be read without a trace."""
    attempt = 0
    while True:
        attempt += 1
        before = _stamp(path)
        database, log, shared, journal = before
        if database is None:
            raise NoDataDirectory(path)
        is_empty = not database[1]
        if is_empty or (log is not None and shared is not None) or journal is not None:
            return None
        try:
            copy = _copy(path, place, with_log=log is not None)
        except (sqlite3.Error, FileNotFoundError):
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return copy
        # Somebody was at work meanwhile: what was read may be half old and half new.
        if patience.remaining <= 0 and attempt >= _ATTEMPTS:
            raise patience.timed_out(_OPERATION)
        patience.token.wait(_PAUSE)


def _copy(path: str, place: str, *, with_log: bool) -> str | None:
    # Through SQLite, never by opening the file: a process that closes any descriptor of a file gives up all its locks
    # on it, and a server may have some. On the -wal there are no locks.
    with contextlib.closing(_connect(path, immutable=True)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        content = connection.serialize()
    if content[_FORMAT] != _WAL_FORMAT:
        return None
    copy = os.path.join(place, "copy.db")
    try:
        _write(copy, content)
        if with_log:
            with open(f"{path}-wal", "rb") as log:
                _write(f"{copy}-wal", log.read())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise system_failure(error, "copy the store for validation", error.filename or copy) from error
    return copy


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _connect(path: str, *, immutable: bool = False) -> StoreConnection:
    connection = connect_read_only(path, immutable=immutable)
    connection.text_factory = _text
    return connection


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return Undecodable(value.decode("utf-8", "backslashreplace"))


def _stamp(path: str) -> _Stamp:
    """What tells that a store's file, or one that SQLite keeps beside it, has changed."""
    found: list[tuple[int, int, int] | None] = []
    for suffix in ("", "-wal", "-shm", "-journal"):
        try:
            status = os.stat(path + suffix)
        except FileNotFoundError:
            found.append(None)
        except OSError as error:
            raise system_failure(error, "look at", path + suffix) from error
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)
