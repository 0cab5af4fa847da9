"""What goes and what stays to the second, what happens beside a cleanup, and where it can be stopped."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support.operations import perform
from support.patience import PATIENCE
from support.processes import child
from support.rows import fill, row, rows_of

from trop_core.cancellation import CancellationToken
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.operations.cleanup.survey import Survey
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.rows import Row
    from support.sandbox import Sandbox

DAY = 86_400
NOW = 2_000_000_000
GONE = "/no/such/place"
LOOKING = ("prune", "autoclean")
EXPIRING = ("expire", "autoclean")


def aged(path: str, port: int, seconds: int, tag: str = "") -> Row:
    return (path, tag, port, None, None, 1, NOW - seconds)


def clean(directory: Path, name: str, values: dict[str, object] | None = None, **context: Any) -> list[tuple[str, str]]:
    """Run it at the time ``NOW``; the paths that went, each with its reason."""
    result = perform(directory, name, values, **{"now": lambda: NOW, **context})
    return [(removal.reservation.path, removal.reason) for removal in result.removed]


def execute(directory: Path, sql: str, *values: object) -> None:
    """What another process does to the store; it fails at once if the lock is held."""
    with closing(sqlite3.connect(directory / "trop.db", timeout=0, isolation_level=None)) as connection:
        connection.execute(sql, values)


class AfterLooking:
    """Hears how far a cleanup has come, and does something else after its first look at all directories, or each.

    Within the look itself it could be taken for a directory that hangs, on a machine that is busy.
    """

    def __init__(self, meanwhile: Callable[[], object], *, each_time: bool = False) -> None:
        self._meanwhile = meanwhile
        self._each_time = each_time
        self._is_removing = False
        self.rounds = 0

    def __call__(self, done: int, total: int) -> None:
        self._is_removing = self._is_removing or done == 0
        if done == total and not self._is_removing:
            self.rounds += 1
            if self._each_time or self.rounds == 1:
                self._meanwhile()


@pytest.mark.parametrize("name", EXPIRING)
@pytest.mark.parametrize("seconds", [7 * DAY - 1, 7 * DAY, 7 * DAY + 1])
def test_the_last_second_of_the_last_day_still_counts_as_used(tmp_path: Path, name: str, seconds: int) -> None:
    fill(tmp_path, [aged("/", 5000, seconds)])

    went = clean(tmp_path, name, {"days": 7})

    assert went == ([("/", "expired")] if seconds > 7 * DAY else [])
    assert len(rows_of(tmp_path)) == 1 - len(went)


def test_expiring_looks_at_no_directory(tmp_path: Path) -> None:
    fill(tmp_path, [aged(GONE, 5000, 400 * DAY)])

    def look(path: str) -> DirectoryState:
        raise AssertionError(path)

    assert clean(tmp_path, "expire", directory_state=look) == [(GONE, "expired")]


# Beside others


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("seconds", [0, 1, 100], ids=["in the same second", "a second ago", "long ago"])
def test_a_row_that_is_refreshed_during_the_looks_stays(tmp_path: Path, name: str, seconds: int) -> None:
    """A time is a whole second: used twice in one, the row looks the same as before."""
    fill(tmp_path, [aged(GONE, 5000, seconds), aged(f"{GONE}/old", 5001, 50 * DAY)])
    refresh = f"UPDATE reservations SET last_used_at = {NOW} WHERE port = 5000"

    went = clean(tmp_path, name, progress=AfterLooking(lambda: execute(tmp_path, refresh), each_time=True))

    assert went == [(f"{GONE}/old", "missing")]
    assert rows_of(tmp_path) == [aged(GONE, 5000, 0)]


@pytest.mark.parametrize("name", LOOKING)
def test_a_busy_store_is_looked_at_three_times_and_then_cleaned_up(tmp_path: Path, name: str) -> None:
    fill(tmp_path, [aged(GONE, 5000, 10)])
    ports = iter(range(6000, 7000))
    looking = AfterLooking(
        lambda: (
            execute(tmp_path, "INSERT INTO reservations VALUES ('/new', ?, ?, NULL, NULL, 1, 2)", "t", next(ports))
            if looking.rounds == 1
            else execute(tmp_path, "UPDATE reservations SET port = ? WHERE path = '/new'", next(ports))
        ),
        each_time=True,
    )

    went = clean(tmp_path, name, {"dryRun": False}, progress=looking)

    assert went == [(GONE, "missing")]
    assert looking.rounds == 3
    assert [stored[0] for stored in rows_of(tmp_path)] == ["/new"]


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_released_or_moved_during_the_looks_is_not_counted(tmp_path: Path, name: str, dry_run: bool) -> None:
    moved = str(tmp_path)
    fill(tmp_path, [aged(f"{GONE}/{number}", 5000 + number, 10) for number in range(3)])

    def meanwhile() -> None:
        execute(tmp_path, "DELETE FROM reservations WHERE port = 5000")
        execute(tmp_path, "UPDATE reservations SET path = ? WHERE port = 5001", moved)

    went = clean(tmp_path, name, {"dryRun": dry_run}, progress=AfterLooking(meanwhile))

    assert went == [(f"{GONE}/2", "missing")]
    assert [stored[0] for stored in rows_of(tmp_path)] == [*([f"{GONE}/2"] if dry_run else []), moved]


@pytest.mark.parametrize("name", LOOKING)
def test_the_lock_is_not_held_during_the_looks(tmp_path: Path, name: str) -> None:
    fill(tmp_path, [aged(GONE, 5000, 10)])

    # It would fail at once, and the look with it.
    went = clean(tmp_path, name, progress=AfterLooking(lambda: execute(tmp_path, "PRAGMA user_version = 7")))

    assert went == [(GONE, "missing")]


PAUSED = """
import sys, time
from pathlib import Path
from support.operations import perform

