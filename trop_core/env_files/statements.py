"""Which bytes of a dotenv file set which variable.

The syntax has no standard. A value may begin with a quote and go on over lines; where it ends, python-dotenv, docker
compose and a POSIX shell tell in three ways once a backslash is in it. Each is a reading here: what one takes for an
assignment may be a part of a value to another.
"""

from __future__ import annotations

import re

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LINE_END = re.compile(rb"\r\n|\n|\r|\Z")
_BLANK = re.compile(rb"[ \t\v\f]*")
_PASSED_OVER = re.compile(rb"(?:[ \t\v\f\r\n]+|#[^\r\n]*)*")
_KEY = rb"""(?:export[ \t\v\f]+)?     # what a shell needs
    (?:'(%b+)'|([^=:\#\s'"]+))          # python-dotenv takes quotes around a name
    [ \t\v\f]*([=:]?)[ \t\v\f]*       # docker compose takes a colon as well"""
_PAIRS = rb"(?:\\.|[^%b\\])*%b"


class Reading(NamedTuple):
    """One way to tell what is a name, and where quoted values end: for all from behind each quote to its end.

    ``by_line`` tells that what cannot be understood goes no further than its line: a colon in the place of the equals
    sign, a quote that has no other, what follows a quoted value.
    """

    key: re.Pattern[bytes]
    ends: Mapping[bytes, re.Pattern[bytes]]
    by_line: bool


def _reading(single: bytes, double: bytes, *, by_line: bool = False) -> Reading:
    # A name between quotes may go on over lines for python-dotenv.
    key = re.compile(_KEY % (b"[^']" if by_line else rb"[^'\r\n]"), re.VERBOSE)
    return Reading(key, {b"'": re.compile(single, re.DOTALL), b'"': re.compile(double, re.DOTALL)}, by_line)


SHELL = _reading(rb"[^']*'", _PAIRS % (b'"', b'"'))
"""POSIX.1-2017, XCU 2.2: nothing is escaped between single quotes, and a backslash escapes between double ones."""

COMPOSE = _reading(_PAIRS % (b"'", b"'"), _PAIRS % (b'"', b'"'))
"""``dotenv/parser.go`` of compose-go: a backslash escapes between either."""

PYTHON = _reading(rb"(?:\\'|[^'])*'", rb'(?:\\"|[^"])*"', by_line=True)
"""``parser.py`` of python-dotenv: an escaped quote ends the value after all where no other one follows."""

READINGS = (SHELL, COMPOSE, PYTHON)


class Statement(NamedTuple):
    """What sets a variable, or has its name alone.

    It begins with its line, or behind another one on that. ``value_end`` is behind its value, ``end`` behind all that
    is its own: behind the line end, unless another one follows on the line. ``closed`` is false where a quoted value
    has no end.
    """

    start: int
    value_end: int
    end: int
    name: bytes
    closed: bool = True


def statements(content: bytes, start: int, reading: Reading) -> Iterator[Statement]:
    """What sets variables from an offset on, in the order of the file. One that is not closed is the last one."""
    position = start
    while position < len(content):
        begin, position = position, _matched(_PASSED_OVER, content, position)
        # What it passed over are empty lines and comments: this is where its own line begins, or where it did.
        begin = max(begin, 1 + content.rfind(b"\n", begin, position), 1 + content.rfind(b"\r", begin, position))
        key = reading.key.match(content, position)
        if key is None and not reading.by_line and content[position : position + 1] in reading.ends:
            # A quoted word that sets nothing may go on over lines as well.
            name, behind, sets = b"", position, True
        elif key is None or (key[3] == b":" and reading.by_line):
            position = line_end(content, position)
            continue
        else:
            name, behind, sets = key[1] or key[2], key.end(), bool(key[3])
        quote = content[behind : behind + 1] if sets else b""
        if quote not in reading.ends:
            word = reading.ends.get(content[behind : behind + 1])
            if not (sets or reading.by_line) and word is not None and word.match(content, behind + 1) is None:
                # As in "export '": whatever comes behind the file would belong to the word.
                yield Statement(begin, len(content), len(content), name, closed=False)
                return
            position = line_end(content, behind)
            if sets or _is_over(content, behind):
                yield Statement(begin, behind, position, name)
            continue
        value = reading.ends[quote].match(content, behind + 1)
        if value is None and not reading.by_line:
            yield Statement(begin, len(content), len(content), name, closed=False)
            return
        behind = behind if value is None else value.end()
        # Behind the value, a shell and compose take another statement.
        is_last = reading.by_line or _is_over(content, _matched(_BLANK, content, behind))
        position = line_end(content, behind) if is_last else behind
        yield Statement(begin, behind, position, name)


def _is_over(content: bytes, position: int) -> bool:
    """Whether nothing but a comment follows on the line."""
    return content[position : position + 1] in (b"#", b"\r", b"\n", b"")


def line_end(content: bytes, position: int) -> int:
    """The offset behind the end of the line that an offset lies in."""
    return _matched(_LINE_END_FROM, content, position)


def line_number(content: bytes, position: int) -> int:
    """The number of the line that an offset lies in, from 1."""
    return 1 + sum(1 for end in _LINE_END.finditer(content, 0, position) if end[0])


def lines(content: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the lines of a part begin, and where they end, behind their line ends."""
    while start < end:
        yield start, (start := min(line_end(content, start), end))


_LINE_END_FROM = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def _matched(pattern: re.Pattern[bytes], content: bytes, position: int) -> int:
    found = pattern.match(content, position)
    return position if found is None else found.end()
