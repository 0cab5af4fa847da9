"""Copy the store to a file, as it is at one moment."""

from __future__ import annotations

import os
import sqlite3
import time

from trop_core import fields
from trop_core.catalogue import Operation, Procedure
from trop_core.database import backup, inspection, rebuilding
from trop_core.database.failures import is_busy, is_damage, translate
from trop_core.database.file_set import files_of
from trop_core.database.read_only import escaped_text, read_only
from trop_core.errors.paths import InvalidPath
from trop_core.errors.store import UnsupportedSchemaVersion
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import Violation
from trop_core.records import Record
from trop_core.store import Store

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience


_OPERATION = "back it up"
_ITS_OWN = ("", "-wal", "-shm", "-journal")


class BackupRequest(Record):
    """Where to copy it."""

    file: str | None = fields.path(
        "The new file. If left away, one beside the store, with the time in its name. An existing one stays as it is."
    )
    dry_run: bool = fields.flag("Tell what would happen, and write nothing.")


class BackupResult(Record):
    """The copy."""

    file: str = fields.outcome("The file that was written, or would be.")
    database_path: str = fields.outcome("The store that it is a copy of.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class Prepared(NamedTuple):
    """The store, and the file that is to be written, None for one that has the time in its name."""

    store: Store
    file: str | None
    now: int
    dry_run: bool
    settings: Settings


def prepare(request: BackupRequest, context: Context) -> Prepared:
    """Resolve the file. Raises ``InvalidPath`` for a name that is one of the store's own."""
    file = None if request.file is None else context.caller.resolve(request.file)
    store = Store(context.data_directory)
    itself = files_of(store.path)[0]
    if file is not None and os.path.realpath(file) in {os.path.realpath(itself + suffix) for suffix in _ITS_OWN}:
        advice = "Name another file, or leave it away."
        raise InvalidPath(file, "SQLite keeps a file of its own under that name", advice=advice)
    settings = context.settings_without_files("maximum_lock_wait_seconds")
    return Prepared(store, file, context.now(), request.dry_run, settings)


def run(prepared: Prepared, patience: Patience) -> BackupResult:
    """Write the copy, through a read transaction: whoever writes meanwhile goes on. The store may be read-only.

    A damaged store is copied as it is, with a warning: there may be no other copy, and ``doctor`` may need one.
    Raises ``NoDataDirectory``, ``InvalidPath`` for a file that exists, ``LockTimeout``, ``SystemFailure``,
    ``PermissionDenied`` or ``DatabaseCorrupt``; nothing is left then.
    """
    path = prepared.store.path
    prepared.store.exists()  # what is no file is told of in words of its own
    try:
        with read_only(path, patience, _OPERATION, text=escaped_text) as connection:
            file = _copy(connection, prepared)
            warnings = _told_of_damage(connection, path, patience)
    except sqlite3.Error as error:
        if is_busy(error):
            raise patience.timed_out(_OPERATION) from error
        raise translate(error, path) from error
    return BackupResult(file=file, database_path=path, dry_run=prepared.dry_run, warnings=warnings)


def _told_of_damage(connection: StoreConnection, path: str, patience: Patience) -> tuple[str, ...]:
    try:
        violations = inspection.look_through(connection, path, patience).violations
    except UnsupportedSchemaVersion:
        return ()  # what a newer trop has written can be copied, and not judged
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        violations = (Violation(None, None, None, str(error)),)
    if not violations:
        return ()
    first = violations[0].message
    return (
        f"the store is damaged ({first}), and so is its copy: restore takes neither back, and trop doctor tells more",
    )


def _copy(connection: sqlite3.Connection, prepared: Prepared) -> str:
    """Write the file, and return its name."""
    while True:
        file = prepared.file or backup.free_name(_named_after(prepared.store.path, prepared.now))
        try:
            _write(connection, file, dry_run=prepared.dry_run)
        except FileExistsError:
            if prepared.file is None:
                continue
            advice = "Name a file that does not exist, or leave it away."
            raise InvalidPath(file, "there is such a file already", advice=advice) from None
        return file


def _write(connection: sqlite3.Connection, file: str, *, dry_run: bool) -> None:
    if not dry_run:
        backup.write_copy(connection, file)
        return
    rebuilding.check_writable_directory("back the store up to", file)
    if os.path.lexists(file):
        raise FileExistsError(file)


def _named_after(path: str, now: int) -> str:
    return f"{path}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}.bak"


def _is_no_change(request: BackupRequest) -> bool:
    return True


OPERATION = Operation(
    name="backup",
    title="Back Up the Store",
    description="Copies the store to a new file, as it is at one moment. Programs that use the store go on meanwhile.",
    request=BackupRequest,
    result=BackupResult,
    work=Procedure(prepare=prepare, run=run, only_reads=_is_no_change),
    idempotent=False,
)
