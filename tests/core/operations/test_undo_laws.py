"""Laws of the log: what was done can be taken back as a whole or not at all, and the log tells what is there."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import stores
from support.examples import examples
from support.history import Rows, replayed, stored
from support.operations import perform

from trop_core.caller import Caller, Door
from trop_core.errors.base import TropError
from trop_core.errors.history import UndoConflict

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = st.sampled_from(["a", "b", "c", "a/x", "a/y", "b/x"])
TAGS = st.sampled_from([None, "web", "db"])
CALLERS = st.sampled_from(["/w", "/v"])

RESERVES = st.builds(
    lambda name, tag, more: ("reserve", {"path": f"/w/{name}", "tag": tag, **more}),
    NAMES,
    TAGS,
    st.sampled_from([{}, {"port": 5003, "overwrite": True}, {"port": 5007, "overwrite": True}]),
)
RENAMES = st.builds(
    lambda name, tag, project: ("reserve", {"path": f"/w/{name}", "tag": tag, "project": project}),
    NAMES,
    TAGS,
    st.sampled_from(["p", "q"]),
)
RELEASES = st.builds(
    lambda name, tag, recursive: ("release", {"path": f"/w/{name}", "tag": tag, "recursive": recursive}),
    NAMES,
    TAGS,
    st.booleans(),
)
MOVES = st.builds(
    lambda source, to, recursive: ("migrate", {"from": f"/w/{source}", "to": f"/w/{to}", "recursive": recursive}),
    NAMES,
    NAMES,
    st.booleans(),
)
CLEANUPS = st.sampled_from(
    [("expire", {"days": 1}), ("prune", {}), ("autoclean", {"days": 1}), ("init", {"overwrite": True})]
)
UNDOS = st.just(("undo", {"any": True}))
STEPS = st.lists(
    st.tuples(
        CALLERS, st.one_of(RESERVES, RESERVES, RENAMES, RELEASES, MOVES, CLEANUPS, UNDOS), st.integers(0, 90_000)
    ),
    min_size=1,
    max_size=14,
)
SLOW = settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))


class World:
    """A store, and a time that goes on."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.now = 1_700_000_000

    def does(self, name: str, given: dict[str, Any], directory: str = "/w") -> Any:
        values = {key: value for key, value in given.items() if value is not None}
        if name not in ("history", "migrate", "prune", "expire", "autoclean", "init"):
            values["force" if name != "reserve" else "allowUnrelatedPath"] = True
        if name == "reserve":
            values |= {"allowChange": True, "skipOccupancyCheck": True}
        surroundings: dict[str, Any] = {"caller": Caller(Door.TERMINAL, directory), "now": lambda: self.now}
        if name == "migrate":
            values["force"] = True
        return perform(self.data, name, values, **surroundings)

    def rows(self) -> Rows:
        """Every row by its key, without its time of last use."""
        return stored(self.data / "trop.db")

    def newest(self) -> int:
        exists = self._query("SELECT count(*) FROM sqlite_master WHERE name = 'operations'")[0][0]
        number: int = self._query("SELECT coalesce(max(id), 0) FROM operations")[0][0] if exists else 0
        return number

    def replayed(self) -> Rows:
        """What is there by the log alone, which knows every step."""
        return replayed(self.data / "trop.db")

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "trop.db")) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        yield World(Path(directory))


