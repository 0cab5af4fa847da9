"""Tell everything that is of interest about one directory: its ports, who is on them, and what is odd."""

from __future__ import annotations

from functools import partial

from trop_core import fields
from trop_core.caller import Target
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.call import Unprepared
from trop_core.operations.looking import oddities, sighting
from trop_core.operations.looking.entries import StatusEntry, entries_of
from trop_core.operations.moving.arrival import Arriving, above, stored_path, told_of_origin
from trop_core.paths import canonical
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import Reservation
    from trop_core.operations.looking.sighting import Sighting
    from trop_core.ports.services import Group


class StatusRequest(Record):
    """The directory that is asked about."""

    folder: str | None = fields.path("The directory, as an editor knows it. The open folder if left away.")
    path: str | None = fields.path("The directory, exactly as spelled.")


class StatusResult(Record):
    """What is known of the directory."""

    path: str = fields.outcome("The directory, as its reservations are stored.")
    entries: tuple[StatusEntry, ...] = fields.outcome(
        "Its services and reservations. state: free, nothing is on the port; own, a program of the port's directory; "
        "other, one of another directory; occupied, nobody can tell whose; unknown, nobody could look; unreserved, a "
        "service without a port, which autoreserve gives it. inFile: whether the project's file has the service."
    )
    files: tuple[str, ...] = fields.outcome("The project's configuration files that count here.")
    settings: dict[str, str] = fields.outcome("Where each setting that is no default was given, by its dotted name.")
    truncated: bool = fields.outcome("Whether there are more entries than one answer may hold.", default=False)
    warnings: tuple[str, ...] = fields.outcome("What is odd, a sentence each.")


class Prepared(NamedTuple):
    """The directories whose reservations are shown: the one that is asked about, and the group's if that is another.

    ``seen`` is what is seen of their ports, once it is known which those are.
    """

    context: Context
    target: Target
    settings: Settings
    places: tuple[Arriving, ...]
    seen: Sighting | None = None

    @property
    def group(self) -> Group | None:
        """The services of the last of the places."""
        return self.settings.group

    def again(self, number: int, arriving: Arriving) -> Prepared:
        """The same, with more known of one of the directories."""
        return self._replace(places=(*self.places[:number], arriving, *self.places[number + 1 :]))

    def look(self, rows: Sequence[Reservation]) -> Prepared:
        """The same, with a look at the ports of reservations."""
        return self._replace(seen=sighting.look(rows, self.settings, self.context))


def prepare(request: StatusRequest, context: Context) -> Prepared:
    """Find the directory as ``reserve`` does, and the project's file. A file that is wrong is no obstacle."""
    target, settings = context.target_and_settings(request.folder, request.path, tolerant=True)
    targets = [target]
    if settings.group is not None and settings.config_directory is not None:
        directory = canonical(settings.config_directory)
        if directory != target.path:
            targets.append(Target(directory, directory, explicit=False))
    places = tuple(Arriving.at(each, context, follow=settings.follow_moves) for each in targets)
    return Prepared(context, target, settings, places)


def read(connection: StoreConnection, prepared: Prepared) -> StatusResult:
    """Read what is stored for the directory, and put beside it what is seen. Refreshes nothing.

    Raises ``Unprepared`` to have ports, processes and places looked at outside of the transaction.
    """
    group, settings = prepared.group, prepared.settings
    paths = [
        stored_path(connection, place, partial(prepared.again, number)) for number, place in enumerate(prepared.places)
    ]
    services = set() if group is None else {service.tag for service in group.services}
    # Both may be one directory under two spellings.
    found = {
        row.key: row
        for number, path in enumerate(paths)
        for row in reservations.select(connection, Selection(path))
        if number == 0 or row.tag in services
    }
    rows = tuple(found.values())
    if prepared.seen is None or not prepared.seen.ports.issuperset(row.port for row in rows):
        raise Unprepared(lambda: prepared.look(rows), is_bounded=True)
    holders = prepared.seen.holders(connection, rows, settings)
    entries = tuple(entries_of(rows, group, paths[-1], prepared.seen, holders))
    stored = {row.tag: row for row in rows if row.path == paths[-1] and row.tag in services and row.tag is not None}
    drifted: tuple[str, ...] = ()
    if group is not None and stored:
        drifted = oddities.drift(
            connection,
            seen=prepared.seen,
            target=prepared.target,
            settings=settings,
            context=prepared.context,
            stored=stored,
        )
    return StatusResult(
        path=paths[0],
        entries=entries,
        files=settings.config_files,
        settings=dict(sorted(settings.origins.items())),
        warnings=(
            *prepared.target.warnings,
            *_told_of_places(connection, prepared, is_empty=paths[0] not in (row.path for row in rows)),
            *oddities.refused_variables(group, is_whole=all(entry.port is not None for entry in entries)),
            *oddities.squatters(entries),
            *drifted,
            *prepared.seen.warnings,
        ),
    )


def _told_of_places(connection: StoreConnection, prepared: Prepared, *, is_empty: bool) -> Iterator[str]:
    """Where else something is reserved that may be meant: where the directories were before they moved.

    Of one that ``is_empty``, also above it in its worktree, and where its path leads.
    """
    for number, place in enumerate(prepared.places):
        yield from told_of_origin(connection, place, partial(prepared.again, number))
    if is_empty:
        yield from above(connection, prepared.places[0], None, partial(prepared.again, 0))
        path, canonical_path = prepared.target.path, prepared.target.canonical
        if canonical_path != path and reservations.anything_at(connection, canonical_path):
            yield f"{path} leads to {canonical_path}, which has reservations"


OPERATION = Operation(
    name="status",
    title="Show Status",
    description=(
        "Tells a directory's reservations and the services of its project, with variables and addresses, who is on "
        "each port now, what is not reserved yet, and what is odd. Changes nothing."
    ),
    request=StatusRequest,
    result=StatusResult,
    work=Query(prepare=prepare, read=read),
)
