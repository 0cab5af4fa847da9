"""Find what an opened folder has reserved, and where it was moved from if it has nothing.

No entry of the catalogue: the server asks it when a folder opens, and nobody else does.
"""

from __future__ import annotations

from trop_core import fields, git
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.call import Unprepared
from trop_core.operations.moving import evidence
from trop_core.operations.moving.arrival import Arriving, former_place
from trop_core.paths import DirectoryState, canonical
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import Reservation

MOST_SHOWN = 100


class FindOriginRequest(Record):
    """What was opened."""

    folder: str = fields.path("The folder, absolute, as the editor spells it.", required=True)


class Origin(NamedTuple):
    """Where a folder was moved from, and what is reserved at and below that: the first of it, and ``total`` in all.

    ``is_certain`` tells that its identity says so: whoever reserves there takes it along.
    """

    path: str
    reservations: tuple[Reservation, ...]
    total: int
    is_certain: bool = False


class FindOriginResult(NamedTuple):
    """What is reserved for exactly the folder, as spelled or under its one name, which is ``path``.

    ``has_group`` tells whether its own configuration describes services. The others are known only where nothing is
    reserved.
    """

    path: str
    own: tuple[Reservation, ...]
    has_group: bool = False
    in_repository: bool = False
    origin: Origin | None = None
    warnings: tuple[str, ...] = ()


class Repository(NamedTuple):
    """What git says of a folder; its project may be one that the configuration names."""

    exists: bool
    project: str | None
    former_places: frozenset[str]


class Prepared(NamedTuple):
    """All that is needed besides the store; the last two are got when the store asks for them."""

    context: Context
    settings: Settings
    folder: str
    target: Target
    arriving: Arriving
    has_group: bool
    repository: Repository | None = None
    states: Mapping[str, DirectoryState] | None = None

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


def prepare(request: FindOriginRequest, context: Context) -> Prepared:
    """Find the folder's one name, and the configuration that applies to it."""
    target = context.caller.target(folder=request.folder)
    settings = context.settings(target.path, tolerant=True)
    arriving = Arriving.at(target, context, follow=settings.follow_moves)
    has_group = settings.group is not None and canonical(settings.config_directory or "/") == target.path
    return Prepared(context, settings, request.folder, target, arriving, has_group)


def read(connection: StoreConnection, prepared: Prepared) -> FindOriginResult:
    """Look for the folder's own reservations, then for those of the one place that it was moved from.

    That is a path at which this very directory was, and which is gone; else one with the same project that no longer
    exists and has the same last component, or is where git last saw this worktree. Raises ``Unprepared`` where git or
    the directories have to be looked at.
    """
    path = prepared.target.path
    result = FindOriginResult(path, (), prepared.has_group)
    own = reservations.at_paths(connection, {path, prepared.folder})
    if own:
        return result._replace(own=tuple(own))
    repository = prepared.repository
    if repository is None:
        raise Unprepared(lambda: prepared._replace(repository=_look_at_repository(prepared)))
    result = result._replace(in_repository=repository.exists)
    former = former_place(connection, prepared.arriving, prepared.again) if prepared.settings.follow_moves else None
    if former is not None:
        return result._replace(origin=_origin(connection, former, is_certain=True))
    if repository.project is None:
        return result
    candidates = evidence.candidates(
        connection, project=repository.project, path=path, former_places=repository.former_places
    )
    states = prepared.states
    if states is None or not states.keys() >= set(candidates):
        raise Unprepared(lambda: prepared._replace(states=evidence.look_at(prepared.context, candidates)))
    found = evidence.choose({candidate: states[candidate] for candidate in candidates})
    return result if found is None else result._replace(origin=_origin(connection, found))


def _origin(connection: StoreConnection, path: str, *, is_certain: bool = False) -> Origin:
    selection = Selection(path, recursive=True)
    rows = reservations.select(connection, selection, limit=MOST_SHOWN)
    return Origin(path, tuple(rows), reservations.count(connection, selection), is_certain)


def _look_at_repository(prepared: Prepared) -> Repository:
    context, path = prepared.context, prepared.target.path
    if context.directory_state(path) is not DirectoryState.PRESENT:
        # What git says of a directory that does not exist is about one above it.
        return Repository(exists=False, project=None, former_places=frozenset())
    # The configuration goes before git, as it does where a port is reserved.
    project = prepared.settings.project or context.infer(path, context.is_safe).project
    exists, former = git.is_in_repository(path, context.is_safe), git.former_places(path, context.is_safe)
    return Repository(exists, project, former)


OPERATION = Operation(
    name="find_origin",
    title="Find Origin",
    description="Finds what an opened folder has reserved, and where it was moved from.",
    request=FindOriginRequest,
    result=FindOriginResult,
    work=Query(prepare=prepare, read=read),
)
