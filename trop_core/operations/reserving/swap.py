"""Exchange the ports of two directories: for an address that is registered elsewhere with one port."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.errors.paths import InvalidPath
from trop_core.errors.reservations import NotFound
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan, Reservation, ReservationKey
from trop_core.operations.call import Unprepared
from trop_core.operations.moving.arrival import Arriving, told_of_origin
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.looking.given_ports import Occupant


MOST_NAMED = 20


class SwapRequest(Record):
    """With whom to exchange which port."""

    folder: str | None = fields.path(
        "This directory, as an editor knows it: links are followed. If left away, the open folder."
    )
    path: str = fields.path("The other directory, exactly as spelled: links are not followed.", required=True)
    tag: str | None = fields.name("The tag whose ports are exchanged. Those without a tag if left away.")
    allow_unrelated_path: bool | None = fields.switch("Allow a directory that is neither above nor below this one.")
    force: bool = fields.flag(
        "Exchange them although something listens on one of them, and allow a directory that is neither above nor "
        "below this one."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


class SwapResult(Record):
    """The two reservations, with the ports that they have now."""

    reservation: Reservation = fields.outcome("This directory's reservation as it is now, or would be.")
    other: Reservation = fields.outcome("The other directory's.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The request with both directories; and what listens on the ports, once that was looked at, by the port."""

    request: SwapRequest
    arriving: Arriving
    other: Target
    settings: Settings
    context: Context
    seen: Mapping[int, Occupant] = {}

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


class Plan(NamedTuple):
    """Both reservations as they are stored, and as they will be."""

    before: tuple[Reservation, Reservation]
    after: tuple[Reservation, Reservation]
    warnings: tuple[str, ...]


def prepare(request: SwapRequest, context: Context) -> Prepared:
    """Find both directories and check that the caller has to do with them. Raises ``InvalidPath`` if they are one."""
    own, settings = context.target_and_settings(request.folder, None, tolerant=True)
    other = context.caller.target(path=request.path)
    if other.path == own.path:
        raise InvalidPath(request.path, "it is this directory itself", advice="Name another directory.")
    allowed = context.settings(None, allow_unrelated_path=request.allow_unrelated_path).allow_unrelated_path
    for target in (own, other):
        context.guard(target, allowed=request.force or allowed)
    arriving = Arriving.at(own, context, follow=settings.follow_moves)
    return Prepared(request, arriving, other, settings, context)


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Find both reservations. Reads; writes nothing.

    Raises ``NotFound`` if one of them does not exist, ``PortOccupied`` while something listens on one of the ports,
    and ``Unprepared`` to have that, or the file system, looked at.
    """
    own, other = _own(connection, prepared), _stored(connection, prepared, prepared.other)
    rows = (own, other)
    warnings: tuple[str, ...] = ()
    if not prepared.request.force:
        if any(row.port not in prepared.seen for row in rows):
            raise Unprepared(lambda: _looked_at(prepared, rows), is_bounded=True)
        warnings = tuple(told for row in rows if (told := _told(prepared, row)) is not None)
    return Plan(rows, (own._replace(port=other.port), other._replace(port=own.port)), warnings)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Exchange the ports. One row goes before the other gets its port: no two may have one."""
    own, other = plan.after
    reservations.delete(connection, [other.key])
    reservations.update(connection, own)
    reservations.insert(connection, other)


def report(plan: Plan, dry_run: bool) -> SwapResult:
    """What the caller gets to know of a plan."""
    own, other = plan.after
    return SwapResult(reservation=own, other=other, dry_run=dry_run, warnings=plan.warnings)


def _own(connection: StoreConnection, prepared: Prepared) -> Reservation:
    """The reservation of this directory. Raises ``NotFound``, which tells where it was before."""
    try:
        return _stored(connection, prepared, prepared.arriving.target)
    except NotFound as error:
        error.warnings = told_of_origin(connection, prepared.arriving, prepared.again)
        raise


def _stored(connection: StoreConnection, prepared: Prepared, target: Target) -> Reservation:
    tag = prepared.request.tag
    found = reservations.find(connection, ReservationKey(target.path, tag))
    if found is None:
        advice = "Reserve a port there first: two that exist are exchanged."
        tags = [row.tag for row in reservations.select(connection, Selection(target.path), limit=MOST_NAMED)]
        if tags:
            named = ", ".join("one without a tag" if each is None else each for each in tags)
            advice = f"Reserved is there: {named}. Name a tag that both have."
            tag = tag or ""
        if target.canonical != target.path and reservations.anything_at(connection, target.canonical):
            advice = f"It leads to {target.canonical}, which has reservations: name that."
        raise NotFound(target.path, advice=advice, tag=tag)
    return found


def _looked_at(prepared: Prepared, rows: tuple[Reservation, ...]) -> Prepared:
    from trop_core.operations.looking.given_ports import occupants

    return prepared._replace(seen=occupants(rows, prepared.settings.occupancy, prepared.context))


def _told(prepared: Prepared, row: Reservation) -> str | None:
    """That nobody can tell whether something listens on a port, as a sentence. Raises ``PortOccupied``."""
    seen = prepared.seen[row.port]
    if seen.occupied:
        from trop_core.errors.ports import PortOccupied

        advice = f"Nothing was exchanged; {prepared.context.spell('force')} does it all the same."
        raise PortOccupied(row.port, seen.occupant, path=row.path, advice=advice)
    return None if seen.occupied is False else f"whether something listens on port {row.port} was not looked at"


OPERATION = Operation(
    name="swap",
    title="Swap Ports",
    description=(
        "Exchanges the ports of this directory and another one under the same tag, both of which have one: for a "
        "callback or an origin that is registered elsewhere with one port."
    ),
    request=SwapRequest,
    result=SwapResult,
    work=Mutation(prepare=prepare, plan=plan, execute=execute, report=report),
    destructive=True,
    idempotent=False,
    takes_away=lambda request: True,
)
