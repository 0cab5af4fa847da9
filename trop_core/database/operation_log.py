"""The queries about what was done to the reservations: the tables ``operations`` and ``changes``.

Each finds nothing and keeps nothing where the store has no such tables, or some that are not as they should be.
"""

from __future__ import annotations

from trop_core.database import companion
from trop_core.database.noted_changes import BOTH
from trop_core.database.reservations import COLUMNS, from_row
from trop_core.errors.store import DamagedRecord, DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.models import PLAN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from trop_core.database.handles import StoreConnection
    from trop_core.database.noted_changes import NotedChanges
    from trop_core.models import Reservation

NO_CHANGE = "there is no reservation, neither before nor after"
"""What is wrong with a change of nothing."""

MOST_OPERATIONS = 1000
MOST_CHANGES = 100_000
LONGEST_KEPT = 90 * 24 * 60 * 60
"""Seconds after which an operation is forgotten."""

LONGEST_PLAN = 2 * PLAN_SECONDS
"""Seconds for which an operation that has carried out a plan is kept in any case: as long as that could be used again,
and as long again for clocks that differ."""


_NEXT = (
    "(SELECT iif(last < 9223372036854775807, last + 1, NULL) FROM (SELECT max(0,"
    " coalesce((SELECT max(id) FROM operations), 0), coalesce((SELECT max(operation) FROM changes), 0)) AS last))"
)
"""The number of a new operation: changes that some program has left without theirs are not taken for its own. Where
none is left above, SQLite picks one."""


class Logged(NamedTuple):
    """An operation as it stands in the log; ``Entry`` says what its values are."""

    id: int
    time: int
    command: str
    door: str
    process: int
    directory: str | None
    summary: str
    undoes: int | None
    plan: str | None
    changed: int


class Change(NamedTuple):
    """A reservation before and after an operation; None where there was none."""

    before: Reservation | None
    after: Reservation | None


class Entry(NamedTuple):
    """One operation, as it is about to be noted.

    ``time`` is in whole seconds since the epoch; ``door`` is the way by which the call came, ``process`` the one that
    carried it out, ``directory`` where the caller was, if anywhere. ``undoes`` is the operation that it takes back, and
    ``plan`` the name of the plan that it carried out.
    """

    time: int
    command: str
    door: str
    process: int
    directory: str | None
    summary: str
    changed: int
    undoes: int | None = None
    plan: str | None = None


def keep(connection: StoreConnection, entry: Entry, changes: NotedChanges) -> int | None:
    """Note an operation with its changes, and forget what is too old, in the caller's write transaction.

    Returns its number; None, and nothing is noted, where the tables cannot be used. Makes them where there are none.
    """
    if not companion.ensure(connection, companion.OPERATIONS):
        return None
    marks = ", ".join("?" * len(entry))
    (number,) = connection.execute(
        f"INSERT INTO operations (id, {', '.join(Entry._fields)}) VALUES ({_NEXT}, {marks}) RETURNING id", entry
    ).fetchone()
    if entry.changed:
        changes.store(number)
    _forget(connection, number, entry.time)
    return int(number)


def holds(connection: StoreConnection, number: int, entry: Entry) -> bool:
    """Whether an operation stands there under the number that ``keep`` returned for it. Reads."""
    if not companion.is_usable(connection, companion.OPERATIONS):
        return False
    found = connection.execute(f"SELECT {', '.join(Entry._fields)} FROM operations WHERE id = ?", (number,)).fetchone()
    return bool(found == tuple(entry))


def operation_of_plan(connection: StoreConnection, plan: str) -> int | None:
    """The number of the operation that carried a plan out, or None."""
    if not companion.is_usable(connection, companion.OPERATIONS):
        return None
    row = connection.execute("SELECT id FROM operations WHERE plan = ?", (plan,)).fetchone()
    return None if row is None else row[0]


