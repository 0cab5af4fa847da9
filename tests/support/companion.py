"""The tables beside the file format, added to a store and asked about, each in a transaction of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from trop_core.database import companion
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trop_core.cancellation import CancellationToken
    from trop_core.database.companion import State
    from trop_core.database.handles import StoreConnection
    from trop_core.database.migrations.registry import MigrationRegistry

ROW = ("/a", "", 5000, None, None, 1, 2)


def write(path: Path, work: Callable[[StoreConnection], object], token: CancellationToken | None = None) -> None:
    with closing(Database.connect(str(path))) as database, database.write(Patience(5, token), "try") as connection:
        work(connection)


def add(path: Path, registry: MigrationRegistry | None = None) -> bool:
    """Add the tables in a transaction of their own."""
    outcomes: list[bool] = []
    write(path, lambda connection: outcomes.append(companion.ensure(connection, registry=registry)))
    return outcomes[0]


def state(path: Path, registry: MigrationRegistry | None = None) -> State:
    with closing(Database.connect(str(path))) as database, database.read(Patience(5)) as connection:
        found = companion.state(connection, registry)
        # What every query asks.
        if registry is None:
            assert companion.is_usable(connection, companion.OPERATIONS) == (found == "present")
        return found


def schema_of(path: Path) -> dict[str, str | None]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master").fetchall())
