"""Inlay hints: behind each service, its port and what is on it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from trop_core.config.documents.lines import Position
from trop_core.errors.spelling import escaped
from trop_core.operations.documents.explanation import about_service
from trop_server.lsp.documents.markup import content

if TYPE_CHECKING:
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

_STATES = {
    "free": " (free)",
    "own": " (up)",
    "other": " (taken by another directory)",
    "occupied": " (in use)",
    "unknown": "",
    "unreserved": "",
}


def hints(kept: Open, situation: Situation, params: dict[str, Any], _wishes: Wishes) -> list[dict[str, Any]]:
    """``InlayHint``s of a range. Raises ``Malformed``."""
    counting = kept.counting
    wanted = counting.taken_span(params.get("range"))
    found = []
    in_line = Counter(place.key.end.line for place in situation.places.values() if place.key is not None)
    for tag, place in situation.places.items():
        entry = situation.entries.get(tag)
        if entry is None or place.key is None or not situation.document.claims(place.key.end.line):
            continue
        if entry.port is None and not situation.can_reserve:
            continue
        line = situation.document.lines.line(place.key.end.line)
        # Behind all that stands in the line, a comment too: in its midst, a hint would tear it apart.
        at = Position(place.key.end.line, len(line.rstrip()))
        if not wanted.start <= at <= wanted.end:
            continue
        label = "not reserved" if entry.port is None else f"{entry.port}{_STATES[entry.state]}"
        if in_line[at.line] > 1:
            label = f"{escaped(tag)} {label}"
        found.append(
            {
                "position": counting.given(at),
                "label": label,
                "paddingLeft": True,
                "tooltip": content(about_service(situation, tag), "plaintext"),
            }
        )
    return found
