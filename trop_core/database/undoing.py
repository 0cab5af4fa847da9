"""The queries that take an operation's changes back, on sets of rows: what is in the way, and doing it.

A change is taken back by removing the row that it left and storing the one that was there before.
"""

from __future__ import annotations

from trop_core.database.moving import MARK
from trop_core.database.reservations import COLUMNS
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trop_core.database.handles import StoreConnection

_COLUMNS = ", ".join(COLUMNS)
_LASTING = tuple(column for column in COLUMNS if column != "last_used_at")
_COMING = "trop_coming_back"
_STAYS = "changes.port = changes.new_port"
"""The condition on a change that a reservation has kept its port: it is one and the same before and after."""


class InTheWay(NamedTuple):
    """A reservation that keeps a change from being taken back, and why, as the end of a sentence about it."""

    path: str
    tag: str | None
    port: int
    reason: str


def in_the_way(connection: StoreConnection, operation: int, limit: int) -> list[InTheWay]:
    """What keeps an operation from being taken back: the first ``limit`` of it. Reads.

    Each row has to be as the operation left it, but for its time of last use, and each key and port that comes back has
    to be free.
    """
    changed = " OR ".join(f"at.{column} IS NOT changes.new_{column}" for column in _LASTING)
    left = connection.execute(
        "SELECT changes.new_path, changes.new_tag, changes.new_port, at.path IS NULL"
        " FROM changes LEFT JOIN reservations AS at ON (at.path, at.tag) = (changes.new_path, changes.new_tag)"
        f" WHERE operation = ? AND new_path IS NOT NULL AND ({changed}) ORDER BY number LIMIT ?",
        (operation, limit),
    )
    found = [
        InTheWay(path, tag or None, port, "is not reserved any more" if is_gone else "has been changed since")
        for path, tag, port, is_gone in left
    ]
    going = "(SELECT new_path, new_tag FROM changes WHERE operation = :operation AND new_path IS NOT NULL)"
    for same, what in (
        ("(at.path, at.tag) = (changes.path, changes.tag)", "is reserved anew since"),
        ("at.port = changes.port AND (at.path, at.tag) <> (changes.path, changes.tag)", "has the port {} now"),
    ):
        rows = connection.execute(
            f"SELECT at.path, at.tag, at.port FROM changes JOIN reservations AS at ON {same}"
            f" WHERE operation = :operation AND (at.path, at.tag) NOT IN {going} ORDER BY number LIMIT :limit",
            {"operation": operation, "limit": limit},
        )
        found += [InTheWay(path, tag or None, port, what.format(port)) for path, tag, port in rows]
    return found[:limit]


def take_back(connection: StoreConnection, operation: int) -> None:
    """Put everything back as it was before an operation; nothing is in the way.

    A row that has moved, with its port, moves back. Of the times of last use the later one stays.
    """
    given = {"operation": operation, "mark": MARK}
    left = "JOIN reservations AS at ON (at.path, at.tag) = (changes.new_path, changes.new_tag)"
    used_at = "max(changes.last_used_at, coalesce(at.last_used_at, 0))"
    connection.execute(
        f"CREATE TEMP TABLE {_COMING} AS SELECT changes.path, changes.tag, changes.port, changes.project, changes.task,"
        f" changes.created_at, {used_at} AS last_used_at FROM changes LEFT {left}"
        f" WHERE operation = ? AND changes.path IS NOT NULL AND NOT coalesce({_STAYS}, 0) ORDER BY number",
        (operation,),
    )
    # All go before any comes back: a port, or a key, may pass from one to another.
    connection.execute(
        "DELETE FROM reservations WHERE (path, tag) IN (SELECT new_path, new_tag FROM changes"
        f" WHERE operation = ? AND new_path IS NOT NULL AND NOT coalesce({_STAYS}, 0))",
        (operation,),
    )
    of_this = f"changes.operation = :operation AND coalesce({_STAYS}, 0)"
    at_end = "(at.path, at.tag) = (changes.new_path, changes.new_tag)"
    if _may_meet(connection, operation):
        # All leave before the first one arrives, where one could meet another that has yet to leave.
        connection.execute(
            "UPDATE reservations AS at SET path = :mark || changes.number, tag = '' FROM changes"
            f" WHERE {of_this} AND {at_end}",
            given,
        )
        at_end = "at.path = :mark || changes.number"
    connection.execute(
        "UPDATE reservations AS at SET path = changes.path, tag = changes.tag, project = changes.project,"
        f" task = changes.task, created_at = changes.created_at, last_used_at = {used_at} FROM changes"
        f" WHERE {of_this} AND {at_end}",
        given,
    )
    connection.execute(f"INSERT INTO reservations ({_COLUMNS}) SELECT {_COLUMNS} FROM {_COMING} ORDER BY rowid")
    connection.execute(f"DROP TABLE temp.{_COMING}")


def _may_meet(connection: StoreConnection, operation: int) -> bool:
    """Whether a row would come back to where another one stands that goes as well."""
    found = connection.execute(
        "SELECT 1 FROM changes WHERE operation = :operation AND (path, tag) <> (new_path, new_tag) AND (path, tag) IN"
        " (SELECT new_path, new_tag FROM changes WHERE operation = :operation AND new_path IS NOT NULL) LIMIT 1",
        {"operation": operation},
    )
    return found.fetchone() is not None


def paths_of(connection: StoreConnection, operation: int) -> list[str]:
    """The paths, each once, at which an operation has changed something, before or after."""
    rows = connection.execute(
        "SELECT path FROM changes WHERE operation = :operation AND path IS NOT NULL"
        " UNION SELECT new_path FROM changes WHERE operation = :operation AND new_path IS NOT NULL",
        {"operation": operation},
    )
    return [path for (path,) in rows]
