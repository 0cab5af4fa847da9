"""The text of a list in YAML, with entries changed, merged, moved and added, and its layout and comments kept.

A comment goes with its entry: one on the same line, and those on the lines before it. Where entries are merged, the
comments of those that go stand above the one that stays, and tell which ports they were about.
"""

from __future__ import annotations

import re

from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.exclusions import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.ports.exclusions import Entry, Range

_BREAK = r"\r\n|\n|\r"
_COMMENT = r"#[^\r\n]*"
_DASH = r"(?:\r\n|\n|\r)([ \t]*)-(?=[ \t\r\n])"
_QUOTES = ("'", '"')


class Unclear(Exception):
    """The list is laid out in a way that cannot be changed with certainty; the text says in which."""


class Item(NamedTuple):
    """An entry as it is written: where its value begins and ends in the text, and which ports it is."""

    start: int
    end: int
    ports: Range


class Cut(NamedTuple):
    """A part of a text, from one place to another, and what takes its place."""

    start: int
    end: int
    text: str

    def applied(self, text: str) -> str:
        """The whole text with the part replaced."""
        return text[: self.start] + self.text + text[self.end :]


def line_break(text: str) -> str:
    """How a text ends its lines: as its first line does."""
    found = re.search(_BREAK, text)
    return found[0] if found else "\n"


def indentation(text: str, position: int) -> str:
    """The white space that the line of a position begins with."""
    begin = max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1
    blank = re.compile(r"[ \t]*").match(text, begin)
    assert blank
    return blank[0]


def of_new(ranges: Sequence[Range]) -> str:
    """A list where there was none."""
    return f"[{', '.join(map(spelled, ranges))}]"


def in_block(text: str, begin: int, items: Sequence[Item], entries: Sequence[Entry]) -> Cut:
    """The change to a list with an entry per line, each after a dash. ``begin`` is where the list's key ends.

    Raises ``Unclear``.
    """
    values = _values(text, items, entries)
    begin = start = _line_end(text, begin)
    lines: list[_Line] = []
    for item in items:
        dash = re.search(_DASH, text[start : item.start])
        if dash is None:
            raise Unclear("an entry does not begin on a line of its own")
        end = _line_end(text, item.end)
        lines.append(_Line(start, start + dash.start(), item, end, dash[1]))
        start = end
    first = lines[0]
    opening = text[first.dash : first.item.start]
    if opening.strip() != "-" or len(re.findall(_BREAK, opening)) > 1:
        opening = f"{line_break(text)}{first.indent}- "
    written: list[str] = []
    for entry, value in zip(entries, values, strict=True):
        if not entry.parts:
            written.append(opening + value)
            continue
        line = lines[entry.parts[0]]
        written.append(text[line.start : line.dash])
        for gone in (lines[place] for place in entry.parts[1:]):
            written += [f"{line_break(text)}{line.indent}{comment}" for comment in gone.comments(text)]
        written.append(text[line.dash : line.item.start] + value + text[line.item.end : line.end])
    return Cut(begin, lines[-1].end, "".join(written))


def in_flow(text: str, opened: int, closed: int, items: Sequence[Item], entries: Sequence[Entry]) -> Cut:
    """The change to a list in brackets; ``opened`` is after the first of them and ``closed`` before the last."""
    values = _values(text, items, entries)
    if not items:
        inside = text[opened:closed]
        return Cut(opened, closed, ", ".join(values) + (inside if "#" in inside else ""))
    edges = [opened, *(edge for item in items for edge in (item.start, item.end)), closed]
    gaps = [text[edges[n] : edges[n + 1]] for n in range(0, len(edges), 2)]
    if any("#" in gap for gap in gaps):
        return Cut(opened, closed, _Commented(text, opened, items, gaps).written(entries, values))
    *before, last = gaps
    usual = before[1] if len(before) > 1 and not re.search(_BREAK, before[1]) else ", "
    before += [usual] * (len(values) - len(before))
    return Cut(opened, closed, "".join(map(str.__add__, before, values)) + last)


class _Line(NamedTuple):
    """An entry of a list with dashes: the lines before it, the line break before its dash, and its line's end."""

    start: int
    dash: int
    item: Item
    end: int
    indent: str

    def comments(self, text: str) -> list[str]:
        """The comments that go with the entry, as they stand on lines of their own when the entry is gone."""
        before = re.findall(_COMMENT, text[self.start : self.dash])
        beside = re.findall(_COMMENT, text[self.dash : self.item.start] + "\n" + text[self.item.end : self.end])
        return before + [_about(self.item, comment) for comment in beside]


class _Commented(NamedTuple):
    """A list in brackets with comments: ``gaps`` is what stands before, between and after its entries."""

    text: str
    opened: int
    items: Sequence[Item]
    gaps: Sequence[str]

    def written(self, entries: Sequence[Entry], values: Sequence[str]) -> str:
        """What then stands between the brackets: an entry per line."""
        halves = [_at_line_break(gap) for gap in self.gaps]
        beside = [re.findall(_COMMENT, half) for half, _ in halves]
        above = [re.findall(_COMMENT, half) for _, half in halves]
        begin = line_break(self.text) + self._inner_indentation()
        last_comma = "," if "," in re.sub(_COMMENT, "", self.gaps[-1]) else ""
        written = [f" {comment}" for comment in beside[0]]
        for number, (entry, value) in enumerate(zip(entries, values, strict=True)):
            notes = list(above[entry.parts[0]]) if entry.parts else []
            for gone in entry.parts[1:]:
                notes += above[gone]
                notes += [_about(self.items[gone], comment) for comment in beside[gone + 1]]
            written += [begin + note for note in notes]
            written.append(begin + value + ("," if number < len(entries) - 1 else last_comma))
            written += [f" {comment}" for comment in (beside[entry.parts[0] + 1] if entry.parts else [])]
        written += [begin + note for note in above[-1]]
        return "".join(written) + line_break(self.text) + self._outer_indentation()

    def _inner_indentation(self) -> str:
        if re.search(_BREAK, self.gaps[0]):
            return indentation(self.text, self.items[0].start)
        return f"{indentation(self.text, self.opened)}  "

    def _outer_indentation(self) -> str:
        last_line = re.split(_BREAK, self.gaps[-1])[1:][-1:]
        return last_line[0] if last_line and last_line[0].isspace() else indentation(self.text, self.opened)


def _values(text: str, items: Sequence[Item], entries: Sequence[Entry]) -> list[str]:
    """The entries' own text: as it was where the ports are the same, else in the quotes that the list's ranges have."""
    ranges = [text[item.start] for item in items if item.ports[0] < item.ports[1]]
    usual = ranges[0] if ranges and ranges[0] in _QUOTES else ""
    values = []
    for entry in entries:
        former = items[entry.parts[0]] if entry.parts else None
        if former is not None and former.ports == entry.ports:
            values.append(text[former.start : former.end])
            continue
        quote = text[former.start] if former is not None and text[former.start] in _QUOTES else usual
        quote = quote if entry.ports[0] < entry.ports[1] else ""
        values.append(f"{quote}{spelled(entry.ports)}{quote}")
    return values


def _about(item: Item, comment: str) -> str:
    return f"# {spelled(item.ports)}: {comment.lstrip('#').strip()}"


def _line_end(text: str, position: int) -> int:
    found = re.compile(_BREAK).search(text, position)
    return found.start() if found else len(text)


def _at_line_break(text: str) -> tuple[str, str]:
    end = _line_end(text, 0)
    return text[:end], text[end:]
