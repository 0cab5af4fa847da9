"""Ports that come back to a directory that is missing, from one that is there and may be the same.

Nothing is noted by which they would follow it again: a warning names the command that takes them along.
"""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.operations.call import Unprepared
from trop_core.operations.moving import evidence
from trop_core.operations.moving.arrival import migrate_line
from trop_core.paths import DirectoryState, is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trop_core.context import Context

MOST_NAMED = 5


def told_of_missing(
    coming: Mapping[str, str],
    states: Mapping[str, DirectoryState],
    context: Context,
    again: Callable[[Mapping[str, DirectoryState]], Any],
) -> tuple[str, ...]:
    """The warnings of a call by which ports come back; ``coming`` has, by the path of each, the one that they leave.

    ``states`` are those of the directories that were looked at, and ``again`` makes the call's preparation anew with
    more of them. Raises ``Unprepared`` for a look at the directories.
    """
    asked = {*coming, *coming.values()}
    if not states.keys() >= asked:
        raise Unprepared(lambda: again({**states, **evidence.look_at(context, asked)}))
    moves: dict[str, str] = {}
    for path, left in sorted(coming.items()):
        was_moved = states[path] is DirectoryState.GONE and states[left] is DirectoryState.PRESENT
        if was_moved and len(moves) < MOST_NAMED and not _is_part_of(moves, path, left):
            moves[path] = left
    return tuple(_told_of_move(path, left) for path, left in moves.items())


def _is_part_of(moves: Mapping[str, str], path: str, left: str) -> bool:
    """Whether one of some moves, of all that is at and below a path, is that of another path, too."""
    return any(is_within(path, source) and moves[source] + path[len(source) :] == left for source in moves)


def _told_of_move(path: str, left: str) -> str:
    # An editor shows it in a question: each path stands there once.
    return f"ports come back where no directory is: if that was moved, {migrate_line(path, left)} brings them along"
