"""Places in a text as a client counts them: in the units of the encoding that was agreed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from trop_core.config.documents.lines import Position, Span

if TYPE_CHECKING:
    from collections.abc import Sequence


Encoding = Literal["utf-8", "utf-16", "utf-32"]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


class TextInLines(Protocol):
    """A text by its lines, of which there is at least one."""

    def __len__(self) -> int:
        """How many there are."""

    def line(self, number: int) -> str:
        """One of them, counted from 0, without its end; an empty one where there is none."""


class Malformed(Exception):
    """Parameters that do not have the form that the protocol gives them; the text says what is wrong."""


def chosen_encoding(offered: Any) -> Encoding:
    """The first encoding, of those that a client offers, that is known here. All clients know UTF-16."""
    given: Sequence[Any] = offered if isinstance(offered, list) else ()
    return next((known for each in given for known in ENCODINGS if each == known), "utf-16")


class Counting:
    """Counts the columns of one text for one client."""

    def __init__(self, lines: TextInLines, encoding: Encoding) -> None:
        self._lines = lines
        self._encoding = encoding

    def taken(self, position: Any) -> Position:
        """A place as it came. One behind the end of a line, or of the text, is that end. Raises ``Malformed``."""
        if not isinstance(position, dict):
            raise Malformed("a position is an object")
        line, units = position.get("line"), position.get("character")
        if type(line) is not int or type(units) is not int or line < 0 or units < 0:
            raise Malformed("a position has a line and a character, whole numbers from 0")
        if line >= len(self._lines):
            return Position(len(self._lines) - 1, len(self._lines.line(len(self._lines) - 1)))
        return Position(line, self._column(self._lines.line(line), units))

    def taken_span(self, span: Any) -> Span:
        """A range as it came; one that ends before it begins is empty. Raises ``Malformed``."""
        if not isinstance(span, dict):
            raise Malformed("a range is an object")
        start = self.taken(span.get("start"))
        return Span(start, max(start, self.taken(span.get("end"))))

    def given(self, position: Position) -> dict[str, int]:
        """A place as the client knows it."""
        line = self._lines.line(position.line)
        return {"line": position.line, "character": self._units(line[: position.column])}

    def given_span(self, span: Span) -> dict[str, Any]:
        """A range as the client knows it."""
        return {"start": self.given(span.start), "end": self.given(span.end)}

    def _column(self, line: str, units: int) -> int:
        if self._encoding == "utf-32" or line.isascii():
            return min(units, len(line))
        left = units
        for column, character in enumerate(line):
            left -= self._width(character)
            if left < 0:
                return column  # in the midst of a character is before it
        return len(line)

    def _units(self, text: str) -> int:
        if self._encoding == "utf-32" or text.isascii():
            return len(text)
        if self._encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def _width(self, character: str) -> int:
        if self._encoding == "utf-16":
            return 2 if character > "\uffff" else 1
        return 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff")
