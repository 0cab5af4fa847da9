"""Running operations in process: a store in a directory, a context of a test's own, and the rows as they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken, no_progress
from trop_core.catalogue import operation
from trop_core.context import Context
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.operations.call import Call
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Row = tuple[str, str, int, str | None, str | None, int, int]


def row(path: str, port: int, tag: str = "", project: str | None = None, task: str | None = None) -> Row:
    """A row in the order of the columns; its times are the port, so that a mix-up shows."""
    return (path, tag, port, project, task, port, port + 1)


def fill(directory: Path, rows: Iterable[Row]) -> None:
    """Put rows into the store of a data directory, and make it if there is none."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        closing(Database.open(str(directory / "trop.db"))) as database,
        database.write(Patience(5), "fill it") as store,
    ):
        store.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def rows_of(directory: Path) -> list[Row]:
    """All rows of a store in the order of path and tag, read by plain SQL."""
    with closing(sqlite3.connect(directory / "trop.db")) as connection:
        return connection.execute("SELECT * FROM reservations ORDER BY path, tag").fetchall()


def perform(directory: Path, name: str, values: dict[str, object] | None = None, **context: Any) -> Any:
    """Run an operation with values by their names in JSON; raises what it raises."""
    found = operation(name)
    surroundings = {
        "caller": Caller(Door.TERMINAL, "/"),
        "data_directory": str(directory),
        "environment": {},
        "arguments": {},
        "token": CancellationToken(),
        "progress": no_progress,
        **context,
    }
    with closing(Store(str(directory))) as store:
        return Call(found, found.parse(values or {}), Context(**surroundings)).run(store)
