"""The grammar of git-config(1), all of it."""

from __future__ import annotations

import re

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each piece of a text can be taken in one way only, so that a file takes time in proportion to its size. Groups are not
# repeated possessively: Python 3.11 did that wrongly before 3.11.5.
_BLANK = re.compile(rb"(?:[ \t\r\n]++|[#;][^\n]*+)*")
_SECTION = re.compile(rb'\[([A-Za-z0-9.-]++)([ \t]++"(?:[^"\\\n]++|\\[^\n])*")?\]')
_NAME = re.compile(rb"([A-Za-z][A-Za-z0-9-]*+)[ \t]*+(?:(=)|(?=[\r\n#;]|\Z))")
_VALUE = re.compile(rb'(?:[^\n"\\#;]++|"(?:[^"\\\n]++|\\[\n"\\bnt])*"|\\[\n"\\bnt])*(?=[\n#;]|\Z)')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MARK = re.compile(rb'\\(.)|"')
_MEANINGS = {b"b": b"\b", b"n": b"\n", b"t": b"\t"}


class Broken(ValueError):
    """A file is no configuration."""


def settings(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Each setting with its value, as ``configuration.settings`` gives them, of a text with git's own line ends."""
    section, place = "", 0
    while (place := _match(_BLANK, content, place).end()) < len(content):
        if content[place : place + 1] == b"[":
            header = _match(_SECTION, content, place)
            section, place = "" if header[2] else header[1].decode().lower(), header.end()
            continue
        name = _match(_NAME, content, place)
        place, value = name.end(), None
        if name[2]:
            value = _match(_VALUE, content, place)[0]
            place += len(value)
        if section:
            yield f"{section}.{name[1].decode().lower()}", value


def meaning(value: bytes) -> bytes:
    """A value without the blanks around it, quotes and escapes."""
    joined = _ESCAPE.sub(lambda found: b"" if found[1] == b"\n" else found[0], value).strip(b" \t\r\n")
    return _MARK.sub(lambda found: _MEANINGS.get(found[1], found[1]) if found[1] else b"", joined)


def is_positive(word: bytes) -> bool:
    """Whether a word is a number other than zero."""
    return re.fullmatch(rb"[+-]?0*[1-9]\d*[kmg]?", word) is not None


def _match(pattern: re.Pattern[bytes], content: bytes, place: int) -> re.Match[bytes]:
    found = pattern.match(content, place)
    if found is None:
        raise Broken
    return found
