"""Reservations that follow a directory which the editor has renamed or moved."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from trop_core import paths
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.plans import PlanChanged
from trop_core.errors.reservations import ReservationConflict
from trop_core.errors.store import NoDataDirectory
from trop_core.operations.looking.list import OPERATION as LIST
from trop_core.operations.looking.list import ListRequest
from trop_core.operations.moving.migrate import OPERATION as MIGRATE
from trop_core.operations.moving.migrate import MigrateRequest
from trop_core.plans import PlanToken
from trop_server.lsp.window import enumerated, ports_of

if TYPE_CHECKING:
    import asyncio

    from trop_core.models import Reservation
    from trop_core.operations.moving.migrate import MigrateResult, MovedReservation
    from trop_server.lsp.errands import Errands
    from trop_server.lsp.window import Window
    from trop_server.transport.lanes import Ticket

logger = logging.getLogger(__name__)

OVERWRITE, LEAVE = "Overwrite", "Leave"


class _Conflict(NamedTuple):
    """The digest of what would be done, and the question to the person."""

    digest: bytes
    question: str


class Renames:
    """Moves what is reserved at and below a directory along with it, and asks before anything is overwritten.

    ``order`` is held while a rename is followed, for one may build on the one before, and let go of while the person is
    asked.
    """

    def __init__(self, errands: Errands, window: Window, order: asyncio.Lock) -> None:
        self._errands = errands
        self._window = window
        self._order = order

    async def follow(self, old_uri: str, new_uri: str, ticket: Ticket) -> None:
        """Follow one rename. Where nothing is reserved, nothing happens; what fails is told to the person.

        Raises ``Cancelled`` if the session ends before.
        """
        if not (old_uri.lower().startswith("file:") and new_uri.lower().startswith("file:")):
            return
        agreed: bytes | None = None
        while True:
            try:
                async with self._order:
                    conflict = await self._attempt(old_uri, new_uri, agreed, ticket)
            except Cancelled:
                raise
            except PlanChanged:
                continue
            except TropError as error:
                self._window.tell_failure(f"What is reserved for {old_uri} has not moved along to {new_uri}", error)
                return
            if conflict is None or not await self._window.agrees(
                ticket, conflict.question, yes=OVERWRITE, no=LEAVE, is_warning=True
            ):
                return
            agreed = conflict.digest

    async def _attempt(self, old_uri: str, new_uri: str, agreed: bytes | None, ticket: Ticket) -> _Conflict | None:
        """Move what there is to move; if something is in the way, and the person has not agreed to just that, say what.

        Raises ``PlanChanged`` if that has become something else meanwhile.
        """
        try:
            old = await self._errands.look(ticket, partial(_place, old_uri), place=old_uri)
            listed = await self._errands.perform(ticket, LIST, ListRequest(path=old))
        except (InvalidPath, NoDataDirectory) as error:
            logger.info("nothing can be reserved for %s: %s", old_uri, error)
            return None
        if not listed.reservations:
            return None
        new = await self._errands.look(ticket, partial(_place, new_uri), place=new_uri)
        if old == new:
            return None
        request = MigrateRequest(from_=old, to=new, recursive=True)
        try:
            migrated = await self._errands.perform(ticket, MIGRATE, request)
        except ReservationConflict:
            forced = request._replace(force=True)
            planned: MigrateResult = await self._errands.perform(ticket, MIGRATE, forced._replace(dry_run=True))
            if planned.plan is None:
                raise  # the store cannot note that a plan was used: nothing but the conflict itself is certain
            # A plan is soon too old, and a person takes their time: what they agreed to is known by its digest.
            digest = PlanToken.read(planned.plan.token).digest
            if planned.overwritten and digest != agreed:
                return _Conflict(digest, _question(planned))
            migrated = await self._errands.perform(ticket, MIGRATE, forced._replace(plan=planned.plan.token))
        ports = ports_of(migrated.migrated, migrated.migrated_count)
        self._window.mention(new, f"{ports} moved along from {old} to {new}")
        return None


def _place(uri: str) -> str:
    """Where a directory is, or was, under its one name. Looks at the file system. Raises ``InvalidPath``.

    The links that lead to it are followed, but not the directory's own name: it may be gone, or be a link itself.
    """
    parent, name = os.path.split(paths.explicit(paths.from_uri(uri), base="/"))
    return os.path.join(paths.canonical(parent), name)


def _question(planned: MigrateResult) -> str:
    movers = {(row.to, row.tag): row for row in planned.migrated}
    told = (_replacement(row, movers.get((row.path, row.tag))) for row in planned.overwritten)
    replacements = enumerated(told, planned.overwritten_count)
    return (
        f"{planned.from_} is now {planned.to}, and its reservations cannot move along: {replacements}. "
        f"{OVERWRITE} what is reserved there already, or leave everything as it is?"
    )


def _replacement(standing: Reservation, mover: MovedReservation | None) -> str:
    what = "another port" if mover is None else _named(mover.port, mover.from_, mover.tag)
    return f"{what} would replace {_named(standing.port, standing.path, standing.tag)}"


def _named(port: int, path: str, tag: str | None) -> str:
    return f"port {port} of {path}" + (f" (tag {tag})" if tag is not None else "")
