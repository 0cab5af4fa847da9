"""Which place of a broken text is to blame, where the parser notices the mistake in a line that is all right.

A key without its colon, an open quote and an open bracket are noticed where the next thing begins. Who is shown that
place looks for the mistake in the wrong line.
"""

from __future__ import annotations

from trop_core.config.characters import LINE_BREAK
from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = "while scanning a simple key"
_BEGUN = (_KEY, "while scanning a quoted scalar")
_IN_BRACKETS = "while parsing a flow"
_NO_KEY_HERE = "mapping values are not allowed"


def to_blame(error: Any, text: str) -> tuple[int | None, int | None]:
    """Line and column, from 1, of what is wrong with a text; ``error`` is what the parser raised for it.

    Both are None for an error without a place.
    """
    noticed = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    mark = noticed or begun
    if mark is None:
        return None, None
    line, column = mark.line, mark.column
    if noticed is not None:
        lines = LINE_BREAK.split(text)
        # Where nothing stands there is no other line that would be taken for the wrong one. A key is over all the same.
        if (line < len(lines) and lines[line].strip()) or error.context == _KEY:
            line, column = _elsewhere(error, lines) or (line, column)
    return line + 1, column + 1


def indentation(line: str) -> int:
    """How many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def is_empty(line: str) -> bool:
    """Whether there is nothing in a line but a comment."""
    content = line.strip()
    return not content or content.startswith("#")


def _elsewhere(error: Any, lines: Sequence[str]) -> tuple[int, int] | None:
    noticed, begun = error.problem_mark, error.context_mark
    context = error.context or ""
    if begun is not None and begun.line < noticed.line:
        if context in _BEGUN:
            return begun.line, begun.column
        if context.startswith(_IN_BRACKETS) and _falls_back(lines, begun.line, noticed.line):
            return begun.line, begun.column
    if _NO_KEY_HERE in (error.problem or ""):
        return _key_before(lines, noticed.line)
    return None


def _falls_back(lines: Sequence[str], first: int, last: int) -> bool:
    """Whether one of the lines after the first is indented no more than that: what began there should have ended."""
    margin = indentation(lines[first])
    return any(not is_empty(line) and indentation(line) <= margin for line in lines[first + 1 : last + 1])


def _key_before(lines: Sequence[str], number: int) -> tuple[int, int] | None:
    """The line before, if it reads as a key without its colon, or without the space behind it."""
    before = next((each for each in range(number - 1, -1, -1) if not is_empty(lines[each])), None)
    if before is None or indentation(lines[before]) != indentation(lines[number]):
        return None
    content = lines[before].partition(" #")[0].strip()
    if content.endswith(":") or ": " in content or content.startswith(("- ", "'", '"')):
        return None
    return before, indentation(lines[before])
