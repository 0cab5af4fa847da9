"""The language server as a whole: how soon it answers, how evenly, how much at once, and what it keeps."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import stores
from benchmarks.measure import exceeded, in_turn, note, report
from support.client import Client
from support.messages import command, initialize_params, request

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM_CALLS = 2_000
CALLS = 100_000
IN_FLIGHT = 8
DIRECTORIES = 50

Environment = dict[str, str]


def start(work: Path, environment: Environment) -> None:
    """From the start of the process to its answer to ``initialize``, beside the import that it cannot do without."""
    floor = [sys.executable, "-c", "from pygls.lsp.server import LanguageServer"]

    def initialized() -> None:
        client = Client(cwd=str(work), env=environment)
        client.send(request(1, "initialize", initialize_params()))
        client.answer(1)
        client.kill()

    imported = partial(subprocess.run, floor, cwd=work, env=environment, check=True)
    measured, bare = in_turn(initialized, imported, rounds=25)
    report("from start to the initialize answer (importing pygls)", measured, bare, 1.25)


def calls(work: Path, environment: Environment) -> None:
    """Reservations that exist: one after the other, beside bare write transactions, then eight at once."""
    path = stores.current(str(work / "data" / "trop.db"), range(65_536 - stores.ROWS, 65_536))
    with (
        _server(work, environment) as client,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA synchronous = NORMAL")
        _many(client, WARM_CALLS, at_once=1)
        reserved: list[float] = []
        written: list[float] = []
        for number in range(1_000):
            begin = time.perf_counter()
            client.call("trop.reserve")
            between = time.perf_counter()
            _write_one_row(connection, number)
            reserved.append(between - begin)
            written.append(time.perf_counter() - between)
        median = statistics.median(reserved)
        report("1,000 warm reserves, p99 (their median)", statistics.quantiles(reserved, n=100)[98], median, 10)
        note("  the slowest of them", max(reserved))
        report("a warm reserve (a bare write transaction of one row)", median, statistics.median(written), 1e9)

        for at_once in (1, IN_FLIGHT):
            begin = time.perf_counter()
            _many(client, 3_000, at_once=at_once)
            print(f"{at_once} in flight: {3_000 / (time.perf_counter() - begin):,.0f} calls per second")


def memory(work: Path, environment: Environment) -> None:
    """What an idle server occupies, and how much more after 100,000 calls than after the first 2,000."""
    with _server(work, environment) as client:
        print(f"an idle server: {_resident(client) / 1024:.1f} MiB")
        _many(client, WARM_CALLS, at_once=IN_FLIGHT)
        before = _resident(client)
        for part in range(10):
            _many(client, CALLS // 10, at_once=IN_FLIGHT)
            print(f"  after {WARM_CALLS + (part + 1) * CALLS // 10:,} calls: {_resident(client) / 1024:.1f} MiB")
        growth = _resident(client) / before
    verdict = "" if growth <= 1.05 else "  EXCEEDED"
    print(f"after {CALLS:,} more calls than {WARM_CALLS:,} (those alone): {growth:.3f} (bound 1.05){verdict}")
    if verdict:
        exceeded.append("memory")


@contextmanager
def _server(work: Path, environment: Environment) -> Iterator[Client]:
    folder = work / "folder"
    for number in range(DIRECTORIES):
        (folder / f"d{number:02}").mkdir(parents=True)
    client = Client(cwd=str(folder), env=environment)
    try:
        client.initialize(str(folder))
        yield client
    finally:
        client.kill()


def _many(client: Client, count: int, *, at_once: int) -> None:
    """Reserve, and now and then read and release, with so many requests under way at any time."""
    sent = 0
    for answered in range(count):
        while sent < min(count, answered + at_once):
            path = f"d{sent % DIRECTORIES:02}"
            name, argument = ("trop.reserve", {"path": path, "tag": "web"})
            if sent % 10 == 8:
                name = "trop.release"
            elif sent % 10 == 9:
                name, argument = "trop.list", {"path": path}
            client.send(command(sent, name, argument))
            sent += 1
        assert "result" in client.next_answer()


def _write_one_row(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE reservations SET last_used_at = ? WHERE port = 65535", (number,))
    connection.execute("COMMIT")


def _resident(client: Client) -> int:
    """``VmRSS`` in KiB."""
    status = Path(f"/proc/{client.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])
