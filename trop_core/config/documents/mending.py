"""Making a broken text readable, line by line, where the parser stumbles: somebody is typing in the midst of it.

What is added in a line stands behind what is there, and no line comes or goes: all other lines stay where they are.
"""

from __future__ import annotations

import re

import yaml

from trop_core.config import yaml_tree
from trop_core.config.blame import indentation, is_empty, to_blame
from trop_core.config.characters import FORBIDDEN, LINE_BREAK
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ATTEMPTS = 8
_MOST_READ = 400_000
"""Characters that are read for it: what is very large is not read eight times while somebody types."""

_COMMENT = re.compile(r"(^|(?<=\s))#.*$")
_CLOSERS = {"{": "}", "[": "]"}
_NO_SPACE = re.compile(r"^(\s*(?:- +)*[^\s:#\"'\[{]+):(?=[^\s:/])")
_NO_SPACE_BEHIND_DASH = re.compile(r"^( *)-(?=[^\s-])")


class Mended(NamedTuple):
    """A text that can be read, and which of its lines are not as they were typed: as the parser counts, from 0."""

    text: str
    lines: frozenset[int]


def mend(text: str) -> Mended | None:
    """A text that the parser reads to its end, after at most eight attempts; None where that did not help. Pure."""
    work = _Workpiece(text)
    attempts = min(MOST_ATTEMPTS, _MOST_READ // max(len(text), 1))
    work.scrub()
    error = _error(work.text) if attempts else None
    if error is None:
        return work.mended if attempts else None
    for _ in range(attempts):
        if not work.attempt(error):
            return None
        error = _error(work.text)
        if error is None:
            return work.mended
    return None


def _error(text: str) -> yaml.YAMLError | None:
    try:
        for _ in yaml_tree.events(text):
            pass
    except yaml.YAMLError as error:
        return error
    return None


class _Workpiece:
    """The text as it is by now, with what was tried on each of its lines."""

    def __init__(self, text: str) -> None:
        self._lines = LINE_BREAK.split(text)
        self._ends = LINE_BREAK.findall(text)
        self._tried: dict[int, set[str]] = {}
        self._blanked: set[int] = set()

    @property
    def text(self) -> str:
        """The whole of it."""
        return "".join(part for pair in zip(self._lines, [*self._ends, ""], strict=True) for part in pair)

    @property
    def mended(self) -> Mended:
        """The text, and what was done to it."""
        return Mended(self.text, frozenset(self._tried))

    def scrub(self) -> None:
        """Put a space in the place of each character that YAML does not allow."""
        for number, line in enumerate(self._lines):
            clean = re.sub(FORBIDDEN, " ", line)
            if clean != line:
                self._change(number, clean, "scrub")

    def attempt(self, error: Any) -> bool:
        """Do one thing about an error; False where there is nothing left to do."""
        blamed, _ = to_blame(error, self.text)
        begun, noticed = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
        places = [mark.line for mark in (begun, noticed) if mark is not None]
        places[1:1] = [] if blamed is None else [blamed - 1]
        numbers = list(dict.fromkeys(map(self._with_content, places)))
        for number in numbers:
            for name, changed, where in self._remedies(error, number):
                if name not in self._tried.get(where, ()) and changed != self._lines[where]:
                    self._change(where, changed, name)
                    return True
        for number in numbers[1:] or numbers:
            if number not in self._blanked:
                self._blanked.add(number)
                self._change(number, " " * indentation(self._lines[number]), "blank")
                return True
        return False

    def _with_content(self, number: int) -> int:
        """A line, or the last one before it that has something in it: at the end of a text nothing is to blame."""
        number = min(number, len(self._lines) - 1)
        return next((each for each in range(number, -1, -1) if not is_empty(self._lines[each])), number)

    def _remedies(self, error: yaml.YAMLError, number: int) -> Iterator[tuple[str, str, int]]:
        """What may help: a name for it, what the line would be, and which line that is."""
        line = self._lines[number]
        context, problem = getattr(error, "context", None) or "", getattr(error, "problem", None) or ""
        margin = line[: len(line) - len(line.lstrip())]
        if "\t" in margin:
            yield "tab", margin.expandtabs(2) + line[len(margin) :], number
        if "quoted scalar" in context:
            yield "quote", f"{line}{_opened(line)}", number
        if "flow" in context:
            last = self._end_of_brackets(number)
            opened = _opened("\n".join(self._lines[number : last + 1]))
            yield "bracket", _before_comment(self._lines[last], opened), last
        if _NO_SPACE.match(line):
            yield "space", _NO_SPACE.sub(r"\1: ", line), number
        if _NO_SPACE_BEHIND_DASH.match(line):
            yield "dash", _NO_SPACE_BEHIND_DASH.sub(r"\1- ", line), number
        if "mapping values" in problem or "expected key" in problem:
            above = self._with_content(max(number - 1, 0))
            if indentation(self._lines[above]) < indentation(line) and _lacks_colon(self._lines[above]):
                yield "colon", _before_comment(self._lines[above], ":"), above
        if ("simple key" in context or "mapping values" in problem) and _lacks_colon(line):
            yield "colon", _before_comment(line, ":"), number

    def _end_of_brackets(self, number: int) -> int:
        """The last line of what began in brackets in a line: the next that is indented no more is another thing."""
        margin, last = indentation(self._lines[number]), number
        for each in range(number + 1, len(self._lines)):
            line = self._lines[each]
            if is_empty(line):
                continue
            if indentation(line) <= margin and line.strip()[0] not in "]}":
                break
            last = each
        return last

    def _change(self, number: int, line: str, name: str) -> None:
        self._lines[number] = line
        self._tried.setdefault(number, set()).add(name)


def _bare(line: str) -> str:
    """A line without the comment behind it."""
    return _COMMENT.sub("", line).rstrip() or line


def _before_comment(line: str, text: str) -> str:
    """A line with a text at its end, before a comment."""
    bare = _bare(line)
    return f"{bare}{text}{line[len(bare) :]}"


def _lacks_colon(line: str) -> bool:
    bare = _bare(line)
    return not bare.endswith(":") and ": " not in bare


def _opened(text: str) -> str:
    """What closes the quotes and brackets that a piece of a text leaves open."""
    stack: list[str] = []
    quote, before = "", " "
    for character in text:
        if quote:
            if character == quote and not (quote == '"' and before == "\\"):
                quote = ""
        elif character in "\"'" and (before.isspace() or before in "[{,:"):
            quote = character
        elif character in _CLOSERS:
            stack.append(_CLOSERS[character])
        elif stack and character == stack[-1]:
            stack.pop()
        before = character
    return quote + "".join(reversed(stack))
