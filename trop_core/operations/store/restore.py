"""Put the reservations of a backup in the place of those that are there.

The store's file stays the same one, and every program that has it open goes on: its rows are replaced, in one
transaction that is on record and can be undone.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from functools import partial
from types import MappingProxyType

from trop_core import fields
from trop_core.catalogue import Mutation, Operation, Procedure
from trop_core.database import backup, directories, reservations
from trop_core.database.connection import CommitLost, Database, FilesReplaced
from trop_core.database.failures import system_failure, translate
from trop_core.database.migrations.version import read_version
from trop_core.database.read_only import read_only
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan
from trop_core.operations.call import mutate
from trop_core.operations.moving.comeback import told_of_missing
from trop_core.operations.recording import Recording
from trop_core.records import Record
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.reservations import Record as Row
    from trop_core.paths import DirectoryState

MOST_MOVED = 1000

_OPERATION = "read the backup"
_ADVICE = "Nothing was changed. Name a file that trop backup, trop init --overwrite or an upgrade has written."


class RestoreRequest(Record):
    """From which backup."""

    file: str = fields.path("The backup: a file that backup, init or an upgrade has written.", required=True)
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


class RestoreResult(Record):
    """What is there now."""

    file: str = fields.outcome("The backup.")
    backup: str | None = fields.outcome(
        "Where what was there before was backed up, or would be; null where there was nothing."
    )
    restored_count: int = fields.outcome("How many reservations there are now.")
    changed_count: int = fields.outcome("How many reservations are others than before; 0 where nothing had to be done.")
    replaced_count: int = fields.outcome("How many there were before.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The store, and the rows of the backup, checked, in today's layout.

    ``states`` are those of the directories that were looked at.
    """

    store: Store
    file: str
    rows: list[Row]
    dry_run: bool
    settings: Settings
    recording: Recording
    context: Context
    states: Mapping[str, DirectoryState] = MappingProxyType({})


class Plan(NamedTuple):
    """The rows that will be there, and how many are."""

    rows: list[Row]
    replaced: int
    warnings: tuple[str, ...]


def prepare(request: RestoreRequest, context: Context) -> Prepared:
    """Read the backup, without a lock on the store, and see that it is one.

    Raises ``InvalidPath`` if there is no such file, or one that is damaged or no store, ``UnsupportedSchemaVersion``,
    ``MigrationBlocked``, ``PermissionDenied`` or ``SystemFailure``.
    """
    file = context.caller.resolve(request.file)
    settings = context.settings_without_files("maximum_lock_wait_seconds", "disable_autoinit")
    recording = Recording(OPERATION, request, context)
    rows = _read(file, Patience(settings.maximum_lock_wait_seconds, context.token))
    return Prepared(Store(context.data_directory), file, rows, request.dry_run, settings, recording, context)


def run(prepared: Prepared, patience: Patience) -> RestoreResult:
    """Replace the rows, after a backup of what is there; a dry run looks at the same things.

    Raises what ``Call.transact`` raises, and ``Unprepared`` for a look at directories; all is as it was then, and the
    backup is removed. What else ends it, as Ctrl-C does, may come after the commit, and leaves a backup unless nothing
    had been done by then.
    """
    backups: list[str] = []
    work = Mutation(
        prepare=lambda request, context: prepared,
        plan=plan,
        execute=partial(_execute, backups=None if prepared.dry_run else backups),
        report=lambda plan, dry_run: plan,
    )
    with closing(prepared.store):
        try:
            done: Plan = mutate(
                prepared.store,
                work,
                prepared,
                prepared.recording,
                context=prepared.context,
                patience=patience,
                dry_run=prepared.dry_run,
            )
        except BaseException as error:
            if _is_rolled_back(error) or not prepared.recording.changed:
                for name in backups:
                    backup.remove(name)
            raise
    if not prepared.recording.changed:
        # What is there is in the file that was restored.
        for name in backups:
            backup.remove(name)
        backups.clear()
    elif prepared.dry_run and done.replaced:
        backups.append(backup.free_name(prepared.store.path + _suffix(prepared.context.now())))
    result = RestoreResult(
        file=prepared.file,
        backup=backups[-1] if backups else None,
        restored_count=len(done.rows),
        changed_count=prepared.recording.changed,
        replaced_count=done.replaced,
        dry_run=prepared.dry_run,
        warnings=done.warnings,
    )
    told: RestoreResult = prepared.recording.told(result, dry_run=prepared.dry_run)
    return told


def _is_rolled_back(error: BaseException) -> bool:
    """Whether that is certain. A KeyboardInterrupt may come right after the commit, when the backup holds all of it."""
    return isinstance(error, (sqlite3.Error, TropError, FilesReplaced)) and not isinstance(error, CommitLost)


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Count what is there, and look for what has moved since. Reads; writes nothing.

    Raises ``Unprepared`` for a look at the directories that it has moved from and to.
    """
    (count,) = connection.execute("SELECT count(*) FROM reservations").fetchone()
    moved = reservations.moved_since(connection, prepared.rows, limit=MOST_MOVED)
    told = told_of_missing(moved, prepared.states, prepared.context, lambda states: prepared._replace(states=states))
    return Plan(prepared.rows, count, told)


def _execute(connection: StoreConnection, plan: Plan, context: Context, *, backups: list[str] | None) -> None:
    """Replace the rows; where ``backups`` is given, what is there is copied first, and the copy named in it."""
    if backups is not None and plan.replaced:
        # Nothing has been written yet: the copy is what the lock guards.
        backups.append(backup.back_up(connection.path, _suffix(context.now())))
    reservations.replace_all(connection, plan.rows)
    directories.forget_all_unreserved(connection)


def _suffix(now: int) -> str:
    return f".{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}.bak"


def _read(file: str, patience: Patience) -> list[Row]:
    try:
        mode = os.stat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidPath(file, "there is no such file", advice=_ADVICE) from None
    except OSError as error:
        raise system_failure(error, "look for", file) from error
    if not stat.S_ISREG(mode):
        raise InvalidPath(file, "it is no regular file", advice=_ADVICE)
    try:
        return _rows(file, patience)
    except DatabaseCorrupt as error:
        where = ".".join(part for part in (error.table, error.column) if part)
        reason = f"it is no backup that could be restored: {f'{where}: ' if where else ''}{error.reason}"
        raise InvalidPath(file, reason, advice=_ADVICE) from error


def _rows(file: str, patience: Patience) -> list[Row]:
    try:
        with read_only(file, patience, _OPERATION) as connection:
            if not read_version(connection, file):
                raise DatabaseCorrupt("it is empty", path=file)
            copy = Database.copy_of(connection)
    except sqlite3.Error as error:
        raise translate(error, file) from error
    with closing(copy), copy.read(patience) as connection:
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            raise DatabaseCorrupt(str(answer), path=file)
        return reservations.records(connection)


OPERATION = Operation(
    name="restore",
    title="Restore a Backup",
    description=(
        "Puts the reservations of a backup in the place of all that are there, after a backup of these. Programs that "
        "use the store go on with it; undo takes it back."
    ),
    request=RestoreRequest,
    result=RestoreResult,
    work=Procedure(prepare=prepare, run=run, only_reads=lambda request: False),
    destructive=True,
    takes_away=lambda request: True,
)
