"""Long moves through the real programs: what they report, and that a stop in their middle leaves the old or the new."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.doomed import assert_left
from support.messages import command, notification
from support.patience import PATIENCE
from support.processes import child
from support.rows import Row, fill, row, rows_of
from support.sandbox import TROP, UNMEASURED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")

FEW, MANY = 10_000, 30_000
MOST = 60_000
"""For what has to be stopped before it is over."""

ARGUMENT = {"from": "/a", "to": "/b", "recursive": True}
UPWARDS = {"from": "/a/a", "to": "/a", "recursive": True}
TOKEN = "the move"


def tree(top: str, count: int) -> list[Row]:
    return [row(f"{top}/{number:05}", number + 1, project=f"p{number % 7}") for number in range(count)]


def start_move(client: Client, argument: dict[str, Any] = ARGUMENT, *, token: object = TOKEN) -> None:
    """Ask for a move whose id is 1, and wait for nothing."""
    message = command(1, "trop.migrate", argument)
    message["params"]["workDoneToken"] = token
    client.send(message)


def next_report(client: Client) -> dict[str, Any]:
    """The next value of ``$/progress``; an answer instead fails the test."""
    while (message := client.receive()).get("method") != "$/progress":
        assert "method" in message, f"the move ended too early for this test: {str(message)[:200]}"
    value: dict[str, Any] = message["params"]["value"]
    return value


def rows_done(report: dict[str, Any]) -> int:
    found = re.fullmatch(r"([\d,]+) of [\d,]+", report["message"])
    assert found, report
    return int(found[1].replace(",", ""))


def wait_until_moved(client: Client, rows: int) -> None:
    """Wait for the report that at least so many rows have moved."""
    assert next_report(client)["kind"] == "begin"
    while rows_done(next_report(client)) < rows:
        pass


@pytest.mark.parametrize("token", [TOKEN, 7, ""])
@pytest.mark.parametrize("top", ["/a", "/a/a"], ids=["aside", "into its parent"])
def test_a_move_of_30_000_rows_reports_those_that_really_moved(
    client: Client, sandbox: Sandbox, token: object, top: str
) -> None:
    fill(sandbox.data, tree(top, MANY))

    start_move(client, ARGUMENT if top == "/a" else UPWARDS, token=token)
    answer = client.answer(1)

    notified = [message["params"] for message in client.unmatched if message["method"] == "$/progress"]
    begin, *reports, end = (each["value"] for each in notified)
    assert [each["token"] for each in notified] == [token] * len(notified)
    assert begin == {"kind": "begin", "title": "Migrate Reservations", "cancellable": True, "percentage": 0}
    assert end == {"kind": "end"}
    counts = [rows_done(report) for report in reports]
    assert len(counts) >= 10
    assert counts == sorted(set(counts))
    assert (counts[0], counts[-1]) == (0, MANY)
    assert [report["percentage"] for report in reports] == [100 * count // MANY for count in counts]
    assert answer["result"]["migratedCount"] == MANY


@pytest.mark.parametrize("token", [None, True, 1.5, ["x"], {}], ids=repr)
def test_without_a_token_nothing_is_reported(client: Client, sandbox: Sandbox, token: object) -> None:
    fill(sandbox.data, tree("/a", 3_000))

    start_move(client, token=token)
    client.answer(1)

    assert [message for message in client.unmatched if message.get("method") == "$/progress"] == []


def test_a_dry_run_and_a_refusal_begin_and_end_without_counts(client: Client, sandbox: Sandbox) -> None:
    fill(sandbox.data, tree("/a", 10))
    for argument in ({**ARGUMENT, "dryRun": True}, {"from": "/none", "to": "/b"}):
        start_move(client, argument)
        client.answer(1)

        kinds = [each["params"]["value"]["kind"] for each in client.unmatched if each["method"] == "$/progress"]
        assert kinds == ["begin", "end"]
        client.unmatched.clear()


class Stop(NamedTuple):
    """A way to take the move back, as a message."""

    method: str
    params: dict[str, Any]


REQUEST, PROGRESS = "$/cancelRequest", "window/workDoneProgress/cancel"


@pytest.mark.parametrize(
    ("stop", "argument", "at"),
    [
        pytest.param(Stop(REQUEST, {"id": 1}), ARGUMENT, 1, id="a request, early"),
        pytest.param(Stop(PROGRESS, {"token": TOKEN}), ARGUMENT, MOST // 4, id="a progress, later"),
        pytest.param(Stop(PROGRESS, {"token": TOKEN}), UPWARDS, 0, id="a progress, while rows leave upwards"),
        pytest.param(Stop(REQUEST, {"id": 1}), UPWARDS, MOST // 4, id="a request, while rows arrive upwards"),
    ],
)
def test_a_move_that_is_taken_back_in_its_middle_changes_nothing(
    client: Client, sandbox: Sandbox, stop: Stop, argument: dict[str, Any], at: int
) -> None:
    before = tree(str(argument["from"]), MOST)
    fill(sandbox.data, before)

    start_move(client, argument)
    wait_until_moved(client, at)
    client.send(notification(stop.method, stop.params))
    answer = client.answer(1)
    ends = [each["params"]["value"]["kind"] for each in client.unmatched if each["method"] == "$/progress"].count("end")

    assert (answer["error"]["code"], answer["error"]["data"]["kind"]) == (-32800, "cancelled")
    assert ends == 1
    assert rows_of(sandbox.data) == before
    assert client.call("trop.migrate", argument)["migratedCount"] == MOST


@pytest.mark.parametrize("other", [Stop(REQUEST, {"id": "1"}), Stop(PROGRESS, {"token": 1})], ids=[REQUEST, PROGRESS])
def test_what_takes_back_something_else_does_not_stop_it(client: Client, sandbox: Sandbox, other: Stop) -> None:
    fill(sandbox.data, tree("/a", 5_000))

    start_move(client)
    wait_until_moved(client, 0)
    client.send(notification(other.method, other.params))

    assert client.answer(1)["result"]["migratedCount"] == 5_000


@pytest.mark.parametrize(
    ("number", "code", "at"),
    [
        pytest.param(signal.SIGTERM, 143, MOST // 4, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, 1, id="SIGINT"),
        pytest.param(signal.SIGKILL, -9, 0, id="SIGKILL, early"),
        pytest.param(signal.SIGKILL, -9, MOST // 2, id="SIGKILL, later"),
    ],
)
def test_a_server_that_is_ended_in_the_middle_of_a_move_leaves_the_old_tree(
    client: Client, sandbox: Sandbox, number: signal.Signals, code: int, at: int
) -> None:
    before = tree("/a", MOST)
    fill(sandbox.data, before)

    start_move(client)
    wait_until_moved(client, at)
    client.process.send_signal(number)
    ended_with = client.wait()

    assert ended_with == code
    assert rows_of(sandbox.data) == before
    assert sandbox.integrity() == "ok"


def test_everybody_else_reads_and_is_answered_while_a_move_is_under_way(
    client: Client, sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    fill(sandbox.data, tree("/a/a", MOST))
    other = start()
    other.initialize(str(sandbox.work))

    start_move(client, UPWARDS)
    wait_until_moved(client, 0)
    beside = [each.call("trop.list", {"path": "/a/a", "limit": 1}) for each in (client, other)]
    moved = client.answer(1)

    assert [listed["reservations"][0]["path"] for listed in beside] == ["/a/a/00000"] * 2
    assert moved["result"]["migratedCount"] == MOST


# In a terminal


class Terminal:
    """``trop`` with a terminal for its stderr."""

    def __init__(self, sandbox: Sandbox, *arguments: str) -> None:
        self._screen, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [TROP, *arguments],
            cwd=sandbox.work,
            env=sandbox.environment(**UNMEASURED),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=terminal,
        )
        os.close(terminal)
        self.shown = b""

    def read_until(self, pattern: bytes) -> None:
        """Read what is shown until something matches."""
        while not re.search(pattern, self.shown):
            assert self._read(), f"it ended before it showed {pattern!r}: {self.shown[-300:]!r}"

    def end(self) -> int:
        """Read the rest and return the exit code."""
        while self._read():
            pass
        os.close(self._screen)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def lines(self) -> list[str]:
        """What the screen holds in the end: what was drawn over is gone."""
        visible: list[str] = []
        for line in self.shown.decode().replace("\r\n", "\n").split("\n"):
            *_, rest = line.split("\r\x1b[K")
            visible.append(rest.rpartition("\r")[2])
        return visible

    def _read(self) -> bool:
        # Linux tells with an error that nobody has the terminal open any more.
        with contextlib.suppress(OSError):
            chunk = os.read(self._screen, 1 << 16)
            self.shown += chunk
            return bool(chunk)
        return False


MOVE = ("migrate", "--from", "/a", "--to", "/b", "--recursive")


def test_a_terminal_shows_a_bar_that_is_gone_in_the_end(sandbox: Sandbox) -> None:
    fill(sandbox.data, tree("/a", MANY))

    terminal = Terminal(sandbox, *MOVE)
    code = terminal.end()

    bars = re.findall(rb"\r\[([#.]+)\] ([\d,]+) of 30,000", terminal.shown)
    assert code == 0
    assert len(bars) >= 10
    assert bars[0] == (b"." * 30, b"0")
    assert bars[-1] == (b"#" * 30, b"30,000")
    assert not any("[" in line or "\x1b" in line for line in terminal.lines())
    assert terminal.lines()[0] == "warning: the destination /b is not an existing directory (yet)"
    assert terminal.lines()[-2:] == ["Migration complete: 30,000 reservations moved.", ""]


def test_there_is_no_bar_without_a_terminal_nor_quietly_nor_for_few_rows(sandbox: Sandbox) -> None:
    fill(sandbox.data, tree("/a", 10_000))

    into_a_pipe = sandbox.trop(*MOVE)
    back = Terminal(sandbox, "migrate", "--from", "/b", "--to", "/a", "--recursive", "--quiet")
    quietly = back.end()
    few = Terminal(sandbox, "migrate", "--from", "/a/00000", "--to", "/c")
    few_code = few.end()

    assert (into_a_pipe.returncode, quietly, few_code) == (0, 0, 0)
    assert "\r" not in into_a_pipe.stderr
    assert back.shown == b""
    assert b"[" not in few.shown


@pytest.mark.parametrize("shown", [rb"\] 0 of", rb"\] 1\d,000 of"], ids=["at the start", "later"])
def test_ctrl_c_in_the_middle_of_a_move_changes_nothing(sandbox: Sandbox, shown: bytes) -> None:
    before = tree("/a", MOST)
    fill(sandbox.data, before)

    terminal = Terminal(sandbox, *MOVE)
    terminal.read_until(shown)
    terminal.process.send_signal(signal.SIGINT)
    code = terminal.end()

    assert code == 130
    assert terminal.lines()[-3:] == [
        "error: cancelled: nothing has changed",
        "hint: Call again when you want it after all.",
        "",
    ]
    assert rows_of(sandbox.data) == before
    assert sandbox.integrity() == "ok"


# Killed

KILLED = """
import signal, sys
from pathlib import Path
from support.doomed import perform_until_killed

