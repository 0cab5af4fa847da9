"""Code lenses: reserving the group, and opening and releasing what a service has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.documents.lines import Span
from trop_core.operations.documents.situation import SERVICES_PATH
from trop_server.lsp.documents.commands import open_port, release, reserve_group, title_of_reserving

if TYPE_CHECKING:
    from trop_core.config.documents.lines import Position
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes


def lenses(kept: Open, situation: Situation, _params: dict[str, Any], wishes: Wishes) -> list[dict[str, Any]]:
    """The ``CodeLens``es of a document: none of one that lies on no disk, for its services are nobody's."""
    if kept.path is None or situation.directory is None:
        return []
    counting = kept.counting

    def lens(at: Position, command: dict[str, Any]) -> dict[str, Any]:
        return {"range": counting.given_span(Span(at, at)), "command": command}

    found = []
    section = situation.document.entry(*SERVICES_PATH)
    if section is not None and section.key is not None and situation.services:
        missing = [tag for tag in situation.tags if tag not in situation.stored]
        count = len(situation.tags)
        known = f"Reserve {len(missing)} of {count}" if missing else f"All {count} reserved"
        title = title_of_reserving(situation, known, saves_first=wishes.saves_first)
        if title is not None:
            found.append(lens(section.key.start, reserve_group(title, kept.path)))
    for tag, place in situation.places.items():
        row = situation.stored.get(tag)
        if row is None or place.key is None or not situation.document.claims(place.key.start.line):
            continue
        if wishes.shows_addresses:
            found.append(lens(place.key.start, open_port(row.port)))
        found.append(lens(place.key.start, release(f"Release {row.port}", row)))
    return found
