"""Version 1: the layout that stores in the field have. An absent tag is NULL.

The Rust tool of the same name writes it; its statements must stay as they are.
"""

from __future__ import annotations

from trop_core.database.migrations.layout import Column, Layout, Table, check_layout
from trop_core.database.migrations.types import Migration
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

TABLES = (
    "CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
    """CREATE TABLE reservations (
  path TEXT NOT NULL,
  tag TEXT,
  port INTEGER NOT NULL UNIQUE,
  project TEXT,
  task TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (path, tag)
)""",
)

INDEXES = (
    "CREATE INDEX idx_reservations_port ON reservations(port)",
    "CREATE INDEX idx_reservations_project ON reservations(project)",
    "CREATE INDEX idx_reservations_last_used ON reservations(last_used_at)",
)

LAYOUT = Layout(
    tables=(
        Table("metadata", (Column("key", "TEXT", True, 1), Column("value", "TEXT", True, 0)), unique=(("key",),)),
        Table(
            "reservations",
            (
                Column("path", "TEXT", True, 1),
                Column("tag", "TEXT", False, 2),
                Column("port", "INTEGER", True, 0),
                Column("project", "TEXT", False, 0),
                Column("task", "TEXT", False, 0),
                Column("created_at", "INTEGER", True, 0),
                Column("last_used_at", "INTEGER", True, 0),
            ),
            unique=(("path", "tag"), ("port",)),
            indexes=(
                ("idx_reservations_last_used", ("last_used_at",)),
                ("idx_reservations_port", ("port",)),
                ("idx_reservations_project", ("project",)),
            ),
        ),
    ),
    strict=False,
)


def _validate(connection: sqlite3.Connection) -> None:
    check_layout(connection, LAYOUT)


MIGRATION = Migration(
    version=1,
    description="create the tables for metadata and reservations",
    up_sql=(*TABLES, *INDEXES),
    down_sql=("DROP TABLE reservations", "DROP TABLE metadata"),
    validate=_validate,
    rows=None,
)
