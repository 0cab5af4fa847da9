"""Ports that are free but of no use, which the automatic choice passes over. Pure: what the system says goes in."""

from __future__ import annotations

import sys

from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BROWSER = Exclusions.of(
    (port, port)
    for port in (
        *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
        *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)
"""The ports above 1023 that browsers do not open: the bad ports of the Fetch standard, section 2.9."""

AIRPLAY = Exclusions(((5000, 5000), (7000, 7000)))
"""What the AirPlay receiver of macOS listens on, as soon as it is switched on."""

REASONS = {
    "browser": "browsers do not open it",
    "airplay": "the AirPlay receiver of macOS listens there",
    "ephemeral": "the system hands it out by itself",
}
"""The words of ``ports.avoid``, and why a port that one of them means is avoided."""


_FEW = 0.1
"""The part of a range: with fewer ports left than that, it is short of them."""


def usually_avoided(platform: str = sys.platform) -> tuple[str, ...]:
    """The words that hold on a system unless somebody says otherwise."""
    return ("browser", "airplay") if platform == "darwin" else ("browser",)


def is_short(left: int, total: int) -> bool:
    """Whether so few ports of a range are left that the next ones may find none: fewer than a tenth."""
    return left < total * _FEW


_KNOWN = {"browser": BROWSER, "airplay": AIRPLAY}


class Avoidance(NamedTuple):
    """The ports that the automatic choice passes over, by the words of ``ports.avoid`` that mean them."""

    by_word: tuple[tuple[str, Exclusions], ...] = ()

    @classmethod
    def of(cls, words: Iterable[str], ephemeral: Callable[[], Exclusions]) -> Avoidance:
        """What words come to. ``ephemeral`` tells what the system hands out by itself, and is asked only for that."""
        return cls(tuple([(word, _KNOWN[word] if word in _KNOWN else ephemeral()) for word in words]))

    @property
    def ports(self) -> Exclusions:
        """All of them."""
        return Exclusions.of(ports for _, found in self.by_word for ports in found.ranges)

    def reason(self, port: int) -> str | None:
        """Why a port is one of them, as a clause for a person; None if it is not."""
        return next((REASONS[word] for word, ports in self.by_word if port in ports), None)
