"""The tables beside the file format: whether a store has them, and adding them where something is to be written there.

A store without them is complete, and no reading adds them. What is wrong with them is no reason to fail: whoever
reserves goes on without, and is told by ``warning``.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Literal

from trop_core.database.failures import undecodable_column
from trop_core.database.migrations.registry import COMPANION, MigrationRegistry
from trop_core.database.migrations.version import read_version
from trop_core.errors.store import DatabaseCorrupt

if TYPE_CHECKING:
    from trop_core.database.handles import StoreConnection
    from trop_core.database.migrations.types import Migration
    from trop_core.database.waiting import Patience

State = Literal["absent", "older", "present", "newer", "unusable"]
"""What a store has: no such tables, those of an older version, those of this one, those of a newer one; or something
that is in their place, or is not as it should be. Only those of this version are read and written."""

NEWER = (
    "a newer trop keeps its record of directories in this store: directories that were moved are not followed until "
    "this trop is updated, too"
)
UNUSABLE = (
    "the store's record of directories is not as trop makes it: directories that were moved are not followed; "
    "trop assert-data-dir --validate tells what is wrong with it"
)
_WARNINGS = {"newer": NEWER, "unusable": UNUSABLE}


def state(connection: StoreConnection, registry: MigrationRegistry | None = None) -> State:
    """Whether a store has the tables, those of the registry's latest version. Reads, in the caller's transaction."""
    version = _version(connection)
    latest = COMPANION.latest if registry is None else registry.latest
    if version is None:
        return "unusable"
    if version > latest:
        return "newer"
    migrations = (registry or MigrationRegistry(chain=COMPANION)).migrations
    if version and not _is_as_it_should_be(connection, migrations[version - 1]):
        return "unusable"
    if version == latest:
        return "present"
    if any(migrations[version].preflight(connection).values()):
        return "unusable"
    return "older" if version else "absent"


def warning(found: State) -> str | None:
    """What the caller of an operation that would use the tables should know of their state, or None."""
    return _WARNINGS.get(found)


def has_this_version(connection: StoreConnection) -> bool:
    """Whether the store says that it has the tables of this version. Reads one row, and imports nothing."""
    return _version(connection) == COMPANION.latest


def is_usable(connection: StoreConnection) -> bool:
    """Whether the tables of this version are there, and as they should be. Reads; most often two rows."""
    if not has_this_version(connection):
        return False
    (number,) = connection.execute("PRAGMA schema_version").fetchone()
    if connection.soundness is None or connection.soundness[0] != number:
        migrations = MigrationRegistry(chain=COMPANION).migrations
        connection.soundness = (number, _is_as_it_should_be(connection, migrations[-1]))
    return connection.soundness[1]


def ensure(
    connection: StoreConnection, *, registry: MigrationRegistry | None = None, patience: Patience | None = None
) -> bool:
    """Bring the tables to the registry's latest version, in the caller's write transaction; True if they can be used.

    They come and go with the transaction: it is rolled back or killed, and they are as they were. Nothing happens where
    they are newer, or not as they should be. Raises ``MigrationFailed``, ``LockTimeout``, ``Cancelled`` or
    ``PermissionDenied``, where writing anything else would fail as well; the caller rolls back.
    """
    if registry is None and is_usable(connection):
        return True
    found = state(connection, registry)
    if found in ("absent", "older"):
        from trop_core.database.handles import IN_MEMORY
        from trop_core.database.migrations.executor import MigrationExecutor
        from trop_core.errors.schema_migrations import MigrationBlocked

        path = None if connection.path == IN_MEMORY else connection.path
        registry = registry or MigrationRegistry(chain=COMPANION)
        executor = MigrationExecutor(connection, registry, path=path, patience=patience)
        try:
            executor.apply(executor.plan())
        except MigrationBlocked:
            # What is in the way of a version further on. Those before it are complete, each with its version.
            return False
        return True
    return found == "present"


def _version(connection: StoreConnection) -> int | None:
    """The version that the store says the tables have, 0 where it says nothing; None if that cannot be read."""
    try:
        return read_version(connection, connection.path, COMPANION)
    except DatabaseCorrupt:
        return None
    except sqlite3.OperationalError as error:
        if undecodable_column(error) is None:
            raise
        return None


def _is_as_it_should_be(connection: StoreConnection, migration: Migration) -> bool:
    try:
        migration.validate(connection)
    except ValueError:
        return False
    return True
