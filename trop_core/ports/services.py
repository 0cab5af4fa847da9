"""The services of a project, whose ports belong together."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trop_core.errors.configuration import VariableProblem
    from trop_core.ports.made_variables import MadeVariable


class Service(NamedTuple):
    """One service of a group: its tag, and where its port lies relative to the group's base.

    ``env`` is the variable that the file names, whatever it is. ``variable`` is the one that the port is exported as;
    None where its name is refused.
    """

    tag: str
    offset: int
    preferred: int | None = None
    env: str | None = None
    variable: str | None = None


class Group(NamedTuple):
    """The ``reservations`` of a project: services whose ports keep their distances to one base.

    ``made`` are the variables that are made from the ports. ``problems`` are the names of variables that are refused:
    nothing new is reserved for a group that has any, but what is stored stays usable.
    """

    services: tuple[Service, ...]
    base: int | None = None
    made: tuple[MadeVariable, ...] = ()
    problems: tuple[VariableProblem, ...] = ()
