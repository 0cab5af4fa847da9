"""The two settings of a repository that naming needs, by the grammar of git-config(1).

Read by hand: libraries open whatever such a file includes, wait for it, and evaluate what else it says. Here nothing is
included, and nothing but the two settings is understood.
"""

from __future__ import annotations

import os

from trop_core import small_files
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_FILE = small_files.LARGEST_CONFIGURATION
"""Bytes."""

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


def settings(content: bytes) -> Iterable[tuple[str, bytes | None]]:
    """Each setting with its value, None if it has none; sections without a name of their own only.

    Names are in lower case, ``core.bare``. Raises ``ValueError`` for what is no configuration, once it comes to that.
    """
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    plain = _plain_settings(content)
    if plain is not None:
        return plain
    from trop_core.git import grammar

    return grammar.settings(content)


def _plain_settings(content: bytes) -> list[tuple[str, bytes | None]] | None:
    """The settings of a file as git itself writes most: one thing a line, and no quotes; None of any other.

    To load what reads all of the grammar takes as long as a fifth of a reservation.
    """
    if any(mark in content for mark in (b"\\", b"\r", b"#", b";")):
        return None
    found: list[tuple[str, bytes | None]] = []
    section = ""
    for line in content.split(b"\n"):
        text = line.strip(b" \t")
        if text.startswith(b"["):
            name, has_own, own = text[1:-1].partition(b" ")
            if not text.endswith(b"]") or not _is_word(name, b".-") or (has_own and not _is_quoted(own)):
                return None
            section = "" if has_own else name.decode().lower()
        elif text:
            name, has_value, value = line.partition(b"=")
            name = name.strip(b" \t")
            if not _is_word(name, b"-") or not name[:1].isalpha() or b'"' in value:
                return None
            if section:
                found.append((f"{section}.{name.decode().lower()}", value if has_value else None))
    return found


def _is_word(text: bytes, others: bytes) -> bool:
    return bool(text) and (text.isalnum() or text.translate(None, others).isalnum() or not text.translate(None, others))


def _is_quoted(text: bytes) -> bool:
    return len(text) > 1 and text[:1] == text[-1:] == b'"' and b'"' not in text[1:-1]


def _values(path: str) -> dict[str, bytes | None]:
    content = small_files.read(path, most=LARGEST_FILE)
    if isinstance(content, bytes):
        return {name: value and _meaning(value) for name, value in settings(content) if name in _WANTED}
    if content.reason == "missing":
        return {}
    raise _Broken


def _meaning(value: bytes) -> bytes:
    """A value without the blanks around it, quotes and escapes."""
    if b"\\" not in value and b'"' not in value:
        return value.strip(b" \t\r\n")
    from trop_core.git import grammar

    return grammar.meaning(value)


def _is_true(value: bytes | None) -> bool:
    """A switch as git reads it: one that is only named is on, and so is any number but zero."""
    word = b"true" if value is None else value.lower()
    if not word.strip(b"+-0123456789kmg"):
        from trop_core.git import grammar

        return grammar.is_positive(word)
    return word in (b"true", b"yes", b"on")
