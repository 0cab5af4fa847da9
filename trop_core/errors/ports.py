"""Ports that cannot be given away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling


class PortExhausted(TropError):
    """No port in the range is left, also after the cleanup that was allowed."""

    kind = "port_exhausted"

    def __init__(self, *, minimum: int, maximum: int, reserved: int, excluded: int, occupied: int, cleanup: bool):
        super().__init__(minimum, maximum)
        self.minimum = minimum
        self.maximum = maximum
        self.reserved = reserved
        self.excluded = excluded
        self.occupied = occupied
        self.cleanup = cleanup

    def message(self, spell: Spelling = flag_name) -> str:
        cleaned = "a cleanup found nothing that helps" if self.cleanup else "cleanup is disabled"
        return (
            f"no port from {self.minimum} to {self.maximum} is free: {self.reserved} reserved, "
            f"{self.excluded} excluded, {self.occupied} occupied; {cleaned}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = f"Widen the range with {spell('min')} and {spell('max')}, or release what is no longer needed."
        return advice + self._cleanup_advice(spell)

    def _cleanup_advice(self, spell: Spelling) -> str:
        if self.cleanup:
            return ""
        off = f"{spell('disable_autoprune')} and {spell('disable_autoexpire')}"
        return f" Without {off}, what nobody needs any more would be released by itself."

    def details(self) -> dict[str, object]:
        return {
            "min": self.minimum,
            "max": self.maximum,
            "reserved": self.reserved,
            "excluded": self.excluded,
            "occupied": self.occupied,
            "cleanup": self.cleanup,
        }


class GroupExhausted(PortExhausted):
    """There is no base at which all services of a group find their ports free; ``minimum`` is the first one tried."""

    def __init__(self, *, offsets: Sequence[int], **counts: Any) -> None:
        super().__init__(**counts)
        self.offsets = tuple(offsets)

    def message(self, spell: Spelling = flag_name) -> str:
        shown = ", ".join(map(str, self.offsets[:10])) + (", …" if len(self.offsets) > 10 else "")
        cleaned = "a cleanup found nothing that helps" if self.cleanup else "cleanup is disabled"
        return (
            f"the group fits nowhere from {self.minimum} to {self.maximum}: no base has the ports at the offsets "
            f"{shown} free; {self.reserved} ports are reserved, {self.excluded} excluded, {self.occupied} of those "
            f"looked at occupied; {cleaned}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = "Set reservations.base or ports.max to where there is room, or release what is no longer needed."
        return advice + self._cleanup_advice(spell)
