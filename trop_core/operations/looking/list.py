"""List what is reserved."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.paths import InvalidPath
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, ObservedReservation, PortRange, Reservation, ReservationKey
from trop_core.paths import check_storable

if TYPE_CHECKING:
    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.ports.sockets import SocketTable

LONGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which reservations to list. Without a folder or a path, all of them."""

    folder: str | None = fields.path("Only what is at or below this directory, as an editor knows it.")
    path: str | None = fields.path("Only what is at or below this directory, exactly as spelled.")
    project: str | None = fields.name("Only this project.")
    tag: str | None = fields.name("Only this tag.")
    include_occupancy: bool = fields.flag("Tell of each port whether something occupies it now.")
    limit: int | None = fields.integer(
        "How many reservations to give at the most.", minimum=1, maximum=LONGEST_PAGE, default=LONGEST_PAGE
    )
    after: str | None = fields.text("Where to go on: next of the page before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListResult:
    """One page of reservations."""

    reservations: tuple[Reservation | ObservedReservation, ...] = fields.outcome(
        "The reservations, in the order of path and tag."
    )
    next: str | None = fields.outcome("What the following call gives as after; null at the end.")
    truncated: bool = fields.outcome("Whether there are more reservations than one answer may hold.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class Prepared(NamedTuple):
    """The request, with its paths resolved, and what holds ports, if that was asked for."""

    request: ListRequest
    target: Target | None
    after: ReservationKey | None
    settings: Settings
    sockets: SocketTable | None


def prepare(request: ListRequest, context: Context) -> Prepared:
    """Resolve the paths of a request, and read the system's table of sockets if it asks for occupancy.

    Raises ``SocketsUnreadable`` besides what is refused of the request.
    """
    target = None
    if request.folder is not None or request.path is not None:
        target = context.caller.target(folder=request.folder, path=request.path)
    settings = context.settings(target.path if target else context.caller.vicinity)
    sockets = None
    if request.include_occupancy:
        sockets = context.sockets(PortRange(LOWEST_PORT, HIGHEST_PORT), settings.occupancy, owners=False)
    return Prepared(
        request=request,
        target=target,
        after=None if request.after is None else _read_cursor(request.after),
        settings=settings,
        sockets=sockets,
    )


def read(connection: StoreConnection, prepared: Prepared) -> ListResult:
    """Read one page, or everything where the request has no limit."""
    request, target = prepared.request, prepared.target
    rows = reservations.listing(
        connection,
        below=target.path if target else None,
        project=request.project,
        tag=request.tag,
        after=prepared.after,
        limit=None if request.limit is None else request.limit + 1,
    )
    more = request.limit is not None and len(rows) > request.limit
    page = tuple(rows[: request.limit] if more else rows)
    warnings: tuple[str, ...] = ()
    if (
        target is not None
        and not page
        and target.canonical != target.path
        and reservations.listing(connection, below=target.canonical, limit=1)
    ):
        warnings = (f"nothing is reserved under {target.path}, but something is under {target.canonical}",)
    observed: tuple[Reservation | ObservedReservation, ...] = page
    if prepared.sockets is not None:
        occupied = prepared.sockets.occupied
        observed = tuple(ObservedReservation(row, row.port in occupied) for row in page)
        warnings += prepared.sockets.warnings
    return ListResult(
        reservations=observed,
        next=_write_cursor(page[-1].key) if more else None,
        truncated=more and request.limit == LONGEST_PAGE,
        warnings=warnings,
    )


def _write_cursor(key: ReservationKey) -> str:
    return base64.urlsafe_b64encode(json.dumps([key.path, key.tag or ""]).encode()).decode()


def _read_cursor(text: str) -> ReservationKey:
    try:
        cursor = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
    except (ValueError, RecursionError):
        cursor = None
    match cursor:
        case [str(path), str(tag)] if _is_storable(path + tag):
            return ReservationKey(path, tag or None)
    raise InvalidArgument("after", expected="next of the page before", given=text, alone=True)


def _is_storable(text: str) -> bool:
    try:
        check_storable(text)
    except InvalidPath:
        return False
    return True


OPERATION = Operation(
    name="list",
    title="List Reservations",
    description="Lists reservations in the order of path and tag: all, or those of a directory, project or tag.",
    request=ListRequest,
    result=ListResult,
    work=Query(prepare=prepare, read=read),
)
