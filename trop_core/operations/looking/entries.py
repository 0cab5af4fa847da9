"""What a directory has, entry by entry: each service and each reservation, with what is seen of its port."""

from __future__ import annotations

from trop_core.holder import Holder  # noqa: TC001 - the schema is made of it
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple
from trop_core.operations.looking.nearest import derived_names
from trop_core.operations.starting.url import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trop_core.models import Reservation
    from trop_core.operations.looking.sighting import Sighting
    from trop_core.ports.services import Group

State = Literal["free", "own", "other", "occupied", "unknown", "unreserved"]
"""What is to be said of a port first: nothing is on it; a program of its own directory is, or one of another directory
that has reservations, or one of which nobody can tell whose it is; nobody could look; there is no port yet."""


class StatusEntry(NamedTuple):
    """A reservation, or a service that has none yet: its port and what stands on it are None then.

    ``in_file`` tells whether the project's file has the tag as a service; None where the file describes no services
    of that directory, or there is no tag.
    """

    path: str
    tag: str | None
    port: int | None
    state: State
    in_file: bool | None
    variable: str | None
    url: str | None
    project: str | None
    task: str | None
    occupied: bool | None
    holder: Holder | None


def entries_of(
    rows: Iterable[Reservation],
    group: Group | None,
    directory: str,
    seen: Sighting,
    holders: Mapping[int, Holder | None],
) -> Iterable[StatusEntry]:
    """The services in the order of their file, then the others in that of their tags; ``directory`` is the group's."""
    left = {(row.path, row.tag): row for row in rows}
    variables: dict[str | None, str | None] = {}
    stored: set[str | None] = set()
    for service in () if group is None else group.services:
        variables[service.tag] = service.variable
        row = left.pop((directory, service.tag), None)
        if row is None:
            yield StatusEntry(
                directory, service.tag, None, "unreserved", True, service.variable, None, None, None, None, None
            )
        else:
            stored.add(service.tag)
            yield _entry(row, service.variable, True, seen, holders.get(row.port))
    taken = {name.upper() for name in variables.values() if name is not None}
    others = derived_names(left.values(), taken, stored)
    for row in left.values():
        in_file = False if group is not None and row.tag is not None and row.path == directory else None
        yield _entry(row, others.get(row.tag), in_file, seen, holders.get(row.port))


def _entry(
    row: Reservation, variable: str | None, in_file: bool | None, seen: Sighting, holder: Holder | None
) -> StatusEntry:
    occupied = seen.occupied(row.port)
    return StatusEntry(
        path=row.path,
        tag=row.tag,
        port=row.port,
        state=_state(occupied, holder),
        in_file=in_file,
        variable=variable,
        url=url_of(row.port),
        project=row.project,
        task=row.task,
        occupied=occupied,
        holder=holder,
    )


def _state(occupied: bool | None, holder: Holder | None) -> State:
    if not occupied:
        return "free" if occupied is False else "unknown"
    if holder is None or holder.relation == "unknown":
        return "occupied"
    return holder.relation
