"""One connection to a store's file: opening it, its transactions, and bringing its schema to the latest version."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trop_core.database.failures import is_busy, translate, undecodable_column
from trop_core.database.handles import IN_MEMORY, StoreConnection, connect, create_file, identity
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.database.migrations.version import check_supported, read_version
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
from trop_core.errors.store import DatabaseCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.migrations.executor import MigrationExecutor
    from trop_core.database.migrations.registry import MigrationRegistry
    from trop_core.database.migrations.types import MigrationResult


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
            with patience.clock.holding():
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
            with patience.clock.holding(), patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            self._connection.roll_back()

    def _open(self, patience: Patience) -> None:
        # In this order: a file that is put in place between the two is taken for a change, and opened once more.
        self._identity = identity(self.path)
        try:
            self._connection = patience.insist(lambda: connect(self.path), "open it")
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
        return self.path != IN_MEMORY and identity(self.path) != self._identity

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
                with patience.clock.holding(), patience.token.interrupting(self._connection.interrupt):
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
