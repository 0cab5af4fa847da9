"""Where ports that keep their distances to one base fit. Pure: what is taken goes in, a base comes out."""

from __future__ import annotations

from types import MappingProxyType

from trop_core.light_types import TYPE_CHECKING
from trop_core.ports.allocation import Exhausted
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence


_NOTHING = Exclusions()
_FREE, _BLOCKED = b"1", ord("0")
"""Digits: read backwards, a row of them is a number whose bit n stands for the port n."""


def lowest_base(
    offsets: Collection[int],
    *,
    start: int,
    maximum: int,
    taken: Iterable[Sequence[int]],
    pinned: Iterable[int],
    exclusions: Exclusions,
    is_occupied: Callable[[int], bool],
    avoided: Exclusions = _NOTHING,
    own: Mapping[int, int] = MappingProxyType({}),
) -> int | Exhausted:
    """The lowest base from ``start`` at which every offset leads to a free port, and to none above ``maximum``.

    ``taken`` are the reserved ports from ``start`` to ``maximum``, in chunks; ``pinned`` are ports that the group has
    already. ``is_occupied`` is asked at most once for a port, and only for ports of a base that nothing else rules out.
    ``own`` are the ports that the group's services have, with the offset of each: what listens on one of those is the
    service with that offset, and is in the way of the others alone.
    """
    free, reserved, (excluded, passed_over) = _free_ports(start, maximum, taken, (exclusions, avoided))
    for port in pinned:
        free &= ~(1 << port)
    # A set of ports is the bits of one number: to try an offset at all bases at once is to shift it. Tried one by one,
    # a group of thousands of services would hold the store's lock for minutes.
    bases = ((1 << (maximum + 1)) - 1) >> start << start
    for offset in offsets:
        bases &= free >> offset
    top = max(offsets)
    vacant: set[int] = set()
    listening: set[int] = set()
    occupied = 0
    while bases:
        base = (bases & -bases).bit_length() - 1
        for offset in offsets:
            port = base + offset
            if port in vacant or (port in listening and own.get(port) == offset):
                continue
            if is_occupied(port):
                occupied += 1
                listening.add(port)
                others = sum(1 << (top - other) for other in offsets if own.get(port) != other)
                bases &= ~(others << port >> top)
                if own.get(port) == offset:
                    continue
                break
            vacant.add(port)
        else:
            return base
    return Exhausted(reserved, excluded, passed_over, occupied)


def _free_ports(
    start: int, maximum: int, taken: Iterable[Sequence[int]], passed_over: Sequence[Exclusions]
) -> tuple[int, int, list[int]]:
    """The free ports up to ``maximum`` as bits; how many are reserved; and how many of the rest are in each set."""
    free = bytearray(_FREE) * (maximum + 1)
    reserved = 0
    counts = []
    for chunk in taken:
        reserved += len(chunk)
        for port in chunk:
            free[port] = _BLOCKED
    for ports in passed_over:
        count = 0
        for first, last in ports.ranges:
            for port in range(max(first, start), min(last, maximum) + 1):
                count += free[port] != _BLOCKED
                free[port] = _BLOCKED
        counts.append(count)
    return int(free[::-1], 2), reserved, counts
