"""Which reservations nobody needs any more: those of missing directories, and those unused for long.

Looking at directories may hang where a mount is dead, so it is done without the lock; what it found is acted on only
where the store has not changed since.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from trop_core.cancellation import no_progress
from trop_core.database import reservations
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trop_core.cancellation import Progress
    from trop_core.database.connection import StoreConnection
    from trop_core.models import Reservation, ReservationKey

SECONDS_PER_DAY = 86_400
_LOOKS = 3
_LOOKS_PER_REPORT = 100
_SECONDS_FOR_ONE_DIRECTORY = 2.0
_HANGING_AT_MOST = 3


class Removal(NamedTuple):
    """A reservation that goes, and why."""

    reservation: Reservation
    reason: Literal["missing", "expired"]


class Survey(NamedTuple):
    """All reservations as they stood at one moment, and what the system then said of their directories."""

    rows: tuple[Reservation, ...]
    mark: tuple[StoreConnection, int, int]
    look: int
    states: Mapping[str, DirectoryState] = MappingProxyType({})

    @classmethod
    def take(cls, connection: StoreConnection, previous: Survey | None) -> Survey:
        """The reservations of now, inside the caller's transaction; the directories are yet to be looked at."""
        look = 1 if previous is None else previous.look + 1
        return cls(tuple(reservations.listing(connection)), _mark(connection), look)

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
        return self._replace(states=_look_at({row.path for row in self.rows}, state_of, progress, patience))

    def is_outdated(self, connection: StoreConnection) -> bool:
        """Whether the store has changed since, and another look is worth it: a busy store has to stop at some point."""
        return self.look < _LOOKS and self.mark != _mark(connection)

    def removals(
        self,
        connection: StoreConnection,
        *,
        now: int,
        prune: bool,
        expire_after_days: int | None,
        keep: ReservationKey | None = None,
    ) -> tuple[Removal, ...]:
        """What can go: each row once, and only rows that are as they were at the survey."""
        rows = self.rows
        if self.mark != _mark(connection):
            unchanged = set(reservations.listing(connection))
            # Times are whole seconds: a row used in this very second may have been used again since the survey.
            rows = tuple(row for row in rows if row in unchanged and row.last_used_at < now)
        found: list[Removal] = []
        for row in rows:
            if row.key == keep:
                continue
            if prune and self.states.get(row.path) is DirectoryState.GONE:
                found.append(Removal(row, "missing"))
            elif expire_after_days is not None and now - row.last_used_at > expire_after_days * SECONDS_PER_DAY:
                found.append(Removal(row, "expired"))
        return tuple(found)


def _mark(connection: StoreConnection) -> tuple[StoreConnection, int, int]:
    """A value that differs after anybody has written: others change the first number, this connection the second.

    Both say nothing beside those of another connection, so the connection is part of it: itself, because the next one
    may get the ``id`` of one that is gone.
    """
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return connection, version, connection.commits


def _look_at(
    paths: set[str], state_of: Callable[[str], DirectoryState], progress: Progress, patience: float
) -> dict[str, DirectoryState]:
    """The state of each directory; unknown where the system does not answer in time.

    A thread that hangs in the system cannot be stopped: it is left behind, and another one goes on with the rest. A
    few of those are enough to tell that a whole mount is dead: what is left then is unknown, too.
    """
    import queue
    import threading

    states = dict.fromkeys(paths, DirectoryState.UNKNOWN)
    left = sorted(paths)
    hanging = 0
    while left and hanging < _HANGING_AT_MOST:
        answers: queue.SimpleQueue[DirectoryState] = queue.SimpleQueue()

        def work(todo: list[str] = left, put: Callable[[DirectoryState], None] = answers.put) -> None:
            for path in todo:
                put(state_of(path))

        threading.Thread(target=work, daemon=True).start()
        done = 0
        try:
            for path in left:
                states[path] = answers.get(timeout=patience)
                done += 1
                if not done % _LOOKS_PER_REPORT:
                    progress(len(paths) - len(left) + done, len(paths))
        except queue.Empty:
            hanging += 1
            # Whatever lies below the directory at ``done`` would hang as well.
            below = left[done] + "/"
            left = [path for path in left[done + 1 :] if not path.startswith(below)]
        else:
            left = []
    progress(len(paths), len(paths))
    return states
