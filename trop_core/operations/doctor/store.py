"""The store: whether it opens, its version, whether all of it is sound, and what lies beside it."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import ExitStack, closing, contextmanager

from trop_core.database import companion
from trop_core.database.backup import unfinished
from trop_core.database.connection import Database
from trop_core.database.failures import is_busy, translate
from trop_core.database.file_set import DATABASE_NAME
from trop_core.database.handles import check_writable, connect_read_only
from trop_core.database.inspection import look_through
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.database.migrations.version import read_version
from trop_core.database.open_files import IN_USE
from trop_core.database.read_only import escaped_text, read_only
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.spelling import quoted, shell_word
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import error, info, of_error, ok, warning
from trop_core.operations.doctor.subject import OpenStore
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.handles import StoreConnection
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject

_NAME = "store"
_OPERATION = "look through it"
_MOST_TOLD = 10
_HOUR = 3600.0
"""Seconds; what nobody has written to for so long is no backup that is being made."""
_BACKUP = re.compile(re.escape(DATABASE_NAME) + r"(?:\..+)?\.bak(?:\.\d+)?")


@contextmanager
def opened(subject: Subject) -> Iterator[OpenStore | None]:
    """The store, read as a whole and open for reading; None where there is none.

    Changes nothing, and leaves nothing beside the store; an older one is upgraded in a private copy. Raises what
    ``of_opening`` takes.
    """
    path = os.path.join(subject.context.data_directory, DATABASE_NAME)
    if not subject.context.data_directory or not os.path.lexists(path) or not Store(os.path.dirname(path)).exists():
        yield None
        return
    with (
        read_only(path, subject.patience, _OPERATION, text=escaped_text) as connection,
        subject.context.token.interrupting(connection.interrupt),
        ExitStack() as stack,
    ):
        inspection = look_through(connection, path, subject.patience)
        version = _version(connection, path)
        rows = None
        if version == LATEST_VERSION and not inspection.violations:
            rows = connection
            # Every text was read, and none is odd.
            connection.text_factory = str
        elif version and not inspection.violations:
            copy = Database.copy_of(connection)
            stack.callback(copy.close)
            rows = stack.enter_context(copy.read(subject.patience))
        yield OpenStore(subject, inspection, version, rows)


def of_opening(subject: Subject, failure: Exception) -> tuple[Finding, ...]:
    """What stands in the way of reading the store. Raises what is no such thing, ``Cancelled`` among it."""
    path = os.path.join(subject.context.data_directory, DATABASE_NAME)
    if isinstance(failure, sqlite3.Error):
        failure = subject.patience.timed_out(_OPERATION) if is_busy(failure) else translate(failure, path)
    if isinstance(failure, Cancelled) or not isinstance(failure, TropError):
        raise failure
    return of_error(_NAME, failure, subject.context.spell)


def opens(store: OpenStore) -> Iterator[Finding]:
    """That it opens: whatever reads works. What stands in the way of that, opening it has told."""
    path = os.path.join(store.subject.context.data_directory, DATABASE_NAME)
    if not store.version and not store.inspection.violations:
        yield info(_NAME, f"{quoted(path)} is an empty file", store.subject.command("init"))
    else:
        yield ok(_NAME, f"{path} opens")


def version(store: OpenStore) -> Iterator[Finding]:
    """Which schema version it has. An older one is brought up to date by the next command that opens it."""
    if store.version == LATEST_VERSION:
        yield ok("schema_version", str(store.version))
    elif store.version:
        told = f"it is {store.version}, and the next command that opens the store brings it to {LATEST_VERSION}"
        yield info("schema_version", told, store.subject.command("init"))


def integrity(store: OpenStore) -> Iterator[Finding]:
    """Whether every page, table and row is what it has to be: what is wrong is told, and nothing mended."""
    violations = store.inspection.violations
    path = os.path.join(store.subject.context.data_directory, DATABASE_NAME)
    advice = DatabaseCorrupt("", path=path).hint(store.subject.context.spell)
    for violation in violations[:_MOST_TOLD]:
        where = ".".join(part for part in (violation.table, violation.column) if part is not None)
        at = f" at {quoted(violation.key)}" if violation.key is not None else ""
        yield error("integrity", f"{where}{at}: {violation.message}" if where or at else violation.message, advice)
    if len(violations) > _MOST_TOLD:
        more = f"{len(violations) - _MOST_TOLD:,} more violations"
        yield error("integrity", more, store.subject.command("assert-data-dir --validate"))
    if not violations:
        yield ok("integrity", "every page, table and row is sound")


def record(store: OpenStore) -> Iterator[Finding]:
    """Whether directories that were moved are followed, and changes can be undone; and what else lies in the file.

    trop keeps tables of its own for that, beside those of the file format.
    """
    if store.rows is None:
        return
    state = companion.state(store.rows)
    if state == "newer":
        yield warning("record", companion.NEWER, "Update this trop: a newer one uses the same store.")
    elif state == "unusable":
        # That trop's own tables are damaged is a violation: then there are no rows to come here with.
        told = "a table that is none of trop's has the name of one that trop keeps beside the reservations"
        yield warning("record", told, "Give that table another name, with the program that made it.")
    else:
        is_old = store.version < LATEST_VERSION
        # What is told besides, is told of the version, and of tables that are none of trop's.
        for told in store.inspection.warnings[is_old:]:
            yield info("record", told, "Nothing has to be done: trop leaves it alone.")


def writable(subject: Subject) -> Iterator[Finding]:
    """Whether this user may write it, with the files that SQLite keeps beside it: reserving needs that."""
    path = os.path.join(subject.context.data_directory, DATABASE_NAME)
    if not subject.context.data_directory or not os.path.isfile(path):
        return
    try:
        check_writable(path)
    except TropError as failure:
        yield from of_error("writing", failure, subject.context.spell)
        return
    yield ok("writing", "this user may write the store")


def sidecars(subject: Subject) -> Iterator[Finding]:
    """Whether the files that SQLite keeps beside a store belong to one: a -wal without its store holds reservations."""
    place = subject.context.data_directory
    path = os.path.join(place, DATABASE_NAME)
    is_link = os.path.islink(path)
    if not place or (os.path.lexists(path) and not is_link):
        return
    told, advice = "is there without its store", f"Put {DATABASE_NAME} back beside it if you have it"
    if is_link:
        # SQLite looks for it beside what the link leads to: it was open when the store was moved.
        told = f"is beside a link to the store, and not beside {quoted(os.path.realpath(path))}: nobody reads it"
        advice = "If nothing was reserved since, end what has the store open and put it back in the link's place"
    for suffix in ("-wal", "-shm", "-journal"):
        if os.path.lexists(path + suffix):
            yield warning(
                "sidecar_files",
                f"{quoted(path + suffix)} {told}",
                f"{advice}; else move this file out of the way.",
            )


def backups(subject: Subject) -> Iterator[Finding]:
    """Which backups lie beside it, and whether each is a store: best known before one is needed.

    Only their beginnings are read. What a killed process left of one takes as much room as the store.
    """
    place = subject.context.data_directory
    if not place or not os.path.isdir(place):
        return
    names = sorted(name for name in os.listdir(place) if _BACKUP.fullmatch(name))
    sound = 0
    for name in names:
        path = os.path.join(place, name)
        if (reason := _unusable(path)) is None:
            sound += 1
        else:
            told = f"the backup {quoted(path)} cannot be used: {reason}"
            yield warning("backups", told, f"rm {shell_word(path)}")
    if sound:
        yield ok("backups", f"{sound} beside the store")
    if left := unfinished(place, age=_HOUR):
        paths = [os.path.join(place, name) for name in left]
        told = f"{sum(left.values()):,} bytes are left of backups that were not finished: "
        more = f", and {len(paths) - _MOST_TOLD:,} more" if len(paths) > _MOST_TOLD else ""
        told += ", ".join(map(quoted, paths[:_MOST_TOLD])) + more
        yield warning("backups", told, f"rm {' '.join(map(shell_word, paths))}")


def _unusable(path: str) -> str | None:
    """Why a backup is of no use, or None. Nobody else writes to one, so that no lock is needed."""
    if not os.path.isfile(path):
        return "it is no file"
    if not os.path.getsize(path):
        return "it is empty"
    try:
        with IN_USE.working(), closing(connect_read_only(path, immutable=True)) as connection:
            found = read_version(connection, path)
    except sqlite3.Error as refusal:
        return str(refusal)
    except DatabaseCorrupt as refusal:
        return refusal.reason
    return None if found else "it holds nothing"


def _version(connection: StoreConnection, path: str) -> int:
    try:
        return read_version(connection, path)
    except (DatabaseCorrupt, sqlite3.DatabaseError):
        return 0
