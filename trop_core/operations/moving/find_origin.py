"""Find what an opened folder has reserved, and where it was moved from if it has nothing.

No entry of the catalogue: the server asks it when a folder opens, and nobody else does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trop_core import git
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.models import Reservation
from trop_core.operations.call import Unprepared
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class FindOriginRequest:
    """The folder, absolute, as the editor spells it."""

    folder: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a folder was moved from, and what is reserved at and below that: the first of it, and how many."""

    path: str
    reservations: tuple[Reservation, ...]
    count: int


@dataclass(frozen=True, slots=True)
class FindOriginResult:
    """What is reserved for exactly the folder, as spelled or under its one name, which is ``path``.

    The others are known only where that is nothing.
    """

    path: str
    own: tuple[Reservation, ...]
    in_repository: bool = False
    origin: Origin | None = None


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
    repository: Repository | None = None
    states: Mapping[str, DirectoryState] | None = None


def choose(states: Mapping[str, DirectoryState]) -> str | None:
    """Of places that a folder may have been moved from, the one that no longer exists; None if there is any doubt."""
    if DirectoryState.UNKNOWN in states.values():
        return None
    gone = [path for path, state in states.items() if state is DirectoryState.GONE]
    return gone[0] if len(gone) == 1 else None


def prepare(request: FindOriginRequest, context: Context) -> Prepared:
    """Find the folder's one name, and the configuration that applies to it."""
    target = context.caller.target(folder=request.folder)
    return Prepared(context, context.settings(target.path), request.folder, target)


def read(connection: StoreConnection, prepared: Prepared) -> FindOriginResult:
    """Look for the folder's own reservations, then for those of the one place that it was moved from.

    That is a path with the same project that no longer exists and has the same last component, or is where git last
    saw this worktree. Raises ``Unprepared`` where git or the directories have to be looked at.
    """
    path = prepared.target.path
    own = reservations.at_paths(connection, {path, prepared.folder})
    if own:
        return FindOriginResult(path, tuple(own))
    repository = prepared.repository
    if repository is None:
        raise Unprepared(lambda: prepared._replace(repository=_look_at_repository(prepared)))
    if repository.project is None:
        return FindOriginResult(path, (), repository.exists)
    candidates = reservations.paths_like(
        connection,
        project=repository.project,
        name=os.path.basename(path),
        places=repository.former_places,
    )
    states = prepared.states
    if states is None or not states.keys() >= set(candidates):
        raise Unprepared(lambda: prepared._replace(states=_look_at(prepared.context, candidates)))
    found = choose({candidate: states[candidate] for candidate in candidates})
    if found is None:
        return FindOriginResult(path, (), repository.exists)
    selection = Selection(found, recursive=True)
    moving = reservations.select(connection, selection, limit=MOST_SHOWN)
    origin = Origin(found, tuple(moving), reservations.count(connection, selection))
    return FindOriginResult(path, (), repository.exists, origin)


def _look_at_repository(prepared: Prepared) -> Repository:
    context, path = prepared.context, prepared.target.path
    if context.directory_state(path) is not DirectoryState.PRESENT:
        # What git says of a directory that does not exist is about one above it.
        return Repository(exists=False, project=None, former_places=frozenset())
    # The configuration goes before git, as it does where a port is reserved.
    project = prepared.settings.project or context.infer(path).project
    return Repository(git.is_in_repository(path), project, git.former_places(path))


def _look_at(context: Context, candidates: list[str]) -> dict[str, DirectoryState]:
    states = {}
    for candidate in candidates:
        context.token.check()
        states[candidate] = context.directory_state(candidate)
    return states


OPERATION = Operation(
    name="find_origin",
    title="Find Origin",
    description="Finds what an opened folder has reserved, and where it was moved from.",
    request=FindOriginRequest,
    result=FindOriginResult,
    work=Query(prepare=prepare, read=read),
)
