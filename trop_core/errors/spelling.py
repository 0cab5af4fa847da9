"""How a message spells names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Spelling = Callable[[str], str]
    """From a field's name in Python (``allow_change``) to what the caller knows it as."""


def wire_name(field: str) -> str:
    """The name of a field in JSON: ``allow_change`` is ``allowChange``, ``from_`` is ``from``."""
    first, *rest = field.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def flag_name(field: str) -> str:
    """The name of a field on the command line: ``allow_change`` is ``--allow-change``."""
    return "--" + field.rstrip("_").replace("_", "-")


def quoted(value: object) -> str:
    """A value as a message shows it: text in double quotes, control characters escaped, cut where it is very long."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except RecursionError:
        text = "what is nested too deeply"
    # Cut first: a value of ten megabytes would hold up everybody else while it is escaped.
    shown, rest = text[:200], text[200:]
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in shown
    )
    if rest:
        shown = f"{shown}…"
    return f'"{shown}"' if isinstance(value, str) else shown
