"""One connection to a store's file: opening it, its transactions, and bringing its schema to the latest version."""

from __future__ import annotations

import _sqlite3 as sqlite3
import contextlib
import os
import time
from contextlib import contextmanager

from trop_core.database.failures import is_busy, is_left_behind, is_unshared, translate, undecodable_column
from trop_core.database.handles import IN_MEMORY, StoreConnection, connect, create_file
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.database.migrations.version import check_supported, read_version
from trop_core.database.open_files import IN_USE
from trop_core.database.queueing import Queue
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
from trop_core.errors.store import DatabaseCorrupt, LockTimeout, NoDataDirectory, StoreRemoved
from trop_core.errors.system import SidecarLeftBehind, SystemFailure
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.migrations.executor import MigrationExecutor
    from trop_core.database.migrations.registry import MigrationRegistry
    from trop_core.database.migrations.types import MigrationResult


_MOST_OPENINGS = 10
"""How often files that are replaced again and again are opened anew for one transaction."""


_PAUSES_BEFORE_WAL = (0.005, 0.02)
"""Seconds between the attempts to switch to WAL while somebody reads."""


class FilesReplaced(Exception):
    """What was read or committed may be of files that nobody else sees: the call has to be made once more."""


class CommitLost(FilesReplaced):
    """It was committed, and before that nothing was amiss with the files."""


class _RollingBack:
    """The context of one transaction of a database: see its ``end``. Every call goes through one."""

    def __init__(self, database: Database, patience: Patience, operation: str) -> None:
        self._database = database
        self._patience = patience
        self._operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._database.end(error, self._patience, self._operation)


