"""The tables beside the file format: whether a store has them, and adding them where something is to be written there.

A store without them is complete, and no reading adds them. What is wrong with them is no reason to fail: whoever
reserves goes on without, and is told by ``warning``.
"""

from __future__ import annotations

import _sqlite3 as sqlite3

from trop_core.database.failures import undecodable_column
from trop_core.database.migrations.companion.tables import MADE
from trop_core.database.migrations.registry import COMPANION, MigrationRegistry
from trop_core.database.migrations.version import read_version, version_in
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience

State = Literal["absent", "older", "present", "newer", "unusable"]
"""What a store has: no such tables, those of an older version, those of this one, those of a newer one; or something
that is in their place, or is not as it should be."""

DIRECTORIES = 1
"""The version from which on the table ``directories`` is there, as it is today."""

OPERATIONS = 2
"""The version from which on the tables ``operations`` and ``changes`` are there, as they are today."""

NEWER = (
    "a newer trop keeps its record of directories and changes in this store: directories that were moved are not "
    "followed, and no change can be undone, until this trop is updated, too"
)
UNUSABLE = (
    "the store's record of directories and changes is not as trop makes it: directories that were moved are not "
    "followed, and no change can be undone; trop assert-data-dir --validate tells what is wrong with it"
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
    registry = registry or MigrationRegistry(chain=COMPANION)
    if version and not _is_as_it_should_be(connection, registry, version):
        return "unusable"
    if version == latest:
        return "present"
    if any(registry.migrations[version].preflight(connection).values()):
        return "unusable"
    return "older" if version else "absent"


def warning(found: State) -> str | None:
    """What the caller of an operation that would use the tables should know of their state, or None."""
    return _WARNINGS.get(found)


def version(connection: StoreConnection) -> int:
    """The version that the store says the tables have; 0 where it says nothing that can be read."""
    return _version(connection) or 0


def says(value: object, since: int) -> bool:
    """Whether what the store has as the tables' version says that it has those of a version. Imports nothing."""
    version = version_in(value)
    return version is not None and since <= version <= COMPANION.latest


def is_usable(connection: StoreConnection, since: int) -> bool:
    """Whether the tables of a version are there, and as they should be. Reads; most often two rows."""
    version = _version(connection)
    if version is None or not since <= version <= COMPANION.latest:
        return False
    (number,) = connection.execute("PRAGMA schema_version").fetchone()
    if connection.soundness is None or connection.soundness[0] != number:
        connection.soundness = (number, _is_as_it_should_be(connection, None, version))
    return connection.soundness[1]


def ensure(
    connection: StoreConnection,
    since: int = COMPANION.latest,
    *,
    registry: MigrationRegistry | None = None,
    patience: Patience | None = None,
) -> bool:
    """Bring the tables to the registry's latest version, in the caller's write transaction.

    True if those of the version ``since`` can be used then. They come and go with the transaction: it is rolled back or
    killed, and they are as they were. Nothing happens where they are newer, or not as they should be. Raises
    ``MigrationFailed``, ``LockTimeout``, ``Cancelled`` or ``PermissionDenied``, where writing anything else would fail
    as well; the caller rolls back.
    """
    if registry is None and is_usable(connection, COMPANION.latest):
        return True
    found = state(connection, registry)
    if found in ("absent", "older"):
        from trop_core.database.handles import IN_MEMORY
        from trop_core.database.migrations.executor import MigrationExecutor
        from trop_core.errors.schema_migrations import MigrationBlocked

        path = None if connection.path == IN_MEMORY else connection.path
        executor = MigrationExecutor(
            connection, registry or MigrationRegistry(chain=COMPANION), path=path, patience=patience
        )
        try:
            executor.apply(executor.plan())
            return True
        except MigrationBlocked:
            # What is in the way of a version further on. Those before it are complete, each with its version.
            pass
    return found == "present" or (registry is None and is_usable(connection, since))


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


def _is_as_it_should_be(connection: StoreConnection, registry: MigrationRegistry | None, version: int) -> bool:
    # Letter for letter as trop makes them is the usual case, and takes one statement and none of the modules.
    if version < len(MADE):
        found = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT IN ('metadata', 'reservations')"
        )
        if {sql for (sql,) in found} == set(MADE[version]):
            return True
    registry = registry or MigrationRegistry(chain=COMPANION)
    try:
        registry.migrations[version - 1].validate(connection)
    except ValueError:
        return False
    return True
