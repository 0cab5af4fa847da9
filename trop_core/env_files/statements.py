"""Which bytes of a dotenv file set which variable.

The syntax has no standard. A value may begin with a quote and go on over lines; where it ends, python-dotenv, docker
compose and a POSIX shell tell in three ways once a backslash is in it. Each is a reading here: what one takes for an
assignment may be a part of a value to another.
"""

from __future__ import annotations

import re

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Reading = Callable[[bytes, int], Iterator["Statement"]]
    """What sets variables in a content, from an offset on, in the order of the file; one not closed is the last."""

_LINE_END = re.compile(rb"\r\n|\n|\r|\Z")
_BLANK = re.compile(rb"[ \t\v\f]*")
_PASSED_OVER = re.compile(rb"(?:[ \t\v\f\r\n]+|#[^\r\n]*)*")
_KEY = re.compile(
    rb"""(?:export[ \t\v\f]+)?         # what a shell needs
    (?:'([^'\r\n]+)'|([^=:\#\s'"]+))  # python-dotenv takes quotes around a name
    [ \t\v\f]*([=:]?)[ \t\v\f]*       # docker compose takes a colon as well""",
    re.VERBOSE,
)

# python-dotenv reads text, and in Unicode these are blanks as well.
_WIDE = rb"[\t\v\f\x1c-\x1f ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
_WIDE_BLANK = re.compile(rb"(?:%b)*" % _WIDE)
_WIDE_LINES = re.compile(rb"(?:[\r\n]|%b)*" % _WIDE)
_WIDE_EXPORT = re.compile(rb"(?:export(?:%b)+)?" % _WIDE)
_WIDE_KEY = re.compile(rb"'([^']+)'|(?!')((?:(?!%b)[^=\#\r\n])+)" % _WIDE)

# Where a quoted value ends, from behind each quote.
_PAIRS = rb"(?:\\.|[^%b\\])*%b"
_IN_DOUBLE_QUOTES = re.compile(_PAIRS % (b'"', b'"'), re.DOTALL)
_LITERAL = {b"'": re.compile(rb"[^']*'"), b'"': _IN_DOUBLE_QUOTES}
_ESCAPED = {b"'": re.compile(_PAIRS % (b"'", b"'"), re.DOTALL), b'"': _IN_DOUBLE_QUOTES}
_PERHAPS_ESCAPED = {b"'": re.compile(rb"(?:\\'|[^'])*'"), b'"': re.compile(rb'(?:\\"|[^"])*"')}


class Statement(NamedTuple):
    """What sets a variable, or has its name alone.

    It begins with its line, or behind another one on that. ``value_end`` is behind its value, ``end`` behind all that
    is its own: behind the line end, unless another one follows on the line. ``closed`` is false where a quoted value
    has no end. The name is empty where what goes on over lines sets nothing.
    """

    start: int
    value_end: int
    end: int
    name: bytes
    closed: bool = True


def shell(content: bytes, start: int) -> Iterator[Statement]:
    """POSIX.1-2017, XCU 2.2: nothing is escaped between single quotes, and a backslash escapes between double ones."""
    return _by_word(content, start, _LITERAL)


def compose(content: bytes, start: int) -> Iterator[Statement]:
    """``dotenv/parser.go`` of compose-go: a backslash escapes between either."""
    return _by_word(content, start, _ESCAPED)


def python_dotenv(content: bytes, start: int) -> Iterator[Statement]:
    """``parser.py`` of python-dotenv from 1.2.3 on: a backslash escapes between either."""
    return _by_line(content, start, _ESCAPED)


def older_python_dotenv(content: bytes, start: int) -> Iterator[Statement]:
    """The same up to 1.2.2: an escaped quote ends the value after all where no other one follows."""
    return _by_line(content, start, _PERHAPS_ESCAPED)


READINGS: tuple[Reading, ...] = (shell, compose, python_dotenv, older_python_dotenv)


def _by_word(content: bytes, start: int, ends: Mapping[bytes, re.Pattern[bytes]]) -> Iterator[Statement]:
    """A quoted word goes on to its other quote, whatever it is; and behind a value, another statement may follow."""
    position = start
    while position < len(content):
        begin, position = position, _matched(_PASSED_OVER, content, position)
        begin = _own_line(content, begin, position)
        key = _KEY.match(content, position)
        if key is None and content[position : position + 1] in ends:
            # A quoted word that sets nothing may go on over lines as well.
            name, behind, sets = b"", position, True
        elif key is None:
            position = line_end(content, position)
            continue
        else:
            name, behind, sets = key[1] or key[2], key.end(), bool(key[3])
        quote = content[behind : behind + 1] if sets else b""
        if quote not in ends:
            word = ends.get(content[behind : behind + 1])
            if not sets and word is not None and word.match(content, behind + 1) is None:
                # As in "export '": whatever comes behind the file would belong to the word.
                yield Statement(begin, len(content), len(content), name, closed=False)
                return
            position = line_end(content, behind)
            if sets or _is_over(content, behind):
                yield Statement(begin, behind, position, name)
            continue
        value = ends[quote].match(content, behind + 1)
        if value is None:
            yield Statement(begin, len(content), len(content), name, closed=False)
            return
        behind = value.end()
        is_last = _is_over(content, _matched(_BLANK, content, behind))
        position = line_end(content, behind) if is_last else behind
        yield Statement(begin, behind, position, name)


def _by_line(content: bytes, start: int, ends: Mapping[bytes, re.Pattern[bytes]]) -> Iterator[Statement]:
    """What cannot be understood goes no further than its line: what follows a name or a value, a lone quote."""
    position = start
    while position < len(content):
        begin, position = position, _matched(_WIDE_LINES, content, position)
        begin = _own_line(content, begin, position)
        key = _WIDE_KEY.match(content, _matched(_WIDE_EXPORT, content, position))
        if key is None:
            position = line_end(content, position)
            continue
        name, behind = key[1] or key[2], key.end()
        sign = _matched(_WIDE_BLANK, content, behind)
        sets = content[sign : sign + 1] == b"="
        if sets:
            behind = _matched(_WIDE_BLANK, content, sign + 1)
            end = ends.get(content[behind : behind + 1])
            value = None if end is None else end.match(content, behind + 1)
            behind = behind if value is None else value.end()
        position = line_end(content, behind)
        yield Statement(begin, behind, position, name if sets or _is_over(content, sign) else b"")


def _own_line(content: bytes, begin: int, position: int) -> int:
    """Where the line begins in which something stands, or else where it does: what comes before is passed over."""
    return max(begin, 1 + content.rfind(b"\n", begin, position), 1 + content.rfind(b"\r", begin, position))


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