class Database:
    """One connection to a store, for one thread at a time; ``close`` it in the end.

    It notices when a file under its names is no longer the one that it has open, and opens the new ones: a connection
    to a file that was renamed or removed would go on writing, without an error, to what nobody else sees.
    """

    def __init__(
        self, path: str, registry: MigrationRegistry | None, patience: Patience, *, stands_for: str | None = None
    ) -> None:
        self.path = path
        self._name = stands_for or path
        self._registry = registry
        self._is_at_work = False
        self._has_locks = False
        self._queue = Queue(None if path == IN_MEMORY else os.path.dirname(path) or ".")
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

    @classmethod
    def copy_of(cls, source: StoreConnection, *, registry: MigrationRegistry | None = None) -> Database:
        """A private copy, in memory, of what a connection reads: for whoever may only read the file.

        Its first transaction brings it to the latest schema version. The source has a transaction open.
        """
        database = cls(IN_MEMORY, registry, Patience(0), stands_for=source.path)
        try:
            source.backup(database._connection)
        except sqlite3.Error as error:
            database.close()
            raise translate(error, source.path) from error
        return database

    def close(self) -> None:
        """Close the connection; whatever was not committed is rolled back."""
        if self._connection.is_open and self._connection.is_replaced():
            # Somebody is still at work, or the system refuses it: whoever looks next gives it up.
            with contextlib.suppress(LockTimeout, SystemFailure):
                IN_USE.give_up(self._connection, Patience(0))
            return
        with IN_USE.working():
            self._connection.close()

    def migrate_to_latest(self, patience: Patience | None = None) -> MigrationResult | None:
        """Bring the file to the latest schema version; None, and no write lock, where it has it already.

        Raises ``MigrationBlocked``, ``MigrationFailed``, ``UnsupportedSchemaVersion``, ``DatabaseCorrupt``,
        ``PermissionDenied``, ``LockTimeout`` or ``Cancelled``; the file is then as it was.
        """
        patience = patience or Patience(5.0)
        for _ in range(_MOST_OPENINGS):
            try:
                with IN_USE.working():
                    if self._connection.is_open:
                        result = self._migrate(patience)
                        if not self._connection.is_replaced():
                            self._use_write_ahead_log(patience)
                            return result
            except TropError:
                if not self._connection.is_replaced():
                    raise
            self._reopen(patience)
        raise self._too_restless()

    @contextmanager
    def read(self, patience: Patience) -> Iterator[StoreConnection]:
        """A read transaction: one unchanging view of the store, beside whatever is being written.

        Raises the errors of opening, ``LockTimeout`` in the rare moments when not even reading is possible, and
        ``FilesReplaced`` where files were replaced under it.
        """
        with _RollingBack(self, patience, "read it"):
            self._begin("BEGIN", patience, "read it")
            with patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            self._connection.roll_back()

    @contextmanager
    def write(self, patience: Patience, operation: str) -> Iterator[StoreConnection]:
        """A write transaction that commits at the end of the block and rolls back when an error leaves it.

        ``operation`` says in an error what the lock was wanted for. Raises the errors of opening, ``LockTimeout`` and
        ``Cancelled``; ``FilesReplaced`` where files were replaced under it.
        """
        with _RollingBack(self, patience, operation):
            self._begin("BEGIN IMMEDIATE", patience, operation)
            with patience.clock.holding, patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            # Looked at before as well: what is written to a -wal with a -shm that nobody else has spoils what others
            # have written there meanwhile.
            if self._connection.is_replaced():
                raise FilesReplaced
            patience.commit(self._connection, operation)
            self._connection.commits += 1
            if self._connection.is_replaced():
                raise CommitLost

    @contextmanager
    def rehearse(self, patience: Patience, operation: str) -> Iterator[StoreConnection]:
        """A write transaction that always rolls back, and fails where ``write`` would.

        An older schema is brought to the latest version inside of it, and is the older one again afterwards.
        """
        with _RollingBack(self, patience, operation):
            self._begin("BEGIN IMMEDIATE", patience, operation, rehearsal=True)
            # BEGIN IMMEDIATE succeeds on a file or in a directory that is read-only; this fails as a real write does.
            self._connection.execute("PRAGMA user_version = 0")
            with patience.clock.holding, patience.token.interrupting(self._connection.interrupt):
                yield self._connection
            self._connection.roll_back()

    def _open(self, patience: Patience) -> None:
        IN_USE.leave_replaced(self.path, patience)
        try:
            self._connection = patience.insist(self._try_to_connect, "open it")
        except sqlite3.Error as error:
            raise translate(error, self._name) from error
        except LockTimeout as error:
            reason = error.__cause__ and error.__cause__.__cause__
            if isinstance(reason, SidecarLeftBehind):
                raise reason from error
            raise

    def _try_to_connect(self) -> StoreConnection:
        try:
            return connect(self.path)
        except SidecarLeftBehind as error:
            # A server that has it open gives it up as soon as it looks.
            raise BlockingIOError from error
        except sqlite3.OperationalError as error:
            if is_left_behind(error):
                raise BlockingIOError from translate(error, self._name)
            if is_busy(error) or is_unshared(error):
                self._check_locks()
            raise

    def _check_locks(self) -> None:
        """Tell a file system without locks from a lock that is held. Once is enough."""
        if not self._has_locks:
            from trop_core.database import locks

            locks.check(self.path)
            self._has_locks = True

    def _reopen(self, patience: Patience) -> None:
        # Given up first: the connections of a process share the -shm. If there is nothing to open now, a later call
        # tries.
        if self._connection.is_open:
            IN_USE.give_up(self._connection, patience)
        self._open(patience)

    def _too_restless(self) -> SystemFailure:
        return SystemFailure("read or write", path=self.path, reason="its files are replaced again and again")

    def end(self, error: BaseException | None, patience: Patience, operation: str) -> None:
        """End a transaction; one that an error ends is rolled back, and SQLite's errors are raised as the product's.

        No other thread closes the connection from when ``_begin`` has begun to the end.
        """
        try:
            if error is None:
                return
            self._connection.roll_back()
            is_of_the_files = isinstance(error, (sqlite3.Error, DatabaseCorrupt)) and self._connection.is_open
            if is_of_the_files and self._connection.is_replaced():
                raise FilesReplaced from error
            if isinstance(error, sqlite3.Error):
                raise self._translated(error, patience, operation) from error
        finally:
            if self._is_at_work:
                self._rest()

    def _translated(self, error: sqlite3.Error, patience: Patience, operation: str) -> TropError:
        if is_busy(error):
            return patience.timed_out(operation)
        if is_left_behind(error) and self._connection.files is not None:
            # To keep them open would be in the way of others as well, and to close them could mix old and new.
            self._connection.files.tear()
        translated = translate(error, self._name)
        column = undecodable_column(error)
        if column is not None and isinstance(translated, DatabaseCorrupt):
            from trop_core.database.undecodable import located

            # The statement has told the column, but neither the table nor the row.
            with contextlib.suppress(sqlite3.Error):
                return located(self._connection, column, translated)
        return translated

    def _begin(self, sql: str, patience: Patience, operation: str, *, rehearsal: bool = False) -> None:
        for _ in range(_MOST_OPENINGS):
            queue = None if sql == "BEGIN" else self._queue
            version = patience.insist(lambda: self._try_begin(sql), operation, queue=queue)
            if version is None:
                try:
                    self._reopen(patience)
                except NoDataDirectory as error:
                    raise StoreRemoved(self._name) from error
            elif version == self._latest:
                return
            elif rehearsal:
                executor = self._executor(patience)
                with patience.clock.holding, patience.token.interrupting(self._connection.interrupt):
                    executor.apply(executor.plan(dry_run=True))
                return
            else:
                self._connection.roll_back()
                self._rest()
                self.migrate_to_latest(patience)
        raise self._too_restless()

    def _try_begin(self, sql: str) -> int | None:
        """Begin and return the version, or None, without a transaction, if a name means another file by now."""
        IN_USE.begin()
        self._is_at_work = True
        version = None
        try:
            if self._connection.is_open:
                self._connection.execute(sql)
                version = self._read_version()
                if not self._connection.is_replaced():
                    return version
        except (sqlite3.Error, TropError):
            self._connection.roll_back()
            is_replaced = self._connection.is_replaced()
            self._rest()
            if not is_replaced:
                raise
            return None
        self._connection.roll_back()
        self._rest()
        return None

    def _rest(self) -> None:
        self._is_at_work = False
        IN_USE.end()

    def _migrate(self, patience: Patience) -> MigrationResult | None:
        try:
            version = patience.insist(self._read_version, "read its schema version")
        except sqlite3.Error as error:
            raise self._translated(error, patience, "read its schema version") from error
        if version == self._latest:
            return None
        executor = self._executor(patience)
        return executor.execute(patience.insist(executor.plan, "read its schema version"))

    def _read_version(self) -> int:
        version = read_version(self._connection, self._name)
        check_supported(version, self._latest, self._name)
        return version

    @property
    def _latest(self) -> int:
        return LATEST_VERSION if self._registry is None else self._registry.latest

    def _executor(self, patience: Patience) -> MigrationExecutor:
        from trop_core.database.migrations.executor import MigrationExecutor
        from trop_core.database.migrations.registry import MigrationRegistry

        registry = MigrationRegistry() if self._registry is None else self._registry
        path = None if self.path == IN_MEMORY else self.path
        return MigrationExecutor(self._connection, registry, path=path, name=self._name, patience=patience)

    def _use_write_ahead_log(self, patience: Patience) -> None:
        """Switch to WAL, once the version is right. It locks the whole file for as long as it takes.

        Where that is not possible now (others are at work, the file is read-only, the disk is full), the store works
        without, and one who opens it later will do it.
        """
        if self.path == IN_MEMORY:
            return
        for pause in (*_PAUSES_BEFORE_WAL, 0.0):
            try:
                if self._connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    with patience.clock.holding:
                        self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    return
                # A look at a new store, as a server takes one when it appears, is over in a moment.
                time.sleep(pause)
