"""The environment variables that a group's ports are given out as."""

from __future__ import annotations

from trop_core.config.variables import covers
from trop_core.light_types import TYPE_CHECKING
from trop_core.ports.compose_names import compose_name, naming_port

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trop_core.models import Reservation
    from trop_core.ports.made_variables import MadeVariable
    from trop_core.ports.services import Group


def allowed_variables(group: Group, allowed: Collection[str]) -> tuple[MadeVariable, ...]:
    """Of what the file makes from ports, what the user's own word allows; ``allowed`` are the ``allowed_variables``.

    What steers the user's tools (PIP_INDEX_URL, OPENAI_BASE_URL) is not a file's to set in the user's shell.
    """
    return tuple(variable for variable in group.made if covers(allowed, variable.name))


def variables(
    group: Group, rows: Sequence[Reservation], others: Sequence[Reservation], made: Sequence[MadeVariable]
) -> dict[str, int | str]:
    """Each service's port by its variable; and those of the variables that are ``made`` from ports.

    ``rows`` are the reservations of the group's services in their order, and ``others`` whatever else the same
    directory has. Nothing is made while a service has no port.
    """
    ports = {row.tag or "": row.port for row in rows}
    found: dict[str, int | str] = {
        service.variable: ports[service.tag]
        for service in group.services
        if service.variable is not None and service.tag in ports
    }
    if made and all(service.tag in ports for service in group.services):
        own = {row.tag: row.port for row in others} | ports
        port = naming_port(ports, own)
        assert port is not None
        name = compose_name(rows[0].project, rows[0].task, rows[0].path, port)
        found.update((variable.name, variable.render(ports, name)) for variable in made)
    return found
