"""How far a call has come, as one growing count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class GrowingCount:
    """The counts of one call, whose phases each begin at 0, as one count that only grows: MCP demands it.

    ``notify`` gets the count and its total as they are known then. Called from one thread at a time.
    """

    def __init__(self, notify: Callable[[int, int], object]) -> None:
        self._notify = notify
        self._before = 0
        self._done = 0
        self._told = -1

    def __call__(self, done: int, total: int) -> None:
        """Say how many rows of how many are done."""
        if done < self._done:
            self._before += self._done
        self._done = done
        count = self._before + done
        if count > self._told:
            self._told = count
            self._notify(count, self._before + total)
