"""What happens when a folder opens: it is found again where it was moved to, and gets its port."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from trop_core.errors.base import Cancelled, TropError
from trop_core.operations.groups.autoreserve import OPERATION as AUTORESERVE
from trop_core.operations.groups.autoreserve import AutoreserveRequest
from trop_core.operations.moving.find_origin import OPERATION as FIND_ORIGIN
from trop_core.operations.moving.find_origin import FindOriginRequest
from trop_core.operations.moving.migrate import OPERATION as MIGRATE
from trop_core.operations.moving.migrate import MigrateRequest
from trop_core.operations.reserving.reserve import OPERATION as RESERVE
from trop_core.operations.reserving.reserve import ReserveRequest
from trop_core.paths import directory_state
from trop_server.lsp.window import ports_of, worded

if TYPE_CHECKING:
    import asyncio

    from trop_core.catalogue import Operation
    from trop_core.operations.moving.find_origin import FindOriginResult, Origin
    from trop_server.lsp.errands import Errands
    from trop_server.lsp.options import ReserveOnOpen
    from trop_server.lsp.window import Window
    from trop_server.transport.lanes import Ticket

logger = logging.getLogger(__name__)

TAKE_ALONG, LEAVE = "Take Along", "Leave"

_HAPPENED = {
    "created": "reserved",
    "extended": "reserved, some of them newly,",
    "moved": "moved along, and reserved",
    "reallocated": "reserved anew",
}
"""What is mentioned of an outcome; of another one there is nothing to say."""


class Openings:
    """Asks whether a folder that was moved takes its reservations along, and reserves a port where that is wanted.

    ``order`` is held while a folder is looked at, so that a rename that came before is seen, and let go of while the
    person is asked.
    """

    def __init__(self, errands: Errands, window: Window, order: asyncio.Lock) -> None:
        self._errands = errands
        self._window = window
        self._order = order
        self._waiting: set[str] = set()

    async def open(self, folder: str, reserve_on_open: ReserveOnOpen, ticket: Ticket) -> None:
        """Do all of that for one folder, absolute and as the editor spells it. What fails is logged.

        Raises ``Cancelled`` if the session ends before.
        """
        if folder in self._waiting:
            # The one that has not looked yet will see what this one would: folders that come and go make no queue.
            return
        try:
            self._waiting.add(folder)
            try:
                # A folder on a mount that is dead hangs here, and not where others wait for it.
                await self._errands.look(ticket, partial(directory_state, folder), place=folder)
                await self._order.acquire()
            finally:
                self._waiting.discard(folder)
            try:
                moved = await self._settle(folder, reserve_on_open, ticket, ask=True)
            finally:
                self._order.release()
            if moved is not None:
                await self._offer(folder, *moved, ticket)
                async with self._order:
                    await self._settle(folder, reserve_on_open, ticket, ask=False)
        except Cancelled:
            raise
        except TropError as error:
            logger.warning("opening %s did nothing for its reservations: %s", folder, worded(error))

    async def _settle(
        self, folder: str, reserve_on_open: ReserveOnOpen, ticket: Ticket, *, ask: bool
    ) -> tuple[str, Origin] | None:
        """Refresh or reserve what the folder has or needs; or, with ``ask``, say what there is to ask about first."""
        found: FindOriginResult = await self._errands.perform(
            ticket, FIND_ORIGIN, FindOriginRequest(folder=folder), folder=folder
        )
        reserves = reserve_on_open == "always" or (reserve_on_open == "git" and (found.own or found.in_repository))
        if ask and found.origin is not None and not (reserves and found.origin.is_certain):
            return found.path, found.origin
        if not reserves:
            return None
        if found.has_group:
            await self._reserve(ticket, folder, AUTORESERVE, AutoreserveRequest(folder=folder))
        elif not found.own:
            await self._reserve(ticket, folder, RESERVE, ReserveRequest(folder=folder))
        for reservation in found.own:
            if reservation.tag is None:
                await self._reserve(ticket, folder, RESERVE, ReserveRequest(path=reservation.path))
        return None

    async def _reserve(self, ticket: Ticket, folder: str, operation: Operation, request: Any) -> None:
        result = await self._errands.perform(ticket, operation, request, folder=folder)
        for warning in result.warnings:
            logger.warning("%s: %s", folder, warning)
        if result.outcome in _HAPPENED:
            reserved = [*result.group.values()] if operation is AUTORESERVE else [result.reservation]
            ports = ports_of(reserved, len(reserved))
            self._window.mention(folder, f"{ports} {_HAPPENED[result.outcome]} for {folder}")

    async def _offer(self, folder: str, path: str, origin: Origin, ticket: Ticket) -> None:
        """Ask the person, and move the reservations if that is wished. What stands in the way is told."""
        question = (
            f"{path} seems to have been {origin.path} before. "
            f"Take along what is reserved there ({ports_of(origin.reservations, origin.total)})?"
        )
        if not await self._window.agrees(ticket, question, yes=TAKE_ALONG, no=LEAVE):
            return
        request = MigrateRequest(from_=origin.path, to=path, recursive=True)
        try:
            async with self._order:
                await self._errands.perform(ticket, MIGRATE, request, folder=folder)
        except Cancelled:
            raise
        except TropError as error:
            self._window.tell_failure(f"What is reserved for {origin.path} was not taken along to {path}", error)
