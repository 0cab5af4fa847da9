"""A store that is emptied in place, or moved aside where it is none: what ``init`` needs besides opening.

A file that opens as SQLite is not renamed or removed: a process that has it open would go on writing, without an
error, into a file that nobody else sees. One that is so damaged that SQLite cannot empty it is, for there is no other
way out; trop notices it where it has it open.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing, contextmanager

from trop_core import ownership
from trop_core.database import backup, companion, locks, reservations
from trop_core.database.connection import Database
from trop_core.database.failures import denial, is_damage, is_unshared, primary_code, system_failure, translate
from trop_core.database.handles import check, check_writable, connect_own
from trop_core.database.layout_differences import layout_of
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.layout import differences
from trop_core.database.migrations.registry import COMPANION, FILE_FORMAT, LATEST_VERSION, MigrationRegistry
from trop_core.database.migrations.types import MigrationPlan, MigrationResult
from trop_core.database.migrations.version import read_version, write_version
from trop_core.database.open_files import IN_USE
from trop_core.errors.base import TropError
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.store import DatabaseCorrupt, LockTimeout
from trop_core.errors.system import NotTakenBack, PermissionDenied, SystemFailure
from trop_core.light_types import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience
    from trop_core.whole_files import Replacement

_OPERATION = "rebuild it"
_NO_DATABASE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_UNSUPPORTED = sqlite3.SQLITE_ERROR
"""What SQLite says of a header, or of what is left of a schema, that it makes no sense of."""


def opens_as_sqlite(path: str, patience: Patience) -> bool:
    """Whether SQLite takes a file for a database whose tables it can list. Reads.

    Raises ``LockTimeout``, ``PermissionDenied`` or ``SystemFailure`` where that cannot be told.
    """
    with _connected(path, patience) as connection:
        try:
            patience.insist(lambda: connection.execute("SELECT count(*) FROM sqlite_master").fetchone(), "open it")
        except UnicodeDecodeError:  # of what SQLite says, which quotes the file
            return False
        except sqlite3.Error as error:
            if primary_code(error) in (*_NO_DATABASE, _UNSUPPORTED):
                return False
            raise translate(error, path) from error
    return True


class Rebuilt(NamedTuple):
    """Where the backup of a store that was emptied is, or would be; and the version that it had, if one can be read."""

    backup: str
    version: int | None


class Recording(Protocol):
    """What keeps record of what is emptied; see ``trop_core.operations.recording.Recording``."""

    def check(self, connection: StoreConnection) -> None:
        """Refuse what may not be done."""

    def kept(self, connection: StoreConnection, *, dry_run: bool) -> AbstractContextManager[None]:
        """Keep record of what the block does to the reservations."""

    def without_rows(self, *, dry_run: bool) -> None:
        """The same where there are none that could be noted."""


def create(path: str, patience: Patience, note: Callable[[StoreConnection], None]) -> bool:
    """Make an empty store; False if there is one by now.

    It has another name until it is whole, so that a failure leaves nothing. ``note`` gets it in its first write
    transaction. The caller is ``alone`` in the directory. Raises what ``Database.open`` raises.
    """
    with _new_store(path, patience, note) as give_name:
        return give_name()


def rebuild(
    path: str,
    patience: Patience,
    recording: Recording,
    *,
    dry_run: bool,
    configuration: Replacement | None = None,
) -> Rebuilt | None:
    """Back a store up and empty it, with the layout of the latest version, both under one write lock.

    What was done to the store before stays on record, and so does this, unless the file is damaged. A ``configuration``
    is put in place when all but the commit is done. A dry run does the same and takes it back. None is returned for a
    file that is so damaged that it cannot be emptied. Raises ``LockTimeout``, ``Cancelled``, ``MigrationFailed``,
    ``DatabaseCorrupt``, ``PermissionDenied`` or ``SystemFailure``. With an error or None the store is as it was, and
    the backup is removed.
    """
    copy: str | None = None
    is_emptied = False
    with _connected(path, patience) as connection:
        try:
            patience.insist(lambda: connection.execute("BEGIN IMMEDIATE"), _OPERATION)
            if dry_run:
                check_writable_directory("back the store up to", f"{path}.bak.tmp")
                # BEGIN IMMEDIATE succeeds on a file that is read-only; this fails as the real run does.
                connection.execute("PRAGMA user_version = 0")
            else:
                recording.check(connection)
            with patience.clock.holding, patience.token.interrupting(connection.interrupt):
                version = _version_of(connection)
                copy = None if dry_run else backup.back_up(path, ".bak")
                damaged = _empty(connection, patience, recording, dry_run=dry_run)
                is_emptied = True
            if copy is None:
                connection.execute("ROLLBACK")
                return Rebuilt(backup.free_name(f"{path}.bak"), version)
            if configuration is not None:
                configuration.put_in_place()
            patience.commit(connection, _OPERATION)
            if configuration is not None:
                configuration.keep()
        except BaseException as error:
            # A KeyboardInterrupt may come right after the commit: the backup then holds all that there was.
            rolled_back = connection.in_transaction or isinstance(error, (sqlite3.Error, TropError))
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if rolled_back and copy is not None:
                backup.remove(copy)
            if not is_emptied and _is_of_damage(error):
                return None
            if isinstance(error, sqlite3.Error):
                raise translate(error, path) from error
            raise
        _tidy(connection, damaged=damaged)
    return Rebuilt(copy, version)


def _version_of(connection: StoreConnection) -> int | None:
    try:
        return read_version(connection, connection.path)
    except DatabaseCorrupt:
        return None
    except sqlite3.Error as error:
        # Of a text that is not UTF-8, Python's module tells without a code.
        if primary_code(error) not in (None, *_NO_DATABASE, _UNSUPPORTED):
            raise
        return None


def _empty(connection: StoreConnection, patience: Patience, recording: Recording, *, dry_run: bool) -> bool:
    """Give a store the layout of the latest version, with nothing reserved; whether it was damaged."""
    damaged = not _is_sound(connection)
    kept = _give_up_reservations(connection, recording, sound=not damaged, dry_run=dry_run)
    _drop_everything(connection, damaged=damaged, but=kept)
    registry = MigrationRegistry()
    executor = MigrationExecutor(connection, registry, path=connection.path, patience=patience)
    executor.apply(MigrationPlan(0, registry.latest, registry.migrations), check_integrity=not damaged)
    if kept:
        write_version(connection, COMPANION.latest, COMPANION)
    return damaged


def _is_of_damage(error: BaseException) -> bool:
    reason = error.__cause__ if isinstance(error, TropError) else error
    if not isinstance(reason, sqlite3.Error):
        return False
    return is_damage(reason) or (isinstance(error, MigrationFailed) and primary_code(reason) == _UNSUPPORTED)


def start_anew(
    path: str,
    patience: Patience,
    note: Callable[[StoreConnection], None],
    *,
    dry_run: bool,
    configuration: Replacement | None = None,
    although_it_opens: bool = False,
) -> str | None:
    """Give a file that is no database another name, and return that; an empty store takes its place.

    The caller is ``alone`` in the directory, for what is no database cannot be locked as one. None, and nothing is
    moved, if there is a database by now: of several processes that find the damage, one moves the file, and what stands
    in its place may hold reservations already. ``although_it_opens`` is for one that is too damaged to be emptied. A
    dry run only says which name it would be. ``note`` is as in ``create``. A ``configuration`` is put in place when all
    else is prepared. Raises what ``create`` raises; everything then has its name again, or the error is
    ``NotTakenBack``.
    """
    check_writable_directory("move aside", path)
    if not although_it_opens and opens_as_sqlite(path, patience):
        return None
    aside = backup.free_name(f"{path}.damaged")
    if dry_run:
        return aside
    with _new_store(path, patience, note) as give_name:
        if configuration is not None:
            configuration.put_in_place()
        with _moved_aside(path, aside):
            give_name()
        if configuration is not None:
            configuration.keep()
    return aside


@contextmanager
def _moved_aside(path: str, aside: str) -> Iterator[None]:
    """Rename a file and what belongs to it, and back if an error leaves the block."""
    moved: list[str] = []
    try:
        # The file itself comes last: until then nobody can put another one, with its own -wal, in its place.
        for suffix in ("-wal", "-shm", ""):
            if os.path.lexists(path + suffix):
                os.rename(path + suffix, aside + suffix)
                moved.append(suffix)
        yield
    except OSError as error:
        failure = system_failure(error, "move aside", path)
        _move_back(path, aside, moved, failure)
        raise failure from error
    except BaseException as failure:
        _move_back(path, aside, moved, failure)
        raise


def _move_back(path: str, aside: str, moved: list[str], failure: BaseException) -> None:
    try:
        with ownership.place(os.path.dirname(path)) as place:
            for suffix in reversed(moved):
                place.move(os.path.basename(aside + suffix), os.path.basename(path + suffix))
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotTakenBack(str(failure), path=path, reason=reason, left=aside) from failure


@contextmanager
def _new_store(path: str, patience: Patience, note: Callable[[StoreConnection], None]) -> Iterator[Callable[[], bool]]:
    """An empty store beside where it belongs; what the block gets gives it its name, or is False if something has it.

    Whatever has no name in the end is removed. Raises what ``Database.open`` raises.
    """
    directory, name = os.path.split(path)
    temporary = f".{name}.new"
    try:
        with ownership.place(directory) as place, contextlib.ExitStack() as stack:
            # The caller is alone here, so files of these names are what a killed process left behind.
            names = [temporary + suffix for suffix in ("", "-journal", "-wal", "-shm")]
            for each in names:
                place.remove(each)
                stack.callback(place.discard, each)
            os.close(place.new_file(temporary))
            database = Database.open(os.path.join(directory, temporary), create=False, patience=patience)
            with closing(database), database.write(patience, "create it") as connection:
                note(connection)

            def give_name() -> bool:
                try:
                    place.move(temporary, name)
                except FileExistsError:
                    return False
                except OSError as error:
                    raise system_failure(error, "create", path) from error
                with contextlib.suppress(OSError):
                    os.fsync(place.descriptor)
                return True

            yield give_name
    except OSError as error:
        raise system_failure(error, "create", path) from error


def check_writable_directory(what: str, path: str) -> None:
    """Raise the ``PermissionDenied`` that making or renaming a file would raise, as far as the system tells."""
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionDenied(what, path=path, reason=denial(directory))


def planned_upgrade(path: str, patience: Patience) -> MigrationResult | None:
    """What bringing a store to the latest version would do; None if it has it. Changes nothing.

    Takes the write lock and raises whatever the real run would raise.
    """
    with _connected(path, patience) as connection:
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


@contextmanager
def _connected(path: str, patience: Patience) -> Iterator[StoreConnection]:
    check(path)
    IN_USE.leave_replaced(path, patience)
    check_writable(path)
    with IN_USE.working():
        try:
            connection = connect_own(path, path)
            # See ``handles.connect``.
            connection.execute("PRAGMA temp_store = MEMORY")
        except sqlite3.Error as error:
            raise translate(error, path) from error
        with closing(connection):
            try:
                yield connection
            except (LockTimeout, SystemFailure) as error:
                # Where the file system has no locks, that is the truth.
                cause = error.__cause__
                if isinstance(error, LockTimeout) or (isinstance(cause, sqlite3.Error) and is_unshared(cause)):
                    locks.check(path)
                raise


def _give_up_reservations(
    connection: StoreConnection, recording: Recording, *, sound: bool, dry_run: bool
) -> tuple[str, ...]:
    """Remove all reservations, and keep record of it; the names of the tables that are to stay.

    Nothing is kept where the file is damaged, a row is, or the layout is another than today's. Raises what
    ``recording`` raises.
    """
    if not sound or not _is_as_it_should_be(connection):
        recording.without_rows(dry_run=dry_run)
        return ()
    with recording.kept(connection, dry_run=dry_run):
        connection.execute("DELETE FROM reservations")
    if not companion.is_usable(connection, COMPANION.latest):
        return ()
    connection.execute("DELETE FROM directories")
    return tuple(table.name for table in layout_of(COMPANION, COMPANION.latest).tables)


def _is_as_it_should_be(connection: StoreConnection) -> bool:
    """Whether a store has the layout of the latest version, rows that fit it, and nothing that acts on its tables."""
    if _version_of(connection) != LATEST_VERSION:
        return False
    if differences(connection, layout_of(FILE_FORMAT, LATEST_VERSION)):
        return False
    try:
        reservations.records(connection)
    except (DatabaseCorrupt, sqlite3.OperationalError):
        return False
    return True


def _drop_everything(connection: sqlite3.Connection, *, damaged: bool, but: Collection[str]) -> None:
    """Empty the schema, ``but`` for some tables. The pages of a damaged file's tables cannot be given back.

    A table that is damaged cannot be dropped, and trying it spoils the transaction.
    """
    if damaged:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master")
        connection.execute("PRAGMA writable_schema = RESET")
        return
    # Statistics and counters of SQLite's own go with the tables that they are about.
    for kind, name in connection.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger', 'table')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC"
    ).fetchall():
        if name in but:
            continue
        quoted = name.replace('"', '""')
        connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')


def _is_sound(connection: sqlite3.Connection) -> bool:
    try:
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
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
