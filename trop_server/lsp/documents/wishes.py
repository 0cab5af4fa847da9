"""How a client wants what it is told of documents, and what only some clients can take."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from trop_server.lsp.documents.positions import Encoding, chosen_encoding

Markup = Literal["markdown", "plaintext"]

_KINDS_OF_ALL = frozenset(range(1, 19))
"""The kinds of symbols that every client knows, from File to Array: those of the protocol's first version."""


class Wishes(NamedTuple):
    """The declared capabilities of one client, as far as they matter here.

    What a client does not ask for costs nothing: only what comes unasked, or could not be read, has to be declared.
    ``saves_first`` is an option of the client's: it saves a document before it reserves what that has.
    """

    encoding: Encoding = "utf-16"
    completion_markup: Markup = "plaintext"
    hover_markup: Markup = "plaintext"
    refresh_hints: bool = False
    lenses: bool = False
    refresh_lenses: bool = False
    actions: bool = False
    versioned_edits: bool = False
    nested_symbols: bool = False
    symbol_kinds: frozenset[int] = _KINDS_OF_ALL
    link_tooltips: bool = False
    shows_addresses: bool = False
    saves_first: bool = False

    @property
    def opens_ports(self) -> bool:
        """Whether the client gets lenses that show an address."""
        return self.lenses and self.shows_addresses


def read_wishes(params: Any, *, saves_first: bool = False) -> Wishes:
    """What the parameters of ``initialize`` say, whatever they hold."""
    capabilities = _at(params, "capabilities")
    encoding = chosen_encoding(_at(capabilities, "general", "positionEncodings"))
    editor = _at(capabilities, "textDocument")

    def can(*names: str) -> bool:
        return _at(capabilities, *names) is True

    return Wishes(
        encoding,
        completion_markup=_markup(_at(editor, "completion", "completionItem", "documentationFormat")),
        hover_markup=_markup(_at(editor, "hover", "contentFormat")),
        refresh_hints=can("workspace", "inlayHint", "refreshSupport"),
        lenses=isinstance(_at(editor, "codeLens"), dict),
        refresh_lenses=can("workspace", "codeLens", "refreshSupport"),
        actions=isinstance(_at(editor, "codeAction", "codeActionLiteralSupport"), dict),
        versioned_edits=can("workspace", "workspaceEdit", "documentChanges"),
        nested_symbols=can("textDocument", "documentSymbol", "hierarchicalDocumentSymbolSupport"),
        symbol_kinds=_kinds(_at(editor, "documentSymbol", "symbolKind", "valueSet")),
        link_tooltips=can("textDocument", "documentLink", "tooltipSupport"),
        shows_addresses=can("window", "showDocument", "support"),
        saves_first=saves_first,
    )


def _kinds(known: Any) -> frozenset[int]:
    """The kinds of symbols that a client knows."""
    return frozenset(kind for kind in known if type(kind) is int) if isinstance(known, list) else _KINDS_OF_ALL


def _markup(formats: Any) -> Markup:
    """The first of the formats that is known here; plain text where the client says nothing."""
    given = formats if isinstance(formats, list) else []
    return next((known for each in given for known in ("markdown", "plaintext") if each == known), "plaintext")


def _at(value: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
