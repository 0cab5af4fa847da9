"""Places in a text as an editor counts them: lines and columns from 0, columns in code points.

A line of an editor ends at a line feed, at a carriage return or at both, and nowhere else. YAML 1.1 ends lines at three
more characters, and counts from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from trop_core.config.characters import LINE_BREAK
from trop_core.light_types import NamedTuple

_END = re.compile("\r\n|[\r\n]")
_YAML_ALONE = re.compile("[\x85\u2028\u2029]")
_BYTE_ORDER_MARK = "\ufeff"


class Position(NamedTuple):
    """A place between two characters."""

    line: int
    column: int


class Span(NamedTuple):
    """What stands between two places."""

    start: Position
    end: Position

    def holds(self, position: Position) -> bool:
        """Whether a place lies in it, or at one of its ends."""
        return self.start <= position <= self.end


class Lines:
    """A text by its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        if "\r" in text:
            self.starts = [0, *(end.end() for end in _END.finditer(text))]
        else:
            lengths = (len(line) + 1 for line in text.split("\n"))
            self.starts = [0, *accumulate(lengths)][:-1]

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, number: int) -> str:
        """One line without its end; an empty one where there is none."""
        if not 0 <= number < len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end].rstrip("\r\n")

    def offset(self, position: Position) -> int:
        """How many characters are before a place; one behind a line's end is that end, as the protocol has it."""
        if position.line < 0:
            return 0
        if position.line >= len(self.starts):
            return len(self.text)
        return self.starts[position.line] + min(max(position.column, 0), len(self.line(position.line)))

    def position(self, offset: int) -> Position:
        """The place that a number of characters are before."""
        number = bisect_right(self.starts, offset) - 1
        return Position(number, offset - self.starts[number])

    def of_yaml(self, line: int, column: int) -> Position:
        """A place as the parser counts it; of one behind the text's last line, the text's end."""
        if self._is_plain and line <= len(self.starts):
            return Position(line - 1, column - 1)
        shift = 1 if line == 1 and self.text.startswith(_BYTE_ORDER_MARK) else 0
        if self._yaml_starts is None:
            if line > len(self.starts):
                return self.position(len(self.text))
            return Position(line - 1, column - 1 + shift)
        number = min(line, len(self._yaml_starts)) - 1
        return self.position(min(self._yaml_starts[number] + column - 1 + shift, len(self.text)))

    @cached_property
    def _is_plain(self) -> bool:
        """Whether the parser counts as an editor does, but for where it begins to."""
        return self._yaml_starts is None and not self.text.startswith(_BYTE_ORDER_MARK)

    @cached_property
    def _yaml_starts(self) -> list[int] | None:
        """Where the parser's lines begin; None where they are those of an editor."""
        if not _YAML_ALONE.search(self.text):
            return None
        return [0, *(end.end() for end in LINE_BREAK.finditer(self.text))]
