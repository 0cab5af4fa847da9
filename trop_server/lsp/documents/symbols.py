"""Symbols: the keys of a document, each below the one that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.documents.lines import Span
from trop_core.config.tree import Mapping, Scalar, Sequence
from trop_core.errors.spelling import escaped

if TYPE_CHECKING:
    from trop_core.config.documents.outline import Entry
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

_MAPPING, _LIST, _NUMBER, _SWITCH, _TEXT, _NULL = 19, 18, 16, 17, 15, 21
"""Object, Array, Number, Boolean, String and Null of ``SymbolKind``."""

_OLDER = {_MAPPING: 2, _NULL: 13}
"""Module and Variable, for a client that does not know the kinds that came later."""

_MOST = 5_000


def symbols(kept: Open, situation: Situation, _params: dict[str, Any], wishes: Wishes) -> list[dict[str, Any]]:
    """``DocumentSymbol``s, or the older ``SymbolInformation`` for who does not know these."""
    counting = kept.counting
    keyed = [entry for entry in situation.document.entries if entry.key is not None][:_MOST]
    ends = _ends(keyed)
    roots: list[dict[str, Any]] = []
    nodes: dict[tuple[str | int, ...], dict[str, Any]] = {}
    flat = []
    for entry, end in zip(keyed, ends, strict=True):
        assert entry.key is not None
        name = escaped(str(entry.path[-1])) or " "
        whole = counting.given_span(Span(entry.key.start, max(end.end, entry.key.end)))
        symbol: dict[str, Any] = {
            "name": name,
            "kind": kind if (kind := _kind(entry)) in wishes.symbol_kinds else _OLDER.get(kind, kind),
            "range": whole,
            "selectionRange": counting.given_span(entry.key),
            "children": [],
        }
        around = next(
            (nodes[entry.path[:n]] for n in range(len(entry.path) - 1, 0, -1) if entry.path[:n] in nodes), None
        )
        (roots if around is None else around["children"]).append(symbol)
        nodes[entry.path] = symbol
        container = {} if around is None else {"containerName": around["name"]}
        location = {"uri": kept.uri, "range": whole}
        flat.append({"name": name, "kind": symbol["kind"], "location": location, **container})
    return roots if wishes.nested_symbols else flat


def _ends(entries: list[Entry]) -> list[Span]:
    """Each entry with all that is below it."""
    ends = [entry.whole for entry in entries]
    # Entries come in the order of the text, each before what is below it.
    numbers = {entry.path: number for number, entry in enumerate(entries)}
    for number in range(len(entries) - 1, -1, -1):
        path = entries[number].path
        above = next((numbers[path[:n]] for n in range(len(path) - 1, 0, -1) if path[:n] in numbers), None)
        if above is not None and above != number and ends[number].end > ends[above].end:
            ends[above] = Span(ends[above].start, ends[number].end)
    return ends


def _kind(entry: Entry) -> int:
    node = entry.node
    if isinstance(node, Mapping):
        return _MAPPING
    if isinstance(node, Sequence):
        return _LIST
    value = node.value if isinstance(node, Scalar) else None
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return _SWITCH
    return _NUMBER if isinstance(value, (int, float)) else _TEXT
