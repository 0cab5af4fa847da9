"""Which tools an agent is offered, when to use each, and which of their fields are shown.

A model pays for every word of ``tools/list``, and chooses worse among many tools: what an agent's work needs is there
from the start, and ``--tools`` gives the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trop_core.catalogue import operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.catalogue import Operation

ALL = "all"

_NO_TOOL = "list_commands"
"""The operation that is no tool: ``tools/list`` does the same."""

_USUAL = {
    "reserve": (
        *("folder", "path", "tag", "root", "port", "min", "max", "overwrite"),
        *("allow_unrelated_path", "allow_change_project", "dry_run"),
    ),
    "autoreserve": ("folder", "allow_unrelated_path", "dry_run"),
    "status": ("folder", "path"),
    "list": ("folder", "path", "project", "tag", "here", "include_occupancy", "limit", "after"),
    "port_info": ("port", "include_occupancy"),
    "release": (
        *("folder", "path", "tag", "untagged_only", "recursive"),
        *("allow_unrelated_path", "force", "dry_run", "plan"),
    ),
    "undo": ("id", "folder", "any", "dry_run", "plan"),
    "migrate": ("from_", "to", "recursive", "force", "dry_run", "plan"),
}
"""The tools that are there from the start, each with the fields that are shown. The others are understood as well."""

_WHEN = {
    "reserve": "Call this before starting anything that listens on a port.",
    "autoreserve": (
        "Call this instead of trop_reserve where the project's trop.yaml describes its services, before starting them."
    ),
    "env": "Call this to learn which environment variables to start a program with.",
    "url": "Call this to learn at which address a program of this folder is reached.",
    "reserve_group": "Call this to reserve for the services of a trop.yaml that lies elsewhere.",
    "status": "Call this first, to see what this directory has and what runs on it.",
    "list": "Call this to see which directory has which port, before asking for more or telling somebody's port.",
    "port_info": "Call this when a port is in use, to learn whose it is before doing anything about it.",
    "release": "Call this when a directory is done with for good, not when a server stops.",
    "migrate": "Call this after a directory was moved or renamed, to take its ports along.",
    "swap": "Call this where an address that is registered elsewhere needs the port that another directory has.",
    "doctor": "Call this when a call fails of the store, the configuration or the system, or answers what cannot be.",
    "history": "Call this to see who changed a reservation, when and how.",
    "undo": "Call this when something was released, moved or removed by mistake, to have it back as it was.",
    "list_projects": "Call this to learn which names trop_list takes as project.",
    "scan": "Call this to see everything that listens on a range of ports.",
    "init": "Call this only where an error asks for it: to create the store, or to begin it anew.",
    "backup": "Call this before something that may go wrong for the whole store.",
    "restore": "Call this only where a person asks for it: to have the reservations of a backup again.",
    "show_path": "Call this to see which directory a call without folder would be about.",
    "show_data_dir": "Call this to see where the store lies.",
    "validate": "Call this after a trop.yaml was written, before relying on it.",
    "schema": "Call this before writing a trop.yaml, to learn every key and what it takes.",
    "exclude": "Call this to keep a port, or a range of ports, from being given to anybody.",
    "compact_exclusions": "Call this to write the excluded ports of a file in fewer lines.",
    "prune": "Call this to remove the reservations of directories that do not exist any more.",
    "expire": "Call this to remove reservations that nobody has asked for in a long time.",
    "autoclean": "Call this to do what trop_prune and trop_expire do, both at once.",
    "assert_reservation": "Call this in a check that has to fail unless something is reserved.",
    "assert_port": "Call this in a check that has to fail unless a certain port is reserved.",
    "assert_data_dir": "Call this in a check that has to fail unless there is a store.",
}
"""When to call each tool, in words that need no instructions: the first sentence of its description."""


class Offer(NamedTuple):
    """One tool as it is offered: its operation, and the names of the fields that are shown; None for all."""

    operation: Operation
    shown: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """The name of the tool: ``trop_list_projects``."""
        return _tool_name(self.operation)

    @property
    def description(self) -> str:
        """When to call it, and what it does."""
        return f"{_WHEN[self.operation.name]} {self.operation.description}"


def offers(chosen: str | None) -> Mapping[str, Offer]:
    """The tools by their names. ``chosen`` is a list of names with commas, ``all``, or None for the usual ones.

    Raises ``ValueError``, with a sentence, for a name that no tool has.
    """
    every = {_tool_name(operation): operation for operation in operations() if operation.name != _NO_TOOL}
    if chosen is None:
        return {
            name: Offer(operation, _USUAL[operation.name])
            for name, operation in every.items()
            if operation.name in _USUAL
        }
    names = list(every) if chosen == ALL else [name.strip() for name in chosen.split(",")]
    for name in names:
        if name not in every:
            raise ValueError(f"there is no tool {name!r}: --tools takes {ALL}, or some of {', '.join(every)}")
    return {name: Offer(operation, None) for name, operation in every.items() if name in names}


def _tool_name(operation: Operation) -> str:
    return f"trop_{operation.name}"
