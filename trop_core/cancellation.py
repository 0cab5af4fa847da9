"""Taking a call back while it waits or works, and telling how far it has come."""

from __future__ import annotations

from _thread import allocate_lock
from contextlib import contextmanager

from trop_core.errors.base import Cancelled
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int, int], None]
    """Told how many rows of how many are done; called from the thread that works, inside the transaction."""


class CancellationToken:
    """One call's wish to stop: set by whoever asked for the call, looked at by whoever works on it.

    Safe to use from several threads.
    """

    # To import threading takes as long as a fifth of a reservation.
    def __init__(self) -> None:
        self._is_cancelled = False
        self._standing = allocate_lock()
        """Held until the call is taken back."""
        self._standing.acquire()
        self._lock = allocate_lock()
        self._interrupt: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the call was taken back."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Take the call back: what waits wakes up, and the statement that runs is interrupted."""
        with self._lock:
            if not self._is_cancelled:
                self._is_cancelled = True
                self._standing.release()
            if self._interrupt is not None:
                self._interrupt()

    def check(self) -> None:
        """Raise ``Cancelled`` if the call was taken back."""
        if self._is_cancelled:
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep, but wake up at once and raise ``Cancelled`` when the call is taken back."""
        if self._standing.acquire(timeout=max(seconds, 0)):
            # Whoever else waits has to wake up, too.
            self._standing.release()
            raise Cancelled

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call ``interrupt`` if the call is taken back inside the block, and never after it.

        An interrupt that came late would hit whatever the connection does next.
        """
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._interrupt = None


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""
