"""How a message spells names and values."""

from __future__ import annotations

import os
from functools import lru_cache

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Spelling = Callable[[str], str]
    """From a field's name in Python (``allow_change``) to what the caller knows it as."""


@lru_cache(1000)
def wire_name(field: str) -> str:
    """The name of a field in JSON: ``allow_change`` is ``allowChange``, ``from_`` is ``from``."""
    first, *rest = field.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def flag_name(field: str) -> str:
    """The name of a field on the command line: ``allow_change`` is ``--allow-change``."""
    return "--" + field.rstrip("_").replace("_", "-")


_LONGEST_GUESSED = 100
"""Characters of a name that is compared with others: to compare ten megabytes would hold up everybody else."""


_CLOSE = 0.8
"""How much a name has to be like one that may do harm, by ``difflib``."""

_GUARDED = ("force", "overwrite", "allow", "ignore", "takeover", "commentout")


def lifts_a_guard(field: str) -> bool:
    """Whether a field, as a flag or in JSON, lifts what keeps a call from doing harm."""
    return field.replace("-", "").replace("_", "").lower().startswith(_GUARDED)


def _harmless(_name: str) -> bool:
    return False


def nearest(name: str, known: Iterable[str], may_harm: Callable[[str], bool] = _harmless) -> str | None:
    """Of known names the one that was probably meant: the only one that begins so, or one like it; None for neither.

    One of the same letters, two of which have changed places, goes before others that are as much like it. What all
    known names begin with makes none of them more like it. One that ``may_harm`` has to be very much like it: the same
    but for the case of its letters is.
    """
    name, names = name[:_LONGEST_GUESSED], list(known)
    same = [each for each in names if each.casefold() == name.casefold()]
    if len(same) == 1:
        return same[0]
    common = os.path.commonprefix(names) if len(names) > 1 else ""  # noqa: RUF071 - no paths
    if common and name.startswith(common):
        rest = (each.removeprefix(common) for each in names)
        found = nearest(name.removeprefix(common), rest, lambda found: may_harm(common + found))
        return None if found is None else common + found
    longer = [each for each in names if len(name) > 2 and each.startswith(name)]
    if len(longer) == 1:
        return longer[0]
    from difflib import get_close_matches

    matches = [
        match
        for match in get_close_matches(name, names, n=5)
        if sorted(match) == sorted(name) or not may_harm(match) or get_close_matches(name, [match], cutoff=_CLOSE)
    ]
    return min(matches, key=lambda match: sorted(match) != sorted(name), default=None)


_DIRECTIONS = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""What turns the direction of text around, or breaks a line without being a control character."""


def escaped(text: str) -> str:
    r"""A text from elsewhere as one line that a terminal shows and does not obey: ``\x1b``, ``\n``, ``\u202e``.

    Control characters, line and paragraph separators, what changes the direction of writing and halves of surrogate
    pairs are escaped as in Python; all else, a backslash too, stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode("ascii") if _is_obeyed(c) else c for c in text)


def _is_obeyed(character: str) -> bool:
    return (
        character < " "
        or "\x7f" <= character <= "\x9f"
        or "\ud800" <= character <= "\udfff"
        or character in _DIRECTIONS
    )


def shell_word(text: str) -> str:
    r"""A text as one word of a command for a shell, on one line and without anything that a terminal obeys.

    Where that takes escapes it is ``$'…'``, which bash, zsh and ksh read. To a shell that does not know this it is one
    word all the same, if another one.
    """
    if text.isprintable() or not any(map(_is_obeyed, text)):
        import shlex

        return shlex.quote(text)
    return f"$'{''.join(map(_escaped_in_quotes, text))}'"


def _escaped_in_quotes(character: str) -> str:
    if not _is_obeyed(character) and character not in "\\'":
        return character
    return f"\\x{ord(character):02x}" if character < "\x80" else f"\\u{ord(character):04x}"


def quoted(value: object) -> str:
    """A value as a message shows it: as in JSON, but control characters are escaped, and what is very long is cut."""
    try:
        text = value if isinstance(value, str) else _as_json(value)
    except RecursionError:
        text = "what is nested too deeply"
    # Cut first: a value of ten megabytes would hold up everybody else while it is escaped.
    shown, rest = text[:200], text[200:]
    shown = escaped(shown)
    if rest:
        shown = f"{shown}…"
    return f'"{shown}"' if isinstance(value, str) else shown


def _as_json(value: object) -> str:
    from json import dumps
    from math import inf

    # JSON has 1e400, and what is made of it when it is read has no name there.
    return "a number that is too large" if value in (inf, -inf) else dumps(value, ensure_ascii=False, default=repr)
