"""Standing in a queue for a store's write lock.

SQLite's lock goes to whoever happens to ask just when it is free: where many processes want it again and again, that is
as even as a lottery. So whoever has been kept waiting for it for long locks the directory of the store, with
``flock(2)``, which the system hands on in about the order in which it was asked for. The head of that queue asks SQLite
more often than all others, and leaves the queue as soon as it has SQLite's lock.

The order is a courtesy on which nothing rests: what protects the store is SQLite's lock alone. Whoever stands in the
queue for long asks all the same, since its head may be a process that was stopped, or somebody who locks the directory
for reasons of their own. Where there is no queue, as on a file system without such locks, all just ask.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# All in seconds. They were found with tests/benchmarks, with 2 to 64 callers that never pause.

_JOINS_AFTER = 0.02
"""Few processes have their turn long before that, and a place in the queue costs more than asking a few times."""

_PAUSES = (0.001, 0.02)
"""The first and the longest pause between two attempts, for whoever does not stand in the queue."""

_PAUSES_OF_HEAD = (0.0002, 0.002)
_GROWTH = 1.5

_TRUSTS = 0.05
"""How long whoever stands in the queue waits to become its head, before it asks by itself, ..."""

_PAUSE_IN_QUEUE = 0.01
"""... and how often."""

_CROWDED = 1.0
"""For how long a store at which somebody stood in the queue is taken for one at which somebody does."""

_MOVES_WITHIN = 1.0
"""Even a queue of hundreds is through by then: whose place is older is behind a head that does not move."""


class Queue:
    """One thread's place in the queue at a directory: taken, and left again, as often as it waits.

    Without a directory there is no queue, only the pauses between two attempts.

    The system's lock cannot be taken back once it is asked for. Whoever leaves the queue before having become its head
    lets go of it as soon as it is had, or has its place back when it waits again before that: with a queue that does
    not move, one thread waits, and not more and more.
    """

    def __init__(self, directory: str | None = None) -> None:
        self._directory = directory
        self._place: _Place | None = None
        self._left_early: _Place | None = None
        self._waits_since: float | None = None
        self._crowded_until = 0.0
        self._pause = 0.0
        self._trusts = True

    def come(self, moved_up: Callable[[], object]) -> bool:
        """Whether there is nobody whom it would be bad manners to pass over.

        If there is, a place in the queue has been taken: see ``pause``. Does not wait.
        """
        if time.monotonic() < self._crowded_until:
            self._join(moved_up)
        return self._place is None or not self._place.is_behind_others

    def pause(self, moved_up: Callable[[], object]) -> float:
        """For how many seconds to wait before the next attempt. Takes a place in the queue if it has been long.

        ``moved_up`` is called, in another thread, when the place has become the first: that ends the pause.
        """
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        elif self._place is None and now - self._waits_since >= _JOINS_AFTER:
            self._join(moved_up)
        if self._place is not None and self._place.is_behind_others:
            self._pause, pause = 0.0, _TRUSTS if self._trusts else _PAUSE_IN_QUEUE
            self._trusts = False
            return pause
        is_head = self._place is not None and self._place.is_head
        shortest, longest = _PAUSES_OF_HEAD if is_head else _PAUSES
        self._pause = min(max(self._pause * _GROWTH, shortest), longest)
        return self._pause

    def leave(self) -> None:
        """Let the next one be the first. Nothing happens without a place."""
        self._waits_since, self._pause, self._trusts = None, 0.0, True
        if self._place is not None:
            self._left_early = None if self._place.leave() else self._place
            self._place = None

    def _join(self, moved_up: Callable[[], object]) -> None:
        if self._directory is None:
            return
        if self._left_early is not None and self._left_early.take_again(moved_up):
            self._place = self._left_early
        else:
            try:
                self._place = _Place(self._directory, moved_up)
            except (OSError, RuntimeError):  # No such lock here, no descriptor, or no thread that could be started.
                self._directory = None
                return
        self._left_early = None
        if self._waits_since is not None or self._place.is_behind_others:
            self._crowded_until = time.monotonic() + _CROWDED


class _Place:
    """A lock on a directory that is had, or that a thread of its own waits for.

    Raises ``OSError``, or ``RuntimeError`` where the system has no thread.
    """

    def __init__(self, directory: str, moved_up: Callable[[], object]) -> None:
        import fcntl  # Most commands never come here.

        self._lock = threading.Lock()
        self._moved_up: Callable[[], object] | None = moved_up
        self._asked_at = time.monotonic()
        self._is_over = False
        self.is_head = False
        """Whether nobody comes first, or the system does not tell."""
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_head = True
        except BlockingIOError:
            try:
                threading.Thread(target=self._wait, name="trop queue", daemon=True).start()
            except RuntimeError:
                self._close()
                raise
        except OSError:
            self._close()
            raise

    @property
    def is_behind_others(self) -> bool:
        """Whether somebody comes first, as far as one can believe in a queue that has not moved for long."""
        return not self.is_head and time.monotonic() - self._asked_at < _MOVES_WITHIN

    def take_again(self, moved_up: Callable[[], object]) -> bool:
        """Go on from where it was left; False if it is over by now."""
        with self._lock:
            if not self._is_over:
                self._moved_up = moved_up
            return not self._is_over

    def leave(self) -> bool:
        """Whether it is over. If not, it will be when the lock is had."""
        with self._lock:
            self._moved_up = None
            if self.is_head:
                self._close()
            return self._is_over

    def _wait(self) -> None:
        import fcntl

        with contextlib.suppress(OSError):  # Refused after all: nobody is known to come first.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._lock:
            if self._moved_up is None:
                self._close()
            else:
                self.is_head = True
                self._moved_up()

    def _close(self) -> None:
        self._is_over = True
        self.is_head = False
        with contextlib.suppress(OSError):  # The system lets go of the lock all the same.
            os.close(self._descriptor)
