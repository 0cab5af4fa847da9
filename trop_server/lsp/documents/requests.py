"""The requests about documents, and who answers each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types

from trop_server.lsp.documents.actions import actions
from trop_server.lsp.documents.completion import completion
from trop_server.lsp.documents.hints import hints
from trop_server.lsp.documents.hover import hover
from trop_server.lsp.documents.lenses import lenses
from trop_server.lsp.documents.links import links
from trop_server.lsp.documents.symbols import symbols

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

    Answer = Callable[[Open, Situation, dict[str, Any], Wishes], Any]


class Request(NamedTuple):
    """One of them. ``oldest`` is how many seconds ago the document's surroundings should have been seen at most.

    None for what does not depend on them.
    """

    answer: Answer
    oldest: float | None = None


_FRESH = 1.0
_AT_ALL = math.inf
"""While somebody types, nobody waits for what was seen already."""


REQUESTS: dict[str, Request] = {
    types.TEXT_DOCUMENT_COMPLETION: Request(completion, _AT_ALL),
    types.TEXT_DOCUMENT_HOVER: Request(hover, _FRESH),
    types.TEXT_DOCUMENT_INLAY_HINT: Request(hints, _FRESH),
    types.TEXT_DOCUMENT_CODE_LENS: Request(lenses, _FRESH),
    types.TEXT_DOCUMENT_CODE_ACTION: Request(actions, _FRESH),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: Request(symbols),
    types.TEXT_DOCUMENT_DOCUMENT_LINK: Request(links),
}
