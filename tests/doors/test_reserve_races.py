"""Many processes that reserve while the range is full and each of them cleans up."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")

WORKERS = 40
FIRST = 20_000


def reserve_at_once(sandbox: Sandbox, directories: list[Path], shared: Path, ports: int) -> dict[str, int]:
    """What each directory gets; two processes ask for the shared one, and have to get the same."""
    arguments = ("reserve", "--min", str(FIRST), "--max", str(FIRST + ports - 1), "--busy-timeout", "60")
    places = [*directories, shared, shared]
    processes = [sandbox.begin(*arguments, cwd=place) for place in places]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(places), [err for _, err in outputs]
    printed = [(str(place), int(out)) for place, (out, _) in zip(places, outputs, strict=True)]
    assert printed[-1] == printed[-2]
    return dict(printed)


def test_ports_stay_unique_and_nothing_is_lost_while_everybody_cleans_up(sandbox: Sandbox) -> None:
    """The range is exactly as large as is needed: one port given twice, or one row kept too long, and it fails."""
    sandbox.make_store()
    now = int(time.time()) - 60
    alive = [sandbox.directory(f"alive-{number}") for number in range(5)]
    ports = WORKERS + 1 + len(alive)
    rows = [(str(path), FIRST + number, now) for number, path in enumerate(alive)]
    rows += [(str(sandbox.work / f"gone-{n}"), FIRST + n, now) for n in range(len(alive), ports - 10)]
    expired = [sandbox.directory(f"expired-{n}") for n in range(10)]
    rows += [(str(path), FIRST + ports - 10 + n, now - 31 * 86_400) for n, path in enumerate(expired)]
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, ?, ?)", [(path, port, t, t) for path, port, t in rows]
    )
    directories = [sandbox.directory(f"new-{number}") for number in range(WORKERS)]
    shared = sandbox.directory("shared")
    kept = {str(path): FIRST + number for number, path in enumerate(alive)}

    printed = reserve_at_once(sandbox, directories, shared, ports)
    stored = {row[0]: row[2] for row in sandbox.rows()}
    for directory in directories[:20]:
        shutil.rmtree(directory)
    # In a busy store, what was used in this very second is kept.
    ((used,),) = sandbox.query("SELECT max(last_used_at) FROM reservations")
    while int(time.time()) <= used:
        time.sleep(0.05)
    newer = [sandbox.directory(f"newer-{number}") for number in range(20)]
    printed_again = reserve_at_once(sandbox, newer, shared, ports)
    stored_again = {row[0]: row[2] for row in sandbox.rows()}

    assert stored == {**printed, **kept}
    assert sorted(stored.values()) == list(range(FIRST, FIRST + ports))
    survivors = {path: port for path, port in stored.items() if path not in map(str, directories[:20])}
    assert stored_again == {**survivors, **printed_again}
    assert sorted(stored_again.values()) == list(range(FIRST, FIRST + ports))
    assert printed_again[str(shared)] == printed[str(shared)]
    assert sandbox.integrity() == "ok"


def test_more_processes_than_ports_share_what_there_is(sandbox: Sandbox) -> None:
    """Those that get nothing are told so, and cost nobody a reservation."""
    sandbox.make_store()
    now = int(time.time())
    gone = [(str(sandbox.work / f"gone-{n}"), FIRST + n, now, now) for n in range(6)]
    sandbox.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, ?, ?)", gone)
    directories = [sandbox.directory(f"new-{number}") for number in range(16)]

    arguments = ("reserve", "--min", str(FIRST), "--max", str(FIRST + 5), "--busy-timeout", "60")
    processes = [sandbox.begin(*arguments, cwd=directory) for directory in directories]
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in processes]

    printed = {str(path): int(out) for path, out in zip(directories, outputs, strict=True) if out}
    assert sorted(process.returncode for process in processes) == [0] * 6 + [6] * 10
    assert {row[0]: row[2] for row in sandbox.rows()} == printed
    assert sorted(printed.values()) == list(range(FIRST, FIRST + 6))
