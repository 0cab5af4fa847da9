"""Looks at the file system, any of which may hang: a place that does takes no threads from the others."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from functools import partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from trop_server.transport.mounts import Mounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_server.transport.threads import Threads

T = TypeVar("T")

MOST_AT_WORK = 256
"""How many looks are under way at most, with those that hang."""

_MOST_WHERE_SOME_HANG = 200
"""How many are when another one would look at a file system on which some hang."""

_QUICK_AT_ONCE = 2
"""How many of those are no older than a moment: more of them would only take each other's time."""
_MOMENT = 0.05
_OF_ONE_PLACE = 30


class Places:
    """What is asked about places in the file system, in the order of coming for each, the places taking turns.

    A look that takes longer than a moment counts as one that hangs, and another one begins beside it. So it is the
    looks that say what hangs and not the names: a dead mount has any number of names. What is on the same file system
    as one that hangs lets all else go first, and leaves it threads. Used in the event loop alone.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._known: dict[str, _Place] = {}
        self._ready: OrderedDict[str, _Place] = OrderedDict()
        """The places that have something waiting and may have it looked at, in the order of their turns."""
        self._at_work: dict[asyncio.Future[Any], tuple[float, str]] = {}
        """When each look began, the oldest first, and at which place."""
        self._mounts = Mounts()
        self._next: asyncio.TimerHandle | None = None

    def call(self, place: str, function: Callable[[], T], *, goes_on: bool = False) -> asyncio.Future[T]:
        """The function's answer to come. One that is cancelled before its function was called is forgotten.

        ``goes_on`` is for what has been looked at before: it goes before what has not begun.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        asked = self._known.get(place)
        if asked is None:
            asked = self._known[place] = _Place()
        asked.waiting[answer] = function
        if goes_on:
            asked.waiting.move_to_end(answer, last=False)
        if asked.at_work < _OF_ONE_PLACE:
            self._ready.setdefault(place, asked)
            if goes_on:
                self._ready.move_to_end(place, last=False)
            if len(self._ready) == 1 and not self._at_work:
                self._begin_at(place)  # as a rule there is nobody else
            else:
                self._begin()
        if answer in asked.waiting:
            answer.add_done_callback(partial(self._forget, place, asked))
        return answer

    def _begin(self) -> None:
        while self._ready:
            place, most = self._next_place()
            wait = self._seconds_to_wait(most)
            if wait:
                if wait < math.inf and self._next is None:
                    self._next = self._loop.call_later(wait, self._begin_later)
                return
            self._begin_at(place)

    def _begin_at(self, place: str) -> None:
        """Begin the next look at a place that is ready."""
        asked = self._ready.pop(place)
        answer, function = asked.waiting.popitem(last=False)
        if not answer.cancelled():
            self._hand_on(place, asked, answer, function)
        if asked.waiting and asked.at_work < _OF_ONE_PLACE:
            self._ready[place] = asked
        self._drop(place, asked)

    def _hand_on(self, place: str, asked: _Place, answer: asyncio.Future[Any], function: Callable[[], Any]) -> None:
        try:
            self._threads.call(function, answer, partial(self._end, place, asked, answer))
        except RuntimeError as error:
            answer.set_exception(error)
        else:
            asked.at_work += 1
            self._at_work[answer] = self._loop.time(), place

    def _next_place(self) -> tuple[str, int]:
        """The place whose turn it is, and how many looks may be under way for one more to begin there."""
        first = next(iter(self._ready))
        old = self._loop.time() - _MOMENT
        hang = {place for began, place in takewhile(lambda look: look[0] <= old, self._at_work.values())}
        if not hang:
            return first, MOST_AT_WORK
        dead = set[str]().union(*map(self._file_systems, hang))
        alive = next((place for place in self._ready if dead.isdisjoint(self._file_systems(place))), None)
        return (first, _MOST_WHERE_SOME_HANG) if alive is None else (alive, MOST_AT_WORK)

    def _file_systems(self, place: str) -> set[str]:
        """Those that a place, which may be several paths, is on. Of several the one at / is none that hangs."""
        asked = self._known[place]
        if not asked.file_systems:
            found = {self._mounts.under(path) for path in place.split("\0")}
            asked.file_systems = found - {"/"} or found
        return asked.file_systems

    def _seconds_to_wait(self, most: int) -> float:
        """Until another look may begin; without end if only the end of one makes way for it."""
        if len(self._at_work) < _QUICK_AT_ONCE:
            return 0
        if len(self._at_work) >= most:
            return math.inf
        began, _ = next(islice(reversed(self._at_work.values()), _QUICK_AT_ONCE - 1, None))
        return max(0, began + _MOMENT - self._loop.time())

    def _begin_later(self) -> None:
        self._next = None
        self._begin()

    def _end(self, place: str, asked: _Place, answer: asyncio.Future[Any]) -> None:
        del self._at_work[answer]
        asked.at_work -= 1
        if asked.waiting:
            self._ready.setdefault(place, asked)
        self._drop(place, asked)
        self._begin()

    def _forget(self, place: str, asked: _Place, answer: asyncio.Future[Any]) -> None:
        """Nobody waits for an answer any more."""
        if asked.waiting.pop(answer, None) is not None and not asked.waiting:
            self._ready.pop(place, None)
            self._drop(place, asked)

    def _drop(self, place: str, asked: _Place) -> None:
        """Forget a place about which nothing is asked."""
        if not asked.waiting and not asked.at_work:
            del self._known[place]


class _Place:
    """What is asked about one place."""

    __slots__ = ("at_work", "file_systems", "waiting")

    def __init__(self) -> None:
        self.at_work = 0
        self.file_systems: set[str] = set()
        """Known once something hangs."""
        self.waiting: OrderedDict[asyncio.Future[Any], Callable[[], Any]] = OrderedDict()
