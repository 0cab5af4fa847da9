"""Runs a plan: one lock, one preflight, one backup, one commit for the whole chain."""

from __future__ import annotations

import os
import sqlite3
import time
from functools import partial

from trop_core.database import backup
from trop_core.database.failures import is_busy, primary_code, translate
from trop_core.database.migrations import validator
from trop_core.database.migrations.types import MigrationPlan, MigrationResult
from trop_core.database.migrations.version import check_supported, read_version, write_version
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.system import PermissionDenied
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.database.migrations.registry import MigrationRegistry
    from trop_core.database.migrations.types import Migration

OPERATION = "migrate its schema"
"""What an error says that the lock was wanted for."""


class MigrationExecutor:
    """Brings one database to a version of one registry.

    ``path`` is the file that backups stand beside; without one (a database in memory) none is made, and none for a
    chain that is not about the whole file.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        registry: MigrationRegistry,
        *,
        path: str | None = None,
        name: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._path = path
        self._name = name or path or ":memory:"
        self._patience = patience or Patience(5.0)

    def plan(self, target_version: int | None = None, *, dry_run: bool = False) -> MigrationPlan:
        """What would bring the database to a version, the latest by default. Reads; takes no write lock.

        Raises ``UnsupportedSchemaVersion`` if the database is newer than the registry, ``DatabaseCorrupt`` if its
        version cannot be read, and ``ValueError`` for a target that there is no way up to.
        """
        version = self._version()
        target = self._registry.latest if target_version is None else target_version
        return MigrationPlan(version, target, self._registry.plan_migration(version, target), dry_run)

    def validate_plan(self, plan: MigrationPlan) -> None:
        """Check a plan without running it: that its migrations are the registry's, and the first one's preflight.

        Raises ``ValueError`` for a plan that is not the registry's own, ``MigrationBlocked`` for rows in the way.
        """
        self._check_own(plan)
        for migration in plan.migrations[:1]:
            validator.check_before(self._connection, migration, plan, self._name)

    def execute(self, plan: MigrationPlan) -> MigrationResult:
        """Run a plan in one transaction of its own. A dry run does everything but the backup, and rolls back.

        The write lock comes first, then a second look at the version: where another process has migrated meanwhile,
        what is left is done, which may be nothing. Raises ``MigrationBlocked``, ``MigrationFailed``, ``LockTimeout``,
        ``UnsupportedSchemaVersion``, ``DatabaseCorrupt``, ``PermissionDenied`` or ``Cancelled``; the database is then
        as it was, and a backup that was made is removed.
        """
        self._check_own(plan)
        try:
            self._patience.insist(lambda: self._connection.execute("BEGIN IMMEDIATE"), OPERATION)
        except sqlite3.Error as error:
            raise translate(error, self._name) from error
        result: MigrationResult | None = None
        try:
            with self._patience.clock.holding, self._patience.token.interrupting(self._connection.interrupt):
                current = self._version()
                target = max(current, plan.target_version)
                plan = MigrationPlan(current, target, self._registry.plan_migration(current, target), plan.dry_run)
                result = self.apply(plan)
            if plan.dry_run:
                self._connection.execute("ROLLBACK")
            else:
                self._commit(plan)
        except BaseException as error:
            # A KeyboardInterrupt may come right after the commit: the backup then stays.
            rolled_back = self._connection.in_transaction or isinstance(error, (sqlite3.Error, TropError))
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if rolled_back and result is not None and result.backup_path is not None:
                backup.remove(result.backup_path)
            if isinstance(error, sqlite3.Error):
                raise translate(error, self._name) from error
            raise
        return result

    def apply(self, plan: MigrationPlan, *, check_integrity: bool = True) -> MigrationResult:
        """Run a plan inside the caller's write transaction, which the caller commits or rolls back.

        Without ``check_integrity`` the file may hold pages that belong to nothing, as one does whose damaged tables
        were given up; it is never looked for where the chain is not about the whole file. Raises what ``execute`` does;
        a backup that was made is then removed.
        """
        started = time.monotonic()
        if not plan.migrations:
            return MigrationResult(plan.current_version, plan.target_version)
        self._check_writable()
        validator.check_before(self._connection, plan.migrations[0], plan, self._name)
        copy = None if plan.dry_run else self._back_up(plan)
        try:
            # Otherwise a table that is renamed takes along what tables of others say of it.
            # https://sqlite.org/lang_altertable.html, "ALTER TABLE RENAME"
            self._connection.execute("PRAGMA legacy_alter_table = ON")
            total = sum(len(migration.up_sql) for migration in plan.migrations)
            done = 0
            for migration in plan.migrations:
                for _ in self._step(migration, plan):
                    done += 1
                    self._patience.progress(done, total)
            if check_integrity and self._registry.chain.whole_file:
                self._guarded(plan, plan.migrations[-1], "", lambda: validator.check_integrity(self._connection))
        except BaseException:
            if copy is not None:
                backup.remove(copy)
            raise
        finally:
            self._connection.execute("PRAGMA legacy_alter_table = OFF")
        return MigrationResult(
            plan.current_version,
            plan.target_version,
            tuple(migration.version for migration in plan.migrations),
            round((time.monotonic() - started) * 1000),
            copy,
        )

    def _commit(self, plan: MigrationPlan) -> None:
        commit = partial(self._patience.commit, self._connection, OPERATION)
        if plan.migrations:
            self._guarded(plan, plan.migrations[-1], "COMMIT", commit)
        else:
            commit()

    def _check_writable(self) -> None:
        # BEGIN IMMEDIATE succeeds on a file that may only be read.
        if self._path is not None and not os.access(self._path, os.W_OK):
            raise PermissionDenied("write to", path=self._path, reason="this user may only read it")

    def _version(self) -> int:
        version = read_version(self._connection, self._name, self._registry.chain)
        check_supported(version, self._registry.latest, self._name)
        return version

    def _check_own(self, plan: MigrationPlan) -> None:
        if plan.migrations != self._registry.plan_migration(plan.current_version, plan.target_version):
            raise ValueError("the plan's migrations are not those that the registry has for its versions")

    def _back_up(self, plan: MigrationPlan) -> str | None:
        if self._path is None or plan.current_version == 0 or not self._registry.chain.whole_file:
            return None
        if self._connection.execute("SELECT 1 FROM reservations LIMIT 1").fetchone() is None:
            return None
        try:
            return backup.back_up(self._path, f".v{plan.current_version}.bak")
        except TropError as error:
            raise self._failure(plan, plan.migrations[0], "the backup", error.message()) from error

    def _step(self, migration: Migration, plan: MigrationPlan) -> Iterator[None]:
        """Run one migration; yields after each of its statements."""
        if migration is not plan.migrations[0]:
            validator.check_before(self._connection, migration, plan, self._name)
        rows = validator.count_rows(self._connection, migration)
        for statement in migration.up_sql:
            self._guarded(plan, migration, statement, partial(self._connection.execute, statement))
            yield
        note = partial(write_version, self._connection, migration.version, self._registry.chain)
        self._guarded(plan, migration, "the version", note)
        self._guarded(plan, migration, "", lambda: validator.check_after(self._connection, migration, rows))

    def _guarded(self, plan: MigrationPlan, migration: Migration, statement: str, action: Callable[[], object]) -> None:
        self._patience.token.check()
        try:
            action()
        except sqlite3.Error as error:
            if is_busy(error):
                raise self._patience.timed_out(OPERATION) from error
            # The error's code does not tell: of an interrupted ALTER TABLE SQLite says that the table has an error.
            if self._patience.token.cancelled or primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                raise Cancelled from error
            raise self._failure(plan, migration, statement, str(error)) from error
        except validator.ValidationFailed as error:
            raise self._failure(plan, migration, statement, str(error)) from error

    def _failure(self, plan: MigrationPlan, migration: Migration, statement: str, reason: str) -> MigrationFailed:
        return MigrationFailed(
            self._name,
            from_version=plan.current_version,
            to_version=plan.target_version,
            version=migration.version,
            statement=statement,
            reason=reason,
        )
