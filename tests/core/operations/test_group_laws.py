"""What holds for a group's ports whatever is done to its file, its services and the ports around it, in any order."""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from support.examples import examples
from support.reserve.case import on_the_wire
from support.reserve.world import World

from trop_core.catalogue import operation
from trop_core.errors.ports import PortExhausted
from trop_core.identity import identify
from trop_core.operations.call import Call
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOW, HIGH = 5057, 5066
EXCLUDED, AVOIDED = 5064, (5060, 5061)
RANGE = range(LOW, HIGH + 1)
PORTS = st.sampled_from((LOW - 1, LOW, LOW + 1, LOW + 2, LOW + 3, EXCLUDED, *AVOIDED, HIGH, HIGH + 1))
TAGS = ("api", "db", "mail", "web", "work")
NO_SERVICE = "other"
SCATTERED = "distance"
"""In a warning of services that are not where their offsets would have them: once more may find a better place."""


class Service(NamedTuple):
    """A service as a file describes it."""

    tag: str
    offset: int | None
    preferred: int | None


@st.composite
def services(draw: st.DrawFn) -> tuple[Service, ...]:
    """What a valid file may name, in any order: no two services have one offset or prefer one port."""
    tags = draw(st.permutations(TAGS))[: draw(st.integers(1, len(TAGS)))]
    size = len(tags)
    offsets = draw(st.lists(st.none() | st.integers(0, 6), min_size=size, max_size=size, unique_by=_unless_none))
    preferred = draw(st.lists(st.none() | PORTS, min_size=size, max_size=size, unique_by=_unless_none))
    return tuple(map(Service, tags, offsets, preferred))


def _unless_none(value: int | None) -> object:
    return object() if value is None else value


