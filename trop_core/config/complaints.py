"""What a parser's complaint about a text means for who wrote it: the usual slips, in words for the line in question.

PyYAML's parser in C and the one in Python complain of the same in different words, and of the state that they are in.
"""

from __future__ import annotations

from trop_core.config.blame import indentation, is_empty
from trop_core.config.characters import LINE_BREAK
from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def meaning(error: Any, text: str, line: int | None) -> str | None:
    """What is wrong, for a person; ``error`` is what the parser raised for a text, ``line`` what is blamed, from 1.

    None where the parser's own words are as good as any. Nothing of the text is quoted.
    """
    noticed, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if noticed is None or line is None:
        return None
    problem, context = error.problem or "", error.context or ""
    lines = [*LINE_BREAK.split(text), ""]
    if "cannot start any token" in problem or "tab character" in problem:
        if "tab character" in problem or lines[noticed.line].startswith("\t", noticed.column):
            return "a tab stands where YAML allows spaces alone"
        return "a value cannot begin with this character: put it in quotes"
    if "mapping values are not allowed" in problem:
        return _no_colon(line, line) if line - 1 < noticed.line else _second_value(lines, noticed)
    if begun is None:
        return None
    if "simple key" in context and "':'" in problem:
        return _no_colon(begun.line + 1, line)
    return _unended(problem, context, begun.line + 1) or _beside_nothing(problem, context, lines, noticed, begun)


def _unended(problem: str, context: str, begun: int) -> str | None:
    if "quoted scalar" in context and "end of stream" in problem:
        return f"the quote that begins in line {begun} is never closed"
    if "flow" in context and "expected ','" in problem:
        return f"the bracket that is opened in line {begun} is not closed, or a comma is missing"
    return None


def _beside_nothing(problem: str, context: str, lines: Sequence[str], noticed: Any, begun: Any) -> str | None:
    here = lines[noticed.line]
    if "block mapping" in context and "expected" in problem and here.strip() and indentation(here) != begun.column:
        return "no line above that this one could stand beside begins with as many spaces"
    return None


def _second_value(lines: Sequence[str], noticed: Any) -> str | None:
    here = lines[noticed.line]
    if ": " in here[: noticed.column]:
        return "a second colon with a space behind it: put the value in quotes"
    above = next((number for number in range(noticed.line - 1, -1, -1) if not is_empty(lines[number])), None)
    if above is None or indentation(lines[above]) >= indentation(here):
        return None
    if ":" not in lines[above]:
        return _no_colon(above + 1, noticed.line + 1)
    return "this line is indented below one that has a value already"


def _no_colon(line: int, told: int) -> str:
    """That a line has no colon; ``told`` is the line that this is said at."""
    return f"{'this line' if line == told else f'line {line}'} has no colon with a space behind it"
