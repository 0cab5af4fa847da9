"""Telling the client what is wrong with its documents: at the right time, and of the text as it is by then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from trop_server.lsp.documents.diagnostics import diagnostics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open

logger = logging.getLogger(__name__)

SECONDS_OF_REST = 0.2
"""How long nothing was typed before what stands there is judged."""

_SECONDS_FOR_SURROUNDINGS = 0.1
"""How long a document that was opened waits for what surrounds it, such as the variables that the user allows."""

_Told = tuple[int | None, list[dict[str, Any]]]


def published(kept: Open, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The notification that tells of a document what was found, with its version if it has one."""
    version = {} if kept.version is None else {"version": kept.version}
    return {"uri": kept.uri, **version, "diagnostics": found}


class Publisher:
    """One document's diagnostics: ``situated`` computes what it comes to, and ``send`` sends a notification's params.

    ``rested`` is called when the text has changed, and rests: what surrounds it may have changed meanwhile. It is used
    in the event loop only.
    """

    def __init__(
        self,
        kept: Open,
        situated: Callable[[Open], Awaitable[Situation]],
        send: Callable[[dict[str, Any]], None],
        rested: Callable[[Open], None],
    ) -> None:
        self._kept = kept
        self._rested = rested
        self._situated = situated
        self._send = send
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_opening = False
        self._is_closed = False
        self._is_due = False
        self._told: _Told | None = None

    def opened(self) -> None:
        """The text is new: tell as soon as its surroundings are known, or when that takes too long."""
        self._timer = asyncio.get_running_loop().call_later(_SECONDS_FOR_SURROUNDINGS, self.now)
        self._is_opening = True

    def changed(self) -> None:
        """The text has changed: tell when it rests."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(SECONDS_OF_REST, self._rest)

    def surrounded(self, *, again: bool) -> None:
        """The surroundings have changed; unless ``again``, nothing is told that was told already."""
        if self._is_opening:
            self.now()
        elif self._timer is None:
            self._begin(again=again)

    def saved(self) -> None:
        """The text was saved: tell at once, or with what is told anyway of one that was just opened."""
        if not self._is_opening:
            self.now()

    def now(self) -> None:
        """Tell at once."""
        self._stop_timer()
        self._begin(again=True)

    def abandon(self) -> None:
        """Tell nothing more."""
        self._stop_timer()
        self._is_closed = True

    def close(self) -> None:
        """Tell nothing more, and take back what was told."""
        self.abandon()
        self._send({"uri": self._kept.uri, "diagnostics": []})

    def _rest(self) -> None:
        self.now()
        self._rested(self._kept)

    def _begin(self, *, again: bool) -> None:
        self._is_due = self._is_due or again
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._tell())
            self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("diagnostics of %s: %s", self._kept.uri, error, exc_info=error)

    async def _tell(self) -> None:
        situation = await self._situated(self._kept)
        if self._is_closed or self._timer is not None:
            return  # what was computed is of a text that goes on changing
        found = diagnostics(self._kept, situation)
        told = (self._kept.version, found)
        if told == self._told and not self._is_due:
            return
        self._told, self._is_due = told, False
        self._send(published(self._kept, found))

    def _stop_timer(self) -> None:
        self._is_opening = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
