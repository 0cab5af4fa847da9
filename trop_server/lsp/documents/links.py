"""Links from the ports that services prefer to what answers there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.operations.starting.url import url_of

if TYPE_CHECKING:
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes


def links(kept: Open, situation: Situation, _params: dict[str, Any], wishes: Wishes) -> list[dict[str, Any]]:
    """The ``DocumentLink``s of a document. Their addresses are made of nothing but a number."""
    counting, document = kept.counting, situation.document
    found = []
    for service in situation.services:
        place = situation.places.get(service.tag)
        if service.preferred is None or place is None:
            continue
        entry = document.entry(*place.path, "preferred") or place
        span = entry.value
        if span.start < span.end and document.claims(span.start.line):
            tooltip = {"tooltip": "Open in the browser"} if wishes.link_tooltips else {}
            found.append({"range": counting.given_span(span), "target": url_of(service.preferred), **tooltip})
    return found
