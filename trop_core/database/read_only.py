"""A look at a store that leaves it as it is: no byte changes, and no file is left beside it that was not there.

SQLite reads a file in WAL mode only with a -wal and a -shm file, and one that may not write leaves both behind. So
where nobody has such a file open, a copy is read in its place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing, contextmanager

from trop_core import temporary
from trop_core.database.failures import primary_code, system_failure
from trop_core.database.file_set import SHARED_UNIT, files_of
from trop_core.database.handles import IN_MEMORY, connect_own, connect_read_only
from trop_core.database.open_files import IN_USE
from trop_core.errors.store import NoDataDirectory
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience

_ATTEMPTS = 3
_PAUSE = 0.02
_FORMAT = slice(18, 20)
_WAL_FORMAT = b"\x02\x02"
"""What the header says of a file in WAL mode. https://sqlite.org/fileformat.html, "File format version numbers"."""
_NOT_ALONE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
"""What SQLite says where reading takes more than reading: making an index, rolling back what was interrupted."""

_SUFFIXES = ("", "-wal", "-shm", "-journal")
_CONTENT = ("-wal", "-journal")

_Stamp = tuple[tuple[int, int, int] | None, ...]


@contextmanager
def read_only(
    path: str, patience: Patience, operation: str, *, text: Callable[[bytes], str] | None = None
) -> Iterator[StoreConnection]:
    """A connection to what a store's file holds now, what is only in its -wal included; it cannot change the store.

    ``text`` makes its texts; without it those that are not UTF-8 are an error. Raises ``NoDataDirectory``,
    ``LockTimeout`` naming ``operation``, ``Cancelled``, ``SystemFailure`` or ``PermissionDenied``; SQLite's own errors
    pass through.
    """
    with IN_USE.working(), contextlib.ExitStack() as stack:
        connection = _connection(path, stack, patience, operation)
        if text is not None:
            connection.text_factory = text
        yield connection


class Undecodable(str):
    """A text of the file that is not UTF-8, with its odd bytes escaped."""

    __slots__ = ()


def _connection(path: str, stack: ExitStack, patience: Patience, operation: str) -> StoreConnection:
    """A connection to the file itself, with a transaction, where it can be read without a trace; else to a copy."""
    attempt = 0
    while True:
        attempt += 1
        before = _stamp(path)
        if before[0] is None:
            raise NoDataDirectory(path)
        try:
            if _is_readable(path, before) and (itself := _itself(path, stack, patience, operation)) is not None:
                return itself
            # The attempt may have touched what lies beside.
            before = _stamp(path)
            copy = _copy(path, before, stack)
            if _stamp(path) == before:
                return _begun(copy, patience, operation)
        except (sqlite3.Error, FileNotFoundError):
            if _stamp(path) == before:
                raise
        # Somebody was at work meanwhile: what was read may be half old and half new.
        if patience.remaining <= 0 and attempt >= _ATTEMPTS:
            raise patience.timed_out(operation)
        with patience.clock.waiting():
            patience.token.wait(_PAUSE)


def _is_readable(path: str, stamp: _Stamp) -> bool:
    """Whether SQLite leaves no trace where it reads the file, with what lies beside it."""
    database, log, shared, journal = stamp
    is_empty = database is not None and not database[1]
    # One of which a part is missing would hide what is stored.
    is_shared = shared is not None and shared[1] > 0 and not shared[1] % SHARED_UNIT
    return is_empty or (log is not None and is_shared) or journal is not None or not _is_in_wal_mode(path)


def _is_in_wal_mode(path: str) -> bool:
    with closing(connect_read_only(path, immutable=True)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return connection.serialize()[_FORMAT] == _WAL_FORMAT


def _itself(path: str, stack: ExitStack, patience: Patience, operation: str) -> StoreConnection | None:
    """A connection to the file itself; None where reading takes more than reading."""
    connection = stack.enter_context(closing(connect_read_only(path)))
    try:
        return _begun(connection, patience, operation)
    except sqlite3.OperationalError as error:
        if primary_code(error) not in _NOT_ALONE:
            raise
        return None


def _begun(connection: StoreConnection, patience: Patience, operation: str) -> StoreConnection:
    patience.insist(lambda: connection.execute("BEGIN"), operation)
    # A transaction begins with the first look.
    patience.insist(lambda: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone(), operation)
    return connection


def _copy(path: str, stamp: _Stamp, stack: ExitStack) -> StoreConnection:
    """A connection to a copy of a store, with what lies beside it as far as it is not in the copied file itself."""
    # Through SQLite, never by opening the file: a process that closes any descriptor of a file gives up all its locks
    # on it, and a server may have some. On the -wal there are no locks.
    beside = [
        suffix for suffix, found in zip(_SUFFIXES, stamp, strict=True) if suffix in _CONTENT and found and found[1]
    ]
    with closing(connect_read_only(path, immutable=True)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not beside:
            copy = stack.enter_context(closing(connect_own(IN_MEMORY, path)))
            connection.backup(copy)
            return copy
        content = connection.serialize()
    place = stack.enter_context(temporary.directory())
    name = os.path.join(place, "copy.db")
    try:
        _write(name, content)
        for suffix in beside:
            with open(files_of(path)[0] + suffix, "rb") as file:
                _write(name + suffix, file.read())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise system_failure(error, "copy the store, to read it", error.filename or name) from error
    return stack.enter_context(closing(connect_own(name, path)))


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def escaped_text(value: bytes) -> str:
    """A text as it is, and as ``Undecodable`` where it is not UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return Undecodable(value.decode("utf-8", "backslashreplace"))


def _stamp(path: str) -> _Stamp:
    """What tells that a store's file, or one that SQLite keeps beside it, has changed."""
    found: list[tuple[int, int, int] | None] = []
    itself = files_of(path)[0]
    for suffix in _SUFFIXES:
        try:
            status = os.stat(itself + suffix)
        except FileNotFoundError:
            found.append(None)
        except OSError as error:
            raise system_failure(error, "look at", itself + suffix) from error
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)
