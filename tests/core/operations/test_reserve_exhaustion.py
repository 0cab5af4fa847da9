"""A full range: what is dropped to make room, what never is, and what happens beside it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.patience import PATIENCE
from support.processes import child
from support.reserve.case import DAY, NOW, RANGE, Row
from support.reserve.world import World
from support.sandbox import TROP

from trop_core.errors.ports import PortExhausted
from trop_core.operations.cleanup.survey import Survey
from trop_core.paths import DirectoryState, directory_state
from trop_core.ports.exclusions import Exclusions
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trop_core.operations.call import Call

FULL = {"min": 5000, "max": 5001}
GONE = Row("gone", port=5000, exists=False)
ALIVE = Row("alive", port=5001)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def paths_of(world: World) -> list[str]:
    return [Path(row[0]).name for row in world.rows]


@contextmanager
def another_connection(world: World) -> Iterator[sqlite3.Connection]:
    """What another process does to the store; it would fail at once if the lock were held."""
    with closing(sqlite3.connect(world.data / "trop.db", timeout=0, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def execute(world: World, sql: str, *values: object) -> None:
    with another_connection(world) as connection:
        connection.execute(sql, values)


class Looking:
    """Looks at directories for real, and does something else with the first look, or with each."""

    def __init__(self, meanwhile: Callable[[], object], *, each_time: bool = False) -> None:
        self.looks = 0
        self._meanwhile = meanwhile
        self._each_time = each_time
        self._first: str | None = None

    def __call__(self, path: str) -> DirectoryState:
        state = directory_state(path)
        if self._first is None:
            self._first = path
        if path == self._first:
            self.looks += 1
            if self._each_time or self.looks == 1:
                self._meanwhile()
        return state


@pytest.mark.parametrize(
    ("age", "dropped"),
    [
        pytest.param(30 * DAY - 1, False, id="a-second-less-than-thirty-days"),
        pytest.param(30 * DAY, False, id="thirty-days"),
        pytest.param(30 * DAY + 1, True, id="longer-than-thirty-days"),
    ],
)
def test_expiry_begins_after_the_last_second_of_the_last_day(world: World, age: int, dropped: bool) -> None:
    world.fill(Row("old", port=5000, age=age), ALIVE)

    if dropped:
        assert world.reserve(**FULL).reservation.port == 5000
    else:
        with pytest.raises(PortExhausted):
            world.reserve(**FULL)

    assert ("old" in paths_of(world)) is not dropped


def test_a_time_in_the_future_does_not_expire(world: World) -> None:
    world.fill(Row("alive-too", port=5000, age=-400 * DAY), ALIVE)

    with pytest.raises(PortExhausted):
        world.reserve(**FULL)

    assert paths_of(world) == ["alive", "alive-too"]


AS_NOBODY = """
import sys
sys.path[:0] = sys.argv[2].split(":")
import os
from pathlib import Path
from support.reserve.case import Row
from support.reserve.world import World
from trop_core.errors.ports import PortExhausted
world = World(Path(sys.argv[1]))
world.fill(
    Row("closed/inside", port=5000), Row("closed/gone", port=5001, exists=False)
)
# Root sees that one is gone; and all modules are loaded while they can still be read.
assert world.reserve(min=5000, max=5001, dry_run=True).reservation.port == 5001
for path in (world.data, *world.data.iterdir()):
    os.chown(path, 65534, 65534)
os.chmod(world.work / "closed", 0o700)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    print(world.reserve(min=5000, max=5001))
except PortExhausted as error:
    print(error)
