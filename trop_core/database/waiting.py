"""How long a call waits for the store's lock, and how it stops waiting."""

from __future__ import annotations

import _sqlite3 as sqlite3
import threading
import time
from contextlib import contextmanager

from trop_core.cancellation import CancellationToken, no_progress
from trop_core.database.failures import is_busy
from trop_core.database.queueing import Queue
from trop_core.errors.store import LockTimeout
from trop_core.light_types import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.cancellation import Progress

T = TypeVar("T")


class LockClock:
    """The seconds for which another process has kept calls of this one waiting; it stands still at all other times.

    Calls that take turns share one: those behind a call that is kept waiting are kept waiting as well, and those behind
    a call that works are not. It stands still while a call of this process holds the lock, and then until somebody
    finds the lock held once more: what waits there waits for that call, or sleeps over its end. Safe to use from
    several threads.

    ``started`` is called whenever it begins to run, in the thread that waits.
    """

    def __init__(self, started: Callable[[], object] | None = None) -> None:
        self._started = started
        self._lock = threading.Lock()
        self._waiting = self._holding = 0  # how many do
        self._found_held = False
        self._elapsed = 0.0
        self._since: float | None = None
        self.holding = _Holding(self)
        """The context in which a call of this process holds the lock."""

    @property
    def running(self) -> bool:
        """Whether another process keeps somebody waiting now."""
        return self._since is not None

    def read(self) -> float:
        """What it shows."""
        with self._lock:
            return self._elapsed if self._since is None else self._elapsed + time.monotonic() - self._since

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Somebody who has found the lock held waits for it inside of the block."""
        self._wait(1, found_held=True)
        try:
            yield
        finally:
            self._wait(-1)

    def find_held(self) -> None:
        """Whoever waits has tried again, in vain."""
        self._wait(0, found_held=True)

    def hold(self) -> None:
        """A call of this process has the lock from here on, until it will ``let_go``."""
        with self._lock:
            self._holding += 1
            self._found_held = False
            self._stop()

    def let_go(self) -> None:
        """It has it no longer."""
        with self._lock:
            self._holding -= 1

    def _wait(self, more: int, *, found_held: bool = False) -> None:
        """So many ``more`` wait."""
        with self._lock:
            self._waiting += more
            self._found_held = not self._holding and (found_held or self._found_held)
            begins = self._waiting > 0 and self._found_held and self._since is None
            if begins:
                self._since = time.monotonic()
            elif not (self._waiting and self._found_held):
                self._stop()
        if begins and self._started is not None:
            self._started()

    def _stop(self) -> None:
        if self._since is not None:
            self._elapsed += time.monotonic() - self._since
            self._since = None


class _Holding:
    """A context that may be entered any number of times, by several at once. Every call goes through it twice."""

    def __init__(self, clock: LockClock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._clock.hold()

    def __exit__(self, *_raised: object) -> None:
        self._clock.let_go()


class Patience:
    """The time that one call has for waiting, its cancellation token, and whom it tells how far it has come.

    It is counted on ``clock``, from ``arrival``, a reading of it, or from now.

    SQLite's own busy handler does not hear an interrupt until its whole time is over, so every connection is opened
    without one, and waiting happens here, in short pauses that a cancellation ends.
    """

    def __init__(
        self,
        seconds: float,
        token: CancellationToken | None = None,
        *,
        clock: LockClock | None = None,
        arrival: float | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.seconds = seconds
        self.token = token or CancellationToken()
        self.progress = progress
        self.clock = clock or LockClock()
        self._arrival = self.clock.read() if arrival is None else arrival

    @property
    def remaining(self) -> float:
        """Seconds left; zero or less when the time is over."""
        return self._arrival + self.seconds - self.clock.read()

    @property
    def is_over(self) -> bool:
        """Whether another process keeps the call waiting for longer than it wants to wait."""
        return self.clock.running and self.remaining <= 0

    def timed_out(self, operation: str, what: str = "the store") -> LockTimeout:
        """The error that ends the wait."""
        return LockTimeout(timeout_seconds=self.seconds, operation=operation, what=what)

    def insist(
        self, action: Callable[[], T], operation: str, *, what: str = "the store", queue: Queue | None = None
    ) -> T:
        """Do what may find a lock held, SQLite's or the system's, until it works. At least one attempt is made.

        Those who wait for the same may do so in a ``queue``. Raises ``LockTimeout``, naming ``operation`` and ``what``
        was locked, when the time is over; ``Cancelled`` when the call is taken back.
        """
        self.token.check()
        queue = queue or Queue()
        try:
            if self.remaining > 0 and not queue.come(self.token.wake):
                # Nobody knows yet whether the lock is held: this is politeness, and no waiting for it.
                self.token.wait(queue.pause(self.token.wake))
            try:
                return action()
            except (sqlite3.OperationalError, BlockingIOError) as error:
                if not _is_busy(error):
                    raise
                reason: Exception = error
            with self.clock.waiting():
                while not self.is_over:
                    remaining, pause = self.remaining, queue.pause(self.token.wake)
                    self.token.wait(min(pause, remaining) if remaining > 0 else pause)
                    try:
                        return action()
                    except (sqlite3.OperationalError, BlockingIOError) as error:
                        if not _is_busy(error):
                            raise
                        reason = error
                        self.clock.find_held()
                raise self.timed_out(operation, what) from reason
        finally:
            queue.leave()

    def commit(self, connection: sqlite3.Connection, operation: str) -> None:
        """Insist on a COMMIT.

        Outside of WAL mode whoever reads keeps it waiting, which has its time. An attempt itself holds the lock,
        however long the disk takes over it. Raises what ``insist`` raises.
        """

        def attempt() -> None:
            with self.clock.holding:
                connection.execute("COMMIT")

        self.token.check()
        try:
            attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            self.insist(attempt, operation)


def _is_busy(error: sqlite3.OperationalError | BlockingIOError) -> bool:
    return isinstance(error, BlockingIOError) or is_busy(error)
