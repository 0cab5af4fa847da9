"""Colour, links and columns for people: what only a terminal gets, and what it gets of it.

Whether colour is wanted is found out as CPython's own ``_colorize`` and no-color.org have it. The few sequences stand
here because each library for them (rich, click) takes longer to import than a whole ``trop list``, and because what is
printed has to come from a fixed set: a text from elsewhere is escaped, and a link leads to a port of this machine.
"""

from __future__ import annotations

from trop_core.errors.spelling import escaped
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple
from trop_core.operations.starting.url import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Style = Literal["good", "careful", "bad", "faint", "strong"]

_CODES: dict[Style, int] = {"good": 32, "careful": 33, "bad": 31, "faint": 2, "strong": 1}
_NO = ("0", "false", "no", "off")
_NO_LINKS = ("dumb", "linux")
"""Terminals that would show the address instead of making a link of it."""


class Span(NamedTuple):
    """A piece of a line: its text, how it looks where there is colour, and the port that it leads to, if any."""

    text: str
    style: Style | None = None
    port: int | None = None


Line = tuple[Span, ...]

_SPACE, _TAB = Span("  "), Span("\t")
"""What stands between two columns: in a terminal, and for programs such as ``cut``."""


class Look(NamedTuple):
    """What the place where an answer goes takes: columns that line up, colour, links, and moves of the cursor."""

    columns: bool = False
    colour: bool = False
    links: bool = False
    moves: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str], *, to_terminal: bool) -> Look:
        """What the environment says of a place. Pure.

        ``NO_COLOR`` goes first, then ``FORCE_COLOR``, which gives colour to a pipe as well, then ``TERM=dumb`` and
        ``CLICOLOR``. An empty variable says nothing.
        """
        term = environment.get("TERM", "")
        forced = environment.get("FORCE_COLOR", "").lower()
        if environment.get("NO_COLOR"):
            colour = False
        elif forced:
            colour = forced not in _NO
        else:
            colour = to_terminal and term != "dumb" and environment.get("CLICOLOR", "").lower() not in _NO
        return cls(
            columns=to_terminal,
            colour=colour,
            links=to_terminal and term not in _NO_LINKS,
            moves=to_terminal and term != "dumb",
        )

    @property
    def is_plain(self) -> bool:
        """Whether it takes nothing that a pipe does not."""
        return self == Look()

    def paint(self, lines: Iterable[Sequence[Span]]) -> bytes:
        """Lines as they are written, each with a line feed. What is in a text is escaped: nothing of it is obeyed."""
        return "".join("".join(map(self._painted, line)).rstrip(" ") + "\n" for line in lines).encode()

    def table(self, rows: Sequence[Sequence[Span]]) -> list[Line]:
        """Rows of cells as lines: in columns, or with one tab in between.

        What stands behind the last column of the first row is a mark, and takes no part in the widths.
        """
        if not self.columns:
            return [tuple(_joined(row, _TAB)) for row in rows]
        count = len(rows[0])
        widths = [max(width_of(escaped(row[place].text)) for row in rows) for place in range(count)]
        return [tuple(_joined(_padded(row, widths), _SPACE)) for row in rows]

    def _painted(self, span: Span) -> str:
        text = span.text if span is _TAB else escaped(span.text)
        if self.links and span.port is not None:
            text = f"\x1b]8;;{url_of(span.port)}\x1b\\{text}\x1b]8;;\x1b\\"
        if self.colour and span.style is not None:
            text = f"\x1b[{_CODES[span.style]}m{text}\x1b[0m"
        return text


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes: two for each wide character (CJK, most emoji), none for a mark.

    By East Asian Width and general category, which the standard library has; a sequence of emoji that a terminal joins
    counts as its parts.
    """
    if text.isascii():
        return len(text)
    import unicodedata

    width = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me", "Cf"):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width


def _padded(row: Sequence[Span], widths: Sequence[int]) -> Iterable[Sequence[Span]]:
    for place, span in enumerate(row):
        missing = widths[place] - width_of(escaped(span.text)) if place < len(widths) else 0
        yield (span, Span(" " * missing)) if missing else (span,)


def _joined(cells: Iterable[Sequence[Span] | Span], between: Span) -> Iterable[Span]:
    for place, cell in enumerate(cells):
        if place:
            yield between
        yield from (cell,) if isinstance(cell, Span) else cell