print(len(world.rows))
"""


def test_a_directory_that_may_not_be_looked_at_keeps_its_reservation(public_place: Path) -> None:
    """Also the one that is not there: nobody who may not look can know that."""
    with child(AS_NOBODY, public_place, ":".join(sys.path)) as process:
        output = process.end().splitlines()

    assert output == [
        (
            "no port from 5000 to 5001 is free: 2 reserved, 0 excluded, 0 avoided, 0 occupied; "
            "a cleanup found nothing that helps"
        ),
        "2",
    ]


@pytest.mark.parametrize("answer", [DirectoryState.UNKNOWN, DirectoryState.PRESENT], ids=["unknown", "present"])
def test_only_gone_is_gone(world: World, answer: DirectoryState) -> None:
    world.fill(GONE, ALIVE)
    world.directory_state = lambda path: answer

    with pytest.raises(PortExhausted):
        world.reserve(**FULL)

    assert paths_of(world) == ["alive", "gone"]


def test_directories_are_looked_at_without_the_lock_and_each_once(world: World) -> None:
    world.fill(GONE, ALIVE, Row("alive", tag="web", port=5050))
    seen: list[str] = []

    def look(path: str) -> DirectoryState:
        with another_connection(world) as connection:
            connection.execute("SELECT 1")
        seen.append(Path(path).name)
        return directory_state(path)

    world.directory_state = look

    assert world.reserve(**FULL).reservation.port == 5000
    assert seen == ["alive", "gone"]


def test_no_directory_is_looked_at_while_there_is_a_free_port(world: World) -> None:
    world.fill(GONE, ALIVE)
    world.directory_state = lambda path: pytest.fail(f"{path} was looked at")

    assert world.reserve(min=5000, max=5002).reservation.port == 5002


def test_no_directory_is_looked_at_where_prune_is_disabled(world: World) -> None:
    world.fill(Row("gone", port=5000, age=31 * DAY, exists=False), ALIVE)
    world.directory_state = lambda path: pytest.fail(f"{path} was looked at")

    assert world.reserve(**FULL, disable_autoprune=True).reservation.port == 5000


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize("used_before", [0, 5], ids=["in-the-same-second", "later"])
def test_a_row_that_is_refreshed_after_every_look_is_kept(world: World, used_before: int, dry_run: bool) -> None:
    """A refresh in the second of the last use leaves the row as it was, to the byte."""
    world.fill(GONE._replace(age=used_before), ALIVE)
    gone = str(world.work / "gone")
    refresh = "UPDATE reservations SET last_used_at = ? WHERE path = ?"
    looking = world.directory_state = Looking(lambda: execute(world, refresh, NOW, gone), each_time=True)

    with pytest.raises(PortExhausted):
        world.reserve(**FULL, dry_run=dry_run)

    assert [(Path(row[0]).name, row[6]) for row in world.rows] == [("alive", NOW - 100), ("gone", NOW)]
    assert looking.looks == 3


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_an_expired_row_that_is_refreshed_after_the_look_is_kept(world: World, dry_run: bool) -> None:
    world.fill(Row("old", port=5000, age=31 * DAY), ALIVE)
    old = str(world.work / "old")
    refresh = "UPDATE reservations SET last_used_at = ? WHERE path = ?"
    world.directory_state = Looking(lambda: execute(world, refresh, NOW - 1, old))

    with pytest.raises(PortExhausted):
        world.reserve(**FULL, dry_run=dry_run)

    assert paths_of(world) == ["alive", "old"]


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_a_directory_that_comes_back_with_a_refresh_is_looked_at_again(world: World, dry_run: bool) -> None:
    world.fill(GONE, ALIVE)

    def come_back() -> None:
        (world.work / "gone").mkdir()
        execute(world, "UPDATE reservations SET last_used_at = ? WHERE port = 5000", NOW)

    looking = world.directory_state = Looking(come_back)

    with pytest.raises(PortExhausted):
        world.reserve(**FULL, dry_run=dry_run)

    assert looking.looks == 2
    assert paths_of(world) == ["alive", "gone"]


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_a_row_that_changed_hands_after_the_look_is_kept(world: World, dry_run: bool) -> None:
    """Its port belongs to somebody else by now, and must not be given away a second time."""
    world.fill(GONE, ALIVE)

    def change_hands() -> None:
        (world.work / "new").mkdir(exist_ok=True)
        with another_connection(world) as connection:
            connection.execute("DELETE FROM reservations WHERE port = 5000")
            connection.execute(
                "INSERT INTO reservations VALUES (?, '', 5000, NULL, NULL, ?, ?)", (str(world.work / "new"), NOW, NOW)
            )

    world.directory_state = Looking(change_hands, each_time=True)

    with pytest.raises(PortExhausted):
        world.reserve(**FULL, dry_run=dry_run)

    assert paths_of(world) == ["alive", "new"]


def test_a_port_that_is_released_after_the_look_is_given_away(world: World) -> None:
    world.fill(ALIVE, Row("leaving", port=5000))
    world.directory_state = Looking(lambda: execute(world, "DELETE FROM reservations WHERE port = 5000"))

    result = world.reserve(**FULL)

    assert (result.reservation.port, result.warnings) == (5000, ())


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_a_store_that_keeps_changing_is_looked_at_three_times_and_what_did_not_change_may_go(
    world: World, dry_run: bool
) -> None:
    world.fill(GONE, ALIVE)
    times = iter(range(NOW - 90, NOW))
    refresh = "UPDATE reservations SET last_used_at = ? WHERE port = 5001"
    looking = world.directory_state = Looking(lambda: execute(world, refresh, next(times)), each_time=True)

    result = world.reserve(**FULL, dry_run=dry_run)

    assert looking.looks == 3
    assert result.reservation.port == 5000
    assert ("gone" in paths_of(world)) is dry_run


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE reservations SET last_used_at = 1899999999 WHERE port = 5000", id="refreshed"),
        pytest.param("UPDATE reservations SET path = '/elsewhere' WHERE port = 5000", id="changed-hands"),
        pytest.param("UPDATE reservations SET port = 5050 WHERE port = 5000", id="another-port"),
    ],
)
def test_what_changes_after_the_last_look_is_kept(world: World, change: str, dry_run: bool) -> None:
    """No further look is worth it: what is left to go by is that the row is no longer the same."""
    old = Row("old", port=5000, age=31 * DAY, exists=False)
    world.fill(old, ALIVE, Row("busy", port=5051))
    if "5050" in change:
        world.occupied = {5000}
    times = iter(range(NOW - 90, NOW))

    def meanwhile() -> None:
        execute(world, "UPDATE reservations SET last_used_at = ? WHERE port = 5051", next(times))
        if looking.looks == 3:
            execute(world, change)

    looking = world.directory_state = Looking(meanwhile, each_time=True)

    with pytest.raises(PortExhausted):
        world.reserve(**FULL, dry_run=dry_run)

    assert looking.looks == 3
    assert len(world.rows) == 3


@pytest.mark.parametrize("anew", [False, True], ids=["same-connection", "new-connection"])
def test_what_is_written_between_look_and_lock_counts_on_every_connection(world: World, anew: bool) -> None:
    """In a server, other calls use the connection meanwhile; and a new connection counts changes from the start."""
    world.fill(Row("old", port=5000, age=31 * DAY), ALIVE)
    looking = world.directory_state = Looking(lambda: None)
    stores_in_use = [Store(str(world.data))]

    def write_meanwhile(call: Call) -> None:
        with stores_in_use[-1].write(call.patience, "refresh", create=False) as connection:
            connection.execute("UPDATE reservations SET last_used_at = ? WHERE port = 5000", (NOW,))
        if anew:
            stores_in_use[-1].close()
            stores_in_use.append(Store(str(world.data)))

    def run(call: Call) -> None:
        while not call.prepare():
            if looking.looks == 1:
                write_meanwhile(call)
            call.transact(stores_in_use[-1])

    with closing(stores_in_use[0]), pytest.raises(PortExhausted):
        run(world.call(**FULL))
    stores_in_use[-1].close()

    assert looking.looks == 2
    assert paths_of(world) == ["alive", "old"]


def test_a_dry_run_of_a_cleanup_finds_rows_of_this_very_second(world: World) -> None:
    """Two connections have no common count of changes: a dry run that opened another would not trust its own look."""
    world.fill(GONE._replace(age=0), ALIVE)
    looking = world.directory_state = Looking(lambda: None)

    result = world.reserve(**FULL, dry_run=True)

    assert result.reservation.port == 5000
    assert looking.looks == 1


def test_a_cleanup_drops_every_row_that_may_go_in_the_transaction_of_the_reservation(world: World) -> None:
    world.fill(GONE, ALIVE, Row("also-gone", port=5050, exists=False), Row("expired", port=5051, age=31 * DAY))
    execute(world, "CREATE TRIGGER refuse BEFORE INSERT ON reservations BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(Exception, match="no"):
        world.reserve(**FULL)

    assert paths_of(world) == ["alive", "also-gone", "expired", "gone"]


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Set when the test is over, so that no thread of it stays behind."""
    event = threading.Event()
    yield event
    event.set()


