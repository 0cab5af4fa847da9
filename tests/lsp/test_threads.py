"""Threads: as few as are enough, and one that hangs is in nobody's way while more can be begun."""

from __future__ import annotations

import threading
from functools import partial
from queue import SimpleQueue
from typing import NoReturn

import pytest
from support.patience import PATIENCE

from trop_server.transport.threads import Threads


class Bench:
    """Some threads, and what they do: each piece of work says that it is done, or that it has begun and hangs."""

    def __init__(self, most: int) -> None:
        self.threads = Threads(most, "test")
        self.go_on = threading.Event()
        self.begun: SimpleQueue[str] = SimpleQueue()
        self.done: SimpleQueue[str] = SimpleQueue()
        self.by = set[int]()

    def work(self, name: str) -> None:
        self.threads.begin(partial(self._work, name))

    def hang(self, name: str) -> None:
        self.threads.begin(partial(self._hang, name))

    def next(self) -> str:
        return self.done.get(timeout=PATIENCE)

    def _work(self, name: str) -> None:
        self.by.add(threading.get_ident())
        self.done.put(name)

    def _hang(self, name: str) -> None:
        self.begun.put(name)
        self.go_on.wait(PATIENCE)
        self.done.put(name)


def cannot_start(_thread: threading.Thread) -> NoReturn:
    raise RuntimeError("can't start new thread")


def test_one_after_the_other_needs_no_more_than_a_few() -> None:
    bench = Bench(8)

    for number in range(20):
        bench.work(str(number))
        assert bench.next() == str(number)

    # A thread may have said that it is done, and not yet have nothing to do.
    assert 1 <= len(bench.by) <= 2
    assert threading.get_ident() not in bench.by


def test_what_hangs_keeps_up_nobody_else_until_all_threads_hang() -> None:
    bench = Bench(3)

    bench.hang("one")
    bench.hang("two")
    bench.work("beside")
    assert bench.next() == "beside"
    bench.hang("three")
    for number in range(10):
        bench.work(f"after {number}")

    assert {bench.begun.get(timeout=PATIENCE) for _ in range(3)} == {"one", "two", "three"}
    assert bench.done.empty()
    bench.go_on.set()
    assert {bench.next() for _ in range(13)} == {"one", "two", "three", *(f"after {number}" for number in range(10))}


def test_where_no_more_threads_can_be_begun_those_that_are_there_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(3)
    bench.hang("first")

    monkeypatch.setattr(threading.Thread, "start", cannot_start)
    bench.work("second")
    bench.go_on.set()

    assert [bench.next(), bench.next()] == ["first", "second"]


def test_that_not_a_single_thread_can_be_begun_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(3)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot_start)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            bench.work("never")
    bench.work("later")

    assert bench.next() == "later"
    assert bench.done.empty()
