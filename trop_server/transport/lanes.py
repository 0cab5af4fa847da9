"""Where calls run inside the server: reads beside each other, writes one after the other, and waiting costs nothing.

SQLite lets one writer in at a time, so no more than one call that writes holds a thread, a connection and perhaps the
lock. All others wait as coroutines: hundreds of waiting connections would use up the process's descriptors.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from trop_core.cancellation import CancellationToken
from trop_core.database.waiting import LockClock
from trop_core.errors.base import Cancelled
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trop_core.database.waiting import Patience
    from trop_core.operations.call import Call

T = TypeVar("T")

_READERS = 8
_PREPARERS = 64
_PREPARERS_OF_ONE_PLACE = 30
_BETWEEN_LOOKS = 0.01


class Ticket:
    """One command that is under way, for whoever wants to take it back. Used in the event loop's thread only.

    ``progress_token`` is what the client wants to hear of it under, if anything: a number or a text.
    """

    def __init__(self, progress_token: Any = None) -> None:
        self.token = CancellationToken()
        self.progress_token: str | int | None = progress_token if type(progress_token) in (int, str) else None
        self._abandon: Callable[[], object] | None = None

    def cancel(self) -> None:
        """Take the command back: what has no effect yet is dropped at once, a transaction is interrupted."""
        self.token.cancel()
        if self._abandon is not None:
            self._abandon()

    async def while_harmless(self, waiting: Awaitable[T]) -> T:
        """Await something that may be dropped at any time; raises ``Cancelled`` once the command is taken back."""
        task = asyncio.ensure_future(waiting)
        if self.token.cancelled:
            task.cancel()
        self._abandon = task.cancel
        try:
            return await task
        except asyncio.CancelledError:
            if self.token.cancelled:
                raise Cancelled from None
            raise
        finally:
            self._abandon = None


class Lanes:
    """The threads of one server and the stores that they have open.

    ``room`` is awaited before a store is read: a client that does not read its answers gets no more of them made.
    ``clock`` is what all calls here measure their waiting with: no place in the queue costs one of them its time.
    """

    def __init__(self, room: Callable[[], Awaitable[None]]) -> None:
        self._room = room
        self._writers = asyncio.Semaphore(1)
        self._readers = asyncio.Semaphore(_READERS)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._preparing = ThreadPoolExecutor(_PREPARERS, thread_name_prefix="prepare")
        self._places: WeakValueDictionary[str, _Place] = WeakValueDictionary()
        self._stores = threading.local()
        self._loop = asyncio.get_running_loop()
        self._queued: dict[asyncio.Future[Any], Patience] = {}
        self._next_look: asyncio.TimerHandle | None = None
        self.clock = LockClock(self._on_kept_waiting)

    async def run(self, ticket: Ticket, call: Call) -> Any:
        """Run a call, whose token is the ticket's, to its end and return its result.

        Raises what the call raises; ``LockTimeout`` if another process has kept it waiting for too long, also where
        that kept those before it; ``Cancelled`` if it was taken back before it had committed.
        """
        gate, threads = (self._writers, self._writing) if call.writes else (self._readers, self._reading)
        while not await self.look(ticket, call.prepare, place=call.place):
            await self._turn(ticket, call, gate)
            try:
                if not call.writes:
                    await ticket.while_harmless(self._room())
                if await self._loop.run_in_executor(threads, self._transact, call):
                    break
            finally:
                gate.release()
        return call.result

    async def look(self, ticket: Ticket, function: Callable[[], T], *, place: str) -> T:
        """Call what may hang in the file system and may be dropped at any time; returns or raises what that does.

        ``place`` is where it looks: what is asked about a place that hangs leaves threads for what is asked about
        others. Raises ``Cancelled`` once the ticket is taken back.
        """
        queue = self._places.setdefault(place, _Place(self._preparing))
        return await ticket.while_harmless(queue.call(function))

    async def _turn(self, ticket: Ticket, call: Call, gate: asyncio.Semaphore) -> None:
        patience = call.patience
        acquiring = asyncio.ensure_future(gate.acquire())
        self._queued[acquiring] = patience
        self._look_in(patience.remaining)
        try:
            await ticket.while_harmless(acquiring)
        except BaseException as error:
            # The turn may have come in the very moment in which the wait for it ended.
            if acquiring.done() and not acquiring.cancelled():
                gate.release()
            if isinstance(error, asyncio.CancelledError) and acquiring not in self._queued:
                raise patience.timed_out(call.operation.name.replace("_", " ")) from None
            raise
        finally:
            self._queued.pop(acquiring, None)

    def _on_kept_waiting(self) -> None:
        # Called in the thread of the call that is kept waiting.
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            self._loop.call_soon_threadsafe(self._look_at_queue)

    def _look_at_queue(self) -> None:
        """Take those out of the queue whose time is over."""
        if self._next_look is not None:
            self._next_look.cancel()  # this look is another one, for the clock has begun to run again
            self._next_look = None
        for acquiring, patience in list(self._queued.items()):
            if patience.is_over:
                del self._queued[acquiring]
                acquiring.cancel()
        self._look_in(min((patience.remaining for patience in self._queued.values()), default=math.inf))

    def _look_in(self, seconds: float) -> None:
        """Look at the queue when somebody's time may be over; while nobody is kept waiting, nobody's will be."""
        if not self.clock.running or seconds == math.inf:
            return
        when = self._loop.time() + max(_BETWEEN_LOOKS, seconds)
        if self._next_look is None or when < self._next_look.when():
            if self._next_look is not None:
                self._next_look.cancel()
            self._next_look = self._loop.call_at(when, self._look_at_queue)

    def _transact(self, call: Call) -> bool:
        directory = call.context.data_directory
        store: Store | None = getattr(self._stores, "store", None)
        if store is None or store.directory != directory:
            if store is not None:
                store.close()
            store = self._stores.store = Store(directory)
        while not call.transact(store):
            # A list that waited for another turn with all its rows would be one of thousands, where nobody reads.
            if not call.goes_on:
                return False
            call.prepare()
        return True


class _Place:
    """What is asked about one place in the file system: at most half of the threads at once, the rest in a queue."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._free = _PREPARERS_OF_ONE_PLACE
        self._waiting: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """The function's answer to come. Called in the event loop's thread, as everything in here."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((function, answer))
        self._begin()
        return answer

    def _begin(self) -> None:
        while self._free and self._waiting:
            function, answer = self._waiting.popleft()
            if answer.cancelled():
                continue
            self._free -= 1
            self._threads.submit(function).add_done_callback(partial(self._hand_over, answer))

    def _hand_over(self, answer: asyncio.Future[Any], running: Future[Any]) -> None:
        # Called in the thread that has done it.
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            answer.get_loop().call_soon_threadsafe(self._end, running, answer)

    def _end(self, running: Future[Any], answer: asyncio.Future[Any]) -> None:
        # The thread was taken until now, also if nobody waited for it any more.
        self._free += 1
        if not answer.cancelled():
            error = running.exception()
            if error is None:
                answer.set_result(running.result())
            else:
                answer.set_exception(error)
        self._begin()
