"""Completion: what the core suggests at a place, as items that replace the word there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.schema import KEYS
from trop_core.errors.spelling import escaped
from trop_core.operations.documents.suggestions import suggestions
from trop_server.lsp.documents.markup import content

if TYPE_CHECKING:
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

_KINDS = {"section": 9, "key": 10, "value": 12}
"""Module, Property and Value of ``CompletionItemKind``."""


def completion(kept: Open, situation: Situation, params: dict[str, Any], wishes: Wishes) -> dict[str, Any]:
    """A ``CompletionList`` for a position. Raises ``Malformed``."""
    counting = kept.counting
    items = []
    for number, each in enumerate(suggestions(situation, counting.taken(params.get("position")))):
        key = KEYS.get(each.name or "")
        default = "" if key is None or key.default_here is None or each.role == "value" else f"default {_default(key)}"
        item: dict[str, Any] = {
            "label": escaped(each.label),
            "kind": _KINDS[each.role],
            "sortText": f"{number:04}",
            "filterText": each.label if each.role == "value" else each.text,
            "textEdit": {"range": counting.given_span(each.span), "newText": each.text},
        }
        if default:
            item["detail"] = default
        if each.told:
            item["documentation"] = content([each.told], wishes.completion_markup)
        items.append(item)
    return {"isIncomplete": False, "items": items}


def _default(key: Any) -> str:
    value = key.default_here
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
