"""Bare connections to a store's file, and the file itself: which one a name means, and making an empty one."""

from __future__ import annotations

import os
import sqlite3
from typing import Any
from weakref import WeakSet

from trop_core.database.failures import system_failure, translate
from trop_core.errors.store import NoDataDirectory
from trop_core.errors.system import SystemFailure
from trop_core.paths import home_of_another

IN_MEMORY = ":memory:"

_OLDEST_SQLITE = (3, 37)
"""The first SQLite that has STRICT tables."""


class StoreConnection(sqlite3.Connection):
    """A connection that knows the file that it was opened on, for the errors of whoever reads from it.

    ``commits`` counts its own write transactions: those of others show in ``PRAGMA data_version``. ``soundness`` is
    whether the companion tables were found to be as they should be, and the number of the schema that had them.
    """

    path: str = IN_MEMORY
    commits: int = 0
    soundness: tuple[int, bool] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cursors = WeakSet[sqlite3.Cursor]()

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement; its rows are read from the cursor that is returned."""
        cursor = super().execute(sql, parameters)
        self._cursors.add(cursor)
        return cursor

    def roll_back(self) -> None:
        """End the transaction, if one is open, and every statement that was not read to its end.

        An interrupt holds for as long as such a statement lives, and would stop the ROLLBACK as well.
        """
        for cursor in tuple(self._cursors):
            cursor.close()
        # A schema of the same number may be another one, once a transaction that made one was rolled back.
        self.soundness = None
        # SQLite has rolled back by itself after some errors (a full disk, an interrupt).
        if self.in_transaction:
            self.execute("ROLLBACK")


def create_file(path: str) -> bool:
    """Make an empty file with mode 0600 if there is none, and tell whether one was made.

    What root makes in somebody else's home is theirs. An existing file is not opened: closing it again would drop the
    locks that SQLite holds on it in this process.
    """
    try:
        if home_of_another() is not None:
            from trop_core import ownership

            made = ownership.create_file(path)
            if made is not None:
                return made
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise system_failure(error, "create", path) from error
    os.close(descriptor)
    return True


def check(path: str) -> None:
    """Refuse, as root, to open what a link in somebody else's home puts in the place of a store.

    SQLite would write into it, and make files beside it. Raises ``PermissionDenied`` or ``SystemFailure``.
    """
    if path != IN_MEMORY and home_of_another() is not None:
        from trop_core import ownership

        ownership.check(path)


def connect(path: str) -> StoreConnection:
    """A connection to an existing file, ``IN_MEMORY`` included, as it is; it waits for no lock.

    Raises ``NoDataDirectory``, ``SystemFailure``, ``PermissionDenied``, or SQLite's own error where the file is damaged
    or locked.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise SystemFailure(
            "open",
            path=path,
            reason=f"this Python has SQLite {sqlite3.sqlite_version}, and trop needs 3.37 or later",
        )
    check(path)
    # mode=rw: SQLite itself would create a missing file with whatever mode the umask leaves.
    name = path if path == IN_MEMORY else f"file:{_uri_escaped(path)}?mode=rw"
    try:
        connection = sqlite3.connect(name, timeout=0, isolation_level=None, uri=True, factory=StoreConnection)
    except sqlite3.OperationalError as error:
        if not os.path.lexists(path):
            raise NoDataDirectory(path) from error
        raise translate(error, path) from error
    connection.path = path
    try:
        # Reads the file: a damaged one is noticed here, and so is a locked one.
        connection.execute("PRAGMA synchronous = NORMAL")
        # A long statement needs a place for what it may have to take back, and not everybody has a place for files.
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: str, *, immutable: bool = False) -> StoreConnection:
    """A bare connection to an existing file that can only read it, for whoever looks on. Raises SQLite's own errors.

    ``immutable`` is for a file that nobody writes to: no lock is taken, and what is in a -wal is not seen.
    """
    check(path)
    name = f"file:{_uri_escaped(path)}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(name, timeout=0, isolation_level=None, uri=True, factory=StoreConnection)
    connection.path = path
    return connection


def identity(path: str) -> tuple[int, int] | None:
    """Which file a name means now; None if it means none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _uri_escaped(path: str) -> str:
    # urllib.parse costs more to import than a reservation takes. https://sqlite.org/uri.html, "URI filenames".
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
