"""Which environment variables a project's file may name.

The file may be a stranger's. With PATH=5000 a shell runs programs from a directory ``5000`` of that very repository,
with GIT_COMMON_DIR=5000 git runs what a ``config`` in it says, and no list of such names is ever complete. So a name
has to say what it is for: for a port, PORT is one of its parts. Any other is the user's own to allow.
"""

from __future__ import annotations

from trop_core.config.values import Refused, refuse
from trop_core.light_types import TYPE_CHECKING
from trop_core.ports.made_variables import COMPOSE_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_VARIABLE = 255
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
PATTERN_OF_NAMES = r"[A-Za-z_*][A-Za-z0-9_*]*"
OWN_PREFIX = "TROP_"
"""What trop's own variables begin with, whatever the case of its letters."""

_ADDRESSES = ("URL", "URI", "ORIGIN", "ENDPOINT", "ADDR")
_ALLOWING = "only your own config.yaml can allow it, under allowed_variables"


def derived_name(tag: str) -> str:
    """The variable of a service whose file names none: ``my-api`` is MY_API_PORT, ``http-port`` is HTTP_PORT."""
    name = tag.upper().replace("-", "_")
    return name if name.rpartition("_")[2] == "PORT" else f"{name}_PORT"


def port_refusal(name: str, allowed: Iterable[str] = ()) -> str | None:
    """Why a file may not give a port to the variable of this name, as a clause about it; None if it may.

    ``allowed`` is what the user's own ``config.yaml`` has under ``allowed_variables``.
    """
    return _refusal(name, ("PORT",), "PORT among its parts, as WEB_PORT and PORT_API have", allowed)


def address_refusal(name: str, allowed: Iterable[str] = ()) -> str | None:
    """The same for a variable that is made from ports, whose value is an address or the name of a Compose project."""
    if name == COMPOSE_PROJECT:
        return None
    lacking = f"{', '.join(_ADDRESSES[:-1])} or {_ADDRESSES[-1]} among its parts, as API_URL has"
    return _refusal(name, _ADDRESSES, lacking, allowed)


def port_pattern(allowed: Iterable[str] = ()) -> str:
    """The pattern of the names that ``port_refusal`` lets through, but for their length and those of trop's own."""
    return _pattern(("PORT",), allowed)


def address_pattern(allowed: Iterable[str] = ()) -> str:
    """The same for ``address_refusal``."""
    return _pattern(_ADDRESSES, (COMPOSE_PROJECT, *allowed))


def covers(allowed: Iterable[str], name: str) -> bool:
    """Whether a name is among those that the user allows. A name that begins with TROP_ never is."""
    if not allowed or _is_own(name):
        return False
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, pattern) for pattern in allowed)


def accept_pattern(value: object) -> str:
    """One entry of ``allowed_variables``. Raises ``Refused``."""
    import re

    if not isinstance(value, str) or len(value) > LONGEST_VARIABLE or not re.fullmatch(PATTERN_OF_NAMES, value):
        raise refuse("the name of a variable, in which * stands for any part of it", value)
    if _is_own(value):
        raise Refused(f"variables that begin with {OWN_PREFIX} are trop's own, and never a project's to name")
    return value


def _refusal(name: str, parts: tuple[str, ...], lacking: str, allowed: Iterable[str]) -> str | None:
    if len(name) > LONGEST_VARIABLE or not (name.isascii() and name.isidentifier()):
        return f"is no name of a variable: one has A to Z, digits and _, {LONGEST_VARIABLE} at most, and no digit first"
    if _is_own(name):
        return f"begins with {OWN_PREFIX}, as trop's own variables do"
    if covers(allowed, name):
        return None
    if name != name.upper():
        return f"is not in upper case; {_ALLOWING}"
    if not any(part in parts for part in name.split("_")):
        return f"has no {lacking}; {_ALLOWING}"
    return None


def _pattern(parts: tuple[str, ...], allowed: Iterable[str]) -> str:
    usual = f"([A-Z_][A-Z0-9_]*_|_)?({'|'.join(parts)})(_[A-Z0-9_]*)?"
    return f"^({'|'.join([usual, *map(_pattern_of, allowed)])})$"


def _pattern_of(allowed: str) -> str:
    """One entry of ``allowed_variables`` as a pattern: a name never begins with a digit."""
    import re

    anything = "[A-Za-z0-9_]*".join(re.split(r"\*+", allowed.lstrip("*")))
    return f"({_NAME})?{anything}" if allowed.startswith("*") else anything


def _is_own(name: str) -> bool:
    # zsh ties variables to others whose names differ in the case of their letters alone.
    return name.upper().startswith(OWN_PREFIX)
