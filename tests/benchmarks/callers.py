"""Clients that all ask at once, each over a server of its own, of one store: how evenly they are served."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import stores
from benchmarks.clients import Client
from benchmarks.measure import report

MOST = 64
CALLS = 40
"""How many each of the most makes; fewer make more, so that there are as many in all."""

Environment = dict[str, str]


def at_once(work: Path, environment: Environment) -> None:
    """64 of them, each with a reservation that exists."""
    times = measured(work, environment, MOST)
    report(f"{MOST} clients at once, p99 (their median)", quantile(times, 99), statistics.median(times), 5)


def measured(work: Path, environment: Environment, count: int) -> list[float]:
    """The seconds of each call of so many clients that never pause."""
    stores.current(str(work / "data" / "trop.db"), range(65_536 - 20_000, 65_536))
    times: list[float] = []
    start = threading.Barrier(count)

    def work_on(client: Client) -> None:
        client.command("trop.reserve", {})
        start.wait()
        for _ in range(CALLS * MOST // count):
            begin = time.perf_counter()
            client.command("trop.reserve", {})
            times.append(time.perf_counter() - begin)

    command = [str(Path(sys.executable).with_name("trop-server"))]
    with ExitStack() as stack:
        clients = []
        for number in range(count):
            directory = work / f"directory-{number}"
            directory.mkdir(exist_ok=True)
            clients.append(stack.enter_context(Client(command, directory, environment)))
        threads = [threading.Thread(target=work_on, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(times) == CALLS * MOST // count * count
    return times


def quantile(times: list[float], percent: int) -> float:
    """The time that so many of a hundred do not exceed."""
    return statistics.quantiles(times, n=100)[percent - 1]
