"""What the record of a store says that the store has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Rows = dict[tuple[str, str], tuple[Any, ...]]
"""By path and tag: port, project, task and time of creation."""


def replayed(database: Path) -> Rows:
    """What is there by the record alone, of a store whose record knows every step. Fails where a step does not fit."""
    found: Rows = {}
    with closing(sqlite3.connect(database)) as connection:
        changes = connection.execute("SELECT * FROM changes ORDER BY operation, number").fetchall()
    for operation in sorted({change[0] for change in changes}):
        steps = [change for change in changes if change[0] == operation]
        for step in steps:
            if step[2] is not None:
                assert found.pop((step[2], step[3])) == step[4:8], step
        for step in steps:
            if step[9] is not None:
                assert (step[9], step[10]) not in found, step
                found[(step[9], step[10])] = step[11:15]
    return found


def stored(database: Path) -> Rows:
    """What is there."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT path, tag, port, project, task, created_at FROM reservations")
        return {(path, tag): tuple(rest) for path, tag, *rest in rows}
