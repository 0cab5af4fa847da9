"""A store that is emptied in place, or moved aside where it is none: what ``init`` needs besides opening.

A file that opens as SQLite is never renamed or removed: a process that has it open would go on writing, without an
error, into a file that nobody else sees.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from trop_core.database import backup
from trop_core.database.failures import primary_code, system_failure, translate
from trop_core.database.handles import check
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import MigrationRegistry
from trop_core.database.migrations.types import MigrationPlan, MigrationResult
from trop_core.errors.base import TropError
from trop_core.errors.system import PermissionDenied

if TYPE_CHECKING:
    from trop_core.database.waiting import Patience

_OPERATION = "rebuild it"
_NO_DATABASE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def opens_as_sqlite(path: str, patience: Patience) -> bool:
    """Whether SQLite takes a file for a database whose tables it can list. Reads.

    Raises ``LockTimeout``, ``PermissionDenied`` or ``SystemFailure`` where that cannot be told.
    """
    with closing(_connect(path)) as connection:
        try:
            patience.insist(lambda: connection.execute("SELECT count(*) FROM sqlite_master").fetchone(), "open it")
        except sqlite3.Error as error:
            if primary_code(error) in _NO_DATABASE:
                return False
            raise translate(error, path) from error
    return True


def rebuild(path: str, patience: Patience, *, dry_run: bool) -> str:
    """Back a store up and empty it, with the layout of the latest version, both under one write lock.

    Returns the backup's path; in a dry run, which changes nothing, the path that it would have. Raises
    ``LockTimeout``, ``Cancelled``, ``MigrationFailed``, ``DatabaseCorrupt``, ``PermissionDenied`` or
    ``SystemFailure``; the store is then as it was, and the backup is removed.
    """
    copy: str | None = None
    with closing(_connect(path)) as connection:
        try:
            patience.insist(lambda: connection.execute("BEGIN IMMEDIATE"), _OPERATION)
            if dry_run:
                check_writable_directory("back the store up to", f"{path}.bak.tmp")
                # BEGIN IMMEDIATE succeeds on a file that is read-only; this fails as the real run does.
                connection.execute("PRAGMA user_version = 0")
                return backup.free_name(f"{path}.bak")
            copy = backup.back_up(path, ".bak")
            with patience.clock.holding(), patience.token.interrupting(connection.interrupt):
                damaged = _drop_everything(connection)
                registry = MigrationRegistry()
                executor = MigrationExecutor(connection, registry, path=path, patience=patience)
                executor.apply(MigrationPlan(0, registry.latest, registry.migrations), check_integrity=not damaged)
            patience.insist(lambda: connection.execute("COMMIT"), _OPERATION)
        except BaseException as error:
            # A KeyboardInterrupt may come right after the commit: the backup then holds all that there was.
            rolled_back = connection.in_transaction or isinstance(error, (sqlite3.Error, TropError))
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if rolled_back and copy is not None:
                backup.remove(copy)
            if isinstance(error, sqlite3.Error):
                raise translate(error, path) from error
            raise
        _tidy(connection, damaged=damaged)
    return copy


def move_aside(path: str, patience: Patience, *, dry_run: bool) -> str | None:
    """Give a file that is no database another name, and return that; a dry run only says which one it would be.

    The caller is ``alone`` in the directory, for what is no database cannot be locked as one. None, and nothing is
    moved, if there is a database by now: of several processes that find the damage, one moves the file, and what stands
    in its place may hold reservations already. Raises ``PermissionDenied`` or ``SystemFailure``.
    """
    check_writable_directory("move aside", path)
    if opens_as_sqlite(path, patience):
        return None
    aside = backup.free_name(f"{path}.damaged")
    if not dry_run:
        try:
            # The file itself comes last: until then nobody can put another one, with its own -wal, in its place.
            for suffix in ("-wal", "-shm", ""):
                if os.path.lexists(path + suffix):
                    os.rename(path + suffix, aside + suffix)
        except OSError as error:
            raise system_failure(error, "move aside", path) from error
    return aside


def check_writable_directory(what: str, path: str) -> None:
    """Raise the ``PermissionDenied`` that making or renaming a file would raise, as far as the system tells."""
    if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        raise PermissionDenied(what, path=path, reason="Permission denied")


def planned_upgrade(path: str, patience: Patience) -> MigrationResult | None:
    """What bringing a store to the latest version would do; None if it has it. Changes nothing.

    Takes the write lock and raises whatever the real run would raise.
    """
    with closing(_connect(path)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=path, patience=patience)
        try:
            plan = patience.insist(lambda: executor.plan(dry_run=True), "read its schema version")
            if not plan.migrations:
                return None
            result = executor.execute(plan)
            if plan.current_version and connection.execute("SELECT 1 FROM reservations LIMIT 1").fetchone():
                copy = backup.free_name(f"{path}.v{plan.current_version}.bak")
                return MigrationResult(
                    result.from_version, result.to_version, result.migrations_applied, result.duration_ms, copy
                )
        except sqlite3.Error as error:
            raise translate(error, path) from error
    return result


def _connect(path: str) -> sqlite3.Connection:
    check(path)
    try:
        return sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise translate(error, path) from error


def _drop_everything(connection: sqlite3.Connection) -> bool:
    """Empty the schema; True if the file is so damaged that the tables' pages could not be given back.

    A table that is damaged cannot be dropped, and trying it spoils the transaction.
    """
    if not _is_sound(connection):
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master")
        connection.execute("PRAGMA writable_schema = RESET")
        return True
    # Statistics and counters of SQLite's own go with the tables that they are about.
    for kind, name in connection.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger', 'table')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC"
    ).fetchall():
        quoted = name.replace('"', '""')
        connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    return False


def _is_sound(connection: sqlite3.Connection) -> bool:
    try:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if primary_code(error) not in _NO_DATABASE:
            raise
        return False
    return bool(answer == "ok")


def _tidy(connection: sqlite3.Connection, *, damaged: bool) -> None:
    """Switch to WAL and reclaim what a damaged table held.

    Where that is not possible now (others are at work, the disk is full), the store works without: all is committed.
    """
    for statement in ("VACUUM", "PRAGMA journal_mode = WAL") if damaged else ("PRAGMA journal_mode = WAL",):
        with contextlib.suppress(sqlite3.Error):
            connection.execute(statement)
