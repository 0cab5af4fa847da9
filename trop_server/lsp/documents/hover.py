"""Hover: what there is to know of what stands at a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.operations.documents.explanation import explanation
from trop_server.lsp.documents.markup import content

if TYPE_CHECKING:
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes


def hover(kept: Open, situation: Situation, params: dict[str, Any], wishes: Wishes) -> dict[str, Any] | None:
    """A ``Hover`` for a position, or None. Raises ``Malformed``."""
    counting = kept.counting
    found = explanation(situation, counting.taken(params.get("position")))
    if found is None:
        return None
    return {
        "contents": content(found.paragraphs, wishes.hover_markup),
        "range": counting.given_span(found.span),
    }
