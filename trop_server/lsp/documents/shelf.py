"""The documents that a client has open, as far as they are of interest: their texts, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.documents.document import Document
from trop_core.config.documents.draft import Draft, whole
from trop_core.config.documents.lines import Lines
from trop_core.config.names import PROJECT_FILES
from trop_core.operations.documents.situation import Situation
from trop_core.operations.documents.surroundings import Surroundings
from trop_server.lsp.documents.addresses import identifier_of, is_of_interest, path_of, version_of
from trop_server.lsp.documents.positions import Counting, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_server.lsp.documents.positions import Encoding


_MOST_CHARACTERS = 1 << 20
"""Of a file that anybody here reads; of what is larger nothing is said."""


class Open:
    """One open document: its text by now, its version, and the surroundings as they were seen last.

    ``path`` is where it lies; None where that is on no disk. ``opening`` is of this one alone.
    """

    def __init__(self, uri: str, version: int | None, text: str, encoding: Encoding) -> None:
        self.uri = uri
        self.version = version
        self.path = path_of(uri)
        self.surroundings = Surroundings()
        self.opening = object()
        self._encoding = encoding
        self._lines = Lines(whole(text))
        self._situation: Situation | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return self._lines.text

    @property
    def is_too_large(self) -> bool:
        """Whether it is one of which nothing is said."""
        return len(self.text) > _MOST_CHARACTERS

    @property
    def counting(self) -> Counting:
        """What counts its columns."""
        return Counting(self._lines, self._encoding)

    @property
    def situation(self) -> Situation | None:
        """What was computed of this text in these surroundings; None if nothing was yet."""
        found = self._situation
        return found if found is not None and self._is_present(found) else None

    def compute(self) -> Situation:
        """Read the text, and put it into its surroundings. Changes nothing of this: any thread may do it."""
        before, text, surroundings = self._situation, self.text, self.surroundings
        allowed = surroundings.place.allowed
        if before is not None and before.document.text is text and before.surroundings.place.allowed == allowed:
            return Situation(before.document, surroundings)
        document = Document(text, file=self.path or PROJECT_FILES[0], allowed=allowed)
        _ = document.problems  # what takes long of a large text is done here
        return Situation(document, surroundings)

    def settle(self, situation: Situation) -> bool:
        """Take what was computed, unless the text or the surroundings have changed since; tells whether it is so."""
        if not self._is_present(situation):
            return False
        self._situation = situation
        return True

    def _is_present(self, situation: Situation) -> bool:
        return situation.document.text is self.text and situation.surroundings is self.surroundings

    def change(self, version: int | None, changes: Any) -> None:
        """Apply changes one after the other. Raises ``Malformed`` where one of them is wrong: then none is."""
        if not isinstance(changes, list):
            raise Malformed("contentChanges is a list")
        draft = Draft(self.text)
        for change in changes:
            text = change.get("text") if isinstance(change, dict) else None
            if not isinstance(text, str):
                raise Malformed("a change has a text")
            if change.get("range") is None:
                draft = Draft(whole(text))
                continue
            draft.replace(Counting(draft, self._encoding).taken_span(change["range"]), text)
        self.version = version
        self._lines = Lines(draft.text)


class Shelf:
    """The documents that are kept, by their URIs as the client spells them. All others are as if they were not open."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._open: dict[str, Open] = {}

    def __iter__(self) -> Iterator[Open]:
        return iter(list(self._open.values()))

    def find(self, uri: Any) -> Open | None:
        """The document of a URI, if it is kept."""
        return self._open.get(uri) if isinstance(uri, str) else None

    def beside(self, kept: Open) -> Open | None:
        """The document of the project's other file in the same directory, if it is kept as well."""
        directory, _, name = (kept.path or "").rpartition("/")
        others = {f"{directory}/{other}" for other in PROJECT_FILES if name in PROJECT_FILES and other != name}
        return next((each for each in self if each.path in others), None)

    def open(self, item: Any) -> Open | None:
        """Take a document, if it is of interest. Raises ``Malformed``."""
        uri, text = identifier_of(item), item.get("text")
        if not isinstance(text, str):
            raise Malformed("a document has a text")
        if not is_of_interest(uri):
            return None
        kept = self._open[uri] = Open(uri, version_of(item), text, self._encoding)
        return kept

    def put_back(self, kept: Open) -> None:
        """Keep a document again that was let go of and is still open."""
        self._open[kept.uri] = kept

    def close(self, uri: str) -> Open | None:
        """Let go of a document; None where it was not kept."""
        return self._open.pop(uri, None)
