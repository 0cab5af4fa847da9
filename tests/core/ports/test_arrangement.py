"""The rules of a group's ports, as laws over random services, stored ports and worlds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trop_core.models import PortRange
from trop_core.ports.arrangement import Arrangement, Unplaced, drifted, extend, lay_out, stored_base
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

LOW, HIGH = 100, 130
PORTS = st.integers(LOW - 5, HIGH + 5)
SETS = st.frozensets(PORTS, max_size=20)


@dataclass(frozen=True)
class World:
    """What is known of the ports, from sets."""

    reserved: frozenset[int] = frozenset()
    excluded: Exclusions = field(default_factory=Exclusions)
    avoided: Exclusions = field(default_factory=Exclusions)
    occupied: frozenset[int] = frozenset()
    ports: PortRange = field(default_factory=lambda: PortRange(LOW, HIGH))

    def taken(self, minimum: int, maximum: int) -> Iterator[list[int]]:
        found = sorted(port for port in self.reserved if minimum <= port <= maximum)
        for start in range(0, len(found), 3):
            yield found[start : start + 3]

    def obstacle(self, port: int) -> str | None:
        if port in self.reserved:
            return "reserved for /elsewhere"
        return "excluded" if port in self.excluded else None

    def is_occupied(self, port: int) -> bool:
        return port in self.occupied

    def occupation(self, port: int) -> str | None:
        return "occupied" if port in self.occupied else None


def of(ports: frozenset[int]) -> Exclusions:
    return Exclusions.of((port, port) for port in ports)


@st.composite
def groups(draw: st.DrawFn) -> tuple[Service, ...]:
    """Services as a valid configuration has them: no two with one offset or one preferred port."""
    offsets = draw(st.lists(st.integers(0, 8), min_size=1, max_size=6, unique=True))
    size = len(offsets)
    preferred = draw(st.lists(st.none() | PORTS, min_size=size, max_size=size, unique_by=lambda p: p or object()))
    return tuple(
        Service(f"s{number}", offset, preferred=port)
        for number, (offset, port) in enumerate(zip(offsets, preferred, strict=True))
    )


@st.composite
def stored_ports(draw: st.DrawFn, services: Sequence[Service], world: World) -> dict[str, int]:
    """Ports that some services have, whatever listens there by now: nobody else has reserved them."""
    ports = draw(st.lists(PORTS, min_size=len(services), max_size=len(services), unique=True))
    stored = {}
    for service, port in zip(services, ports, strict=True):
        if port not in world.reserved and draw(st.booleans()):
            stored[service.tag] = port
    return stored


WORLDS = st.builds(World, reserved=SETS, excluded=SETS.map(of), avoided=SETS.map(of), occupied=SETS)


@st.composite
def situations(draw: st.DrawFn) -> tuple[tuple[Service, ...], dict[str, int], World]:
    services, world = draw(groups()), draw(WORLDS)
    return services, draw(stored_ports(services, world)), world


def preferred_of(services: Sequence[Service], tag: str) -> int | None:
    return next(service.preferred for service in services if service.tag == tag)


def check_new_port(services: Sequence[Service], tag: str, port: int, world: World) -> None:
    assert port not in world.reserved
    assert port not in world.excluded
    if port != preferred_of(services, tag):
        assert port not in world.avoided
        assert port <= HIGH


@given(situation=situations())
def test_a_stored_service_keeps_its_port_and_no_two_services_share_one(
    situation: tuple[tuple[Service, ...], dict[str, int], World],
) -> None:
    services, stored, world = situation

    found = extend(services, stored, LOW, world)

    if isinstance(found, Unplaced):
        assert set(found.tags) <= {service.tag for service in services} - set(stored)
        return
    assert {tag: found.ports[tag] for tag in stored} == stored
    assert len(set(found.ports.values())) == len(services)
    for tag, port in found.ports.items():
        if tag not in stored:
            check_new_port(services, tag, port, world)
            assert port not in world.occupied


@given(situation=situations())
def test_asking_again_changes_nothing(situation: tuple[tuple[Service, ...], dict[str, int], World]) -> None:
    services, stored, world = situation
    found = extend(services, stored, LOW, world)
    assume(isinstance(found, Arrangement))
    assert isinstance(found, Arrangement)

    again = extend(services, found.ports, LOW, world)

    assert isinstance(again, Arrangement)
    assert again.ports == found.ports


@given(situation=situations(), order=st.randoms())
def test_one_service_after_the_other_gets_a_port_that_fits(
    situation: tuple[tuple[Service, ...], dict[str, int], World], order: Random
) -> None:
    services, _, world = situation
    whole = extend(services, {}, LOW, world)
    assume(isinstance(whole, Arrangement))
    assert isinstance(whole, Arrangement)
    tags = [service.tag for service in services]
    order.shuffle(tags)
    stored: dict[str, int] = {}

    for tag in tags:
        found = extend(services, stored, LOW, world)
        if isinstance(found, Unplaced):
            return
        stored[tag] = found.ports[tag]

    assert stored[tags[0]] == whole.ports[tags[0]]
    assert len(set(stored.values())) == len(services)
    if not whole.obstacles and not whole.scattered:
        assert stored == whole.ports


@given(situation=situations())
def test_laid_out_anew_no_port_that_is_in_use_changes_hands(
    situation: tuple[tuple[Service, ...], dict[str, int], World],
) -> None:
    services, stored, world = situation
    holders = {port: tag for tag, port in stored.items()}

    found = lay_out(services, stored, LOW, world)

    if isinstance(found, Unplaced):
        return
    assert len(set(found.ports.values())) == len(services)
    for tag, port in found.ports.items():
        if port == stored.get(tag):
            continue
        check_new_port(services, tag, port, world)
        assert port not in world.occupied, (tag, port, holders.get(port))


@given(situation=situations())
def test_laid_out_anew_twice_is_laid_out_once(situation: tuple[tuple[Service, ...], dict[str, int], World]) -> None:
    services, stored, world = situation
    found = lay_out(services, stored, LOW, world)
    assume(isinstance(found, Arrangement) and not found.scattered)
    assert isinstance(found, Arrangement)

    again = lay_out(services, found.ports, LOW, world)

    assert isinstance(again, Arrangement)
    assert again.ports == found.ports


def named(**services: tuple[int, int | None]) -> tuple[Service, ...]:
    return tuple(Service(tag, offset, preferred=preferred) for tag, (offset, preferred) in services.items())


def ports_of(found: Arrangement | Unplaced) -> Mapping[str, int]:
    assert isinstance(found, Arrangement)
    return found.ports


@pytest.mark.parametrize(
    ("services", "stored", "world", "expected"),
    [
        pytest.param(
            named(web=(0, None), api=(1, None)), {}, World(), {"web": 100, "api": 101}, id="nothing is stored"
        ),
        pytest.param(
            named(web=(0, 300), api=(1, None)), {}, World(), {"web": 300, "api": 101}, id="a preference outside"
        ),
        pytest.param(
            named(web=(0, None), api=(1, None), db=(2, None)),
            {"web": 101, "api": 102},
            World(occupied=frozenset({101, 102})),
            {"web": 101, "api": 102, "db": 103},
            id="a third joins two that run",
        ),
        pytest.param(
            named(web=(0, None), api=(1, None), db=(2, None)),
            {"web": 101, "api": 102},
            World(reserved=frozenset({103})),
            {"web": 101, "api": 102, "db": 100},
            id="its place is taken",
        ),
        pytest.param(
            named(a=(0, None), b=(1, None), c=(2, None), d=(3, None)),
            {"a": 110, "b": 111, "c": 120},
            World(),
            {"a": 110, "b": 111, "c": 120, "d": 113},
            id="most stand at one base",
        ),
        pytest.param(
            named(a=(0, None), b=(1, None), c=(2, None)),
            {"a": 120, "b": 111},
            World(),
            {"a": 120, "b": 111, "c": 112},
            id="of two bases the lowest",
        ),
        pytest.param(
            named(a=(0, None), b=(1, None), c=(2, None), d=(3, None), e=(4, None)),
            {"a": 103, "b": 104, "c": 100, "d": 101},
            World(),
            {"a": 103, "b": 104, "c": 100, "d": 101, "e": 107},
            id="of two bases the one that lies in the range",
        ),
        pytest.param(
            named(a=(0, None), b=(1, None)),
            {"a": HIGH},
            World(),
            {"a": HIGH, "b": LOW},
            id="its place is outside of the range",
        ),
        pytest.param(
            named(a=(0, None), b=(1, None)),
            {},
            World(avoided=of(frozenset({100, 103}))),
            {"a": 101, "b": 102},
            id="what is avoided is passed over",
        ),
        pytest.param(
            named(a=(0, 103)), {}, World(avoided=of(frozenset({103}))), {"a": 103}, id="but not where it is preferred"
        ),
    ],
)
def test_a_missing_service_is_put_beside_the_others(
    services: tuple[Service, ...], stored: dict[str, int], world: World, expected: dict[str, int]
) -> None:
    assert ports_of(extend(services, stored, LOW, world)) == expected


def test_the_distances_are_kept_where_a_stored_group_runs() -> None:
    services = named(web=(0, None), api=(1, None), db=(2, None))
    stored = {"web": 101, "api": 102}

    found = lay_out(services, stored, LOW, World(occupied=frozenset({101, 102})))

    assert ports_of(found) == {"web": 101, "api": 102, "db": 103}


def test_a_group_whose_place_is_taken_goes_to_the_lowest_base_as_a_whole() -> None:
    services = named(web=(0, None), api=(1, None), db=(2, None))
    stored = {"web": 110, "api": 111}

    found = lay_out(services, stored, LOW, World(reserved=frozenset({112})))

    assert ports_of(found) == {"web": 100, "api": 101, "db": 102}


def test_what_the_file_would_have_elsewhere_is_told() -> None:
    services = named(a=(0, None), b=(1, None), c=(5, None), d=(2, 300))
    stored = {"a": 110, "b": 111, "c": 112, "d": 120}

    assert stored_base(services, stored, LOW) == 110
    assert drifted(services, stored, LOW) == {"c": 115, "d": 300}
