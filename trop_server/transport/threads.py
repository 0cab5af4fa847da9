"""Threads for what may hang: so many at most, and begun only when all others are at work."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
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
        self._spare = 0
        """How many threads wait for work; less than none: how much work waits for a thread."""
        self._lock = threading.Lock()
        self._work: SimpleQueue[Callable[[], object]] = SimpleQueue()

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
            self._spare -= 1
            is_needed = self._spare < 0 and self._begun < self._most
            if is_needed:
                self._begun += 1
                self._spare += 1
        if is_needed:
            self._begin_thread()
        self._work.put(work)

    def _begin_thread(self) -> None:
        try:
            threading.Thread(target=self._go_on, name=self._name, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._begun -= 1
                self._spare -= 1
                if self._begun:
                    return
                self._spare += 1
            raise

    def _go_on(self) -> None:
        while True:
            self._work.get()()
            with self._lock:
                self._spare += 1


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
