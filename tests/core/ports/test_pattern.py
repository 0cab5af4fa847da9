"""Where a group's services go, beside a model that tries one base after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.config.settings import Service
from trop_core.ports.allocation import Exhausted
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.pattern import Arrangement, Unplaced, arrange, fits, lowest_base

if TYPE_CHECKING:
    from collections.abc import Collection

LOW, HIGH = 100, 140
PORTS = st.integers(LOW - 10, HIGH + 10)
PORT_SETS = st.sets(PORTS, max_size=25)
RANGES = st.lists(st.tuples(PORTS, PORTS).map(lambda pair: (min(pair), max(pair))), max_size=3)
OFFSETS = st.lists(st.integers(0, 12), min_size=1, max_size=5, unique=True)
NOTHING = Exclusions()


@st.composite
def services(draw: st.DrawFn) -> tuple[Service, ...]:
    """Services as a valid configuration has them: no two with the same offset or preferred port."""
    offsets = draw(OFFSETS)
    size = len(offsets)
    preferred = draw(st.lists(st.none() | PORTS, min_size=size, max_size=size, unique_by=lambda p: p or object()))
    return tuple(
        Service(f"s{n}", offset, port) for n, (offset, port) in enumerate(zip(offsets, preferred, strict=True))
    )


def arranged(
    group: tuple[Service, ...], reserved: Collection[int], excluded: Exclusions, occupied: Collection[int]
) -> Arrangement | Unplaced:
    def obstacle(port: int) -> str | None:
        return "taken" if port in reserved or port in excluded or port in occupied else None

    return arrange(
        group,
        start=LOW,
        maximum=HIGH,
        taken=[sorted(port for port in reserved if LOW <= port <= HIGH)],
        exclusions=excluded,
        is_occupied=occupied.__contains__,
        obstacle=obstacle,
    )


@given(
    offsets=OFFSETS,
    start=st.integers(LOW, HIGH + 5),
    reserved=PORT_SETS,
    ranges=RANGES,
    occupied=PORT_SETS,
    pinned=st.sets(PORTS, max_size=3),
)
def test_the_base_is_the_lowest_that_fits_or_what_is_in_the_way_is_counted(
    *,
    offsets: list[int],
    start: int,
    reserved: set[int],
    ranges: list[tuple[int, int]],
    occupied: set[int],
    pinned: set[int],
) -> None:
    exclusions = Exclusions.of(ranges)
    taken = sorted(port for port in reserved if start <= port <= HIGH)
    asked: list[int] = []

    def is_occupied(port: int) -> bool:
        asked.append(port)
        return port in occupied

    found = lowest_base(
        offsets,
        start=start,
        maximum=HIGH,
        taken=[taken[:3], taken[3:]],
        pinned=pinned,
        exclusions=exclusions,
        is_occupied=is_occupied,
    )

    blocked = reserved | pinned | {port for port in range(start, HIGH + 1) if port in exclusions}
    possible = [base for base in range(start, HIGH + 1) if base + max(offsets) <= HIGH]
    free = [base for base in possible if not any(base + offset in blocked | occupied for offset in offsets)]
    if free:
        assert found == free[0]
    else:
        excluded = [port for port in range(start, HIGH + 1) if port in exclusions and port not in reserved]
        assert found == Exhausted(len(taken), len(excluded), len(occupied & set(asked)))
    assert len(asked) == len(set(asked))
    assert not blocked & set(asked)


@given(services(), PORT_SETS, RANGES, PORT_SETS)
def test_each_service_has_what_it_prefers_or_its_place_at_the_lowest_common_base(
    group: tuple[Service, ...], reserved: set[int], ranges: list[tuple[int, int]], occupied: set[int]
) -> None:
    exclusions = Exclusions.of(ranges)

    found = arranged(group, reserved, exclusions, occupied)

    def is_free(port: int) -> bool:
        return port not in reserved and port not in exclusions and port not in occupied

    pinned = {s.tag: s.preferred for s in group if s.preferred is not None and is_free(s.preferred)}
    rest = [service for service in group if service.tag not in pinned]
    bases = [
        base
        for base in range(LOW, HIGH + 1)
        if all(
            base + s.offset <= HIGH and is_free(base + s.offset) and base + s.offset not in pinned.values()
            for s in rest
        )
    ]
    if rest and not bases:
        assert isinstance(found, Unplaced)
        assert found.offsets == [service.offset for service in rest]
    else:
        assert isinstance(found, Arrangement)
        assert found.ports == {s.tag: pinned.get(s.tag) or bases[0] + s.offset for s in group}
        assert list(found.ports) == [service.tag for service in group]
        assert len(set(found.ports.values())) == len(group)
        assert set(found.obstacles) == {s.tag for s in rest if s.preferred is not None}


@given(services(), PORT_SETS, RANGES, PORT_SETS)
def test_what_was_arranged_once_fits_for_ever(
    group: tuple[Service, ...], reserved: set[int], ranges: list[tuple[int, int]], occupied: set[int]
) -> None:
    """Whatever was in the way when the group was reserved: asked again, it is complete as it is."""
    found = arranged(group, reserved, Exclusions.of(ranges), occupied)

    if isinstance(found, Arrangement):
        assert fits(group, found.ports)


@given(services(), st.data())
def test_a_port_elsewhere_does_not_fit(group: tuple[Service, ...], data: st.DataObject) -> None:
    """Of two services at one base, neither can move alone."""
    base = data.draw(st.integers(200, 300))
    ports = {service.tag: base + service.offset for service in group}
    moved = data.draw(st.sampled_from(group))
    delta = data.draw(st.integers(1, 50))

    assert fits(group, ports)
    assert fits(group, {**ports, moved.tag: base + moved.offset + delta}) == (len(group) == 1)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        pytest.param({"web": 5050, "api": 6001}, True, id="one-preferred-the-other-anywhere"),
        pytest.param({"web": 6000, "api": 6001}, True, id="both-at-a-base"),
        pytest.param({"web": 6001, "api": 6001 + 1}, True, id="at-another-base"),
        pytest.param({"web": 6000, "api": 6002}, False, id="wrong-distance"),
        pytest.param({"web": 5050, "api": 1}, False, id="a-base-below-the-lowest-port"),
        pytest.param({"web": 5050, "api": 2}, True, id="the-lowest-base"),
    ],
)
def test_what_a_stored_group_may_look_like(ports: dict[str, int], expected: bool) -> None:
    group = (Service("web", 0, 5050), Service("api", 1))

    assert fits(group, ports) is expected


def test_a_port_is_asked_about_once_however_many_bases_lead_to_it() -> None:
    """A port that is occupied rules out each base that needs it."""
    asked: list[int] = []

    def is_occupied(port: int) -> bool:
        asked.append(port)
        return port in (101, 105)

    found = lowest_base(
        [0, 1, 3], start=100, maximum=110, taken=[], pinned=(), exclusions=NOTHING, is_occupied=is_occupied
    )

    assert found == 103
    assert asked == [100, 101, 102, 103, 105, 104, 106]


def test_thousands_of_services_are_placed_without_a_look_at_each_of_them_for_every_base() -> None:
    """One base after the other, this is half a billion looks, and the store is locked meanwhile."""
    found = lowest_base(
        range(30_000),
        start=1,
        maximum=65_535,
        taken=[[30_000], [60_000]],
        pinned=(),
        exclusions=NOTHING,
        is_occupied=lambda port: False,
    )

    assert found == Exhausted(reserved=2, excluded=0, occupied=0)
