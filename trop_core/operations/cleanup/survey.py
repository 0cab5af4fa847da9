"""Which reservations nobody needs any more: those of missing directories, and those unused for long.

Looking at directories may hang where a mount is dead, so it is done without the lock; what it found is acted on only
where the store has not changed since.
"""

from __future__ import annotations

from types import MappingProxyType

from trop_core import looks
from trop_core.absences import may_pass
from trop_core.cancellation import no_progress
from trop_core.database import directories, reservations
from trop_core.light_types import TYPE_CHECKING, Final, Literal, NamedTuple
from trop_core.models import Reservation  # noqa: TC001 - results' types become JSON Schemas
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from trop_core.cancellation import Progress
    from trop_core.database.handles import StoreConnection
    from trop_core.database.reservations import Record
    from trop_core.light_types import TypeAlias

    LockedAmong: TypeAlias = Callable[[Collection[str], Iterable[str]], Collection[str]]

SECONDS_PER_DAY = 86_400
_PATH: Final = 0
_LAST_USED_AT: Final = 6
"""Places in a record."""
_LOOKS = 3

Reason = Literal["missing", "expired"]


class Removal(NamedTuple):
    """A reservation that goes, and why."""

    reservation: Reservation
    reason: Reason


class Survey(NamedTuple):
    """All reservations as they stood at one moment, and what the system then said of their directories.

    ``git_directories`` are the paths of which something was noted, with the common git directory of those that were
    linked worktrees. ``unanswered`` are the directories of which the system said nothing in time.
    """

    rows: tuple[Record, ...]
    mark: tuple[StoreConnection, int, int]
    look: int
    git_directories: Mapping[str, str | None] = MappingProxyType({})
    states: Mapping[str, DirectoryState] = MappingProxyType({})
    unanswered: tuple[str, ...] = ()

    @classmethod
    def take(cls, connection: StoreConnection, previous: Survey | None) -> Survey:
        """The reservations of now, inside the caller's transaction; the directories are yet to be looked at."""
        look = 1 if previous is None else previous.look + 1
        rows = tuple(reservations.records(connection))
        return cls(rows, _mark(connection), look, directories.git_directories(connection))

    def with_directories(
        self,
        state_of: Callable[[str], DirectoryState],
        locked_among: LockedAmong,
        *,
        progress: Progress = no_progress,
        patience: float = looks.SECONDS,
    ) -> Survey:
        """The same, after a look at every directory, each for ``patience`` seconds. Slow, and never under a lock.

        ``progress`` is told how many of the directories have been looked at.
        """
        paths = list(dict.fromkeys(row[_PATH] for row in self.rows))
        states, unanswered = look_at(
            paths, self.git_directories, state_of, locked_among, progress=progress, patience=patience
        )
        return self._replace(states=states, unanswered=unanswered)

    def kept(self, leaving: list[tuple[Record, Reason]]) -> int:
        """How many reservations stay, besides those leaving, whose directories are missing and may come back."""
        away = sum(self.states.get(row[_PATH]) is DirectoryState.AWAY for row in self.rows)
        return away - sum(self.states.get(row[_PATH]) is DirectoryState.AWAY for row, _ in leaving)

    def is_outdated(self, connection: StoreConnection) -> bool:
        """Whether the store has changed since, and another look is worth it: a busy store has to stop at some point."""
        return self.look < _LOOKS and self.mark != _mark(connection)

    def leaving(
        self,
        connection: StoreConnection,
        *,
        now: int,
        prune: bool,
        expire_after_days: int | None,
        take_absent: bool = False,
    ) -> list[tuple[Record, Reason]]:
        """What can go, and why: each row once, and only rows that are as they were at the survey.

        ``take_absent`` takes those as well whose directories may come back.
        """
        rows: Iterable[Record] = self.rows
        if self.mark != _mark(connection):
            unchanged = set(reservations.records(connection))
            # Times are whole seconds: a row used in this very second may have been used again since the survey.
            rows = (row for row in rows if row in unchanged and row[_LAST_USED_AT] < now)
        # No time is below zero.
        unused_since = 0 if expire_after_days is None else now - expire_after_days * SECONDS_PER_DAY
        states = self.states if prune else {}
        found: list[tuple[Record, Reason]] = []
        missing = {DirectoryState.GONE, DirectoryState.AWAY} if take_absent else {DirectoryState.GONE}
        for row in rows:
            if states.get(row[_PATH]) in missing:
                found.append((row, "missing"))
            elif row[_LAST_USED_AT] < unused_since:
                found.append((row, "expired"))
        return found

    def removals(
        self, connection: StoreConnection, *, now: int, prune: bool, expire_after_days: int | None
    ) -> tuple[Removal, ...]:
        """The same, as reservations."""
        leaving = self.leaving(connection, now=now, prune=prune, expire_after_days=expire_after_days)
        return tuple(removal(row, reason, connection) for row, reason in leaving)


def look_at(
    paths: list[str],
    git_directories: Mapping[str, str | None],
    state_of: Callable[[str], DirectoryState],
    locked_among: LockedAmong,
    *,
    progress: Progress = no_progress,
    patience: float = looks.SECONDS,
) -> tuple[dict[str, DirectoryState], tuple[str, ...]]:
    """The state of each directory, also of one that may come back, and those of which the system said nothing in time.

    ``paths`` are in the order of code points. ``locked_among`` is asked of what is gone and of which nothing was noted,
    with what is present; see ``trop_core.absences``. Slow, and never under a lock.
    """
    links: dict[str, bool | None] = {}

    def look(path: str) -> DirectoryState:
        state = state_of(path)
        if state is not DirectoryState.GONE:
            return state
        return DirectoryState.AWAY if may_pass(path, git_directories.get(path), links) else state

    states, unanswered = looks.at_directories(paths, look, progress=progress, patience=patience)
    unknown = [path for path in paths if states[path] is DirectoryState.GONE and path not in git_directories]
    if unknown:
        present = (path for path in paths if states[path] is DirectoryState.PRESENT)
        states.update(dict.fromkeys(locked_among(unknown, present), DirectoryState.AWAY))
    return states, unanswered


def removal(row: Record, reason: Reason, connection: StoreConnection) -> Removal:
    """A row that goes, as a reservation."""
    return Removal(reservations.from_row(row[:-1], connection), reason)


def _mark(connection: StoreConnection) -> tuple[StoreConnection, int, int]:
    """A value that differs after anybody has written: others change the first number, this connection the second.

    Both say nothing beside those of another connection, so the connection is part of it: itself, because the next one
    may get the ``id`` of one that is gone.
    """
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return connection, version, connection.commits
