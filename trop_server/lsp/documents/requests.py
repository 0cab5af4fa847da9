"""The requests about documents, and who answers each."""

from __future__ import annotations

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
    """One of them. ``needs_surroundings`` says that the answer should be no older than what is known of ports."""

    answer: Answer
    needs_surroundings: bool = False


REQUESTS: dict[str, Request] = {
    types.TEXT_DOCUMENT_COMPLETION: Request(completion),
    types.TEXT_DOCUMENT_HOVER: Request(hover, needs_surroundings=True),
    types.TEXT_DOCUMENT_INLAY_HINT: Request(hints, needs_surroundings=True),
    types.TEXT_DOCUMENT_CODE_LENS: Request(lenses, needs_surroundings=True),
    types.TEXT_DOCUMENT_CODE_ACTION: Request(actions),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: Request(symbols),
    types.TEXT_DOCUMENT_DOCUMENT_LINK: Request(links),
}
