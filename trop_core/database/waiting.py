"""How long a call waits for the store's lock, and how it stops waiting."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, TypeVar

from trop_core.cancellation import CancellationToken, no_progress
from trop_core.database.failures import is_busy
from trop_core.errors.store import LockTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.cancellation import Progress

T = TypeVar("T")

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02


class Patience:
    """The time that one call has for waiting, its cancellation token, and whom it tells how far it has come.

    It is counted from ``arrival``, a reading of the monotonic clock, or from now.

    SQLite's own busy handler does not hear an interrupt until its whole time is over, so every connection is opened
    without one, and waiting happens here, in short pauses that a cancellation ends.
    """

    def __init__(
        self,
        seconds: float,
        token: CancellationToken | None = None,
        *,
        arrival: float | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.seconds = seconds
        self.token = token or CancellationToken()
        self.progress = progress
        self._arrival = time.monotonic() if arrival is None else arrival

    @property
    def remaining(self) -> float:
        """Seconds left; zero or less when the time is over."""
        return self._arrival + self.seconds - time.monotonic()

    def timed_out(self, operation: str) -> LockTimeout:
        """The error that ends the wait."""
        return LockTimeout(timeout_seconds=self.seconds, operation=operation)

    def insist(self, action: Callable[[], T], operation: str) -> T:
        """Do what may find the store locked, again and again until it works. At least one attempt is made.

        Raises ``LockTimeout``, naming ``operation``, when the time is over; ``Cancelled`` when the call is taken back.
        """
        pause = _FIRST_PAUSE
        while True:
            self.token.check()
            try:
                return action()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                remaining = self.remaining
                if remaining <= 0:
                    raise self.timed_out(operation) from error
                self.token.wait(min(pause, remaining))
                pause = min(pause * 1.5, _LONGEST_PAUSE)
