"""Ports that are never given away, as a set of ranges."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter

from trop_core.light_types import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

Range: TypeAlias = tuple[int, int]
"""The ports from the first to the last, both included."""


class Exclusions:
    """A set of ports: sorted ranges, both ends included, that neither touch nor overlap. Not to be changed.

    Make one with ``Exclusions.of``, which merges whatever it is given. No dataclass: every start would pay for making
    one.
    """

    __slots__ = ("ranges",)

    def __init__(self, ranges: tuple[Range, ...] = ()) -> None:
        self.ranges = ranges

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exclusions) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __repr__(self) -> str:
        return f"Exclusions({self.ranges!r})"

    @classmethod
    def of(cls, ranges: Iterable[Range]) -> Exclusions:
        """The union of ranges in any order; each is (first, last) with first ≤ last."""
        merged: list[Range] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    def __or__(self, other: Exclusions) -> Exclusions:
        return Exclusions.of((*self.ranges, *other.ranges))

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.range_around(port) is not None

    def without(self, other: Exclusions) -> Exclusions:
        """The ports of this set that are not in the other one."""
        rest: list[Range] = []
        for first, last in self.ranges:
            begin = first
            place = bisect_left(other.ranges, first, key=itemgetter(1))
            while place < len(other.ranges) and other.ranges[place][0] <= last:
                rest.append((begin, other.ranges[place][0] - 1))
                begin = other.ranges[place][1] + 1
                place += 1
            rest.append((begin, last))
        return Exclusions.of((first, last) for first, last in rest if first <= last)

    def range_around(self, port: int) -> Range | None:
        """The range that holds a port, or None."""
        index = bisect_right(self.ranges, (port, 65536)) - 1
        if index >= 0 and self.ranges[index][0] <= port <= self.ranges[index][1]:
            return self.ranges[index]
        return None

    def count_within(self, minimum: int, maximum: int) -> int:
        """How many ports of the set lie from ``minimum`` to ``maximum``."""
        return sum(max(0, min(last, maximum) - max(first, minimum) + 1) for first, last in self.ranges)


class Entry(NamedTuple):
    """An entry of a list that is written anew.

    ``parts`` are the entries of the former list, by their places in it, that it stands for: none if it is new. It
    stays where the first of them was.
    """

    ports: Range
    parts: tuple[int, ...]


def rewritten(
    written: Sequence[Range], added: Iterable[Range] = (), *, fixed: Collection[int] = (), ascending: bool = False
) -> tuple[Entry, ...]:
    """A written list with ports added, and with neighbours and overlaps merged.

    The entries keep their order, and new ones stand where an ascending order wants them, or last where the list has
    none; with ``ascending``, all are put into that order. Those at the places ``fixed`` are neither merged nor changed.
    """
    loose = [(ports, [place]) for place, ports in enumerate(written) if place not in fixed]
    merged: list[tuple[Range, list[int]]] = []
    for ports, parts in sorted([*loose, *((ports, []) for ports in added)]):
        if merged and ports[0] <= merged[-1][0][1] + 1:
            before, together = merged[-1]
            merged[-1] = (before[0], max(before[1], ports[1])), together
            together += parts
        else:
            merged.append((ports, parts))
    entries = [Entry(ports, tuple(sorted(parts))) for ports, parts in merged]
    entries += [Entry(written[place], (place,)) for place in fixed]
    if ascending:
        return tuple(sorted(entries))
    kept = sorted((entry for entry in entries if entry.parts), key=lambda entry: entry.parts)
    is_ascending = kept == sorted(kept)
    for new in (entry for entry in entries if not entry.parts):
        kept.insert(bisect_right(kept, new) if is_ascending else len(kept), new)
    return tuple(kept)


def spelled(ports: Range) -> str:
    """A range as a configuration has it: ``5001`` or ``5005..5009``."""
    first, last = ports
    return str(first) if first == last else f"{first}..{last}"
