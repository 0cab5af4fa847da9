"""Measuring two things in turn, and saying how they compare."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

exceeded: list[str] = []
found: list[Figure] = []


def of_processes() -> float:
    """The seconds that the processors have worked for processes of this one that have ended: a clock for ``in_turn``.

    What else the machine does meanwhile changes it less than the time that passes.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_turn(
    *actions: Callable[[], object],
    rounds: int,
    prepare: Callable[[], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The median seconds of each action, done one after the other in each round; the first round is not counted."""
    times: list[list[float]] = [[] for _ in actions]
    for number in range(rounds + 1):
        for taken, action in zip(times, actions, strict=True):
            if prepare is not None:
                prepare()
            gc.collect()
            started = clock()
            action()
            if number:
                taken.append(clock() - started)
    return [statistics.median(taken) for taken in times]


def report(what: str, measured: float, floor: float, bound: float) -> None:
    """Print one comparison, and remember it if it is over its bound."""
    found.append(Figure(what, measured, floor, bound))
    ratio = measured / floor
    verdict = "" if ratio <= bound else "  EXCEEDED"
    print(f"{what}: {measured * 1000:.2f} ms / {floor * 1000:.2f} ms = {ratio:.2f} (bound {bound:g}){verdict}")
    if verdict:
        exceeded.append(what)


def note(what: str, seconds: float) -> None:
    """Print a figure that is compared with nothing."""
    print(f"{what}: {seconds * 1000:.2f} ms")
