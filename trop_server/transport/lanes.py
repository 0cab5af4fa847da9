"""Where calls run inside the server: reads beside each other, writes one after the other, and waiting costs nothing.

SQLite lets one writer in at a time, so no more than one call that writes holds a thread, a connection and perhaps the
lock. All others wait as coroutines: hundreds of waiting connections would use up the process's descriptors. Those that
edit a file take turns of their own, as somebody may have locked its directory, or its file system may hang.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from trop_core.cancellation import CancellationToken
from trop_core.database.waiting import LockClock
from trop_core.errors.base import Cancelled
from trop_core.store import Store
from trop_server.transport.places import MOST_AT_WORK, Places
from trop_server.transport.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trop_core.database.waiting import Patience
    from trop_core.operations.call import Call
    from trop_server.transport.output import Output

T = TypeVar("T")

_READERS = 8
_BETWEEN_LOOKS = 0.01

_Stage: TypeAlias = Literal["new", "unprepared", "prepared", "done"]
"""How far a call has come: it has just begun; it is to be prepared once more; it waits for its turn; it is done."""


class Ticket:
    """One command that is under way, for whoever wants to take it back. Used in the event loop's thread, but for one.

    ``progress_token`` is what the client wants to hear of it under, if anything: a number or a text.
    """

    def __init__(self, progress_token: Any = None) -> None:
        self.token = CancellationToken()
        self.progress_token: str | int | None = progress_token if type(progress_token) in (int, str) else None
        self._abandon: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self._has_effect = False

    def cancel(self) -> None:
        """Take the command back: what has no effect yet is dropped at once, a transaction is interrupted."""
        with self._lock:
            self.token.cancel()
            abandon = None if self._has_effect else self._abandon
        if abandon is not None:
            abandon()

    def take_effect(self) -> None:
        """What is awaited now has an effect from here on, and what comes of it counts. Called in the thread that works.

        Raises ``Cancelled`` once the command is taken back: nobody waits for it any more.
        """
        with self._lock:
            self.token.check()
            self._has_effect = True

    async def while_harmless(self, waiting: Awaitable[T]) -> T:
        """Await something that may be dropped until it takes effect; raises ``Cancelled`` once that has happened."""
        task = waiting if isinstance(waiting, asyncio.Future) else asyncio.ensure_future(waiting)
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
            self._abandon, self._has_effect = None, False


class Lanes:
    """The threads of one server and the stores that they have open.

    ``output`` has to have room before a store is read: a client that does not read its answers gets no more of them.
    ``clock`` is what all calls here measure their waiting with: no place in the queue costs one of them its time.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        threads = Threads(MOST_AT_WORK + _READERS + 2, "work")
        self._writers = _Lane(1, threads)
        self._editors = _Lane(1, threads)
        self._readers = _Lane(_READERS, threads)
        self._places = Places(threads)
        self._loop = asyncio.get_running_loop()
        self._queued: dict[asyncio.Future[Any], Patience] = {}
        self._next_look: asyncio.TimerHandle | None = None
        self.clock = LockClock(self._on_kept_waiting)

    async def run(self, ticket: Ticket, call: Call, tell: Callable[[Any], object] | None = None) -> Any:
        """Run a call, whose token is the ticket's, to its end and return its result.

        ``tell`` gets the result before that, once it can no longer be taken back, in the thread that has it.
        Raises what the call raises; ``LockTimeout`` if another process has kept it waiting for too long, also where
        that kept those before it; ``Cancelled`` if it was taken back before it had committed.
        """
        lane = self._lane_of(call)
        stage: _Stage = "new"
        while stage != "done":
            prepare = partial(self._prepare, ticket, call, lane, tell)
            looking = self._places.call(call.place, prepare, goes_on=stage == "unprepared")
            stage = await ticket.while_harmless(looking)
            if stage == "prepared":
                await self._turn(ticket, call, lane)
                try:
                    if not call.writes:
                        await ticket.while_harmless(self._output.room())
                    stage = await lane.call(partial(self._transact, call, lane, tell))
                finally:
                    lane.leave()
        return call.result

    def _lane_of(self, call: Call) -> _Lane:
        if not call.writes:
            return self._readers
        return self._editors if call.edits_beside else self._writers

    def _prepare(self, ticket: Ticket, call: Call, lane: _Lane, tell: Callable[[Any], object] | None) -> _Stage:
        """Prepare a call, and go on in this thread where its turn has come: to change threads takes a good part of it.

        In a thread that prepares, and that nobody may wait for any more.
        """
        if call.prepare():
            if tell is not None:
                ticket.take_effect()
                tell(call.result)
            return "done"
        if not lane.try_to_enter():
            return "prepared"
        try:
            if not call.writes and not self._output.wait_until_uncrowded(0):
                return "prepared"
            ticket.take_effect()
            stage = lane.transact(call)
        finally:
            lane.leave()
        if stage == "done" and tell is not None:
            tell(call.result)
        return stage

    def _transact(self, call: Call, lane: _Lane, tell: Callable[[Any], object] | None) -> _Stage:
        """Do a call whose turn has come, in a thread of its own."""
        stage = lane.transact(call)
        if stage == "done" and tell is not None:
            tell(call.result)
        return stage

    async def look(self, ticket: Ticket, function: Callable[[], T], *, place: str) -> T:
        """Call what may hang in the file system and may be dropped at any time; returns or raises what that does.

        ``place`` is where it looks: what is asked about a place that hangs leaves threads for what is asked about
        others. Raises ``Cancelled`` once the ticket is taken back.
        """
        return await ticket.while_harmless(self._places.call(place, function))

    async def _turn(self, ticket: Ticket, call: Call, lane: _Lane) -> None:
        patience = call.patience
        acquiring = lane.enter()
        self._queued[acquiring] = patience
        self._look_in(patience.remaining)
        try:
            await ticket.while_harmless(acquiring)
        except BaseException as error:
            # The turn may have come in the very moment in which the wait for it ended.
            if acquiring.done() and not acquiring.cancelled():
                lane.leave()
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


