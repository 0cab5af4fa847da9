"""The sign and the colour of each state of a port. The word for it always stands beside them."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.operations.looking.entries import State
    from trop_server.cli.terminal import Style

SIGNS: Mapping[State, tuple[str, Style | None]] = {
    "own": ("●", "good"),
    "free": ("○", None),
    "other": ("▲", "bad"),
    "occupied": ("◆", "careful"),
    "unknown": ("?", "faint"),
    "unreserved": ("+", "careful"),
}