def test_a_mount_that_hangs_does_not_hold_the_lock(world: World, stuck: threading.Event) -> None:
    world.now = int(time.time())
    world.fill(Row("dead", port=5002, exists=False), GONE, ALIVE)
    entered = threading.Event()

    def look(path: str) -> DirectoryState:
        if path.endswith("/dead"):
            entered.set()
            stuck.wait(30)
            return DirectoryState.UNKNOWN
        return directory_state(path)

    world.directory_state = look
    ports: list[int] = []
    calling = threading.Thread(target=lambda: ports.append(world.reserve(**FULL).reservation.port))
    calling.start()
    assert entered.wait(30)

    meanwhile = subprocess.run(
        [TROP, "reserve", "--tag", "web", "--busy-timeout", "0", "--skip-occupancy-check"],
        cwd=world.work,
        env={**os.environ, "TROP_DATA_DIR": str(world.data)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    stuck.set()
    calling.join(30)

    assert (meanwhile.returncode, meanwhile.stdout) == (0, "5003\n"), meanwhile.stderr
    assert ports == [5000]
    assert paths_of(world) == ["work", "work", "alive", "dead"]


def test_a_mount_that_hangs_costs_two_seconds_and_keeps_its_reservations(world: World, stuck: threading.Event) -> None:
    world.fill(Row("dead", port=5002, exists=False), Row("dead/below", port=5003, exists=False), GONE, ALIVE)
    asked: list[str] = []

    def look(path: str) -> DirectoryState:
        asked.append(Path(path).name)
        if path.endswith("/dead"):
            stuck.wait(60)
        return directory_state(path)

    world.directory_state = look

    result = world.reserve(**FULL)

    assert result.reservation.port == 5000
    assert paths_of(world) == ["work", "alive", "dead", "below"]
    assert asked == ["alive", "dead", "gone"]


def test_after_three_directories_that_hang_the_rest_is_left_in_peace(world: World, stuck: threading.Event) -> None:
    world.fill(*(Row(f"dead-{number}", port=5000 + number, exists=False) for number in range(6)))
    asked: list[str] = []

    def look(path: str) -> DirectoryState:
        asked.append(Path(path).name)
        stuck.wait(60)
        return DirectoryState.GONE

    with closing(Store(str(world.data))) as store:
        call = world.call(**FULL)
        assert not call.prepare()
        with store.write(call.patience, "look", create=False) as connection:
            survey = Survey.take(connection, None)
    states = survey.with_directories(look, lambda *_: (), patience=0.05).states

    assert set(states.values()) == {DirectoryState.UNKNOWN}
    assert len(states) == 6
    assert asked == ["dead-0", "dead-1", "dead-2"]


def test_a_store_of_version_1_is_planned_and_cleaned_up_as_well(world: World) -> None:
    world.data.mkdir(mode=0o700)
    rows = [Row("gone", port=5000).stored(world.work, NOW), Row("alive", port=5001).stored(world.work, NOW)]
    (world.work / "alive").mkdir()
    stores.make_v1(world.data / "trop.db", [(row[0], None, *row[2:]) for row in rows])
    (world.data / "config.yaml").write_text(RANGE)
    before = stores.snapshot(world.data)

    planned = world.reserve(**FULL, dry_run=True)
    after = stores.snapshot(world.data)
    done = world.reserve(**FULL)

    assert after == before
    assert (planned.reservation, planned.warnings) == (done.reservation, done.warnings)
    assert paths_of(world) == ["work", "alive"]


class LettingGo(frozenset[int]):
    """Ports that something listens on until each was asked about twice."""

    def __init__(self, ports: Iterable[int]) -> None:
        self.asked: Counter[object] = Counter()

    def __contains__(self, port: object) -> bool:
        self.asked[port] += 1
        return super().__contains__(port) and self.asked[port] <= 1


@pytest.mark.parametrize("dropped", [True, False], ids=["of-what-is-gone", "of-nobody"])
def test_a_port_that_something_lets_go_of_while_the_range_is_searched_is_given(world: World, dropped: bool) -> None:
    gone = GONE._replace(age=8 * DAY)
    world.fill(*((gone,) if dropped else (gone._replace(port=5001),)), config=RANGE + "excluded_ports: [5001]\n")
    world.occupied = LettingGo({5000})

    result = world.reserve(**FULL)

    assert result.reservation.port == 5000
    assert paths_of(world) == (["work"] if dropped else ["work", "gone"])
    assert len(result.warnings) == dropped


def test_a_range_that_is_full_without_a_store_is_exhausted_too(world: World) -> None:
    world.occupied = {5000}

    with pytest.raises(PortExhausted) as caught:
        world.reserve(min=5000, max=5000, dry_run=True)

    assert caught.value.details() == {
        "min": 5000,
        "max": 5000,
        "reserved": 0,
        "excluded": 0,
        "avoided": 0,
        "occupied": 1,
        "cleanup": True,
    }
    assert not world.data.exists()


def test_what_the_system_hands_out_is_passed_over_where_it_is_to_be_avoided(world: World) -> None:
    world.ephemeral = Exclusions(((5000, 5002),))
    world.fill(config=RANGE + "excluded_ports: [5003]\n")

    usual = world.reserve(dry_run=True)
    world.fill(config="ports: {min: 5000, max: 5009, avoid: [ephemeral]}\nexcluded_ports: [5003]\n")
    avoiding = world.reserve()
    preferring = world.reserve(tag="web", port=5001)

    assert usual.reservation.port == 5000
    assert (avoiding.reservation.port, avoiding.warnings) == (5004, ())
    assert preferring.warnings == ("port 5001 is preferred, and the system hands it out by itself",)


def test_the_hint_names_the_setting_that_avoids_ports(world: World) -> None:
    with pytest.raises(PortExhausted) as caught:
        world.reserve(min=6000, max=6000)

    assert caught.value.hint() == (
        "Widen the range with --min and --max, or release what is yours. Which ports are avoided, "
        "ports.avoid says; one that is preferred is given all the same."
    )


def test_the_hint_says_what_to_do(world: World) -> None:
    world.fill(ALIVE)

    with pytest.raises(PortExhausted) as caught:
        world.reserve(min=5001, max=5001)

    assert caught.value.hint() == "Widen the range with --min and --max, or release what is yours."
