"""Long cleanups through the real programs: what they report, and that a stop in their middle leaves all or nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from support.doomed import assert_left
from support.messages import command, notification
from support.processes import child
from support.rows import Row, fill, row, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")

FEW, MANY = 4_000, 10_000
MOST = 60_000
"""For what has to be stopped before it is over."""

CLEANUPS = ("prune", "expire", "autoclean")
TOKEN = "the cleanup"


def missing(count: int) -> list[Row]:
    """Rows of directories that do not exist; all were last used in 1970."""
    return [row(f"/no/such/place/{number:05}", number + 1) for number in range(count)]


def start_cleanup(client: Client, name: str) -> None:
    """Ask for a cleanup whose id is 1, and wait for nothing."""
    message = command(1, f"trop.{name}")
    message["params"]["workDoneToken"] = TOKEN
    client.send(message)


def wait_for_report(client: Client, at: int) -> None:
    """Wait for the first report of that many, of whatever they are."""
    while True:
        message = client.receive()
        assert "method" in message, f"the cleanup ended too early for this test: {str(message)[:200]}"
        if message["method"] == "$/progress" and _done(message["params"]["value"]) >= at:
            return


def _done(value: dict[str, Any]) -> int:
    return int(value.get("message", "-1 of").split(" of")[0].replace(",", ""))


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_cleanup_of_10_000_rows_reports_how_far_it_has_come(client: Client, sandbox: Sandbox, name: str) -> None:
    fill(sandbox.data, missing(MANY))

    start_cleanup(client, name)
    answer = client.answer(1)

    values = [each["params"]["value"] for each in client.unmatched if each["method"] == "$/progress"]
    begin, *reports, end = values
    title = {"prune": "Prune Reservations", "expire": "Expire Reservations", "autoclean": "Clean Up Reservations"}[name]
    assert begin == {"kind": "begin", "title": title, "cancellable": True, "percentage": 0}
    assert end == {"kind": "end"}
    counts = [_done(report) for report in reports]
    looks = [] if name == "expire" else list(range(100, MANY + 1, 100))
    removed = list(range(0, MANY + 1, 1000))
    # Whoever has been through a whole hundred at the very end may say so twice.
    assert [*dict.fromkeys(counts[: -len(removed)])] == looks
    assert counts[-len(removed) :] == removed
    assert answer["result"]["removedCount"] == MANY
    assert rows_of(sandbox.data) == []


@pytest.mark.parametrize("name", CLEANUPS)
@pytest.mark.parametrize("way", ["request", "progress"])
def test_a_cleanup_that_is_taken_back_in_its_middle_changes_nothing(
    client: Client, sandbox: Sandbox, name: str, way: str
) -> None:
    before = missing(MOST)
    fill(sandbox.data, before)
    stops = {
        "request": notification("$/cancelRequest", {"id": 1}),
        "progress": notification("window/workDoneProgress/cancel", {"token": TOKEN}),
    }

    start_cleanup(client, name)
    wait_for_report(client, 1)
    client.send(stops[way])
    answer = client.answer(1)

    assert (answer["error"]["code"], answer["error"]["data"]["kind"]) == (-32800, "cancelled")
    assert rows_of(sandbox.data) == before
    assert client.call("trop.expire")["removedCount"] == MOST


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("name", ["prune", "expire"])
def test_a_server_that_is_ended_in_the_middle_of_a_cleanup_leaves_every_row(
    client: Client, sandbox: Sandbox, name: str, number: signal.Signals, code: int
) -> None:
    before = missing(MOST)
    fill(sandbox.data, before)

    start_cleanup(client, name)
    wait_for_report(client, 1)
    client.process.send_signal(number)

    assert client.wait() == code
    assert rows_of(sandbox.data) == before
    assert sandbox.integrity() == "ok"


KILLED = """
import signal, sys
from pathlib import Path
from support.doomed import perform_until_killed

template, place, name, points = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
end, steps, _ = perform_until_killed(template, place / "whole", name)
assert end == 0 and steps > points, (end, steps)
for number in range(points):
    end, *_ = perform_until_killed(template, place / f"{number}", name, steps=1 + steps * number // points)
    assert end == -signal.SIGKILL, (number, end)
    print(number, flush=True)
"""


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_cleanup_of_4_000_rows_killed_at_any_point_leaves_them_all(tmp_path: Path, name: str) -> None:
    """Fifteen points of its course, in SQLite's steps; half of the rows are of a directory that exists."""
    stay = [(str(tmp_path), f"{number}", 20_001 + number, None, None, 1, 1 << 40) for number in range(FEW // 2)]
    before = sorted([*missing(FEW // 2), *stay])
    fill(tmp_path / "template", before)
    (tmp_path / "runs").mkdir()

    with child(KILLED, tmp_path / "template", tmp_path / "runs", name, 15) as process:
        killed = process.end().split()

    assert len(killed) == 15
    for number in killed:
        assert_left(tmp_path / "runs" / number, before)
    assert rows_of(tmp_path / "runs" / "whole") == sorted(stay)
