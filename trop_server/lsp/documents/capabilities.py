"""What the server declares of documents.

Looked at in each session, also where no document is ever opened: what answers is imported with the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from trop_server.lsp.documents.commands import OPEN

if TYPE_CHECKING:
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

_ANSWERED_TO_ALL = frozenset(
    (
        types.TEXT_DOCUMENT_COMPLETION,
        types.TEXT_DOCUMENT_HOVER,
        types.TEXT_DOCUMENT_INLAY_HINT,
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        types.TEXT_DOCUMENT_DOCUMENT_LINK,
    )
)


def is_answered(method: str, wishes: Wishes) -> bool:
    """Whether something is a request about documents, and one for this client."""
    if method == types.TEXT_DOCUMENT_CODE_LENS:
        return wishes.lenses
    if method == types.TEXT_DOCUMENT_CODE_ACTION:
        return wishes.actions
    return method in _ANSWERED_TO_ALL


def declare(capabilities: types.ServerCapabilities, wishes: Wishes) -> None:
    """Say what the server can do with documents for a client."""
    capabilities.position_encoding = wishes.encoding
    capabilities.text_document_sync = types.TextDocumentSyncOptions(
        open_close=True,
        change=types.TextDocumentSyncKind.Incremental,
        save=types.SaveOptions(include_text=False),
    )
    capabilities.completion_provider = types.CompletionOptions(trigger_characters=[" ", ":", "[", ","])
    capabilities.hover_provider = True
    capabilities.inlay_hint_provider = True
    capabilities.document_symbol_provider = True
    capabilities.document_link_provider = types.DocumentLinkOptions(resolve_provider=False)
    if wishes.lenses:
        capabilities.code_lens_provider = types.CodeLensOptions(resolve_provider=False)
    if wishes.opens_ports and capabilities.execute_command_provider is not None:
        known = capabilities.execute_command_provider.commands
        capabilities.execute_command_provider.commands = [*known, OPEN]
    if wishes.actions:
        kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.Refactor]
        capabilities.code_action_provider = types.CodeActionOptions(code_action_kinds=kinds)
