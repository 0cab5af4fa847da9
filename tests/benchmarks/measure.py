"""Measuring two things in turn, and saying how they compare."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

exceeded: list[str] = []


def in_turn(*actions: Callable[[], object], rounds: int, prepare: Callable[[], object] | None = None) -> list[float]:
    """The median seconds of each action, done one after the other in each round; the first round is not counted."""
    times: list[list[float]] = [[] for _ in actions]
    for number in range(rounds + 1):
        for taken, action in zip(times, actions, strict=True):
            if prepare is not None:
                prepare()
            gc.collect()
            started = time.perf_counter()
            action()
            if number:
                taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in times]


def report(what: str, measured: float, floor: float, bound: float) -> None:
    """Print one comparison, and remember it if it is over its bound."""
    ratio = measured / floor
    verdict = "" if ratio <= bound else "  EXCEEDED"
    print(f"{what}: {measured * 1000:.2f} ms / {floor * 1000:.2f} ms = {ratio:.2f} (bound {bound:g}){verdict}")
    if verdict:
        exceeded.append(what)


def note(what: str, seconds: float) -> None:
    """Print a figure that is compared with nothing."""
    print(f"{what}: {seconds * 1000:.2f} ms")
