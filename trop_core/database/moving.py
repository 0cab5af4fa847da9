"""The queries that move rows to another path, on sets of rows.

They read the rows that move and those that stand where they would go, through the index of the path, and no others.
"""

from __future__ import annotations

from trop_core.database.reservations import COLUMNS, from_row
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.paths import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.handles import StoreConnection
    from trop_core.database.selection import Selection
    from trop_core.models import Reservation

MARK = "\x01"
"""Begins a path that is none: the place where rows wait whose destination may still be taken by another that moves."""

WAITING = ("path >= ? AND path < ?", (MARK, "\x02"))
"""The condition on the rows that wait there, and its parameters."""


class Move(NamedTuple):
    """Rows and the path that they move to. The destination is not the source and does not lie below it."""

    source: Selection
    destination: str

    @property
    def may_collide(self) -> bool:
        """Whether a row may move to where another one that moves still stands: only on the way up."""
        return self.source.recursive and is_within(self.source.path, self.destination)

    def destination_of(self, path: str) -> str:
        """Where one path of the source moves to."""
        rest = path[len(self.source.path) :]
        return self.destination.rstrip("/") + rest if rest else self.destination

    def expression(self, column: str) -> tuple[str, list[object]]:
        """``destination_of`` in SQL, and its parameters."""
        return (
            f"CASE WHEN {column} = ? THEN ? ELSE ? || {rest_of(column)} END",
            [self.source.path, self.destination, self.destination.rstrip("/"), len(self.source.path.encode()) + 1],
        )


def rest_of(column: str) -> str:
    """A path from a byte on, the parameter, counted from 1. As a text, it would end at a NUL: two could become one."""
    return f"CAST(substr(CAST({column} AS BLOB), ?) AS TEXT)"


def longer_than(connection: StoreConnection, move: Move, limit: int) -> str | None:
    """Where a row would move whose path would get longer than ``limit`` characters by it, or None if none would."""
    growth = len(move.destination) - len(move.source.path)
    if growth <= 0 or not move.source.recursive:
        return None
    condition, parameters = move.source.condition()
    row = connection.execute(
        f"SELECT path FROM reservations WHERE {condition} AND length(path) > ? LIMIT 1", [*parameters, limit - growth]
    ).fetchone()
    return None if row is None else move.destination_of(row[0])


def count_conflicts(connection: StoreConnection, move: Move) -> int:
    """How many rows stand where others would move to and do not move themselves."""
    joined, parameters = _conflicts(move)
    count: int = connection.execute(f"SELECT count(*) {joined}", parameters).fetchone()[0]
    return count


def conflicts(connection: StoreConnection, move: Move, limit: int | None = None) -> list[Reservation]:
    """Those rows, in the order of path and tag."""
    joined, parameters = _conflicts(move)
    columns = ", ".join(f"standing.{column}" for column in COLUMNS)
    rows = connection.execute(
        f"SELECT {columns} {joined} ORDER BY standing.path, standing.tag LIMIT ?",
        [*parameters, -1 if limit is None else limit],
    )
    return [from_row(row, connection) for row in rows]


def remove_conflicts(connection: StoreConnection, move: Move) -> None:
    """Remove those rows."""
    joined, parameters = _conflicts(move)
    connection.execute(
        f"DELETE FROM reservations WHERE rowid IN (SELECT standing.rowid {joined})",
        parameters,
    )


def in_batches(connection: StoreConnection, move: Move, size: int) -> Iterator[int]:
    """Move the rows, ``size`` at a time; after each step, say how many have arrived by it. Nothing is in their way.

    On the way up, the rows of a step could meet others that have yet to leave. There, all rows leave before the first
    one arrives, and the steps of leaving count none.
    """
    source = move.source.condition()
    expression, values = move.expression("path")
    if not move.may_collide:
        yield from _steps(connection, (expression, values), source, size)
        return
    waiting: tuple[str, list[object]] = WAITING[0], [*WAITING[1]]
    for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM reservations WHERE {waiting[0]}", waiting[1]):
        # A damaged path that looks as if it waited. This raises: nothing is mended by the way.
        from_row(row, connection)
    for _ in _steps(connection, (f"? || {expression}", [MARK, *values]), source, size):
        yield 0
    yield from _steps(connection, (rest_of("path"), [len(MARK) + 1]), waiting, size)


def _steps(
    connection: StoreConnection, path: tuple[str, list[object]], rows: tuple[str, list[object]], size: int
) -> Iterator[int]:
    """Give rows another path, one for which their condition no longer holds, until there are none left."""
    sql = (
        f"UPDATE reservations SET path = {path[0]}"
        f" WHERE rowid IN (SELECT rowid FROM reservations WHERE {rows[0]} LIMIT ?)"
    )
    moved = size
    while moved == size:
        moved = connection.execute(sql, [*path[1], *rows[1], size]).rowcount
        yield moved


def _conflicts(move: Move) -> tuple[str, list[object]]:
    """From which tables, and under which condition, the rows in the way come."""
    expression, values = move.expression("mover.path")
    moves, moving = move.source.condition("mover")
    stays, staying = move.source.condition("standing")
    return (
        (
            "FROM reservations AS mover CROSS JOIN reservations AS standing"
            f" ON standing.path = {expression} AND standing.tag = mover.tag"
            f" WHERE {moves} AND NOT ({stays})"
        ),
        [*values, *moving, *staying],
    )
