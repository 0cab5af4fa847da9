"""What ``reserve`` asks of the world and when, and which directories it may touch."""

from __future__ import annotations

import sqlite3
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.reserve.case import NOW, Row
from support.reserve.world import FakeProbe, World

from trop_core.caller import Caller, Door, Target
from trop_core.cancellation import CancellationToken
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import Cancelled
from trop_core.errors.paths import AmbiguousFolder, UnrelatedPath
from trop_core.git import GitFacts
from trop_core.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.ports.checks import OccupancyChecks


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_existing_key_asks_neither_git_nor_the_system_about_ports(world: World) -> None:
    world.fill(Row(port=5004))

    world.reserve()
    world.reserve(port=5006)

    assert world.inferred == []
    assert [probe.asked for probe in world.probes] == [[], []]


def test_a_new_key_with_project_and_task_does_not_ask_git(world: World) -> None:
    world.fill()

    world.reserve(project="shop", clear_task=True)

    assert world.inferred == []


def test_git_is_asked_about_the_path_as_it_is_stored_and_without_the_lock(world: World) -> None:
    world.fill()
    asked: list[str] = []

    def infer(path: str, _is_safe: object) -> GitFacts:
        with closing(sqlite3.connect(world.data / "trop.db", timeout=0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        asked.append(path)
        return GitFacts("shop", None)

    context = world.context()._replace(infer=infer)
    with closing(Store(str(world.data))) as store:
        call = world.call(path="sub")
        call.context = context
        result = call.run(store)

    assert asked == [str(world.work / "sub")]
    assert (result.reservation.project, result.reservation.task) == ("shop", None)


def test_a_key_that_another_process_reserves_while_git_is_asked_is_its(world: World) -> None:
    world.fill()
    work = str(world.work)

    def infer(path: str, _is_safe: object) -> GitFacts:
        with closing(sqlite3.connect(world.data / "trop.db", timeout=0, isolation_level=None)) as connection:
            connection.execute("INSERT INTO reservations VALUES (?, '', 5007, 'theirs', NULL, 1, 1)", (work,))
        return GitFacts("mine", "mine")

    with closing(Store(str(world.data))) as store:
        call = world.call()
        call.context = world.context()._replace(infer=infer)
        result = call.run(store)

    assert (result.outcome, result.reservation.port, result.reservation.project) == ("reused", 5007, "theirs")
    assert world.rows == [(work, "", 5007, "theirs", None, 1, NOW)]


def test_of_the_range_only_what_is_needed_is_looked_at(world: World) -> None:
    world.occupied = {5001}
    world.fill(Row("other", port=5000), config="ports: {min: 5000, max: 5009}\nexcluded_ports: [5002]\n")

    result = world.reserve()

    assert result.reservation.port == 5003
    assert world.probes[-1].asked[-2:] == [5001, 5003]


def test_a_probe_that_had_trouble_says_so(world: World) -> None:
    world.fill()
    context = world.context()

    def troubled(checks: OccupancyChecks) -> FakeProbe:
        probe = FakeProbe((), checks)
        probe.warnings.append("no descriptors are left")
        return probe

    with closing(Store(str(world.data))) as store:
        call = world.call()
        call.context = context._replace(probe=troubled)
        result = call.run(store)

    assert result.warnings == ("no descriptors are left",)


def test_a_call_that_was_taken_back_stores_nothing(world: World) -> None:
    world.fill()
    token = CancellationToken()

    def infer(path: str, _is_safe: object) -> GitFacts:
        token.cancel()
        return GitFacts(None, None)

    with closing(Store(str(world.data))) as store:
        call = world.call()
        call.context = world.context()._replace(infer=infer, token=token)
        with pytest.raises(Cancelled):
            call.run(store)

    assert world.rows == []


class Place(NamedTuple):
    """A target in a small tree, and where the call comes from: a working directory, or open folders."""

    target: str
    allowed: bool
    cwd: str = "w/a"
    folders: tuple[str, ...] = ()
    door: Door = Door.TERMINAL
    inferred: bool = False


PLACES = {
    "itself": Place("w/a", True),
    "child": Place("w/a/x", True),
    "grandchild-that-does-not-exist": Place("w/a/x/y/z", True),
    "parent": Place("w", True),
    "grandparent": Place("", True),
    "the-root": Place("/", True),
    "sibling": Place("w/b", False),
    "sibling-that-begins-alike": Place("w/ab", False),
    "cousin": Place("v/a", False),
    "child-of-the-parent": Place("w/b/x", False),
    "out-and-in-again": Place("w/b/../a/x", True),
    "in-and-out-again": Place("w/a/../b", False),
    "a-link-to-here": Place("link-to-a", True),
    "below-a-link-to-here": Place("link-to-a/x", True),
    "a-link-to-above": Place("link-to-w", True),
    "beside-here-through-a-link-to-above": Place("link-to-w/b", False),
    "here-through-a-link-to-above": Place("link-to-w/a", True),
    "a-link-below-here-that-leads-out": Place("w/a/out", True),
    "from-a-linked-directory-to-the-real-one": Place("w/a/x", True, cwd="link-to-a"),
    "from-a-linked-directory-to-its-link": Place("link-to-a/x", True, cwd="link-to-a"),
    "from-a-linked-directory-to-its-sibling": Place("w/b", False, cwd="link-to-a"),
    "from-a-linked-directory-to-the-link's-parent": Place("", True, cwd="link-to-a"),
    "folder": Place("w/b", True, folders=("w/b",), door=Door.EDITOR),
    "below-a-folder": Place("w/b/x", True, folders=("w/b",), door=Door.EDITOR),
    "above-a-folder": Place("w", True, folders=("w/b",), door=Door.EDITOR),
    "beside-a-folder": Place("w/a", False, folders=("w/b",), door=Door.EDITOR),
    "first-of-two-folders": Place("w/b/x", True, folders=("w/b", "v"), door=Door.EDITOR),
    "second-of-two-folders": Place("v/a", True, folders=("w/b", "v"), door=Door.EDITOR),
    "none-of-two-folders": Place("w/a", False, folders=("w/b", "v"), door=Door.EDITOR),
    "a-linked-folder": Place("w/a/x", True, folders=("link-to-a",), door=Door.EDITOR),
    "folder-field-inside": Place("w/b/x", True, folders=("w/b",), door=Door.EDITOR, inferred=True),
    "folder-field-outside": Place("w/a", False, folders=("w/b",), door=Door.EDITOR, inferred=True),
    "working-directory-is-no-anchor-beside-a-folder": Place("w/a", False, cwd="w/a", folders=("v",), door=Door.EDITOR),
    "working-directory-of-a-server": Place("w/a/x", True, door=Door.EDITOR),
    "beside-the-working-directory-of-a-server": Place("w/b", False, door=Door.EDITOR),
    "home-is-no-anchor-of-a-server": Place("w/a", False, cwd="", door=Door.EDITOR),
    "the-root-is-no-anchor-of-a-server": Place("w/a", False, cwd="/", door=Door.EDITOR),
    "home-is-an-anchor-of-a-terminal": Place("w/a", True, cwd=""),
    "the-root-is-an-anchor-of-a-terminal": Place("w/a", True, cwd="/"),
}


@pytest.mark.parametrize("place", [pytest.param(place, id=name) for name, place in PLACES.items()])
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_the_relation_guard(world: World, place: Place, dry_run: bool) -> None:
    home = world.work
    for name in ("w/a/x", "w/ab", "w/b/x", "v/a"):
        (home / name).mkdir(parents=True)
    (home / "link-to-a").symlink_to("w/a")
    (home / "link-to-w").symlink_to("w")
    (home / "w/a/out").symlink_to("../../v")
    world.fill()
    folders = tuple(str(home / folder) for folder in place.folders)
    world.caller = Caller(place.door, str(home / place.cwd), folders, unmeant=(str(home),))
    given = {"folder" if place.inferred else "path": str(home / place.target), "dry_run": dry_run}

    if place.allowed:
        world.reserve(**given)
    else:
        with pytest.raises(UnrelatedPath) as caught:
            world.reserve(**given)
        world.reserve(**given, allow_unrelated_path=True)
        is_no_anchor = place.door is Door.EDITOR and place.cwd in ("", "/")
        assert caught.value.details()["anchors"] == list(folders or (() if is_no_anchor else (str(home / place.cwd),)))

    assert len(world.rows) == (0 if dry_run else 1)


def test_git_is_asked_about_a_target_only_where_its_path_does_not_tell(world: World) -> None:
    world.fill()
    asked: list[str] = []

    def common_directory(path: str, _is_safe: object) -> str:
        asked.append(path)
        return "/shop/.git"

    with closing(Store(str(world.data))) as store:
        for given in ({}, {"path": "below"}, {"path": "..", "dry_run": True}, {"path": "/w", "force": True}):
            call = world.call(**given)
            call.context = world.context()._replace(common_directory=common_directory)
            call.run(store)
        assert asked == []

        call = world.call(path="/elsewhere")
        call.context = world.context()._replace(common_directory=common_directory)
        result = call.run(store)

    assert result.reservation.path == "/elsewhere"
    assert set(asked) == {"/elsewhere", str(world.work)}


@pytest.mark.parametrize(
    ("common", "door", "allowed"),
    [
        pytest.param({"/there": "/s/.git", "/here": "/s/.git"}, Door.EDITOR, True, id="one repository"),
        pytest.param({"/there": "/s/.git", "/here": "/t/.git"}, Door.EDITOR, False, id="two repositories"),
        pytest.param({}, Door.EDITOR, False, id="no repository"),
        pytest.param({"/there": "/s/.git"}, Door.EDITOR, False, id="one of them in none"),
        pytest.param({"/there": "/home/me/.git", "/here": "/home/me/.git"}, Door.EDITOR, False, id="all of the home"),
        pytest.param({"/there": "/.git", "/here": "/.git"}, Door.EDITOR, False, id="all there is"),
        pytest.param({"/there": "/home/me/.git", "/here": "/home/me/.git"}, Door.TERMINAL, True, id="a person at home"),
    ],
)
def test_two_directories_of_one_repository_are_related(common: dict[str, str], door: Door, allowed: bool) -> None:
    caller = Caller(door, "/here", unmeant=("/home/me",))
    target = Target("/there", "/there", explicit=True)

    with nullcontext() if allowed else pytest.raises(UnrelatedPath):
        caller.guard(target, allowed=False, common_directory=common.get)


def test_without_an_anchor_git_is_not_asked() -> None:
    asked: list[str] = []
    target = Target("/there", "/there", explicit=True)

    with pytest.raises(UnrelatedPath):
        Caller(Door.EDITOR, None).guard(target, allowed=False, common_directory=asked.append)

    assert asked == []


def test_an_existing_key_is_guarded_as_well(world: World) -> None:
    world.fill(Row("../other", port=5004))

    with pytest.raises(UnrelatedPath):
        world.reserve(path=str(world.root / "other"))

    assert world.rows[0][6] == NOW - 100


def test_a_folder_is_canonicalised_and_a_path_is_not(world: World) -> None:
    world.directory("real")
    (world.work / "link").symlink_to("real")
    world.fill()

    inferred = world.reserve(folder="link")
    explicit = world.reserve(path="link")

    assert inferred.reservation.path == str(world.work / "real")
    assert explicit.reservation.path == str(world.work / "link")
    assert explicit.warnings == (f"{world.work}/link leads to {world.work}/real, which has reservations of its own",)


def test_a_folder_and_a_path_exclude_each_other(world: World) -> None:
    with pytest.raises(InvalidArgument) as caught:
        world.reserve(folder="a", path="b")

    assert caught.value.field == "folder"


def test_a_folder_goes_before_the_variable_for_the_path(world: World) -> None:
    world.directory("sub")
    world.fill()
    world.environment = {"TROP_PATH": "elsewhere"}

    assert world.reserve(folder="sub").reservation.path == str(world.work / "sub")


def test_of_several_open_folders_one_has_to_be_named(world: World) -> None:
    folders = (str(world.directory("a")), str(world.directory("b")))
    world.caller = Caller(Door.EDITOR, str(world.work), folders)

    with pytest.raises(AmbiguousFolder):
        world.reserve()

    assert not world.data.exists()
