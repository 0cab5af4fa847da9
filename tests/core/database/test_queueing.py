"""The queue for a store's lock: who stands in it, and that nobody stays in it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from support.patience import PATIENCE
from support.queueing import first_of_all, somebody_is_first
from support.window import eventually

from trop_core.database.queueing import Queue

if TYPE_CHECKING:
    from pathlib import Path

LONG = 0.05
"""Seconds after which a wait has been long enough for the queue."""


def nobody() -> None:
    """Who is not told anything."""


def threads_that_wait() -> int:
    return sum(thread.name == "trop queue" for thread in threading.enumerate())


def goes_first(queue: Queue) -> bool:
    try:
        return queue.come(nobody)
    finally:
        queue.leave()


def waited_long(queue: Queue, moved_up: threading.Event | None = None) -> Queue:
    told = nobody if moved_up is None else moved_up.set
    queue.pause(told)
    time.sleep(LONG)
    queue.pause(told)
    return queue


def test_who_has_just_come_does_not_queue_up_and_who_has_waited_long_does(tmp_path: Path) -> None:
    queue = Queue(str(tmp_path))

    assert queue.come(nobody)
    queue.pause(nobody)
    taken = [somebody_is_first(tmp_path)]
    waited_long(queue)
    taken.append(somebody_is_first(tmp_path))
    queue.leave()
    taken.append(somebody_is_first(tmp_path))

    assert taken == [False, True, False]


def test_the_next_one_moves_up_when_the_first_leaves(tmp_path: Path) -> None:
    first, moved_up = waited_long(Queue(str(tmp_path))), threading.Event()
    second = waited_long(Queue(str(tmp_path)), moved_up)

    before = second.pause(nobody), moved_up.is_set()
    second.pause(moved_up.set)
    first.leave()

    assert before[1] is False
    assert moved_up.wait(PATIENCE)
    assert second.pause(nobody) < before[0]
    assert somebody_is_first(tmp_path)
    second.leave()
    assert not somebody_is_first(tmp_path)


def test_where_somebody_waits_who_comes_lets_them_go_first(tmp_path: Path) -> None:
    queue = waited_long(Queue(str(tmp_path)))
    queue.leave()

    with first_of_all(tmp_path):
        passed_over = queue.come(nobody)
        queue.leave()

    assert not passed_over
    eventually(lambda: goes_first(queue))


def test_who_leaves_early_and_comes_again_has_the_old_place(tmp_path: Path) -> None:
    queue, moved_up = Queue(str(tmp_path)), threading.Event()
    eventually(lambda: not threads_that_wait())

    with first_of_all(tmp_path):
        for _ in range(5):
            waited_long(queue).leave()
        waiting = threads_that_wait()
        waited_long(queue, moved_up)

    assert waiting == 1
    assert moved_up.wait(PATIENCE)
    queue.leave()
    eventually(lambda: not somebody_is_first(tmp_path))


def test_who_is_never_let_through_does_not_queue_up_again_before_asking(tmp_path: Path) -> None:
    queue = waited_long(Queue(str(tmp_path)))
    queue.leave()

    with first_of_all(tmp_path):
        asked_first = [goes_first(queue)]
        eventually(lambda: goes_first(queue))
        asked_first += [goes_first(queue) for _ in range(3)]

    assert asked_first == [False, True, True, True]


def test_who_has_left_for_good_lets_the_next_one_through(tmp_path: Path) -> None:
    with first_of_all(tmp_path):
        waited_long(Queue(str(tmp_path))).leave()

    eventually(lambda: not somebody_is_first(tmp_path))


def test_who_waits_for_long_behind_one_who_does_not_move_asks_again_and_again(tmp_path: Path) -> None:
    queue = Queue(str(tmp_path))

    with first_of_all(tmp_path):
        waited_long(queue)
        pauses = [queue.pause(nobody) for _ in range(3)]
        queue.leave()

    assert max(pauses) < 1


def test_without_a_directory_all_just_ask(tmp_path: Path) -> None:
    for queue in (Queue(), Queue(str(tmp_path / "gone"))):
        waited_long(queue)

        assert queue.come(nobody)
        assert queue.pause(nobody) < 1
        queue.leave()
