"""How far a command has come: as ``$/progress`` with the token that the client gave along, or as one growing count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class ProgressReports:
    """The reports of one command. Made, begun and ended in the event loop; called from the thread that works."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, notify: Callable[[dict[str, Any]], None], token: str | int
    ) -> None:
        self._loop = loop
        self._notify = notify
        self._token = token

    def begin(self, title: str) -> None:
        """Say that the work has begun."""
        self._report({"kind": "begin", "title": title, "cancellable": True, "percentage": 0})

    def __call__(self, done: int, total: int) -> None:
        """Say how many rows of how many are done."""
        percentage = 100 * done // total if total else 100
        value = {"kind": "report", "message": f"{done:,} of {total:,}", "percentage": percentage}
        self._loop.call_soon_threadsafe(self._report, value)

    def end(self) -> None:
        """Say that the work has ended, in whatever way."""
        self._report({"kind": "end"})

    def _report(self, value: dict[str, Any]) -> None:
        self._notify({"token": self._token, "value": value})


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
