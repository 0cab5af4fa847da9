"""How costs grow with the rows of a store, and with those who ask at once: a picture."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks import callers, figures, stores
from benchmarks.figures import Panel
from benchmarks.measure import in_turn, of_processes

ROWS = (1, 100, 10_000, 60_000)
CALLERS = (1, 4, 16, 64)


def picture(work: Path, environment: dict[str, str], floor: list[str]) -> None:
    """Measure, and draw."""
    figures.draw([_by_rows(work, environment, floor), _by_callers(work, environment)])


def _by_rows(work: Path, environment: dict[str, str], floor: list[str]) -> Panel:
    trop = str(Path(sys.executable).with_name("trop"))
    lines: dict[str, list[tuple[float, float]]] = {}
    for rows in ROWS:
        path = stores.current(str(work / f"rows-{rows}" / "trop.db"), range(65_536 - rows, 65_536))
        directory = work / f"place-{rows}"
        directory.mkdir()
        own = {**environment, "TROP_DATA_DIR": str(work / f"rows-{rows}")}
        run = partial(subprocess.run, cwd=directory, env=own, check=True, stdout=subprocess.DEVNULL)
        run([trop, "reserve"])

        def forget(path: str = path) -> None:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("DELETE FROM reservations WHERE tag = 'new'")

        commands = {
            "reserve, existing key": ["reserve"],
            "reserve, new key": ["reserve", "--tag", "new"],
            "list, all rows": ["list"],
        }
        actions = [partial(run, [trop, *arguments]) for arguments in commands.values()]
        *times, bare = in_turn(*actions, partial(run, floor), rounds=9, prepare=forget, clock=of_processes)
        for name, seconds in zip(commands, times, strict=True):
            lines.setdefault(name, []).append((rows, seconds / bare))
            print(f"{name}, {rows:,} rows: {seconds * 1000:.1f} ms = {seconds / bare:.2f}")
    return Panel("Commands, as a store grows", "rows in the store", "times python -c 'import sqlite3'", lines)


def _by_callers(work: Path, environment: dict[str, str]) -> Panel:
    lines: dict[str, list[tuple[float, float]]] = {"p99": [], "median": []}
    for count in CALLERS:
        place = work / f"callers-{count}"
        place.mkdir()
        times = callers.measured(place, {**environment, "TROP_DATA_DIR": str(place / "data")}, count)
        median, slow = statistics.median(times), callers.quantile(times, 99)
        lines["median"].append((count, median * 1000))
        lines["p99"].append((count, slow * 1000))
        print(f"{count} at once: median {median * 1000:.2f} ms, p99 {slow * 1000:.2f} ms")
    return Panel("trop.reserve over stdio, as clients grow", "clients that never pause", "ms for one call", lines)
