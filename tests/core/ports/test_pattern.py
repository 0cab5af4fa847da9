"""Where a group's services go, beside a model that tries one base after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trop_core.ports.allocation import Exhausted
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.pattern import lowest_base

LOW, HIGH = 100, 140
PORTS = st.integers(LOW - 10, HIGH + 10)
PORT_SETS = st.sets(PORTS, max_size=25)
RANGES = st.lists(st.tuples(PORTS, PORTS).map(lambda pair: (min(pair), max(pair))), max_size=3)
OFFSETS = st.lists(st.integers(0, 12), min_size=1, max_size=5, unique=True)
NOTHING = Exclusions()


@given(
    offsets=OFFSETS,
    start=st.integers(LOW, HIGH + 5),
    reserved=PORT_SETS,
    ranges=RANGES,
    unwanted=RANGES,
    occupied=PORT_SETS,
    pinned=st.sets(PORTS, max_size=3),
)
def test_the_base_is_the_lowest_that_fits_or_what_is_in_the_way_is_counted(
    *,
    offsets: list[int],
    start: int,
    reserved: set[int],
    ranges: list[tuple[int, int]],
    unwanted: list[tuple[int, int]],
    occupied: set[int],
    pinned: set[int],
) -> None:
    exclusions, avoided = Exclusions.of(ranges), Exclusions.of(unwanted)
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
        avoided=avoided,
    )

    blocked = reserved | pinned | {port for port in range(start, HIGH + 1) if port in exclusions | avoided}
    possible = [base for base in range(start, HIGH + 1) if base + max(offsets) <= HIGH]
    free = [base for base in possible if not any(base + offset in blocked | occupied for offset in offsets)]
    if free:
        assert found == free[0]
    else:
        excluded = [port for port in range(start, HIGH + 1) if port in exclusions and port not in reserved]
        passed_over = avoided.without(exclusions | Exclusions.of((port, port) for port in reserved))
        assert found == Exhausted(
            len(taken), len(excluded), passed_over.count_within(start, HIGH), len(occupied & set(asked))
        )
    assert len(asked) == len(set(asked))
    assert not blocked & set(asked)


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

    assert found == Exhausted(reserved=2, excluded=0, avoided=0, occupied=0)
