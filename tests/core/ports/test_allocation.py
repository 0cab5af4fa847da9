"""Which port comes next, beside a model that tries one after the other; and sets of ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.models import PortRange
from trop_core.ports.allocation import Exhausted, lowest_free
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW, HIGH = 100, 160
PORTS = st.integers(LOW, HIGH)
RANGES = st.tuples(PORTS, PORTS).map(lambda pair: (min(pair), max(pair)))
RANGE_LISTS = st.lists(RANGES, max_size=6)
SETS = st.sets(PORTS) | RANGE_LISTS.map(lambda ranges: {port for a, b in ranges for port in range(a, b + 1)})
NOTHING = Exclusions()


def ports_of(ranges: list[tuple[int, int]]) -> set[int]:
    return {port for first, last in ranges for port in range(first, last + 1)}


def chunked(ports: list[int], sizes: list[int]) -> Iterator[list[int]]:
    start = 0
    for size in [*sizes, len(ports)]:
        if chunk := ports[start : start + size]:
            yield chunk
        start += size


@given(
    bounds=RANGES,
    reserved=SETS,
    excluded=RANGE_LISTS,
    avoided=RANGE_LISTS,
    occupied=SETS,
    sizes=st.lists(st.integers(1, 7), max_size=10),
)
def test_the_port_is_free_in_range_and_lowest_or_all_are_counted(
    *,
    bounds: tuple[int, int],
    reserved: set[int],
    excluded: list[tuple[int, int]],
    avoided: list[tuple[int, int]],
    occupied: set[int],
    sizes: list[int],
) -> None:
    ports = PortRange(*bounds)
    taken = sorted(port for port in reserved if port in ports)
    asked: list[int] = []

    def is_occupied(port: int) -> bool:
        asked.append(port)
        return port in occupied

    found = lowest_free(
        ports, chunked(taken, sizes), Exclusions.of(excluded), is_occupied, avoided=Exclusions.of(avoided)
    )

    whole = set(range(bounds[0], bounds[1] + 1))
    unwanted = whole & ports_of(avoided) - reserved - ports_of(excluded)
    left = whole - reserved - ports_of(excluded) - unwanted
    free = left - occupied
    if free:
        assert found == min(free)
    else:
        assert found == Exhausted(
            len(taken), len(whole & ports_of(excluded) - reserved), avoided=len(unwanted), occupied=len(left)
        )
    assert asked == sorted(port for port in left if not free or port <= min(free))


def test_nothing_is_read_beyond_the_chunk_that_holds_the_answer() -> None:
    def chunks() -> Iterator[list[int]]:
        yield [100, 101]
        yield [102, 104]
        pytest.fail("a third chunk was asked for")

    assert lowest_free(PortRange(100, 200), chunks(), NOTHING, lambda _: False) == 103


def test_the_whole_span_of_ports_can_be_exhausted() -> None:
    everything = PortRange(1, 65535)

    assert lowest_free(everything, [range(1, 65536)], NOTHING, lambda _: False) == Exhausted(65535, 0, 0, 0)
    assert lowest_free(everything, [], Exclusions.of([(1, 65535)]), lambda _: False) == Exhausted(0, 65535, 0, 0)
    assert lowest_free(everything, [], NOTHING, lambda _: True) == Exhausted(0, 0, 0, 65535)
    assert lowest_free(everything, [range(1, 65535)], NOTHING, lambda _: False) == 65535


@given(RANGE_LISTS)
def test_exclusions_hold_exactly_the_ports_of_their_ranges(ranges: list[tuple[int, int]]) -> None:
    exclusions = Exclusions.of(ranges)
    expected = ports_of(ranges)

    assert {port for port in range(LOW - 2, HIGH + 3) if port in exclusions} == expected
    assert exclusions.count_within(LOW, HIGH) == len(expected)
    for (_, last), (first, _) in zip(exclusions.ranges, exclusions.ranges[1:], strict=False):
        assert last + 1 < first
    for port in range(LOW - 2, HIGH + 3):
        around = exclusions.range_around(port)
        assert (around is not None) == (port in expected)
        assert around is None or (around in exclusions.ranges and around[0] <= port <= around[1])


@given(RANGE_LISTS, RANGE_LISTS, RANGE_LISTS)
def test_a_union_is_commutative_associative_and_idempotent(
    a: list[tuple[int, int]], b: list[tuple[int, int]], c: list[tuple[int, int]]
) -> None:
    one, two, three = Exclusions.of(a), Exclusions.of(b), Exclusions.of(c)

    assert one | two == two | one == Exclusions.of([*a, *b])
    assert (one | two) | three == one | (two | three)
    assert one | one == one
    assert one | NOTHING == one


@given(RANGE_LISTS, RANGES)
def test_a_count_within_bounds_is_of_the_ports_within_them(
    ranges: list[tuple[int, int]], bounds: tuple[int, int]
) -> None:
    within = {port for port in ports_of(ranges) if bounds[0] <= port <= bounds[1]}

    assert Exclusions.of(ranges).count_within(*bounds) == len(within)


def test_what_is_no_number_is_no_excluded_port() -> None:
    assert "100" not in Exclusions.of([(1, 65535)])


@pytest.mark.parametrize(
    ("ranges", "merged"),
    [
        ([(5, 6), (1, 2), (3, 4)], ((1, 6),)),
        ([(1, 9), (2, 3)], ((1, 9),)),
        ([(1, 1), (3, 3)], ((1, 1), (3, 3))),
        ([(65535, 65535), (65534, 65534)], ((65534, 65535),)),
    ],
)
def test_neighbours_and_overlaps_become_one_range(
    ranges: list[tuple[int, int]], merged: tuple[tuple[int, int], ...]
) -> None:
    assert Exclusions.of(ranges).ranges == merged
