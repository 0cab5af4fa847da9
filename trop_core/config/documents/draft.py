"""A text that is being edited, a piece at a time: as many changes as an editor sends at once, each among few lines."""

from __future__ import annotations

import re

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.config.documents.lines import Span

_LINE = re.compile("[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")
_ENDS = ("\r", "\n")


class Draft:
    """A text by its lines, each with its end; the last one has none, and may be empty."""

    def __init__(self, text: str) -> None:
        self._lines = _split(text)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def text(self) -> str:
        """The whole of it, as it is by now."""
        return "".join(self._lines)

    def line(self, number: int) -> str:
        """One line without its end; an empty one where there is none."""
        return self._lines[number].rstrip("\r\n") if 0 <= number < len(self._lines) else ""

    def replace(self, span: Span, text: str) -> None:
        """Put a text in the place of what a span holds, which begins and ends in lines that there are."""
        (first, column), (last, end) = span
        before, after = self._lines[first][:column], self._lines[last][end:]
        # A carriage return and a line feed that come together are one end.
        if first and not before and (text or after)[:1] == "\n" and self._lines[first - 1].endswith("\r"):
            first -= 1
            before = self._lines[first]
        if (before + text + after).endswith("\r") and self._lines[last + 1 : last + 2] == ["\n"]:
            last += 1
            after += "\n"
        lines = _split(whole(before + text + after))
        if last + 1 < len(self._lines) and not lines[-1]:
            lines.pop()  # what follows is a line already
        self._lines[first : last + 1] = lines


def _split(text: str) -> list[str]:
    lines = _LINE.findall(text)
    return [*lines, ""] if not lines or lines[-1].endswith(_ENDS) else lines


def whole(text: str) -> str:
    """A text in which two halves of one character, which came one after the other, are that character."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
