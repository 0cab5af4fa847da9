"""Companion version 1: which directory it was, for each path that has reservations.

A directory that is moved keeps its identity (file system, inode and time of birth) and loses its path.
"""

from __future__ import annotations

from trop_core.database.migrations.companion.tables import DIRECTORIES, INDEX
from trop_core.database.migrations.layout import Column, Layout, Table, differences_beside, taken_names
from trop_core.database.migrations.types import Migration
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

LAYOUT = Layout(
    tables=(
        Table(
            "directories",
            (
                Column("path", "TEXT", True, 1),
                Column("file_system", "TEXT", False, 0),
                Column("inode", "TEXT", False, 0),
                Column("born", "INTEGER", False, 0),
                Column("git_directory", "TEXT", False, 0),
                Column("came_from", "TEXT", False, 0),
                Column("block_id", "TEXT", False, 0),
            ),
            unique=(("path",),),
            indexes=(("idx_directories_identity", ("file_system", "inode")),),
        ),
    ),
    strict=True,
)


def preflight(connection: sqlite3.Connection) -> dict[str, int]:
    """Count what has the names of the new table and its index already. Reads, never writes."""
    return {"takenNames": taken_names(connection, LAYOUT)}


def _validate(connection: sqlite3.Connection) -> None:
    found = differences_beside(connection, LAYOUT)
    if found:
        raise ValueError("; ".join(found))


MIGRATION = Migration(
    version=1,
    description="create the table of directories",
    up_sql=(DIRECTORIES, INDEX),
    down_sql=("DROP TABLE directories",),
    preflight=preflight,
    advice="Give the table, or the index, that has the name another one with the sqlite3 program.",
    validate=_validate,
    rows=None,
)