def operations(connection: StoreConnection) -> list[Logged]:
    """All that is logged, the newest first. Raises ``DatabaseCorrupt`` for what cannot be an operation."""
    if not companion.is_usable(connection, companion.OPERATIONS):
        return []
    rows = connection.execute(f"SELECT {', '.join(Logged._fields)} FROM operations ORDER BY id DESC")
    logged = [Logged(*row) for row in rows]
    for each in logged:
        if each.time < 0:
            reason, key = f"{each.time} is no time", f"operation {each.id}"
            raise DamagedRecord(reason, path=connection.path, table="operations", column="time", key=key)
    return logged


def touching(
    connection: StoreConnection, *, below: Collection[str] | None = None, port: int | None = None
) -> frozenset[int]:
    """The numbers of the operations that changed something at or below one of some paths, or with a port."""
    if not companion.is_usable(connection, companion.OPERATIONS):
        return frozenset()
    conditions, parameters = list[str](), list[object]()
    if below is not None:
        import json

        at_scope = " OR ".join(
            f"{column} = scope.value OR ({column} >= scope.value || '/' AND {column} < scope.value || '0')"
            for column in ("changes.path", "changes.new_path")
        )
        conditions.append(f"EXISTS (SELECT 1 FROM json_each(?) AS scope WHERE {at_scope})")
        parameters.append(json.dumps([path.rstrip("/") for path in below]))
    if port is not None:
        conditions.append("? IN (port, new_port)")
        parameters.append(port)
    found = connection.execute(
        f"SELECT DISTINCT operation FROM changes WHERE {' AND '.join(conditions) or '1'}", parameters
    )
    return frozenset(number for (number,) in found)


def changes_of(connection: StoreConnection, operation: int, limit: int) -> list[Change]:
    """The changes of an operation, the first ``limit`` of them. Raises ``DatabaseCorrupt`` for what cannot be one."""
    rows = connection.execute(
        f"SELECT {BOTH} FROM changes WHERE operation = ? ORDER BY number LIMIT ?", (operation, limit)
    )
    half = len(COLUMNS)
    changes = [Change(_row(row[:half], connection), _row(row[half:], connection)) for row in rows]
    if Change(None, None) in changes:
        key = f"operation {operation}"
        raise DamagedRecord(NO_CHANGE, path=connection.path, table="changes", column="path", key=key)
    return changes


def undone(logged: Iterable[Logged]) -> dict[int, int]:
    """Which of the operations, the newest first, are undone, and by which: an undo that is undone itself is none."""
    by: dict[int, int] = {}
    for operation in logged:
        if operation.undoes is not None and operation.id not in by:
            by.setdefault(operation.undoes, operation.id)
    return by


def _row(values: tuple[Any, ...], connection: StoreConnection) -> Reservation | None:
    if values[0] is None:
        return None
    try:
        return from_row(values, connection)
    except DatabaseCorrupt as error:
        raise DamagedRecord(
            error.reason, path=error.path, table="changes", column=error.column, key=error.key
        ) from error


def _forget(connection: StoreConnection, newest: int, now: int) -> None:
    """Remove the operations that are beyond the bounds, with their changes; never the newest one."""
    count, changed, oldest = connection.execute("SELECT count(*), total(changed), min(time) FROM operations").fetchone()
    if count <= MOST_OPERATIONS and changed <= MOST_CHANGES and oldest >= now - LONGEST_KEPT:
        return
    gone = connection.execute(
        "DELETE FROM operations WHERE id <> ? AND NOT (plan IS NOT NULL AND time >= ?) AND (time < ? OR id IN ("
        "SELECT id FROM (SELECT id, row_number() OVER latest AS place, total(changed) OVER latest AS total"
        " FROM operations WINDOW latest AS (ORDER BY id DESC)) WHERE place > ? OR total > ?)) RETURNING id",
        (newest, now - LONGEST_PLAN, now - LONGEST_KEPT, MOST_OPERATIONS, MOST_CHANGES),
    ).fetchall()
    connection.executemany("DELETE FROM changes WHERE operation = ?", gone)
