"""What a transaction changes of the reservations, noted while it does.

Triggers in the connection's own temporary schema note it, whatever statement makes the change: what an operation does
cannot be told otherwise than it was done. They are made for the block alone, stand in no file, and go with whatever is
rolled back. A refreshed ``last_used_at`` is no change.
"""

from __future__ import annotations

import _sqlite3 as sqlite3
from contextlib import contextmanager

from trop_core.database.reservations import COLUMNS
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.handles import StoreConnection

_TABLE = "trop_noted_changes"
_NEW = tuple(f"new_{column}" for column in COLUMNS)
BOTH = ", ".join((*COLUMNS, *_NEW))
"""The columns of a change: the row before, all NULL where there was none, and the row after, likewise."""

_ALL_NEW = ", ".join(_NEW)
_MADE = ", ".join(f"{name} = made.{name}" for name in _NEW)

_LASTING = tuple(column for column in COLUMNS if column != "last_used_at")
_SAME = " AND ".join(f"{column} IS new_{column}" for column in _LASTING)
_AFTER = ", ".join(f"NEW.{column}" for column in COLUMNS)
_BEFORE = ", ".join(f"OLD.{column}" for column in COLUMNS)
_NOTE_AFTER = f"ON CONFLICT (row) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NEW)}"


def _trigger(event: str, on: str, *statements: str) -> str:
    return (
        f"CREATE TEMP TRIGGER trop_note_{event} AFTER {on} ON main.reservations BEGIN"
        f" {' '.join(f'{statement};' for statement in statements)} END"
    )


_BEGIN = (
    f"CREATE TEMP TABLE {_TABLE} (row INTEGER PRIMARY KEY, {BOTH})",
    _trigger(
        "insert",
        "INSERT",
        # A row that goes leaves its number to the next one, which has nothing else of it.
        f"UPDATE {_TABLE} SET row = (SELECT min(min(row), 0) - 1 FROM {_TABLE}) WHERE row = NEW.rowid",
        f"INSERT INTO {_TABLE} (row, {_ALL_NEW}) VALUES (NEW.rowid, {_AFTER})",
    ),
    _trigger(
        "update",
        f"UPDATE OF {', '.join(_LASTING)}",
        f"INSERT INTO {_TABLE} (row, {BOTH}) VALUES (NEW.rowid, {_BEFORE}, {_AFTER}) {_NOTE_AFTER}",
    ),
    _trigger(
        "delete",
        "DELETE",
        f"INSERT INTO {_TABLE} (row, {', '.join(COLUMNS)}) VALUES (OLD.rowid, {_BEFORE}) {_NOTE_AFTER}",
    ),
)
_STOP = tuple(f"DROP TRIGGER temp.trop_note_{event}" for event in ("insert", "update", "delete"))
_DIGESTED = ("path", "tag", "port", "new_path", "new_tag", "new_port")
_COUNTS = (
    "SELECT coalesce(sum(path IS NULL), 0), coalesce(sum(new_path IS NULL), 0),"
    " coalesce(sum((path, tag) <> (new_path, new_tag)), 0),"
    " coalesce(sum((path, tag) = (new_path, new_tag) AND port <> new_port), 0),"
    f" coalesce(sum((path, tag) = (new_path, new_tag) AND port = new_port), 0) FROM {_TABLE}"
)


class Digest(Protocol):
    """What ``hashlib`` makes."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""


class Counts(NamedTuple):
    """How many reservations an operation added, removed, moved, gave another port, and changed otherwise."""

    added: int
    removed: int
    moved: int
    reallocated: int
    updated: int

    @property
    def total(self) -> int:
        """How many that are in all."""
        return sum(self)

    def __str__(self) -> str:
        """A clause: ``2 removed, 1 moved``."""
        words = ("added", "removed", "moved", "given another port", "updated")
        told = [f"{number:,} {word}" for number, word in zip(self, words, strict=True) if number]
        return ", ".join(told) if told else "nothing changes"


class NotedChanges:
    """What was noted, to be asked after the block's work and before its end."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def settle(self) -> Counts:
        """Put together what is one change, forget what came to nothing, and count what is left."""
        execute = self._connection.execute
        # What was given up and made anew under its key has two numbers, and is one reservation all the same.
        execute(
            f"UPDATE {_TABLE} AS gone SET {_MADE} FROM {_TABLE} AS made WHERE gone.new_path IS NULL"
            " AND made.path IS NULL AND (made.new_path, made.new_tag) = (gone.path, gone.tag)"
        )
        execute(
            f"DELETE FROM {_TABLE} WHERE path IS NULL AND (new_path, new_tag) IN"
            f" (SELECT new_path, new_tag FROM {_TABLE} WHERE path IS NOT NULL AND new_path IS NOT NULL)"
        )
        execute(f"DELETE FROM {_TABLE} WHERE {_SAME}")
        return Counts(*execute(_COUNTS).fetchone())

    def digest_into(self, digest: Digest) -> None:
        """Add the key and the port of every row that goes, comes or changes, before and after, in one order."""
        columns = ", ".join(f"CAST({column} AS BLOB)" for column in _DIGESTED)
        for row in self._connection.execute(f"SELECT {columns} FROM {_TABLE} ORDER BY {', '.join(_DIGESTED)}"):
            for value in row:
                # With its length before it, no value can pass for a part of the one beside it.
                digest.update(b"-" if value is None else b"%d:%b" % (len(value), value))

    def store(self, operation: int) -> None:
        """Keep the changes, as those of an operation. The table ``changes`` is there."""
        self._connection.execute(
            f"INSERT INTO changes (operation, number, {BOTH}) SELECT ?, row, {BOTH} FROM {_TABLE} ORDER BY row",
            (operation,),
        )


@contextmanager
def noting(connection: StoreConnection) -> Iterator[NotedChanges]:
    """Note what the block changes. The caller has a write transaction open, and rolls back when an error leaves it."""
    try:
        for statement in _BEGIN:
            connection.execute(statement)
    except sqlite3.OperationalError as error:
        kind = connection.execute("SELECT type FROM main.sqlite_master WHERE name = 'reservations'").fetchone()
        if kind is None or kind[0] == "table":
            raise
        reason = f"it is a {kind[0]}, and no table"
        raise DatabaseCorrupt(reason, path=connection.path, table="reservations") from error
    yield NotedChanges(connection)
    for statement in (*_STOP, f"DROP TABLE temp.{_TABLE}"):
        connection.execute(statement)
