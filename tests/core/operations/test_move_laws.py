"""What holds for the ports of directories that are moved, removed and made anew without a word, in any order."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from support.examples import examples
from support.operations import perform_in
from support.requirements import missing
from support.rows import rows_of

from trop_core.caller import Caller, Door
from trop_core.git import GitFacts
from trop_core.identity import Identity, identify
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = st.sampled_from(("a", "b", "c"))
PLACES = st.lists(NAMES, min_size=1, max_size=2).map("/".join)
TAGS = st.sampled_from((None, "web"))

Rows = dict[tuple[str, str], int]


class Moves(RuleBasedStateMachine):
    """A tree of directories that somebody moves about, and trop, which is asked for ports in some of them.

    ``seen`` is where each directory, by its identity, was when it last reserved; whatever another one has taken over
    since is not in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.TemporaryDirectory()
        self.work = Path(self.root.name).resolve() / "work"
        self.data = self.work.with_name("data")
        self.work.mkdir()
        self.store = Store(str(self.data))
        self.seen: dict[Identity, str] = {}
        self.clock = itertools.count(1_000_000_000)

    def teardown(self) -> None:
        self.store.close()
        self.root.cleanup()

    # What is done

    @initialize()
    def begin(self) -> None:
        for place in ("a/b", "b/c"):
            (self.work / place).mkdir(parents=True)
            self.reserve(str(self.work / place), None)
        self.reserve(str(self.work / "a"), "web")

    @rule(place=PLACES)
    def make(self, place: str) -> None:
        (self.work / place).mkdir(parents=True, exist_ok=True)

    @rule(data=st.data())
    def make_another_where_one_was(self, data: st.DataObject) -> None:
        if left := sorted({path for path, _ in self.rows() if not os.path.isdir(path)}):
            Path(data.draw(st.sampled_from(left))).mkdir(parents=True)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if directories := self.directories():
            # The deepest ones come last.
            shutil.rmtree(data.draw(st.sampled_from(directories[-3:])))

    @rule(data=st.data(), new=PLACES)
    def move(self, data: st.DataObject, new: str) -> None:
        if directories := self.directories():
            self.rename(data.draw(st.sampled_from(directories)), new)

    @rule(data=st.data(), new=PLACES, levels=st.integers(0, 2), tag=TAGS, asks=st.booleans())
    def move_what_has_ports(self, data: st.DataObject, new: str, levels: int, tag: str | None, asks: bool) -> None:
        if known := sorted({path for path, _ in self.rows() if os.path.isdir(path)}):
            path = Path(data.draw(st.sampled_from(known)))
            # Or what is above it.
            above = [path, *(parent for parent in path.parents if self.work in parent.parents)]
            self.rename(str(above[min(levels, len(above) - 1)]), new)
            if asks and (lost := self.lost()):
                self.reserve(data.draw(st.sampled_from(sorted(lost))), tag)

    def rename(self, old: str, new: str) -> None:
        destination = self.work / new
        if not destination.exists() and Path(old) not in destination.parents:
            destination.parent.mkdir(parents=True, exist_ok=True)
            os.rename(old, destination)

    @rule(data=st.data(), tag=TAGS)
    def reserve_somewhere(self, data: st.DataObject, tag: str | None) -> None:
        if directories := self.directories():
            self.reserve(data.draw(st.sampled_from(directories)), tag)

    @rule(place=PLACES, tag=TAGS)
    def reserve_by_name(self, place: str, tag: str | None) -> None:
        """Whether there is such a directory or not, and without a look at where it may have been."""
        self.reserve(str(self.work / place), tag, by_name=True)

    @rule(data=st.data(), tag=TAGS)
    def reserve_where_one_has_moved_to(self, data: st.DataObject, tag: str | None) -> None:
        if lost := self.lost():
            self.reserve(data.draw(st.sampled_from(sorted(lost))), tag)

    @rule(data=st.data())
    def release_somewhere(self, data: st.DataObject) -> None:
        known = sorted({path for path, _ in self.rows()})
        if known:
            path = data.draw(st.sampled_from(known))
            self.call("release", {"path": path})
            assert path not in {stored for stored, _ in self.rows()}
            self.seen = {identity: place for identity, place in self.seen.items() if place != path}

    # What holds

    def reserve(self, path: str, tag: str | None, *, by_name: bool = False) -> None:
        identity = identify(path)
        before = self.rows()
        former = None if by_name or identity is None else self.former(path, identity, before)

        where: dict[str, object] = {"path" if by_name else "folder": path}
        found = self.call("reserve", where if tag is None else {**where, "tag": tag})

        key, port = (path, tag or ""), found.reservation.port
        expected = before
        if former is not None:
            assert any(former in warning and "moved along" in warning for warning in found.warnings)
            expected = {(moved(stored, former, path), name): number for (stored, name), number in before.items()}
            self.seen = {other: moved(place, former, path) for other, place in self.seen.items()}
        else:
            assert not any("moved along" in warning for warning in found.warnings)
        if key in expected:
            assert found.outcome == ("reused" if former is None else "moved")
            assert port == expected[key]
        else:
            assert port not in before.values()
        assert self.rows() == {**expected, key: port}
        there = next((other for other, place in self.seen.items() if place == path), identity)
        # Where the inode is the same, nobody asks when the directory was made: it may be a new one with an old inode.
        is_noticed = identity is not None and there is not None and (there == identity or there[:2] != identity[:2])
        if identity is not None and is_noticed:
            self.seen = {other: place for other, place in self.seen.items() if place != path}
            self.seen[identity] = path

    def former(self, path: str, identity: Identity, rows: Rows) -> str | None:
        """From where the reservations of a directory have to move along, if they have to."""
        former = self.seen.get(identity)
        if former in (None, path) or any(stored == path for stored, _ in rows) or os.path.lexists(former or ""):
            return None
        assert former is not None
        ours = {key for key in rows if is_within(key[0], former)}
        arriving = {(moved(stored, former, path), tag) for stored, tag in ours}
        return None if arriving & (rows.keys() - ours) else former

    def lost(self) -> set[str]:
        """Directories that have ports at a place where they are no longer."""
        here = {identify(path): path for path in self.directories()}
        return {here[identity] for identity, place in self.seen.items() if here.get(identity, place) != place}

    # How it is done

    def directories(self) -> list[str]:
        return sorted(map(str, self.work.rglob("*")), key=lambda path: (path.count("/"), path))

    def rows(self) -> Rows:
        stored: Iterable[Any] = rows_of(self.data) if (self.data / "trop.db").exists() else ()
        return {(row[0], row[1]): row[2] for row in stored}

    def call(self, name: str, values: dict[str, object]) -> Any:
        return perform_in(
            self.store,
            self.data,
            name,
            {**values, "skipOccupancyCheck": True} if name == "reserve" else values,
            caller=Caller(Door.TERMINAL, str(self.work)),
            now=lambda: next(self.clock),
            infer=lambda *_: GitFacts(None, None),
        )


def is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")


def moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if is_within(path, old) else path


@pytest.mark.usefixtures("unmeasured")
def test_a_port_goes_where_its_directory_goes_and_to_no_other_one(tmp_path: Path) -> None:
    if identify(str(tmp_path)) is None:
        missing("this file system does not tell its directories apart")
    run_state_machine_as_test(Moves, settings=settings(max_examples=examples(25), stateful_step_count=50))
