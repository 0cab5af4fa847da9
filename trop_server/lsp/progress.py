"""How far a command has come, as ``$/progress`` with the token that the client gave along."""

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
