"""What the server declares of documents, to a client that has declared that it knows it.

Looked at in each session, also where no document is ever opened: what answers is imported with the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from trop_server.lsp.documents.commands import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_server.lsp.documents.wishes import Wishes

HEARD = frozenset(
    (
        types.TEXT_DOCUMENT_DID_OPEN,
        types.TEXT_DOCUMENT_DID_CHANGE,
        types.TEXT_DOCUMENT_DID_SAVE,
        types.TEXT_DOCUMENT_DID_CLOSE,
    )
)
"""The notifications about documents."""

ANSWERED: dict[str, Callable[[Wishes], bool]] = {
    types.TEXT_DOCUMENT_COMPLETION: lambda wishes: wishes.completion,
    types.TEXT_DOCUMENT_HOVER: lambda wishes: wishes.hover,
    types.TEXT_DOCUMENT_INLAY_HINT: lambda wishes: wishes.hints,
    types.TEXT_DOCUMENT_CODE_LENS: lambda wishes: wishes.lenses,
    types.TEXT_DOCUMENT_CODE_ACTION: lambda wishes: wishes.actions,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: lambda wishes: wishes.symbols,
    types.TEXT_DOCUMENT_DOCUMENT_LINK: lambda wishes: wishes.links,
}
"""The requests about documents, and to whom each is answered."""


def declare(capabilities: types.ServerCapabilities, wishes: Wishes) -> None:
    """Say what the server can do with documents for a client."""
    capabilities.position_encoding = wishes.encoding
    capabilities.text_document_sync = None
    if not wishes.documents:
        return
    capabilities.text_document_sync = types.TextDocumentSyncOptions(
        open_close=True,
        change=types.TextDocumentSyncKind.Incremental,
        save=types.SaveOptions(include_text=False),
    )
    if wishes.completion:
        capabilities.completion_provider = types.CompletionOptions(trigger_characters=[" ", ":", "[", ","])
    capabilities.hover_provider = wishes.hover or None
    capabilities.inlay_hint_provider = wishes.hints or None
    capabilities.document_symbol_provider = wishes.symbols or None
    if wishes.lenses:
        capabilities.code_lens_provider = types.CodeLensOptions(resolve_provider=False)
    if wishes.opens_ports and capabilities.execute_command_provider is not None:
        known = capabilities.execute_command_provider.commands
        capabilities.execute_command_provider.commands = [*known, OPEN]
    if wishes.actions:
        kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.Refactor]
        capabilities.code_action_provider = types.CodeActionOptions(code_action_kinds=kinds)
    if wishes.links:
        capabilities.document_link_provider = types.DocumentLinkOptions(resolve_provider=False)
