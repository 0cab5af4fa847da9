"""What is odd about a directory's ports: strangers on them, and a file that would have them elsewhere."""

from __future__ import annotations

from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import Reservation
    from trop_core.operations.looking.entries import StatusEntry
    from trop_core.operations.looking.sighting import Sighting
    from trop_core.ports.services import Group

_MOST_NAMED = 5


def squatters(entries: Iterable[StatusEntry]) -> tuple[str, ...]:
    """Warnings about ports on which a program is that is not the directory's, or of which nobody can tell. Pure."""
    return _first([_squatter(entry) for entry in entries if entry.state in ("other", "occupied")], "more ports")


def refused_variables(group: Group | None, *, is_whole: bool) -> tuple[str, ...]:
    """Warnings about the variables that a group names and that are not exported. Pure.

    ``is_whole`` tells that all of its services are reserved: as long as one is not, none is until all names are right.
    """
    problems = () if group is None else group.problems
    until = "" if is_whole else "; no service is reserved newly until that is right"
    return _first([f"{problem.key} is left out: {problem.message}{until}" for problem in problems], "more variables")


def drift(
    connection: StoreConnection,
    *,
    seen: Sighting,
    target: Target,
    settings: Settings,
    context: Context,
    stored: Mapping[str, Reservation],
) -> tuple[str, ...]:
    """Warnings about stored ports that the file would have elsewhere, as laying it out anew would put them. Reads.

    ``stored`` are the reservations of the services of the settings' group, by their tags.
    """
    from trop_core.operations.groups import arranging
    from trop_core.operations.reserving import preparation

    assert settings.group is not None
    ground = preparation.for_reading(context, target, settings, seen)
    wanted = arranging.drift(connection, ground, settings.group, stored)
    force = context.spell("force")
    return _first(
        [
            f"{tag} keeps {stored[tag].port}, and its file would have it at {port}: autoreserve with {force} lays the "
            "group out anew"
            for tag, port in wanted.items()
        ],
        "more services",
    )


def _squatter(entry: StatusEntry) -> str:
    port = f"port {entry.port}" + ("" if entry.tag is None else f" ({entry.tag})")
    holder = entry.holder
    if holder is None:
        return f"something is on {port}, and whose it is cannot be told"
    process = f"process {holder.pid}" + ("" if holder.name is None else f" ({holder.name})")
    if holder.relation == "other":
        return f"{process} is on {port}, and belongs to {quoted(holder.directory or '')}"
    return f"{process} is on {port}, and whose it is cannot be told"


def _first(told: Sequence[str], rest: str) -> tuple[str, ...]:
    if len(told) <= _MOST_NAMED:
        return tuple(told)
    return (*told[:_MOST_NAMED], f"and so it is with {len(told) - _MOST_NAMED} {rest}")