def taken(world: World, steps: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Take each step, and give what was there before and after it, where it has changed something."""
    for directory, (name, given_values), seconds in steps:
        world.now += seconds
        exists = (world.data / "trop.db").exists()
        before = world.rows() if exists else {}
        try:
            world.does(name, given_values, directory)
        except TropError:
            assert not exists or world.rows() == before
            continue
        yield before, world.rows()


@pytest.mark.usefixtures("unmeasured")
@SLOW
@given(steps=STEPS)
def test_the_log_tells_what_is_there(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        for before, after in taken(world, steps):
            if before != after:
                assert world.replayed() == after


@pytest.mark.usefixtures("unmeasured")
@SLOW
@given(steps=STEPS)
def test_the_last_operation_can_be_undone_and_the_undo_as_well(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        for before, after in taken(world, steps):
            if before == after:
                continue
            done = world.newest()
            assert world.does("undo", {"id": done, "dryRun": True}).plan is not None
            assert world.rows() == after

            world.does("undo", {"id": done})
            assert world.rows() == before

            world.does("undo", {"id": world.newest()})
            assert world.rows() == after


@pytest.mark.usefixtures("unmeasured")
@SLOW
@given(steps=STEPS, data=st.data())
def test_an_older_operation_is_undone_as_a_whole_or_not_at_all(steps: list[Any], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        for _ in taken(world, steps):
            pass
        if not (world.data / "trop.db").exists() or not world.newest():
            return
        number = data.draw(st.integers(1, world.newest()))
        before = world.rows()
        try:
            undone = world.does("undo", {"id": number})
        except TropError:
            assert world.rows() == before
            return
        after = world.rows()
        came = {(row.path, row.tag or "") for row in undone.restored}
        went = {(row.path, row.tag or "") for row in undone.removed}
        assert {key for key in before if before[key] != after.get(key)} <= went
        assert {key for key in after if after[key] != before.get(key)} <= came


def test_the_later_time_of_use_stays(world: World) -> None:
    world.does("reserve", {"path": "/w/a", "project": "p"})
    world.does("reserve", {"path": "/w/a", "project": "q"})
    world.now += 100
    world.does("reserve", {"path": "/w/a"})

    world.does("undo", {"id": 2})

    ((*_, project, _task, created, used),) = stores.rows_in(world.data / "trop.db")
    assert (project, created, used) == ("p", world.now - 100, world.now)


def test_what_another_program_has_changed_is_in_the_way(world: World) -> None:
    world.does("reserve", {"path": "/w/a"})
    world.does("release", {"path": "/w/a"})
    stores.run(world.data / "trop.db", "INSERT INTO reservations VALUES ('/w/z', '', 5000, NULL, NULL, 1, 1)")

    with pytest.raises(UndoConflict) as refused:
        world.does("undo", {"id": 2})

    (conflict,) = refused.value.conflicts
    assert (conflict.path, conflict.reason) == ("/w/z", "has the port 5000 now")
    assert "another program" in refused.value.hint()


def test_a_port_that_was_dropped_and_given_to_another_directory_has_not_moved(world: World) -> None:
    for name in ("gone", "here"):
        world.does("reserve", {"path": f"/w/{name}", "min": 5000, "max": 5000})

    assert world._query("SELECT summary FROM operations ORDER BY id DESC LIMIT 1") == [("1 added, 1 removed",)]
    world.does("undo", {"any": True})
    assert list(world.rows()) == [("/w/gone", "")]


def test_an_undone_move_is_a_move_back(world: World) -> None:
    world.does("reserve", {"path": "/w/a"})
    world.does("migrate", {"from": "/w/a", "to": "/w/b"})
    world.does("undo", {"any": True})

    assert world._query("SELECT summary FROM operations ORDER BY id DESC LIMIT 2") == [("1 moved",), ("1 moved",)]


def test_a_used_plan_is_kept_in_mind_for_as_long_as_it_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from trop_core.database import operation_log
    from trop_core.errors.plans import PlanUsed

    monkeypatch.setattr(operation_log, "MOST_OPERATIONS", 3)
    world.does("reserve", {"path": "/w/a"})
    plan = world.does("release", {"path": "/w/a", "dryRun": True}).plan.token
    world.does("release", {"path": "/w/a", "plan": plan})
    for number in range(5):
        world.does("reserve", {"path": f"/w/{number}"})
    world.does("reserve", {"path": "/w/a", "port": 5000, "overwrite": True})

    with pytest.raises(PlanUsed):
        world.does("release", {"path": "/w/a", "plan": plan})


def test_where_a_used_plan_cannot_be_noted_there_is_none(world: World) -> None:
    from trop_core.errors.plans import PlanNotKept

    world.does("reserve", {"path": "/w/a"})
    plan = world.does("release", {"path": "/w/a", "dryRun": True}).plan.token
    stores.run(world.data / "trop.db", "UPDATE metadata SET value = '9' WHERE key = 'companion_version'")

    dry = world.does("release", {"path": "/w/a", "dryRun": True})
    with pytest.raises(PlanNotKept):
        world.does("release", {"path": "/w/a", "plan": plan})

    assert dry.plan is None
    assert any("gives no plan" in warning for warning in dry.warnings)
    assert list(world.rows()) == [("/w/a", "")]


def test_a_plan_of_an_undo_is_one_for_that_operation(world: World) -> None:
    from trop_core.errors.plans import PlanChanged

    world.does("reserve", {"path": "/w/a"})
    for project in ("p", "q"):
        world.does("reserve", {"path": "/w/a", "project": project})
        if project == "p":
            plan = world.does("undo", {"any": True, "dryRun": True}).plan.token

    with pytest.raises(PlanChanged):
        world.does("undo", {"any": True, "plan": plan})


def test_a_damaged_record_is_named_as_that(world: World) -> None:
    from trop_core.errors.store import DatabaseCorrupt

    world.does("reserve", {"path": "/w/a"})
    stores.run(world.data / "trop.db", "UPDATE changes SET new_port = 70000")

    with pytest.raises(DatabaseCorrupt) as refused:
        world.does("history", {})
    found = perform(world.data, "assert_data_dir", {"validate": True})

    assert refused.value.details()["table"] == "changes"
    assert [(each.table, each.column) for each in found.violations] == [("changes", "new_port")]


def test_the_log_forgets_what_is_too_much_or_too_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from trop_core.database import operation_log

    monkeypatch.setattr(operation_log, "MOST_OPERATIONS", 5)
    monkeypatch.setattr(operation_log, "MOST_CHANGES", 8)
    query = world._query

    for number in range(7):
        world.does("reserve", {"path": f"/w/{number}"})
    assert query("SELECT min(id), count(*) FROM operations") == [(3, 5)]
    assert query("SELECT min(operation), count(*) FROM changes") == [(3, 5)]

    world.does("release", {"path": "/w", "recursive": True})
    assert query("SELECT min(id), sum(changed) FROM operations") == [(7, 8)]

    world.now += 91 * 24 * 60 * 60
    world.does("reserve", {"path": "/w/a"})
    assert query("SELECT id FROM operations") == query("SELECT DISTINCT operation FROM changes") == [(9,)]