def pause():
    print("paused", flush=True)
    sys.stdin.readline()

def looked(done, total):
    # Two directories have been looked at; one row is to go.
    if sys.argv[3] == "looking" and (done, total) == (2, 2):
        pause()

def now():
    asked.append(True)
    if sys.argv[3] == "planning" and len(asked) == 2:
        pause()
    return int(time.time())

asked = []
result = perform(Path(sys.argv[1]), sys.argv[2], progress=looked, now=now)
print(*[removal.reservation.path for removal in result.removed], flush=True)
"""
"""A cleanup that waits for a line: after a look at all directories, or where it asks for the time under the lock."""


@pytest.mark.parametrize("name", LOOKING)
def test_reserve_wins_against_a_cleanup_that_has_just_found_its_directory_missing(sandbox: Sandbox, name: str) -> None:
    gone = str(sandbox.work / "gone")
    port = sandbox.reserve("--path", gone)
    other = sandbox.reserve("--path", f"{gone}/other")

    with child(PAUSED, sandbox.data, name, "looking") as cleanup:
        cleanup.expect("paused")
        told = sandbox.reserve("--path", gone)
        sandbox.execute("UPDATE reservations SET last_used_at = 1 WHERE port = ?", [(other,)])
        # The store has changed, so it looks again.
        cleanup.say()
        cleanup.expect("paused")
        told_again = sandbox.reserve("--path", gone)
        cleanup.say()
        cleanup.expect("paused")
        told_at_last = sandbox.reserve("--path", gone)
        cleanup.say()
        cleanup.expect(f"{gone}/other")

    assert (told, told_again, told_at_last) == (port, port, port)
    assert [stored[:3] for stored in sandbox.rows()] == [(gone, "", port)]


def test_a_row_that_is_refreshed_before_an_expiry_gets_the_lock_stays(sandbox: Sandbox) -> None:
    port = sandbox.reserve()
    sandbox.execute("UPDATE reservations SET last_used_at = 1")

    with closing(sqlite3.connect(sandbox.database, isolation_level=None)) as refreshing:
        refreshing.execute("BEGIN IMMEDIATE")
        refreshing.execute("UPDATE reservations SET last_used_at = unixepoch()")
        expiring = sandbox.begin("expire", "--days", "1", "--busy-timeout", "60")
        refreshing.execute("COMMIT")
        _, said = expiring.communicate(timeout=PATIENCE)

    assert (expiring.returncode, said) == (0, "Nothing to remove.\n")
    assert [stored[2] for stored in sandbox.rows()] == [port]


def test_a_refresh_that_waits_for_an_expiry_gets_a_reservation_that_stands(sandbox: Sandbox) -> None:
    sandbox.reserve()
    sandbox.execute("UPDATE reservations SET last_used_at = 1")

    with child(PAUSED, sandbox.data, "expire", "planning") as cleanup:
        cleanup.expect("paused")
        reserving = sandbox.begin("reserve", "--busy-timeout", "60")
        cleanup.say()
        cleanup.expect(str(sandbox.work))
        told, _ = reserving.communicate(timeout=PATIENCE)

    assert reserving.returncode == 0
    assert [stored[:3] for stored in sandbox.rows()] == [(str(sandbox.work), "", int(told))]


def test_a_new_child_is_released_with_its_tree_or_stands_afterwards(sandbox: Sandbox) -> None:
    """Whoever gets the lock first: a port that was told is in the store, or in what the release lists."""
    import json

    for number in range(8):
        top = sandbox.directory(f"tree-{number}")
        sandbox.reserve(cwd=top)
        with sandbox.locked():
            release = sandbox.begin(
                "call", "trop.release", json.dumps({"path": str(top), "recursive": True}), TROP_BUSY_TIMEOUT="60"
            )
            reserve = sandbox.begin("reserve", "--path", f"{top}/new", TROP_BUSY_TIMEOUT="60")
        released, _ = release.communicate(timeout=PATIENCE)
        told, _ = reserve.communicate(timeout=PATIENCE)

        gone = {(entry["path"], entry["port"]) for entry in json.loads(released)["released"]}
        left = {(path, port) for path, _, port, *_ in sandbox.rows()}
        assert (release.returncode, reserve.returncode) == (0, 0)
        assert len(gone) in (1, 2)
        assert ((f"{top}/new", int(told)) in left) is not ((f"{top}/new", int(told)) in gone)
        assert not any(path == str(top) for path, _ in left)
        sandbox.execute("DELETE FROM reservations")


# What does not answer


@pytest.fixture
def stuck() -> Any:
    """Set in the end, so that no thread of a test hangs for ever."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("name", LOOKING)
