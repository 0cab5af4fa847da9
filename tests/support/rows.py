"""Rows of a store: made up, put into one, and read from one."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from trop_core.database.connection import Database
from trop_core.database.waiting import Patience

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


def listed(stored: Row) -> dict[str, object]:
    """A row as a reservation in JSON."""
    path, tag, port, project, task, created_at, last_used_at = stored
    return {
        "port": port,
        "path": path,
        "tag": tag or None,
        "project": project,
        "task": task,
        "createdAt": _rfc_3339(created_at),
        "lastUsedAt": _rfc_3339(last_used_at),
    }


def _rfc_3339(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