class _Lane:
    """So many calls at once, each with a store of its own; all others wait for their turn, in the order of coming."""

    def __init__(self, places: int, threads: Threads) -> None:
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lock = threading.Lock()
        self._stores: list[Store] = []

    def enter(self) -> asyncio.Future[None]:
        """The turn to come; ``leave`` after it. Called in the event loop."""
        turn: asyncio.Future[None] = self._loop.create_future()
        if self.try_to_enter():
            turn.set_result(None)
        else:
            self._waiting.append(turn)
            self._hand_on_free()
        return turn

    def try_to_enter(self) -> bool:
        """Enter at once, if there is a place and nobody waits for it. In any thread."""
        with self._lock:
            if not self._free or self._waiting:
                return False
            self._free -= 1
            return True

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """The answer to come of a function, in a thread. Called in the event loop, after ``enter``."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._threads.call(function, answer)
        return answer

    def leave(self) -> None:
        """Make way for the next one. In any thread."""
        with self._lock:
            self._free += 1
        if self._waiting:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._hand_on_free)

    def transact(self, call: Call) -> _Stage:
        """Do a call that was prepared, in the thread of whoever has entered."""
        directory = call.context.data_directory
        with self._lock:
            store = self._stores.pop() if self._stores else Store(directory)
        if store.directory != directory:
            store.close()
            store = Store(directory)
        try:
            while not call.transact(store):
                # A list that waited for another turn with all its rows would be one of thousands, where nobody reads.
                if not call.goes_on:
                    return "unprepared"
                call.prepare()
            return "done"
        finally:
            self._stores.append(store)

    def _hand_on_free(self) -> None:
        """Let those in whose turn it is. Called in the event loop."""
        with self._lock:
            while self._free and self._waiting:
                turn = self._waiting.popleft()
                if not turn.cancelled():
                    self._free -= 1
                    turn.set_result(None)
