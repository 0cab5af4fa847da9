"""The ports of a group: services that keep their distances to one base. Pure: what is taken goes in, ports come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trop_core.models import LOWEST_PORT
from trop_core.ports.allocation import Exhausted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from trop_core.config.settings import Service
    from trop_core.ports.exclusions import Exclusions

_FREE, _BLOCKED = b"1", ord("0")
"""Digits: read backwards, a row of them is a number whose bit n stands for the port n."""


class Arrangement(NamedTuple):
    """The port of each service, by its tag, and why some did not get the one that they prefer."""

    ports: dict[str, int]
    obstacles: dict[str, str]


class Unplaced(NamedTuple):
    """No base was found for the services at these offsets; the others could have what they prefer."""

    offsets: list[int]
    found: Exhausted


def fits(services: Iterable[Service], ports: Mapping[str, int]) -> bool:
    """Whether ports, one for each service's tag, are what a group may have: each preferred, or at one common base.

    What is taken plays no part: a group that has its ports keeps them.
    """
    bases = {ports[service.tag] - service.offset for service in services if ports[service.tag] != service.preferred}
    return not bases or (len(bases) == 1 and min(bases) >= LOWEST_PORT)


def arrange(
    services: Collection[Service],
    *,
    start: int,
    maximum: int,
    taken: Iterable[Sequence[int]],
    exclusions: Exclusions,
    is_occupied: Callable[[int], bool],
    obstacle: Callable[[int], str | None],
) -> Arrangement | Unplaced:
    """The ports for services that have none: what they prefer where nothing is in the way, else the lowest base.

    ``obstacle`` tells why a preferred port cannot be had, or None. The other arguments are those of ``lowest_base``.
    """
    obstacles: dict[str, str] = {}
    ports: dict[str, int] = {}
    for service in services:
        if service.preferred is None:
            continue
        reason = obstacle(service.preferred)
        if reason is None:
            ports[service.tag] = service.preferred
        else:
            obstacles[service.tag] = reason
    rest = [service for service in services if service.tag not in ports]
    if rest:
        offsets = [service.offset for service in rest]
        base = lowest_base(
            offsets,
            start=start,
            maximum=maximum,
            taken=taken,
            pinned=ports.values(),
            exclusions=exclusions,
            is_occupied=is_occupied,
        )
        if isinstance(base, Exhausted):
            return Unplaced(offsets, base)
        ports.update((service.tag, base + service.offset) for service in rest)
    return Arrangement({service.tag: ports[service.tag] for service in services}, obstacles)


def lowest_base(
    offsets: Collection[int],
    *,
    start: int,
    maximum: int,
    taken: Iterable[Sequence[int]],
    pinned: Iterable[int],
    exclusions: Exclusions,
    is_occupied: Callable[[int], bool],
) -> int | Exhausted:
    """The lowest base from ``start`` at which every offset leads to a free port, and to none above ``maximum``.

    ``taken`` are the reserved ports from ``start`` to ``maximum``, in chunks; ``pinned`` are ports that the group has
    already. ``is_occupied`` is asked at most once for a port, and only for ports of a base that nothing else rules out.
    """
    free, reserved, excluded = _free_ports(start, maximum, taken, exclusions)
    for port in pinned:
        free &= ~(1 << port)
    # A set of ports is the bits of one number: to try an offset at all bases at once is to shift it. Tried one by one,
    # a group of thousands of services would hold the store's lock for minutes.
    bases = ((1 << (maximum + 1)) - 1) >> start << start
    for offset in offsets:
        bases &= free >> offset
    top = max(offsets)
    mirrored = sum(1 << (top - offset) for offset in offsets)
    vacant: set[int] = set()
    occupied = 0
    while bases:
        base = (bases & -bases).bit_length() - 1
        for port in (base + offset for offset in offsets):
            if port in vacant:
                continue
            if is_occupied(port):
                occupied += 1
                bases &= ~(mirrored << port >> top)
                break
            vacant.add(port)
        else:
            return base
    return Exhausted(reserved, excluded, occupied)


def _free_ports(
    start: int, maximum: int, taken: Iterable[Sequence[int]], exclusions: Exclusions
) -> tuple[int, int, int]:
    """The free ports up to ``maximum`` as bits; how many are reserved, and how many of the others excluded."""
    free = bytearray(_FREE) * (maximum + 1)
    reserved = excluded = 0
    for chunk in taken:
        reserved += len(chunk)
        for port in chunk:
            free[port] = _BLOCKED
    for first, last in exclusions.ranges:
        for port in range(max(first, start), min(last, maximum) + 1):
            excluded += free[port] != _BLOCKED
            free[port] = _BLOCKED
    return int(free[::-1], 2), reserved, excluded
