"""Changes to a document that somebody may want: each is a piece of the text, and what takes its place. Pure."""

from __future__ import annotations

from collections import Counter

from trop_core.config.documents.document import Document
from trop_core.config.documents.lines import Position, Span
from trop_core.config.editing import edited
from trop_core.config.tree import Scalar, is_null
from trop_core.errors.configuration import ConfigError
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from trop_core.config.documents.document import TypingProblem
    from trop_core.config.documents.lines import Lines
    from trop_core.config.documents.outline import Entry

_MOST_CHARACTERS = 30_000
"""Of a text that is changed: the parsers that tell whether a change is right are slow, and somebody waits."""


class TextEdit(NamedTuple):
    """What a span holds is to be this text."""

    span: Span
    text: str

    def applied(self, lines: Lines) -> str:
        """The whole text after it."""
        return lines.text[: lines.offset(self.span.start)] + self.text + lines.text[lines.offset(self.span.end) :]


def correcting(document: Document, problem: TypingProblem) -> TextEdit | None:
    """The change that writes what was meant where a problem is; None where that is not known, or mends nothing.

    A value of several lines, a key that is there already, an anchor that something else names, a number that is right
    nowhere: with the change made, the problem has to be gone, and no other one may have come, but for those of what a
    key that is right now holds.
    """
    lines = document.lines
    written = lines.text[lines.offset(problem.span.start) : lines.offset(problem.span.end)]
    if problem.meant is None or ":" in written:
        return None  # of a key without a space behind its colon, the value would be lost
    edit = TextEdit(problem.span, problem.meant)
    before, after = Counter(map(_words, document.problems)), _after(document, edit)
    if after is None:
        return None
    before.subtract([_words(problem)])
    parent, dot, _ = (problem.key or "").rpartition(".")
    below = f"{parent}{dot}{problem.meant}."
    left = Counter(_words(each) for each in after.problems if not (each.key or "").startswith(below))
    return edit if left <= +before else None


def mending(document: Document) -> TextEdit | None:
    """The change that makes a broken text one that can be read, where it is plain: something is missing in one line.

    None where more is wrong with the text: all that stands there stays, and no other problem comes.
    """
    if document.mended_line is None:
        return None
    number, text = document.mended_line
    line = document.lines.line(number)
    if not _is_added_to(line, text):
        return None
    edit = TextEdit(Span(Position(number, 0), Position(number, len(line))), text)
    after = _after(document, edit)
    return edit if after is not None and not after.problems else None


def preferring(document: Document, place: Entry, port: int) -> TextEdit | None:
    """The change that makes a service prefer a port; ``place`` is where it stands. None where that is not plain."""
    edit = _preferring(document, place, port)
    group = document.group
    after = None if edit is None or group is None else _after(document, edit)
    if after is None or group is None:
        return None
    found = after.group
    tag = str(place.path[-1]).strip()
    if tag not in (service.tag for service in group.services):
        return None
    wanted = [
        (service.tag, port if service.tag == tag else service.preferred, service.env) for service in group.services
    ]
    said = None if found is None else [(service.tag, service.preferred, service.env) for service in found.services]
    return edit if said == wanted else None


def _after(document: Document, edit: TextEdit) -> Document | None:
    """The document with a change; None where that has broken it, or is too much to find out."""
    if len(document.text) > _MOST_CHARACTERS:
        return None
    after = Document(edit.applied(document.lines), file=document.file, allowed=document.allowed)
    return None if after.is_broken and not document.is_broken else after


def _is_added_to(line: str, text: str) -> bool:
    """Whether a text is a line with nothing but what opens or ends something put into it."""
    rest = iter(text)
    added = []
    for wanted in line:
        for character in rest:
            if character == wanted:
                break
            added.append(character)
        else:
            return False
    return {*added, *rest} <= set(" :]}\"'")


def _words(problem: TypingProblem) -> tuple[str | None, str]:
    return problem.key, problem.message


def _preferring(document: Document, place: Entry, port: int) -> TextEdit | None:
    present = document.entry(*place.path, "preferred")
    if present is not None:
        return _value(document, present, str(port))
    if isinstance(place.node, Scalar):
        return _value(document, place, f"{{preferred: {port}}}" if is_null(place.node) else str(port))
    if place.value.start < place.value.end:
        lines = document.lines
        at = lines.offset(place.value.start) + 1
        inside = lines.text[at : lines.offset(place.value.end) - 1]
        start = lines.position(at)
        return TextEdit(Span(start, start), f"preferred: {port}{', ' if inside.strip() else ''}")
    first = next(iter(document.outline.below(place.path)), None)
    if first is None or first.key is None or place.key is None or first.key.start.line <= place.key.end.line:
        return None
    at_first = first.key.start
    end = _line_end(document, at_first.line)
    return TextEdit(Span(at_first, at_first), f"preferred: {port}{end}{' ' * at_first.column}")


def _value(document: Document, entry: Entry, text: str) -> TextEdit | None:
    """The change of a single value; None of one that only an alias names."""
    if entry.value.start == entry.value.end:
        before = document.lines.line(entry.value.start.line)[: entry.value.start.column]
        if not before.rstrip().endswith(":"):
            return None
        text = f" {text}" if before.endswith(":") else text
    return TextEdit(entry.value, text)


def excluding(document: Document, port: int) -> TextEdit | None:
    """The change that excludes a port; None where it is excluded, or the list cannot be changed with certainty."""
    text = document.text
    if document.is_broken or len(text) > _MOST_CHARACTERS:
        return None
    try:
        edit = edited(text, document.file, project=document.project, add=Exclusions(((port, port),)))
    except ConfigError:
        return None
    if not edit.changed:
        return None
    new = edit.text
    begin = next(
        (n for n, (one, other) in enumerate(zip(text, new, strict=False)) if one != other), min(len(text), len(new))
    )
    most = min(len(text), len(new)) - begin
    same = next((n for n in range(most) if text[-1 - n] != new[-1 - n]), most)
    lines = document.lines
    return TextEdit(
        Span(lines.position(begin), lines.position(len(text) - same)),
        new[begin : len(new) - same],
    )


def _line_end(document: Document, line: int) -> str:
    begin = document.lines.starts[line] + len(document.lines.line(line))
    following = document.lines.starts[line + 1] if line + 1 < len(document.lines) else len(document.text)
    return document.text[begin:following] or "\n"
