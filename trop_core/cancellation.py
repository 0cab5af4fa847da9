"""Taking a call back while it waits or works, and telling how far it has come."""

from __future__ import annotations

import threading

from trop_core.errors.base import Cancelled
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

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

    def interrupting(self, interrupt: Callable[[], None]) -> AbstractContextManager[None]:
        """A context in which ``interrupt`` is called if the call is taken back, and never after it.

        An interrupt that came late would hit whatever the connection does next. Raises ``Cancelled`` where the call
        was taken back before.
        """
        return _Interrupting(self, interrupt)

    def interrupt_with(self, interrupt: Callable[[], None] | None) -> None:
        """What to call once the call is taken back; None for nothing."""
        with self._lock:
            self._interrupt = interrupt


class _Interrupting:
    """See ``CancellationToken.interrupting``. Every call that reads or writes the store goes through one."""

    def __init__(self, token: CancellationToken, interrupt: Callable[[], None]) -> None:
        self._token = token
        self._interrupt = interrupt

    def __enter__(self) -> None:
        self._token.interrupt_with(self._interrupt)
        if self._token.cancelled:
            self._token.interrupt_with(None)
            raise Cancelled

    def __exit__(self, *_raised: object) -> None:
        self._token.interrupt_with(None)


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""
