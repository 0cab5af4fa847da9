"""Which port comes next. Pure: what is taken goes in, a port comes out."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trop_core.models import PortRange

_NOTHING = Exclusions()


class Exhausted(NamedTuple):
    """No port of the range is free: how many are reserved, excluded, avoided and occupied. Each is counted once."""

    reserved: int
    excluded: int
    avoided: int
    occupied: int


def lowest_free(
    ports: PortRange,
    taken: Iterable[Sequence[int]],
    exclusions: Exclusions,
    is_occupied: Callable[[int], bool],
    avoided: Exclusions = _NOTHING,
) -> int | Exhausted:
    """The lowest port of a range that is neither taken nor excluded, avoided or occupied.

    ``taken`` are the reserved ports of the range in ascending order, in chunks; nothing is read beyond the chunk that
    holds the answer. ``is_occupied`` is asked once for each port that nothing else rules out.
    """
    candidate = ports.minimum
    reserved = occupied = 0
    passed_over = {"excluded": 0, "avoided": 0}
    sets = (("excluded", exclusions), ("avoided", avoided.without(exclusions)))

    def first_acceptable(end: int) -> int | None:
        nonlocal candidate, occupied
        while candidate < end:
            around = next(
                ((why, found) for why, ports in sets if (found := ports.range_around(candidate)) is not None), None
            )
            if around is not None:
                beyond = min(around[1][1] + 1, end)
                passed_over[around[0]] += beyond - candidate
                candidate = beyond
            elif is_occupied(candidate):
                occupied += 1
                candidate += 1
            else:
                return candidate
        return None

    for chunk in taken:
        reserved += len(chunk)
        # Ports are unique and sorted: from the first to the last there is no gap if they are that far apart.
        if chunk[0] == candidate and chunk[-1] - candidate == len(chunk) - 1:
            candidate = chunk[-1] + 1
            continue
        for port in chunk:
            if port > candidate and (found := first_acceptable(port)) is not None:
                return found
            candidate = port + 1
    found = first_acceptable(ports.maximum + 1)
    return Exhausted(reserved, occupied=occupied, **passed_over) if found is None else found
