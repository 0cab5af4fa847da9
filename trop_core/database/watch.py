"""Looking whether a store has changed, without getting in anybody's way."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat

from trop_core.database import reservations
from trop_core.database.failures import is_busy, system_failure, translate
from trop_core.database.file_set import files_of
from trop_core.database.handles import StoreConnection, check_writable, connect_read_only
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.database.migrations.version import check_supported, read_version
from trop_core.database.open_files import IN_USE
from trop_core.database.read_only import read_only
from trop_core.database.waiting import Patience
from trop_core.errors.store import LockTimeout
from trop_core.errors.system import SystemFailure
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import HIGHEST_PORT, LOWEST_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from trop_core.models import Reservation

    _Rows = Callable[[StoreConnection], list[Reservation]]

_NEVER_LOOKED = object()
_IRREGULAR = 0
"""No number of an error."""

_Place = tuple[str, tuple[int, int] | int | None]


class StoreBusy(Exception):
    """Not even reading is possible at this moment: a later look will tell."""


class StoreWatch:
    """One look after the other at a store that may be created, replaced, damaged or removed meanwhile.

    It has a connection of its own, that can only read: it makes no store, upgrades none, waits for no lock and holds
    none between two looks. Belongs to the thread that uses it first; ``close`` it in the end.
    """

    def __init__(self) -> None:
        self._connection: StoreConnection | None = None
        self._place: _Place = ("", None)
        self._version: object = None
        self._openings = 0
        self._seen: object = _NEVER_LOOKED

    def close(self) -> None:
        """Close the connection."""
        with IN_USE.working():
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def look(self, path: str) -> bool:
        """Whether the store at a path was changed since the last look, by whomever; False at the first one.

        A store that comes or goes has changed, and so has one that can be read again, or no longer. One that is locked
        at this moment is looked at the next time.
        """
        place = (path, _identity(path))
        if place != self._place:
            self.close()
            self._place = place
            self._version = None
        if isinstance(place[1], tuple):
            self._version = self._version_of(path)
        before, self._seen = self._seen, (place, self._version)
        return before not in (_NEVER_LOOKED, self._seen)

    def read(self, paths: Collection[str]) -> list[Reservation] | None:
        """What is reserved for exactly these paths, in the order of path and tag, where the last look found the store.

        Nothing is, in a store that does not exist. None for one of an older schema version: whoever opens it next
        upgrades it, and that is a change. Raises ``StoreBusy``, ``UnsupportedSchemaVersion``, ``DatabaseCorrupt``,
        ``PermissionDenied`` or ``SystemFailure``.
        """
        return self._read(lambda connection: reservations.at_paths(connection, paths))

    def read_all(self) -> list[Reservation] | None:
        """The same of everything that is reserved, in the order of the ports."""
        return self._read(lambda connection: reservations.within(connection, LOWEST_PORT, HIGHEST_PORT))

    def _read(self, query: _Rows) -> list[Reservation] | None:
        path, identity = self._place
        if identity is None:
            return []
        if identity == _IRREGULAR:
            raise SystemFailure("open", path=path, reason="it is no regular file")
        if isinstance(identity, int):
            raise system_failure(OSError(identity, os.strerror(identity)), "look at", path)
        is_writable = _is_writable(path)  # asked before this is at work: some of it can be looked at only then
        try:
            with IN_USE.working():
                if is_writable:
                    connection = self._opened(path)
                    connection.execute("BEGIN")
                    try:
                        return _read(connection, path, query)
                    finally:
                        connection.roll_back()
                with read_only(path, Patience(0), "read it") as connection:
                    return _read(connection, path, query)
        except LockTimeout as error:
            raise StoreBusy from error
        except sqlite3.Error as error:
            if is_busy(error):
                raise StoreBusy from error
            raise translate(error, path) from error

    def _opened(self, path: str) -> StoreConnection:
        """The connection that looks; the caller is at work."""
        if self._connection is None or not self._connection.is_open:
            self._connection = connect_read_only(path)
            self._openings += 1
        return self._connection

    def _version_of(self, path: str) -> object:
        """What is another one after each change by another connection; None where that cannot be told."""
        # Somebody is at work for long, or the system refuses it: the next look tries again.
        with contextlib.suppress(LockTimeout, SystemFailure):
            IN_USE.leave_replaced(path, Patience(0))
        if not _is_writable(path):
            return [_status(name) for name in files_of(path)]
        try:
            with IN_USE.working():
                (version,) = self._opened(path).execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            return self._version if is_busy(error) else None
        return self._openings, version


def _read(connection: StoreConnection, path: str, query: _Rows) -> list[Reservation] | None:
    version = read_version(connection, path)
    check_supported(version, LATEST_VERSION, path)
    if version == LATEST_VERSION:
        return query(connection)
    return None if version else []


def _is_writable(path: str) -> bool:
    """Whether SQLite can make beside the store what reading takes; what is left there is in nobody's way then."""
    try:
        check_writable(path)
    except SystemFailure:
        return False
    return True


def _status(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _identity(path: str) -> tuple[int, int] | int | None:
    """Which file a path names; None if it names none; the number of the error where the system will not tell.

    ``_IRREGULAR`` for what is no file: to open a FIFO may take for ever.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error.errno or errno.EIO
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else _IRREGULAR
