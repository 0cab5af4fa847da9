"""Moving reservations: on request, and because their directory has moved."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import stores
from benchmarks.clients import Client
from benchmarks.in_process import call
from benchmarks.measure import in_turn, note, report

from trop_core.store import Store

MANY = 10_000


def migrate(work: Path, environment: dict[str, str]) -> None:
    """Moving reservations, in process with progress on, and over stdio."""
    half = stores.ROWS // 2
    path = str(work / "data" / "trop.db")
    stores.trees(path, moving=half, staying=half)
    raw, back = partial(_raw_update, path), partial(_back, path)
    for kind, destination, bound in (("disjoint", "/new/tree", 4), ("overlapping", "/old", 5)):
        move = partial(_migrate, work, "/old/tree", destination)
        measured, bare = in_turn(move, raw, rounds=7, prepare=back)
        report(f"migrate 30,000 of 60,000, {kind} (one raw UPDATE)", measured, bare, bound)

    data = work / "data"
    undo = partial(call, data, "undo", [], {"any": True, "force": True})
    measured, bare = in_turn(
        undo, partial(_migrate, work, "/new/tree", "/old/tree"), rounds=7, prepare=lambda: _moved(work)
    )
    report("undo a migrate of 30,000 of 60,000 (the migrate)", measured, bare, 2)

    for name, staying in (("many", stores.ROWS - 10), ("few", 90)):
        stores.trees(str(work / name / "trop.db"), moving=10, staying=staying)
    there_and_back = partial(_there_and_back, 30)
    measured, bare = in_turn(partial(there_and_back, work / "many"), partial(there_and_back, work / "few"), rounds=15)
    report("60 × migrate 10 of 60,000 (of 100)", measured, bare, 2)

    stores.trees(path := str(work / "typical" / "trop.db"), moving=1000, staying=1000)
    environment = {**environment, "TROP_DATA_DIR": os.path.dirname(path)}
    with Client([str(Path(sys.executable).with_name("trop-server"))], work, environment) as client:
        arguments = {"from": "/old/tree", "to": "/new/tree", "recursive": True}
        run = partial(client.command, "trop.migrate", arguments)
        measured, bare = in_turn(run, partial(_raw_update, path), rounds=15, prepare=partial(_back, path))
    report("migrate 1,000 rows over stdio (one raw UPDATE)", measured, bare, 1e9)
    note("migrate 1,000 rows over stdio, to stay under 100 ms", measured)


def follow(work: Path) -> None:
    """A move of 10,000 rows that nobody announced, beside ``migrate`` of the same rows, each with its start."""
    places = work / "places"
    (places / "one").mkdir(parents=True)
    data = work / "data"
    _reserve_in(data, places / "one")
    stores.below(str(data / "trop.db"), str(places / "one"), MANY - 1)
    full = shutil.copy(data / "trop.db", work / "full.db")
    os.rename(places / "one", places / "two")

    def again() -> None:
        with closing(sqlite3.connect(full)) as source, closing(sqlite3.connect(data / "trop.db")) as target:
            source.backup(target)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def followed() -> None:
        assert _reserve_in(data, places / "two").outcome == "moved"

    def migrated() -> None:
        values: dict[str, object] = {"from": str(places / "one"), "to": str(places / "two"), "recursive": True}
        assert call(data, "migrate", [], values).migrated_count == MANY

    measured, bare = in_turn(followed, migrated, rounds=15, prepare=again)
    report("a followed move of 10,000 rows (migrate of the same rows)", measured, bare, 1.3)


def _reserve_in(data: Path, directory: Path) -> Any:
    return call(data, "reserve", [], {"folder": str(directory)})


def _migrate(work: Path, source: str, destination: str) -> None:
    reports: list[int] = []
    moved = call(work / "data", "migrate", reports, {"from": source, "to": destination, "recursive": True})
    assert moved.migrated_count == stores.ROWS // 2
    assert len(reports) > 10


def _there_and_back(times: int, directory: Path) -> None:
    store = Store(str(directory))
    for _ in range(times):
        for source, destination in (("/old/tree", "/new/tree"), ("/new/tree", "/old/tree")):
            call(directory, "migrate", [], {"from": source, "to": destination, "recursive": True}, store)
    store.close()


def _raw_update(path: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "UPDATE reservations SET path = '/raw/tree' || substr(path, 10)"
            " WHERE path >= '/old/tree' AND path < '/old/tree0'"
        )
        connection.execute("COMMIT")


def _moved(work: Path) -> None:
    """Move all rows by migrate, from where they were."""
    _back(str(work / "data" / "trop.db"))
    _migrate(work, "/old/tree", "/new/tree")


def _back(path: str) -> None:
    """Put all moved rows back to where they were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE reservations SET path = task WHERE task IS NOT NULL AND task <> path")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
