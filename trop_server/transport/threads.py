"""Threads for what may hang: so many at most, and begun only when all others are at work."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


T = TypeVar("T")


def _nothing() -> None:
    pass


class Threads:
    """Does what it is given, in the order of coming, each in whatever thread has nothing to do.

    A ``ThreadPoolExecutor`` makes a future with locks of its own for each, which takes a good part of a short command.
    None of these threads holds up the end of the process.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._begun = 0
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._work: deque[Callable[[], object]] = deque()
        """What waits for a thread, as all are at work."""

    def call(self, function: Callable[[], T], answer: asyncio.Future[T], at_end: Callable[[], None] = _nothing) -> None:
        """Have a function called, and what comes of it put into a future, in that one's event loop.

        ``at_end`` is called there when the function has ended, also if nobody waits for it any more. Raises what
        ``begin`` raises; the function is never called then.
        """
        self.begin(partial(_do, function, answer, at_end))

    def begin(self, work: Callable[[], object]) -> None:
        """Have something done, which raises nothing.

        Raises ``RuntimeError`` where not a single thread can be begun; it is never done then.
        """
        with self._lock:
            if self._idle:
                self._idle.pop().wake(work)
                return
            if self._begun == self._most:
                self._work.append(work)
                return
            self._begun += 1
        try:
            threading.Thread(target=self._go_on, args=(_Worker(work),), name=self._name, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._begun -= 1
                if not self._begun:
                    raise
                if self._idle:
                    self._idle.pop().wake(work)
                else:
                    self._work.append(work)

    def _go_on(self, worker: _Worker) -> None:
        while True:
            worker.work()
            worker.work = _nothing  # What was done is not kept for as long as nothing else is to be done.
            with self._lock:
                if self._work:
                    worker.work = self._work.popleft()
                    continue
                self._idle.append(worker)
            worker.sleep()


class _Worker:
    """What one thread does now, or next. It sleeps by itself: where many wait for one thing, more than one wakes up."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self, work: Callable[[], object]) -> None:
        self.work = work
        self._asleep.release()

    def sleep(self) -> None:
        self._asleep.acquire()


def _do(function: Callable[[], Any], answer: asyncio.Future[Any], at_end: Callable[[], None]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(answer.set_result, function())
    except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
        settle = partial(answer.set_exception, error)
    with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
        answer.get_loop().call_soon_threadsafe(_end, answer, settle, at_end)
    # A traceback holds on to this, and this to what was raised.
    del settle


def _end(answer: asyncio.Future[Any], settle: Callable[[], None], at_end: Callable[[], None]) -> None:
    if not answer.cancelled():
        settle()
    at_end()