template, place, way, points = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])


def move(name, **limits):
    values = {"from": "/a", "to": "/b", "recursive": True}
    return perform_until_killed(template, place / name, "migrate", values, unclosed=True, **limits)


end, steps, size = move("whole")
assert end == 0 and steps > points and size > 1_000_000, (end, steps, size)
for number in range(points):
    if way == "steps":
        end, *_ = move(f"{number}", steps=1 + steps * number // points)
        assert end == -signal.SIGKILL, (number, end)
    else:
        # The last one has room for all but the very end of the last page: the commit itself.
        end, *_ = move(f"{number}", size=max(1 << 15, size * (number + 1) // points - 1))
        assert end == -signal.SIGXFSZ, (number, end)
    print(number, flush=True)
"""


@pytest.mark.parametrize("way", ["steps", "bytes"])
def test_a_move_of_10_000_rows_killed_at_any_point_leaves_the_old_tree_or_the_new_one(tmp_path: Path, way: str) -> None:
    """Twenty-five points of its course in SQLite's steps, twenty-five in bytes written, the commit among them."""
    before = tree("/a", FEW)
    after = [("/b" + stored[0][2:], *stored[1:]) for stored in before]
    fill(tmp_path / "template", before)
    (tmp_path / "runs").mkdir()

    with child(KILLED, tmp_path / "template", tmp_path / "runs", way, 25) as process:
        killed = process.end().split()

    assert len(killed) == 25
    for number in killed:
        assert_left(tmp_path / "runs" / number, before)
    # Not closed: its commit is in the write-ahead log alone.
    assert rows_of(tmp_path / "runs" / "whole") == after
