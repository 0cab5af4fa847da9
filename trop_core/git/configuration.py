"""The two settings of a repository that naming needs, by the grammar of git-config(1).

Read by hand: libraries open whatever such a file includes, wait for it, and evaluate what else it says. Here nothing is
included, and nothing but the two settings is understood.
"""

from __future__ import annotations

import os
import re

from trop_core import small_files
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_FILE = small_files.LARGEST_CONFIGURATION
"""Bytes."""

# None of them goes back in the text, so that a file takes time in proportion to its size.
_BLANK = re.compile(rb"(?:[ \t\r\n]++|[#;][^\n]*+)*+")
_SECTION = re.compile(rb'\[([A-Za-z0-9.-]++)([ \t]++"(?:[^"\\\n]++|\\[^\n])*+")?+\]')
_NAME = re.compile(rb"([A-Za-z][A-Za-z0-9-]*+)[ \t]*+(?:(=)|(?=[\r\n#;]|\Z))")
_VALUE = re.compile(rb'(?:[^\n"\\#;]++|"(?:[^"\\\n]++|\\[\n"\\bnt])*+"|\\[\n"\\bnt])*+(?=[\n#;]|\Z)')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MARK = re.compile(rb'\\(.)|"')
_MEANINGS = {b"b": b"\b", b"n": b"\n", b"t": b"\t"}
_WANTED = ("core.worktree", "core.bare", "extensions.worktreeconfig")


class Configuration(NamedTuple):
    """``core.worktree`` as it is written, None if it is not set, and ``core.bare``."""

    worktree: str | None = None
    bare: bool = False


class _Broken(ValueError):
    """A file is no configuration, or may not be read as one."""


def read(git_directory: str) -> Configuration | None:
    """What the configuration of a main git directory says; None if one is there that cannot be read.

    With ``extensions.worktreeConfig``, ``config.worktree`` goes before ``config``: git moves both settings there then.
    """
    try:
        values = _values(os.path.join(git_directory, "config"))
        if _is_true(values.get("extensions.worktreeconfig", b"false")):
            values |= _values(os.path.join(git_directory, "config.worktree"))
        worktree = (values.get("core.worktree") or b"").decode("utf-8")
    except ValueError:
        return None
    if "\0" in worktree:
        return None
    return Configuration(worktree or None, _is_true(values.get("core.bare", b"false")))


def settings(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Each setting with its value, None if it has none; sections without a name of their own only.

    Names are in lower case, ``core.bare``. Raises ``ValueError`` for what is no configuration.
    """
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
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


def _values(path: str) -> dict[str, bytes | None]:
    content = small_files.read(path, most=LARGEST_FILE)
    if isinstance(content, bytes):
        return {name: value and _meaning(value) for name, value in settings(content) if name in _WANTED}
    if content.reason == "missing":
        return {}
    raise _Broken


def _meaning(value: bytes) -> bytes:
    """A value without the blanks around it, quotes and escapes."""
    joined = _ESCAPE.sub(lambda found: b"" if found[1] == b"\n" else found[0], value).strip(b" \t\r\n")
    return _MARK.sub(lambda found: _MEANINGS.get(found[1], found[1]) if found[1] else b"", joined)


def _is_true(value: bytes | None) -> bool:
    """A switch as git reads it: one that is only named is on, and so is any number but zero."""
    word = b"true" if value is None else value.lower()
    return word in (b"true", b"yes", b"on") or re.fullmatch(rb"[+-]?0*[1-9]\d*[kmg]?", word) is not None


def _match(pattern: re.Pattern[bytes], content: bytes, place: int) -> re.Match[bytes]:
    found = pattern.match(content, place)
    if found is None:
        raise _Broken
    return found
