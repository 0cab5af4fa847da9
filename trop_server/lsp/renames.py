"""Reservations that follow a directory which the editor has renamed or moved."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from trop_core import paths
from trop_core.database.moving import Move
from trop_core.database.selection import Selection
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.reservations import ReservationConflict
from trop_core.errors.store import NoDataDirectory
from trop_core.operations.looking.list import OPERATION as LIST
from trop_core.operations.looking.list import ListRequest
from trop_core.operations.moving.migrate import OPERATION as MIGRATE
from trop_core.operations.moving.migrate import MigrateRequest
from trop_server.lsp.window import enumerated, ports_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from trop_core.errors.reservations import Reserved
    from trop_core.models import Reservation
    from trop_server.lsp.errands import Errands
    from trop_server.lsp.window import Window
    from trop_server.transport.lanes import Ticket

logger = logging.getLogger(__name__)

OVERWRITE, LEAVE = "Overwrite", "Leave"

Standing = frozenset[tuple[str, str | None, int]]


class _Conflict(NamedTuple):
    """What is in the way, and the question to the person."""

    standing: Standing
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
        agreed: Standing = frozenset()
        while True:
            try:
                async with self._order:
                    conflict = await self._attempt(old_uri, new_uri, agreed, ticket)
            except Cancelled:
                raise
            except TropError as error:
                self._window.tell_failure(f"What is reserved for {old_uri} has not moved along to {new_uri}", error)
                return
            if conflict is None or not await self._window.agrees(
                ticket, conflict.question, yes=OVERWRITE, no=LEAVE, is_warning=True
            ):
                return
            agreed = conflict.standing

    async def _attempt(self, old_uri: str, new_uri: str, agreed: Standing, ticket: Ticket) -> _Conflict | None:
        """Move what there is to move; if something else is in the way than what the person gave up, say what."""
        try:
            old = await self._errands.look(ticket, partial(_place, old_uri), place=old_uri)
            listed = await self._errands.perform(ticket, LIST, ListRequest(path=old))
            moving = [each.reservation for each in listed.reservations]
        except (InvalidPath, NoDataDirectory) as error:
            logger.info("nothing can be reserved for %s: %s", old_uri, error)
            return None
        if not moving:
            return None
        new = await self._errands.look(ticket, partial(_place, new_uri), place=new_uri)
        if old == new:
            return None
        request = MigrateRequest(from_=old, to=new, recursive=True)
        try:
            migrated = await self._errands.perform(ticket, MIGRATE, request)
        except ReservationConflict as error:
            standing = frozenset((row.path, row.tag, row.port) for row in error.conflicts)
            if standing != agreed:
                return _Conflict(standing, _question(old, new, moving, error))
            migrated = await self._errands.perform(ticket, MIGRATE, request._replace(force=True))
        self._window.mention(new, f"{ports_of(moving, migrated.migrated_count)} moved along from {old} to {new}")
        return None


def _place(uri: str) -> str:
    """Where a directory is, or was, under its one name. Looks at the file system. Raises ``InvalidPath``.

    The links that lead to it are followed, but not the directory's own name: it may be gone, or be a link itself.
    """
    parent, name = os.path.split(paths.explicit(paths.from_uri(uri), base="/"))
    return os.path.join(paths.canonical(parent), name)


def _question(old: str, new: str, moving: Sequence[Reservation], error: ReservationConflict) -> str:
    move = Move(Selection(old, recursive=True), new)
    movers = {(move.destination_of(row.path), row.tag): row for row in moving}
    told = (_replacement(row, movers.get((row.path, row.tag))) for row in error.conflicts)
    replacements = enumerated(told, error.total)
    return (
        f"{old} is now {new}, and its reservations cannot move along: {replacements}. "
        f"{OVERWRITE} what is reserved there already, or leave everything as it is?"
    )


def _replacement(standing: Reserved, mover: Reservation | None) -> str:
    what = "another port" if mover is None else _named(mover)
    return f"{what} would replace {_named(standing)}"


def _named(row: Reserved) -> str:
    return f"port {row.port} of {row.path}" + (f" (tag {row.tag})" if row.tag is not None else "")