class Groups(RuleBasedStateMachine):
    """A project whose file changes, in a store that others use as well, on a machine where things listen."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name).resolve())
        self.project = self.world.directory("project")
        self.store = Store(str(self.world.data))
        self.reader: sqlite3.Connection | None = None
        self.services: Sequence[Service] = ()
        self.base: int | None = None
        self.listening: set[int] = set()
        self.numbers = itertools.count()
        self.write([Service("web", None, None)], None)

    def teardown(self) -> None:
        if self.reader is not None:
            self.reader.close()
        self.store.close()
        self.directory.cleanup()

    # What is done

    @rule(named=services(), base=st.none() | st.integers(LOW, HIGH - 2))
    def write(self, named: Sequence[Service], base: int | None) -> None:
        """The file is written anew: services come and go, in another order, with other offsets and preferences."""
        described = {
            service.tag: {key: value for key, value in service._asdict().items() if key != "tag" and value is not None}
            for service in named
        }
        reservations = {"services": described} if base is None else {"services": described, "base": base}
        text = {"ports": {"min": LOW, "max": HIGH}, "excluded_ports": [EXCLUDED], "reservations": reservations}
        (self.project / "trop.yaml").write_text(json.dumps(text))
        self.services, self.base = named, base

    @rule(tag=st.sampled_from(TAGS), preferred=st.none() | PORTS)
    def a_service_joins(self, tag: str, preferred: int | None) -> None:
        """The file gets one more service behind the others, and stays valid."""
        is_taken = preferred is not None and preferred in (service.preferred for service in self.services)
        if not is_taken and tag not in (service.tag for service in self.services):
            self.write((*self.services, Service(tag, None, preferred)), self.base)

    @rule(number=st.integers(0, len(TAGS) - 1))
    def reserve_the_group(self, number: int) -> None:
        with self.nothing_stored_moves():
            given = self.call("autoreserve")
        if given is None:
            return
        assert {tag: row.port for tag, row in given.group.items()} == self.own(service.tag for service in self.services)
        before = self.rows()
        again = self.call("autoreserve")
        one = self.call("reserve", tag=self.services[number % len(self.services)].tag)
        assert again is not None
        assert (again.outcome, again.group) == ("reused", given.group)
        assert one.outcome == "reused"
        assert self.rows() == before

    @rule()
    def lay_the_group_out_anew(self) -> None:
        with self.no_running_service_loses_its_port_to_another():
            given = self.call("autoreserve", force=True)
        if given is not None and not any(SCATTERED in warning for warning in given.warnings):
            before = self.rows()
            self.call("autoreserve", force=True)
            assert self.rows() == before

    @rule(tag=st.sampled_from((*TAGS, NO_SERVICE)))
    def reserve_one(self, tag: str) -> None:
        is_missing = any(service.tag == tag for service in self.services) and not self.own([tag])
        as_a_group = self.call("autoreserve", dry_run=True) if is_missing else None
        with self.nothing_stored_moves():
            given = self.call("reserve", tag=tag)
        if as_a_group is not None:
            assert given is not None
            assert given.reservation.port == as_a_group.group[tag].port

    @rule(tag=st.sampled_from((*TAGS, NO_SERVICE)), port=st.none() | PORTS)
    def reserve_one_with_force(self, tag: str, port: int | None) -> None:
        with self.no_running_service_loses_its_port_to_another(may_be_occupied=True, asked_for=port):
            self.call("reserve", tag=tag, port=port, force=True)

    @rule(tag=st.sampled_from(TAGS))
    def release_one(self, tag: str) -> None:
        self.call("release", tag=tag)
        assert not self.own([tag])

    @precondition(lambda self: identify(str(self.project)) is not None)
    @rule(data=st.data())
    def the_project_moves(self, data: st.DataObject) -> None:
        """Without a word: whatever is asked for there next, all its ports are there as well."""
        own = self.own()
        old, self.project = self.project, self.project.with_name(f"project-{next(self.numbers)}")
        old.rename(self.project)
        if own:
            tag = data.draw(st.sampled_from(sorted(own)))
            moved = self.call("reserve", tag=tag)
            assert (moved.outcome, moved.reservation.port) == ("moved", own[tag])
            assert self.own() == own

    @rule(number=st.integers(0, 4), port=st.none() | PORTS)
    def another_directory_takes_a_port(self, number: int, port: int | None) -> None:
        other = self.world.work / f"other-{number}"
        other.mkdir(exist_ok=True)
        with self.nothing_stored_moves():
            self.call("reserve", folder=other, port=port, min=LOW, max=HIGH)

    @rule(number=st.integers(0, 4))
    def another_directory_gives_its_port_back(self, number: int) -> None:
        if (self.world.work / f"other-{number}").is_dir():
            self.call("release", folder=self.world.work / f"other-{number}")

    @precondition(lambda self: self.own())
    @rule(data=st.data())
    def a_service_starts(self, data: st.DataObject) -> None:
        self.listening.add(data.draw(st.sampled_from(sorted(self.own().values()))))

    @rule(port=PORTS)
    def a_stranger_starts(self, port: int) -> None:
        self.listening.add(port)

    @rule(
        data=st.data(),
        force=st.booleans(),
        listens=st.booleans(),
        all_run=st.booleans(),
        released=st.sampled_from((*TAGS, NO_SERVICE)),
    )
    def somebody_is_faster(self, data: st.DataObject, force: bool, listens: bool, all_run: bool, released: str) -> None:
        """A port that a service would get now is taken before it asks: by what listens, or by another directory."""
        self.release_one(released)
        if all_run:
            self.listening.update(self.own().values())
        planned = self.call("autoreserve", force=force, dry_run=True)
        own = self.own()
        ports = sorted(row.port for tag, row in planned.group.items() if row.port != own.get(tag)) if planned else []
        if not ports:
            return
        port = data.draw(st.sampled_from(ports))
        if listens or port in own.values():
            self.listening.add(port)
        else:
            self.another_directory_takes_a_port(data.draw(st.integers(0, 4)), port)
        if force:
            self.lay_the_group_out_anew()
        else:
            self.reserve_the_group(0)

    @precondition(lambda self: self.listening)
    @rule(data=st.data())
    def something_ends(self, data: st.DataObject) -> None:
        self.listening.remove(data.draw(st.sampled_from(sorted(self.listening))))

    # What holds

    @invariant()
    def no_two_share_a_port(self) -> None:
        ports = [row[2] for row in self.rows()]
        assert len(set(ports)) == len(ports)

    @contextmanager
    def nothing_stored_moves(self) -> Iterator[None]:
        """Every port that is stored stays, and what comes fits."""
        before = self.ports()
        yield
        after = self.ports()
        assert before.items() <= after.items()
        for key, port in after.items():
            if key not in before:
                self.check_new(key, port)
                assert port not in self.listening

    @contextmanager
    def no_running_service_loses_its_port_to_another(
        self, *, may_be_occupied: bool = False, asked_for: int | None = None
    ) -> Iterator[None]:
        """Other directories' ports stay; a port of the group goes to another service only if nothing listens there."""
        before = self.ports()
        own = self.own()
        yield
        after = self.ports()
        project = str(self.project)
        assert {key: port for key, port in before.items() if key[0] != project}.items() <= after.items()
        assert before.keys() <= after.keys()
        for key, port in after.items():
            if before.get(key) == port:
                continue
            if port != asked_for:
                self.check_new(key, port, may_be_excluded=may_be_occupied)
            if not may_be_occupied:
                assert port not in self.listening
            assert not (port in self.listening and port in own.values()), "it went from one service to another"

    def check_new(self, key: tuple[str, str], port: int, *, may_be_excluded: bool = False) -> None:
        """A port that was given fits: it is preferred, or in the range and neither excluded nor avoided."""
        preferred = {service.tag: service.preferred for service in self.services}
        is_preferred = key[0] == str(self.project) and preferred.get(key[1]) == port
        if key[0] == str(self.project) and not is_preferred:
            assert port in RANGE
            assert port not in AVOIDED
        if not (may_be_excluded and is_preferred) and key[0] == str(self.project):
            assert port != EXCLUDED

    # How it is done

    def call(self, name: str, *, folder: Path | None = None, **given: Any) -> Any:
        """The result of an operation; None if no port is left, and then nothing has changed."""
        self.world.occupied = self.listening
        found = operation(name)
        values = {key: value for key, value in given.items() if value is not None}
        request = found.parse(on_the_wire({"folder": str(folder or self.project), **values}))
        before = self.rows()
        try:
            return Call(found, request, self.world.context()).run(self.store)
        except PortExhausted:
            assert self.rows() == before
            return None

    def rows(self) -> list[Any]:
        """What is stored, as another program reads it."""
        if self.reader is None:
            if not self.store.exists():
                return []
            self.reader = sqlite3.connect(self.world.data / "trop.db")
        return self.reader.execute("SELECT * FROM reservations ORDER BY path, tag").fetchall()

    def ports(self) -> dict[tuple[str, str], int]:
        return {(row[0], row[1]): row[2] for row in self.rows()}

    def own(self, tags: Any = None) -> dict[str, int]:
        """The ports of the project by tag; of some tags, or of all."""
        found = {tag: port for (path, tag), port in self.ports().items() if path == str(self.project)}
        return found if tags is None else {tag: found[tag] for tag in tags if tag in found}


@pytest.mark.usefixtures("unmeasured")
def test_whatever_is_done_in_whatever_order_ports_stay_and_fit() -> None:
    run_state_machine_as_test(Groups, settings=settings(max_examples=examples(25), stateful_step_count=60))
