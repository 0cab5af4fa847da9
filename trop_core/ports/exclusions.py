"""Ports that are never given away, as a set of ranges."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Exclusions:
    """A set of ports: sorted ranges, both ends included, that neither touch nor overlap.

    Make one with ``Exclusions.of``, which merges whatever it is given.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> Exclusions:
        """The union of ranges in any order; each is (first, last) with first ≤ last."""
        merged: list[tuple[int, int]] = []
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

    def range_around(self, port: int) -> tuple[int, int] | None:
        """The range that holds a port, or None."""
        index = bisect_right(self.ranges, (port, 65536)) - 1
        if index >= 0 and self.ranges[index][0] <= port <= self.ranges[index][1]:
            return self.ranges[index]
        return None

    def count_within(self, minimum: int, maximum: int) -> int:
        """How many ports of the set lie from ``minimum`` to ``maximum``."""
        return sum(max(0, min(last, maximum) - max(first, minimum) + 1) for first, last in self.ranges)
