"""What Claude Code's hooks ask and are answered, by its reference (https://code.claude.com/docs/en/hooks).

The answer goes into a model's context. Of what a stranger may have written, only ports, names of variables and harmless
tags get there: a directory, a branch or a tag may be a sentence that tells the model what to do.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trop_core.models import Reservation

LONGEST_QUESTION = 1024 * 1024
"""Bytes."""

_TAG = re.compile("[A-Za-z0-9_.-]{1,64}")
_DIRECTORIES = {"SessionStart": "cwd", "CwdChanged": "new_cwd"}
_BEFORE = "Ports that trop keeps for this directory, always the same ones:"
_AFTER = (
    "Start what listens on these ports, and on no port that you pick yourself. `trop reserve --tag NAME` gives another "
    "one."
)


class Event(NamedTuple):
    """That a session starts in a directory, or changes to one."""

    name: Literal["SessionStart", "CwdChanged"]
    directory: str


def asked(content: bytes) -> Event | None:
    """The event that a host tells of on stdin; None for any other text, and for all that is not answered."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"hook_event_name": "SessionStart" | "CwdChanged" as name}:
            directory = told.get(_DIRECTORIES[name], told.get("cwd"))
        case _:
            return None
    if not isinstance(directory, str) or not directory.startswith("/"):
        # A relative one would start where the host has started this process: with a plugin, in the plugin.
        return None
    return Event(name, directory)


def answer(event: Event, rows: Sequence[Reservation], exported: Mapping[str, int | str]) -> str:
    """What is printed for the host: JSON with the ports as additional context.

    ``exported`` are the variables that it was given.
    """
    lines = [_BEFORE, *(f"- {_told_of(row, rows, exported)}" for row in rows)]
    made = sorted(name for name, value in exported.items() if isinstance(value, str))
    if made:
        lines.append(f"Made from them: {', '.join(made)}")
    lines.append(_AFTER)
    told = {"hookEventName": event.name, "additionalContext": "\n".join(lines)}
    return json.dumps({"hookSpecificOutput": told}) + "\n"


def _told_of(row: Reservation, rows: Sequence[Reservation], exported: Mapping[str, int | str]) -> str:
    """One port, after its tag: with its variables, or what else tells it from the others."""
    tag = f"{row.tag}: " if row.tag is not None and _TAG.fullmatch(row.tag) else ""
    names = [name for name, value in exported.items() if value == row.port]
    told = f", in the variable{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""
    if row.path != rows[0].path:
        told += ", of this directory alone"
    elif row.tag is None and not names and len(rows) > 1:
        told += ", without a tag"
    return f"{tag}{row.port}{told}"
