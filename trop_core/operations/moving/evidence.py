"""Where a directory may have been before, where its identity does not tell: the same project and the same name.

Evidence, and no proof: somebody has to say so before anything moves.
"""

from __future__ import annotations

import os

from trop_core import looks
from trop_core.database import reservations
from trop_core.light_types import TYPE_CHECKING
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection


def candidates(connection: StoreConnection, *, project: str, path: str, former_places: Collection[str]) -> list[str]:
    """Paths with reservations of a project that have the last component of ``path``, or are where git last saw it."""
    found = reservations.paths_like(connection, project=project, name=os.path.basename(path), places=former_places)
    return [candidate for candidate in found if candidate != path]


def look_at(context: Context, paths: Iterable[str]) -> dict[str, DirectoryState]:
    """What the system says of each, unknown if it says nothing in time. Raises ``Cancelled``."""
    states, _ = looks.at_directories(sorted(paths), context.directory_state)
    context.token.check()
    return states


def choose(states: Mapping[str, DirectoryState]) -> str | None:
    """Of places that a folder may have been moved from, the one that no longer exists; None if there is any doubt."""
    if DirectoryState.UNKNOWN in states.values():
        return None
    gone = [path for path, state in states.items() if state is DirectoryState.GONE]
    return gone[0] if len(gone) == 1 else None
