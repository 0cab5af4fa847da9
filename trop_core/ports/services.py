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


MAIN_SERVICE = "web"
"""The service whose port is PORT in a group of several, unless another one says that its own is."""


class Group(NamedTuple):
    """The ``reservations`` of a project: services whose ports keep their distances to one base.

    ``made`` are the variables that are made from the ports. ``problems`` are the names of variables that are refused:
    nothing new is reserved for a group that has any, but what is stored stays usable.
    """

    services: tuple[Service, ...]
    base: int | None = None
    made: tuple[MadeVariable, ...] = ()
    problems: tuple[VariableProblem, ...] = ()

    @property
    def main_service(self) -> str | None:
        """The tag of the service whose port needs no tag, and is PORT: the only one, the one that says so, or web."""
        if len(self.services) == 1:
            return self.services[0].tag
        named = (service.tag for service in self.services if service.variable == "PORT")
        return next(named, MAIN_SERVICE if any(service.tag == MAIN_SERVICE for service in self.services) else None)
