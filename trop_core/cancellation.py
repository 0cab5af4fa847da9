"""Taking a call back while it waits or works, and telling how far it has come."""

from __future__ import annotations

import threading
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

    def __init__(self) -> None:
        self.cancelled = False
        """Whether the call was taken back."""
        self._lock = threading.Lock()
        self._interrupt: Callable[[], None] | None = None
        self._event: threading.Event | None = None
        """What wakes up whoever waits: most calls never do."""

    def cancel(self) -> None:
        """Take the call back: what waits wakes up, and the statement that runs is interrupted."""
        with self._lock:
            self.cancelled = True
            if self._event is not None:
                self._event.set()
            if self._interrupt is not None:
                self._interrupt()

    def check(self) -> None:
        """Raise ``Cancelled`` if the call was taken back."""
        if self.cancelled:
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until ``wake``, and raise ``Cancelled`` when the call is taken back."""
        with self._lock:
            self.check()
            if self._event is None:
                self._event = threading.Event()
        self._event.wait(seconds)
        with self._lock:
            self.check()
            self._event.clear()

    def wake(self) -> None:
        """End the sleep of whoever waits, or the next one if nobody does."""
        with self._lock:
            if self._event is None:
                self._event = threading.Event()
            self._event.set()

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
