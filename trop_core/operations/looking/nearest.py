"""Find what the directory of an agent, or the nearest one above it in its worktree, has reserved.

No entry of the catalogue: what answers an agent's host asks it, and nobody else does.
"""

from __future__ import annotations

import os

from trop_core import fields, git
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.call import Unprepared
from trop_core.operations.moving.arrival import Arriving, stored_path
from trop_core.paths import canonical
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import Reservation
    from trop_core.ports.services import Group

MOST = 64
"""Reservations of one directory; a group has no more services."""

UNTAGGED = "PORT"
"""The variable of a port without a tag."""


class NearestRequest(Record):
    """Where to begin."""

    folder: str = fields.path("The directory, absolute.", required=True)


class NearestResult(NamedTuple):
    """What one directory has reserved: the services that it belongs to first, in their order; nothing if none has.

    ``environment`` are the variables that ports, and what the user allows to be made from them, may be exported as;
    PORT, first of all, is the port that a program started there by ``run`` has as that.
    """

    reservations: tuple[Reservation, ...]
    environment: dict[str, int | str]
    warnings: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """Where to look, the nearest first. ``described`` are the settings of the directory that was found."""

    context: Context
    settings: Settings
    places: tuple[str, ...]
    arriving: Arriving
    described: tuple[str, Settings] | None = None

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


def prepare(request: NearestRequest, context: Context) -> Prepared:
    """Find the worktree of the directory. The home directory's own ports are those of nothing that lies in it."""
    target = context.caller.target(folder=request.folder)
    settings = context.settings(None)
    root = git.worktree_root(target.path, context.is_safe)
    arriving = Arriving.at(target, context, follow=settings.follow_moves)
    home = None if context.home is None else canonical(context.home)
    return Prepared(context, settings, tuple(_upward(target.path, root, home)), arriving)


def read(connection: StoreConnection, prepared: Prepared) -> NearestResult:
    """Look for the first of the places that has something, and refresh nothing.

    Raises ``Unprepared`` to have the configuration of that place read.
    """
    nearest = prepared.places[0]
    for place in prepared.places:
        source = stored_path(connection, prepared.arriving, prepared.again) if place == nearest else place
        rows = reservations.select(connection, Selection(source), limit=MOST)
        if rows:
            return _described(connection, place, rows, prepared)
    return NearestResult((), {})


def _upward(directory: str, root: str | None, home: str | None) -> Iterator[str]:
    yield directory
    while root is not None and directory != root and (parent := os.path.dirname(directory)) != directory:
        directory = parent
        if directory not in ("/", home):
            yield directory


def _described(
    connection: StoreConnection, place: str, rows: Sequence[Reservation], prepared: Prepared
) -> NearestResult:
    if prepared.described is None or prepared.described[0] != place:
        context = prepared.context
        raise Unprepared(
            lambda: prepared._replace(described=(place, context.settings(place, tolerant=True))), is_bounded=True
        )
    settings = prepared.described[1]
    described = canonical(settings.config_directory or "/")
    group = settings.group if described in prepared.places else None
    if group is None:
        return NearestResult(tuple(rows), _environment(None, (), (), rows, ()))
    # The services are those of every directory below theirs, as for ``run`` and ``status``.
    there = rows if described == place else reservations.select(connection, Selection(described), limit=MOST)
    tags = [service.tag for service in group.services]
    found = {row.tag: row for row in there}
    services = [found[tag] for tag in tags if tag in found]
    beside = [row for row in there if row.tag not in tags]
    own = beside if described == place else list(rows)
    return NearestResult((*services, *own), _environment(group, services, beside, own, settings.allowed_variables))


def _environment(
    group: Group | None,
    services: Sequence[Reservation],
    beside: Sequence[Reservation],
    own: Iterable[Reservation],
    allowed: Collection[str],
) -> dict[str, int | str]:
    """The variables of a group's services, of what their directory has ``beside`` them, and of the other rows."""
    environment: dict[str, int | str] = {}
    if group is not None:
        from trop_core.operations.groups import exports

        environment.update((UNTAGGED, row.port) for row in services if row.tag == group.main_service)
        environment.update(exports.variables(group, services, beside, exports.allowed_variables(group, allowed)))
    taken = {name.upper() for name in environment}
    names = derived_names(own, taken, {row.tag for row in services})
    environment.update({names[row.tag]: row.port for row in own if row.tag in names})
    return environment


def derived_names(
    rows: Iterable[Reservation], taken: Collection[str], stored: Collection[str | None]
) -> dict[str | None, str]:
    """The variables of reservations that are no services of a group, by their tags.

    ``taken`` are the variables of the group, of whose services ``stored`` have ports; where any has, PORT is taken,
    too: programs are started with the foremost service's port as that, or without any. Of two that would have one name,
    nobody could say which is meant: neither has one. Pure.
    """
    if stored:
        taken = {*taken, UNTAGGED}
    names = {row.tag: UNTAGGED if row.tag is None else _derived(row.tag) for row in rows}
    several = list(names.values())
    return {
        tag: name
        for tag, name in names.items()
        if name is not None and name.upper() not in taken and several.count(name) == 1
    }


def _derived(tag: str) -> str | None:
    from trop_core.config.variables import derived_name, port_refusal

    name = derived_name(tag)
    return name if port_refusal(name) is None else None


OPERATION = Operation(
    name="nearest",
    title="Find the Nearest Ports",
    description="Finds what a directory, or the nearest one above it in its worktree, has reserved.",
    request=NearestRequest,
    result=NearestResult,
    work=Query(prepare=prepare, read=read),
)
