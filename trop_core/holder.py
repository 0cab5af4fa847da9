"""The noun for who holds a port: a process, and whose it is. Apart from ``models``, which every call needs."""

from __future__ import annotations

from trop_core.light_types import Literal, NamedTuple

Relation = Literal["own", "other", "unknown"]
"""Whose a process that holds a port is: the reservation's directory's, another's that has reservations, or neither."""


class Holder(NamedTuple):
    """A process that holds a port. What the system does not tell is None.

    ``command`` is the program's name, and with its arguments only where the relation is ``own``: command lines carry
    secrets. ``working_directory`` is the process's, and ``directory`` the one with reservations that it counts for,
    as that is stored. All other texts are the process's own word, escaped as ``errors.spelling.escaped`` does it.
    """

    pid: int
    name: str | None = None
    command: str | None = None
    user: str | None = None
    working_directory: str | None = None
    relation: Relation = "unknown"
    directory: str | None = None
