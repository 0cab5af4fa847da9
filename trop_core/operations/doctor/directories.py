"""The directories that something is reserved for."""

from __future__ import annotations

from trop_core.database import directories, reservations
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.cleanup.survey import look_at
from trop_core.operations.doctor.finding import info, ok, warning
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import OpenStore

_MOST_NAMED = 5


def missing(store: OpenStore) -> Iterator[Finding]:
    """Which of them are gone, away for now, or do not answer. Nobody needs the ports of those that are gone.

    Each look is bounded: a mount that is dead costs some seconds, and is told of.
    """
    if store.rows is None:
        return
    context = store.subject.context
    states, unanswered = look_at(
        reservations.paths(store.rows),
        directories.git_directories(store.rows),
        context.directory_state,
        context.locked_among,
        progress=context.progress,
    )
    context.token.check()
    gone = [path for path, state in states.items() if state is DirectoryState.GONE]
    away = [path for path, state in states.items() if state is DirectoryState.AWAY]
    if unanswered:
        told = f"the system does not answer in time for {_named(unanswered)}"
        advice = "Mount again what they are on, or unmount it: reservations there stay until somebody can look."
        yield warning("directories", told, advice)
    if gone:
        yield info("directories", f"gone, with something reserved: {_named(gone)}", store.subject.command("prune"))
    if away:
        advice = "Nothing has to be done. trop release --path gives up what is reserved for one of them."
        yield info("directories", f"not there now, and may come back: {_named(away)}", advice)
    if not gone and not away and not unanswered:
        yield ok("directories", f"{len(states):,} have reservations, and all are there")


def _named(paths: list[str] | tuple[str, ...]) -> str:
    more = f", and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(map(quoted, paths[:_MOST_NAMED])) + more
