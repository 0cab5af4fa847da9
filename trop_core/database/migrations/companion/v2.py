"""Companion version 2: what was done to the reservations, so that it can be told and taken back.

A change holds a row before and after an operation, either of which may be missing; a row that moves is one change.
"""

from __future__ import annotations

from trop_core.database.migrations.companion import v1
from trop_core.database.migrations.companion.tables import CHANGES, OPERATIONS
from trop_core.database.migrations.layout import Column, Layout, Table, differences_beside, taken_names
from trop_core.database.migrations.types import Migration
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_ROW = (
    ("path", "TEXT"),
    ("tag", "TEXT"),
    ("port", "INTEGER"),
    ("project", "TEXT"),
    ("task", "TEXT"),
    ("created_at", "INTEGER"),
    ("last_used_at", "INTEGER"),
)

_ADDED = Layout(
    tables=(
        Table(
            "operations",
            (
                Column("id", "INTEGER", True, 1),
                Column("time", "INTEGER", True, 0),
                Column("command", "TEXT", True, 0),
                Column("door", "TEXT", True, 0),
                Column("process", "INTEGER", True, 0),
                Column("directory", "TEXT", False, 0),
                Column("summary", "TEXT", True, 0),
                Column("undoes", "INTEGER", False, 0),
                Column("plan", "TEXT", False, 0),
                Column("changed", "INTEGER", True, 0),
            ),
        ),
        Table(
            "changes",
            (
                Column("operation", "INTEGER", True, 1),
                Column("number", "INTEGER", True, 2),
                *(Column(name, type_, False, 0) for name, type_ in _ROW),
                *(Column(f"new_{name}", type_, False, 0) for name, type_ in _ROW),
            ),
            unique=(("operation", "number"),),
        ),
    ),
    strict=True,
)

LAYOUT = Layout(tables=(*v1.LAYOUT.tables, *_ADDED.tables), strict=True)


def preflight(connection: sqlite3.Connection) -> dict[str, int]:
    """Count what has the names of the new tables already. Reads, never writes."""
    return {"takenNames": taken_names(connection, _ADDED)}


def _validate(connection: sqlite3.Connection) -> None:
    found = differences_beside(connection, LAYOUT)
    if found:
        raise ValueError("; ".join(found))


MIGRATION = Migration(
    version=2,
    description="create the tables of operations and their changes",
    up_sql=(OPERATIONS, CHANGES),
    down_sql=("DROP TABLE changes", "DROP TABLE operations"),
    preflight=preflight,
    advice="Give the table that has the name another one with the sqlite3 program.",
    validate=_validate,
    rows=None,
)
