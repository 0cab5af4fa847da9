"""A client with documents: opening, typing in and asking about them, as an editor does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.messages import result
from support.window import next_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.typed_configurations import Keystroke

PUBLISHED = "textDocument/publishDiagnostics"
Diagnostic = dict[str, Any]

EDITOR: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "inlayHint": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
        "workspaceEdit": {"documentChanges": True},
    },
    "window": {"showDocument": {"support": True}},
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"versionSupport": True},
        "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "inlayHint": {},
        "codeLens": {},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}}},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "documentLink": {"tooltipSupport": True},
    },
}
"""The capabilities of an editor that knows everything."""


def capabilities(encoding: str = "utf-16", *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Those of one that lacks some."""
    editor = {name: value for name, value in EDITOR["textDocument"].items() if name not in without}
    workspace = dict(EDITOR["workspace"])
    return {**EDITOR, "general": {"positionEncodings": [encoding]}, "workspace": workspace, "textDocument": editor}


class Buffer:
    """One open document, as the editor has it."""

    def __init__(
        self, client: Client, place: Path | str, text: str, *, encoding: str = "utf-16", version: int = 1
    ) -> None:
        self.client = client
        self.uri = place if isinstance(place, str) else place.as_uri()
        self.text = text
        self.version = version
        self.encoding = encoding
        item = {"uri": self.uri, "languageId": "yaml", "version": version, "text": text}
        client.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, keystroke: Keystroke) -> None:
        """Edit the text, incrementally."""
        span = {"start": self.position(keystroke.start), "end": self.position(keystroke.end)}
        self.text = keystroke.applied(self.text)
        self._change({"range": span, "text": keystroke.text})

    def replace(self, text: str) -> None:
        """Put another text in the place of the whole."""
        self.text = text
        self._change({"text": text})

    def save(self) -> None:
        """Tell that the file was written."""
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": self.uri}})

    def close(self) -> None:
        """Close the document."""
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    def position(self, offset: int) -> dict[str, int]:
        """A place of the text in the client's encoding. Lines end at a line feed, in the texts of the tests."""
        before = self.text[:offset]
        line = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": units(line, self.encoding)}

    def at(self, marked: str) -> dict[str, int]:
        """The place that ``|`` marks in a piece of the text, which stands there once."""
        piece = marked.replace("|", "", 1)
        assert self.text.count(piece) == 1, (piece, self.text)
        return self.position(self.text.index(piece) + marked.index("|"))

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a request about this document."""
        answer = self.client.request(f"textDocument/{method}", {"textDocument": {"uri": self.uri}, **params})
        return result(answer)

    def told(self, is_it: Callable[[list[Diagnostic]], object] = lambda _: True) -> list[Diagnostic]:
        """The first diagnostics of the text as it is by now that are what is waited for."""
        while True:
            params = next_of(self.client, PUBLISHED)["params"]
            if params["uri"] == self.uri and params.get("version") == self.version and is_it(params["diagnostics"]):
                found: list[Diagnostic] = params["diagnostics"]
                return found

    def _change(self, change: dict[str, Any]) -> None:
        self.version += 1
        item = {"uri": self.uri, "version": self.version}
        self.client.notify("textDocument/didChange", {"textDocument": item, "contentChanges": [change]})


def units(text: str, encoding: str) -> int:
    """How long a text is in an encoding."""
    return (
        len(text.encode(f"{encoding}-le" if encoding != "utf-8" else encoding))
        // {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    )


def codes(diagnostics: list[Diagnostic]) -> list[str]:
    """What each of them is."""
    return [each["code"] for each in diagnostics]


def places(diagnostics: list[Diagnostic]) -> list[tuple[int, int]]:
    """Where each begins."""
    return [(each["range"]["start"]["line"], each["range"]["start"]["character"]) for each in diagnostics]
