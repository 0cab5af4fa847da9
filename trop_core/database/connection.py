"""One connection to a store's file: opening it, its transactions, and bringing its schema to the latest version."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from trop_core.database.failures import is_busy, system_failure, translate, undecodable_column
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.database.migrations.version import check_supported, read_version
from trop_core.database.waiting import Patience
from trop_core.errors import DatabaseCorrupt, NoDataDirectory, SystemFailure, TropError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.migrations.executor import MigrationExecutor
    from trop_core.database.migrations.registry import MigrationRegistry
    from trop_core.database.migrations.types import MigrationResult

IN_MEMORY = ":memory:"

_OLDEST_SQLITE = (3, 37)
"""The first SQLite that has STRICT tables."""


class StoreConnection(sqlite3.Connection):
    """A connection that knows the file that it was opened on, for the errors of whoever reads from it.

    ``commits`` counts its own write transactions: those of others show in ``PRAGMA data_version``.
    """

    path: str = IN_MEMORY
    commits: int = 0

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
        # SQLite has rolled back by itself after some errors (a full disk, an interrupt).
        if self.in_transaction:
            self.execute("ROLLBACK")


class Database:
    """One connection to a store. Belongs to the thread that opened it; ``close`` it in the end.

    It notices when the file under its name is no longer the one that it has open, and opens the new one: a connection
    to a file that was renamed or removed would go on writing, without an error, to what nobody else sees.
    """

    def __init__(self, path: str, registry: MigrationRegistry | None, patience: Patience) -> None:
        self.path = path
        self._registry = registry
        self._open(patience)

    @classmethod
    def connect(
        cls, path: str, *, patience: Patience | None = None, registry: MigrationRegistry | None = None
    ) -> Database:
        """Open an existing file as it is: its version is looked at when a transaction begins.

        Raises ``NoDataDirectory`` if there is none, ``PermissionDenied``, ``SystemFailure``, ``DatabaseCorrupt``,
        ``LockTimeout`` or ``Cancelled``.
        """
        return cls(path, registry, patience or Patience(5.0))

    @classmethod
    def open(
        cls,
        path: str,
        *,
        create: bool = True,
        patience: Patience | None = None,
        registry: MigrationRegistry | None = None,
    ) -> Database:
        """Open a file and bring it to the latest schema version; a version that is the latest takes no lock.

        ``create`` makes a missing file, with mode 0600; its directory must exist. Raises what ``connect`` and
        ``migrate_to_latest`` raise.
        """
        if create:
            create_file(path)
        patience = patience or Patience(5.0)
        database = cls.connect(path, patience=patience, registry=registry)
        try:
            database.migrate_to_latest(patience)
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def in_memory(cls, *, registry: MigrationRegistry | None = None) -> Database:
        """An empty store that leaves nothing behind: what a store that does not exist would be."""
        database = cls.connect(IN_MEMORY, registry=registry)
        database.migrate_to_latest()
        return database

    def close(self) -> None:
        """Close the connection; whatever was not committed is rolled back."""
        self._connection.close()

    def migrate_to_latest(self, patience: Patience | None = None) -> MigrationResult | None:
        """Bring the file to the latest schema version; None, and no write lock, where it has it already.

        Raises ``MigrationBlocked``, ``MigrationFailed``, ``UnsupportedSchemaVersion``, ``DatabaseCorrupt``,
        ``PermissionDenied``, ``LockTimeout`` or ``Cancelled``; the file is then as it was.
        """
        patience = patience or Patience(5.0)
        while True:
            try:
                result = self._migrate(patience)
            except TropError:
                if not self._is_replaced():
                    raise
            else:
                if not self._is_replaced():
                    self._use_write_ahead_log()
                    return result
            self._reopen(patience)

    @contextmanager
    def read(self, patience: Patience) -> Iterator[StoreConnection]:
        """A read transaction: one unchanging view of the store, beside whatever is being written.

        Raises the errors of opening, and ``LockTimeout`` in the rare moments when not even reading is possible.
        """
        with self._rolling_back(patience, "read it"):
            self._begin("BEGIN", patience, "read it")
            with patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            self._connection.roll_back()

    @contextmanager
    def write(self, patience: Patience, operation: str) -> Iterator[StoreConnection]:
        """A write transaction that commits at the end of the block and rolls back when an error leaves it.

        ``operation`` says in an error what the lock was wanted for. Raises the errors of opening, ``LockTimeout`` and
        ``Cancelled``.
        """
        with self._rolling_back(patience, operation):
            self._begin("BEGIN IMMEDIATE", patience, operation)
            with patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            patience.insist(lambda: self._connection.execute("COMMIT"), operation)
            self._connection.commits += 1

    @contextmanager
    def rehearse(self, patience: Patience, operation: str) -> Iterator[StoreConnection]:
        """A write transaction that always rolls back, and fails where ``write`` would.

        An older schema is brought to the latest version inside of it, and is the older one again afterwards.
        """
        with self._rolling_back(patience, operation):
            self._begin("BEGIN IMMEDIATE", patience, operation, rehearsal=True)
            # BEGIN IMMEDIATE succeeds on a file or in a directory that is read-only; this fails as a real write does.
            self._connection.execute("PRAGMA user_version = 0")
            with patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            self._connection.roll_back()

    def _open(self, patience: Patience) -> None:
        # In this order: a file that is put in place between the two is taken for a change, and opened once more.
        self._identity = _identity(self.path)
        try:
            self._connection = patience.insist(lambda: _connect(self.path), "open it")
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
        self._is_open = True

    def _reopen(self, patience: Patience) -> None:
        # Closed first: a process that closes any descriptor of a file gives up all its locks on it, and the old
        # connection may share its -shm file with the new one. If there is nothing to open now, a later call tries.
        self._is_open = False
        self._connection.close()
        self._open(patience)

    def _is_replaced(self) -> bool:
        """Whether the name means another file by now, or none."""
        return self.path != IN_MEMORY and _identity(self.path) != self._identity

    @contextmanager
    def _rolling_back(self, patience: Patience, operation: str) -> Iterator[None]:
        """Roll back when an error leaves the block, and make SQLite's errors the product's."""
        try:
            yield
        except BaseException as error:
            if self._is_open:
                self._connection.roll_back()
            if isinstance(error, sqlite3.Error):
                raise self._translated(error, patience, operation) from error
            raise

    def _translated(self, error: sqlite3.Error, patience: Patience, operation: str) -> TropError:
        if is_busy(error):
            return patience.timed_out(operation)
        translated = translate(error, self.path)
        column = undecodable_column(error)
        if column is not None and isinstance(translated, DatabaseCorrupt):
            from trop_core.database.reservations import undecodable_key

            # The statement has told the column, but not the row.
            with contextlib.suppress(sqlite3.Error):
                translated.key = undecodable_key(self._connection, column)
        return translated

    def _begin(self, sql: str, patience: Patience, operation: str, *, rehearsal: bool = False) -> None:
        while True:
            version = patience.insist(lambda: self._try_begin(sql), operation) if self._is_open else None
            if version is None:
                self._reopen(patience)
            elif version == self._latest:
                return
            elif rehearsal:
                executor = self._executor(patience)
                with patience.token.interrupting(self._connection.interrupt):
                    executor.apply(executor.plan(dry_run=True))
                return
            else:
                self._connection.roll_back()
                self.migrate_to_latest(patience)

    def _try_begin(self, sql: str) -> int | None:
        """Begin and return the version, or None, without a transaction, if the name means another file by now."""
        version = None
        try:
            self._connection.execute(sql)
            version = self._read_version()
        except (sqlite3.Error, TropError):
            self._connection.roll_back()
            if not self._is_replaced():
                raise
            return None
        if self._is_replaced():
            self._connection.roll_back()
            return None
        return version

    def _migrate(self, patience: Patience) -> MigrationResult | None:
        try:
            version = patience.insist(self._read_version, "read its schema version")
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
        if version == self._latest:
            return None
        executor = self._executor(patience)
        return executor.execute(patience.insist(executor.plan, "read its schema version"))

    def _read_version(self) -> int:
        version = read_version(self._connection, self.path)
        check_supported(version, self._latest, self.path)
        return version

    @property
    def _latest(self) -> int:
        return LATEST_VERSION if self._registry is None else self._registry.latest

    def _executor(self, patience: Patience) -> MigrationExecutor:
        from trop_core.database.migrations.executor import MigrationExecutor
        from trop_core.database.migrations.registry import MigrationRegistry

        registry = MigrationRegistry() if self._registry is None else self._registry
        path = None if self.path == IN_MEMORY else self.path
        return MigrationExecutor(self._connection, registry, path=path, patience=patience)

    def _use_write_ahead_log(self) -> None:
        """Switch to WAL, once the version is right.

        Where that is not possible now (others are at work, the file is read-only, the disk is full), the store works
        without, and one who opens it later will do it.
        """
        if self.path == IN_MEMORY:
            return
        with contextlib.suppress(sqlite3.OperationalError):
            if self._connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                self._connection.execute("PRAGMA journal_mode = WAL")


def create_file(path: str) -> bool:
    """Make an empty file with mode 0600 if there is none, and tell whether one was made.

    An existing file is not opened: closing it again would drop the locks that SQLite holds on it in this process.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise system_failure(error, "create", path) from error
    os.close(descriptor)
    return True


def _connect(path: str) -> StoreConnection:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise SystemFailure(
            "open",
            path=path,
            reason=f"this Python has SQLite {sqlite3.sqlite_version}, and trop needs 3.37 or later",
        )
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
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: str, *, immutable: bool = False) -> StoreConnection:
    """A bare connection to an existing file that can only read it, for whoever looks on. Raises SQLite's own errors.

    ``immutable`` is for a file that nobody writes to: no lock is taken, and what is in a -wal is not seen.
    """
    name = f"file:{_uri_escaped(path)}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(name, timeout=0, isolation_level=None, uri=True, factory=StoreConnection)
    connection.path = path
    return connection


def _uri_escaped(path: str) -> str:
    # urllib.parse costs more to import than a reservation takes. https://sqlite.org/uri.html, "URI filenames".
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _identity(path: str) -> tuple[int, int] | None:
    """Which file a name means now; None if it means none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
