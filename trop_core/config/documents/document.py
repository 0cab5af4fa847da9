"""One configuration file as it is typed: what it says, what is wrong with it, and what stands where."""

from __future__ import annotations

import os
from functools import cached_property

from trop_core.config.blame import indentation, is_empty
from trop_core.config.characters import LINE_BREAK
from trop_core.config.documents.lines import Lines, Position, Span
from trop_core.config.documents.mending import mend
from trop_core.config.documents.outline import Outline
from trop_core.config.examination import Examination, examine
from trop_core.config.file_text import decoded, is_blank
from trop_core.config.names import GLOBAL_FILE, PROJECT_FILES
from trop_core.errors.configuration import ConfigError
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.services import Group

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trop_core.config.documents.mending import Mended
    from trop_core.config.documents.outline import Entry, Spot
    from trop_core.config.layer import Layer
    from trop_core.errors.configuration import ConfigProblem


class TypingProblem(NamedTuple):
    """What is wrong, and where an editor marks it. ``meant`` is what to write in the place of what the span holds."""

    span: Span
    key: str | None
    message: str
    meant: str | None


class Document:
    """A text, whole or broken, read as far as it can be. Nothing in here changes.

    ``layer`` are the values that can be used, with the parser's places; ``problems`` are all that ``validate`` would
    tell of the text. Of a text that ``is_broken`` the first of them is the parser's own; the others are those of the
    lines that could be read. ``unclaimed`` are the lines of which nothing is said: those that were mended, and what is
    nested in them.
    """

    def __init__(
        self,
        text: str,
        *,
        file: str = PROJECT_FILES[0],
        allowed: Collection[str] = (),
    ) -> None:
        self.file = file
        self.project = os.path.basename(file) != GLOBAL_FILE
        self.lines = Lines(text)
        self.unclaimed: frozenset[int] = frozenset()
        self.is_broken = False
        self.allowed = allowed
        self._mended: Mended | None = None
        self._problems: Sequence[ConfigProblem]
        self._of_text = 0
        """How many of them are of the broken text itself; the others are of what it was mended to."""
        self._examination = self._examine(text)
        self.layer: Layer = self._examination.layer

    @property
    def text(self) -> str:
        """The text itself."""
        return self.lines.text

    @property
    def is_usable(self) -> bool:
        """Whether a call can go on with the text as it is."""
        return not self.is_broken and self._examination.is_usable

    @property
    def mended_line(self) -> tuple[int, str] | None:
        """The one line that had to be mended, and what it was mended to; None where more is to mend.

        Lines that the parser ends elsewhere than an editor are left alone.
        """
        if self._mended is None or len(self._mended.lines) != 1 or len(LINE_BREAK.split(self.text)) != len(self.lines):
            return None
        (number,) = self._mended.lines
        return number, LINE_BREAK.split(self._mended.text)[number]

    @property
    def group(self) -> Group | None:
        """The services that the text describes, as far as they can be read."""
        value = self.layer["reservations"].value if "reservations" in self.layer else None
        return value if isinstance(value, Group) else None

    @cached_property
    def problems(self) -> tuple[TypingProblem, ...]:
        """What is wrong, in the order of the places."""
        found = tuple(map(self._placed, self._problems))
        of_text, of_mended = found[: self._of_text], found[self._of_text :]
        return (*of_text, *(problem for problem in of_mended if not self._is_of_mending(problem)))

    @cached_property
    def outline(self) -> Outline:
        """The entries of the text. The lines that were mended have what they were mended to."""
        mended = frozenset() if self._mended is None else self._editor_lines(self._mended.lines)
        return Outline(self._examination.root, self.lines, mended)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Each key with its value, and each entry of a list, in the order of the text."""
        return self.outline.entries

    def entry(self, *path: str | int) -> Entry | None:
        """The entry of a path, or None where the text does not have it."""
        return self.outline.find(path)

    def spot(self, position: Position) -> Spot | None:
        """What a place is good for; None for nothing."""
        return self.outline.spot(position)

    def claims(self, line: int) -> bool:
        """Whether something may be said about a line, counted from 0."""
        return line not in self.unclaimed

    def _is_of_mending(self, problem: TypingProblem) -> bool:
        """Whether a problem is one of what the text was mended to: of a value that a mended line is part of.

        And of an alias: the line that was mended may have the anchor.
        """
        if not self.is_broken:
            return False
        entry = self.outline.entry_at(problem.span.start)
        if entry is None or entry.value.start != problem.span.start:
            return self.lines.line(problem.span.start.line)[problem.span.start.column :].startswith("*")
        return not all(map(self.claims, range(entry.value.start.line, entry.value.end.line + 1)))

    def _examine(self, text: str) -> Examination:
        try:
            # Half of a character of an editor's own encoding is no text that could be saved.
            clean = decoded(text.encode("utf-8", "surrogatepass"), self.file)
        except ConfigError as error:
            self._problems = error.problems
            return self._examine_broken(text)
        if is_blank(clean):
            self._problems = ()
            return Examination(None, {}, (), is_usable=True)
        found = examine(clean, self.file, project=self.project, allowed=self.allowed)
        self._problems = found.problems
        if found.root is None and found.problems:
            return self._examine_broken(clean)
        return found

    def _examine_broken(self, text: str) -> Examination:
        self.is_broken = True
        self._of_text = len(self._problems)
        self._mended = mend(text)
        if self._mended is None:
            self.unclaimed = frozenset(range(len(self.lines)))
            return Examination(None, {}, (), is_usable=False)
        self.unclaimed = frozenset(self._with_nested(self._editor_lines(self._mended.lines)))
        found = examine(self._mended.text, self.file, project=self.project, allowed=self.allowed, is_whole=False)
        said = {(problem.line, problem.column, problem.message) for problem in self._problems}
        self._problems = (
            *self._problems,
            *(
                problem
                for problem in found.problems
                if (problem.line, problem.column, problem.message) not in said
                and self.claims(self._position(problem).line)
            ),
        )
        return found

    def _editor_lines(self, numbers: Collection[int]) -> frozenset[int]:
        return frozenset(self.lines.of_yaml(number + 1, 1).line for number in numbers)

    def _with_nested(self, numbers: Collection[int]) -> set[int]:
        """Lines, and those below them that are indented more."""
        found = set(numbers)
        for number in numbers:
            margin = indentation(self.lines.line(number))
            for each in range(number + 1, len(self.lines)):
                line = self.lines.line(each)
                if not is_empty(line) and indentation(line) <= margin:
                    break
                found.add(each)
        return found

    def _position(self, problem: ConfigProblem) -> Position:
        return self.lines.of_yaml(problem.line or 1, problem.column or 1)

    def _placed(self, problem: ConfigProblem) -> TypingProblem:
        start = self._position(problem)
        if problem.line is None:
            span = Span(Position(0, 0), Position(0, len(self.lines.line(0))))
        else:
            span = Span(start, self._end_of_what_begins(start))
        return TypingProblem(span, problem.key, problem.message, problem.meant)

    def _end_of_what_begins(self, start: Position) -> Position:
        """Where on its line ends what begins at a place: a key, a value, or else the rest of the line."""
        line = self.lines.line(start.line)
        entry = self.outline.entry_at(start)
        for span in () if entry is None else (entry.key, entry.value):
            if span is not None and span.start == start < span.end:
                return span.end if span.end.line == start.line else Position(start.line, len(line))
        rest = line[start.column :].partition(" #")[0].rstrip()
        return Position(start.line, start.column + len(rest))