def test_a_directory_that_hangs_is_told_of_and_all_others_are_looked_at(
    tmp_path: Path, name: str, stuck: threading.Event
) -> None:
    fill(tmp_path, [aged(path, 5000 + n, 10) for n, path in enumerate(("/a", "/dead", "/dead/below", "/z"))])

    def look(path: str) -> DirectoryState:
        if path == "/dead":
            stuck.wait(60)
        return DirectoryState.GONE

    result = perform(tmp_path, name, directory_state=look, now=lambda: NOW)

    assert [removal.reservation.path for removal in result.removed] == ["/a", "/z"]
    assert result.warnings == (
        (
            '2 directories, "/dead" the first of them, did not answer in time, or was not asked after others did not: '
            "their reservations stay"
        ),
    )
    assert [stored[0] for stored in rows_of(tmp_path)] == ["/dead", "/dead/below"]


def test_what_is_not_looked_at_after_three_directories_that_hang_is_known(
    tmp_path: Path, stuck: threading.Event
) -> None:
    fill(tmp_path, [row(f"/dead-{number}", 5000 + number) for number in range(6)])

    def look(path: str) -> DirectoryState:
        stuck.wait(60)
        return DirectoryState.GONE

    with closing(Database.open(str(tmp_path / "trop.db"))) as database, database.read(Patience(5)) as connection:
        survey = Survey.take(connection, None).with_directories(look, lambda *_: (), patience=0.05)
        removals = survey.removals(connection, now=NOW, prune=True, expire_after_days=None)

    assert survey.unanswered == tuple(f"/dead-{number}" for number in range(6))
    assert removals == ()


# Progress, and being taken back


@pytest.mark.parametrize("name", LOOKING)
def test_the_looks_are_reported_and_then_the_rows_that_are_gone(tmp_path: Path, name: str) -> None:
    fill(tmp_path, [aged(f"{GONE}/{number}", 1 + number, 10) for number in range(1250)])
    reports: list[tuple[int, int]] = []

    clean(tmp_path, name, progress=lambda *counts: reports.append(counts))

    looks = [(done, 1250) for done in (*range(100, 1250, 100), 1250)]
    assert reports == [*looks, (0, 1250), (1000, 1250), (1250, 1250)]


def test_an_expiry_reports_the_rows_that_are_gone(tmp_path: Path) -> None:
    fill(tmp_path, [row("/", 1 + number, f"{number}") for number in range(2500)])
    reports: list[tuple[int, int]] = []

    clean(tmp_path, "expire", progress=lambda *counts: reports.append(counts))

    assert reports == [(0, 2500), (1000, 2500), (2000, 2500), (2500, 2500)]
    assert rows_of(tmp_path) == []


@pytest.mark.parametrize("name", ["prune", "expire", "autoclean"])
def test_nothing_to_remove_reports_no_rows(tmp_path: Path, name: str) -> None:
    fill(tmp_path, [aged("/", 5000, 1)])
    reports: list[tuple[int, int]] = []

    clean(tmp_path, name, progress=lambda *counts: reports.append(counts))

    assert reports == ([] if name == "expire" else [(1, 1)])


@pytest.mark.parametrize("name", LOOKING)
def test_taken_back_during_the_looks_it_ends_before_they_do(tmp_path: Path, name: str) -> None:
    before = [aged(f"{GONE}/{number:04}", 1 + number, 10) for number in range(1000)]
    fill(tmp_path, before)
    token = CancellationToken()
    reports: list[int] = []

    def look(path: str) -> DirectoryState:
        token.cancel()
        return DirectoryState.GONE

    with pytest.raises(Cancelled):
        clean(tmp_path, name, directory_state=look, token=token, progress=lambda done, total: reports.append(done))

    assert reports == []
    assert rows_of(tmp_path) == before


@pytest.mark.parametrize("name", ["prune", "expire", "autoclean"])
@pytest.mark.parametrize("at", [0, 1000, 2000])
def test_taken_back_between_two_batches_it_is_rolled_back(tmp_path: Path, name: str, at: int) -> None:
    before = [aged(f"{GONE}/{number:04}", 1 + number, 400 * DAY) for number in range(2500)]
    fill(tmp_path, before)
    token = CancellationToken()
    removing: list[int] = []

    def progress(done: int, total: int) -> None:
        if done == 0 or removing:
            removing.append(done)
        if removing[-1:] == [at]:
            token.cancel()

    with pytest.raises(Cancelled):
        clean(tmp_path, name, token=token, progress=progress)

    assert removing[-1] == at
    assert rows_of(tmp_path) == before
