"""Which reservations nobody needs any more: those of missing directories, and those unused for long.

Looking at directories may hang where a mount is dead, so it is done without the lock; what it found is acted on only
where the store has not changed since.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from trop_core.absences import may_pass
from trop_core.cancellation import no_progress
from trop_core.database import directories, reservations
from trop_core.models import Reservation  # noqa: TC001 - results' types become JSON Schemas
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trop_core.cancellation import Progress
    from trop_core.database.handles import StoreConnection
    from trop_core.database.reservations import Record

SECONDS_PER_DAY = 86_400
_PATH: Final = 0
_LAST_USED_AT: Final = 6
"""Places in a record."""
_LOOKS = 3
_LOOKS_PER_REPORT = 100
_SECONDS_FOR_ONE_DIRECTORY = 2.0
_HANGING_AT_MOST = 3


Reason = Literal["missing", "expired"]


class Removal(NamedTuple):
    """A reservation that goes, and why."""

    reservation: Reservation
    reason: Reason


class Survey(NamedTuple):
    """All reservations as they stood at one moment, and what the system then said of their directories.

    ``git_directories`` are the common git directories of paths that were linked worktrees. ``unanswered`` are the
    directories of which the system said nothing in time.
    """

    rows: tuple[Record, ...]
    mark: tuple[StoreConnection, int, int]
    look: int
    git_directories: Mapping[str, str] = MappingProxyType({})
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
        *,
        progress: Progress = no_progress,
        patience: float = _SECONDS_FOR_ONE_DIRECTORY,
    ) -> Survey:
        """The same, after a look at every directory, each for ``patience`` seconds. Slow, and never under a lock.

        ``progress`` is told how many of the directories have been looked at.
        """

        def look(path: str) -> DirectoryState:
            state = state_of(path)
            if state is not DirectoryState.GONE:
                return state
            return DirectoryState.AWAY if may_pass(path, self.git_directories.get(path)) else state

        states, unanswered = _look_at(list(dict.fromkeys(row[_PATH] for row in self.rows)), look, progress, patience)
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


def _look_at(
    paths: list[str], state_of: Callable[[str], DirectoryState], progress: Progress, patience: float
) -> tuple[dict[str, DirectoryState], tuple[str, ...]]:
    """The state of each directory, and those of which the system did not tell it in time: their state is unknown.

    ``paths`` are in the order of code points: what lies below a directory comes after it.

    A thread that hangs in the system cannot be stopped: it is left behind, and another one goes on with the rest. A
    few of those are enough to tell that a whole mount is dead: what is left then is unknown, too.
    """
    states = dict.fromkeys(paths, DirectoryState.UNKNOWN)
    left = paths
    unanswered: list[str] = []
    hanging = 0
    while left and hanging < _HANGING_AT_MOST:
        look = _Look(left, state_of)
        for done in look.counts(patience):
            progress(len(paths) - len(left) + done, len(paths))
        answers = look.answers
        states.update(zip(left, answers, strict=False))
        if len(answers) < len(left):
            hanging += 1
            # Whatever lies below the directory that hangs would hang as well.
            below = left[len(answers)] + "/"
            rest = left[len(answers) + 1 :]
            unanswered += [left[len(answers)], *(path for path in rest if path.startswith(below))]
            left = [path for path in rest if not path.startswith(below)]
        else:
            left = []
    progress(len(paths), len(paths))
    return states, tuple(sorted([*unanswered, *left]))


class _Look:
    """A thread that looks at directories, one after the other, until it is done or left behind."""

    def __init__(self, paths: Sequence[str], state_of: Callable[[str], DirectoryState]) -> None:
        import queue
        import threading

        self._paths = paths
        self._state_of = state_of
        self._found: list[DirectoryState] = []
        self._told = queue.SimpleQueue[int]()
        self._is_left_behind = False
        self.answers: list[DirectoryState] = []
        threading.Thread(target=self._work, daemon=True).start()

    def counts(self, patience: float) -> Iterator[int]:
        """How many it has looked at, every now and then, until it ends, or stands still for ``patience`` seconds.

        In the end ``answers`` are the states of as many directories as it came to.
        """
        import queue

        seen = 0
        while seen < len(self._paths):
            try:
                seen = self._told.get(timeout=patience)
            except queue.Empty:
                standing = len(self._found) == seen
                seen = len(self._found)
                if standing:
                    break
            if seen < len(self._paths):
                yield seen
        self._is_left_behind = True
        self.answers = self._found[:seen]

    def _work(self) -> None:
        # One message for many answers: to wake the other thread takes longer than to look at a directory.
        found, state_of = self._found.append, self._state_of
        for start in range(0, len(self._paths), _LOOKS_PER_REPORT):
            for path in self._paths[start : start + _LOOKS_PER_REPORT]:
                found(state_of(path))
            self._told.put(len(self._found))
            if self._is_left_behind:
                break
