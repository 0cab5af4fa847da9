"""What a directory has for a program that is started in it, reserved as one thing.

With a tag it is that one reservation; else the group that ``autoreserve`` would find; else the port without a tag. The
rules of reserving are those of ``reserve`` and ``autoreserve``: here is only which of the two it is, and what either
comes to.
"""

from __future__ import annotations

from trop_core import fields
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.errors.base import TropError
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.operations.reserving import reserve
from trop_core.operations.reserving.preparation import ReservingRequest
from trop_core.operations.reserving.reserve import ReserveRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import Reservation
    from trop_core.operations.groups import planning
    from trop_core.operations.moving.arrival import Arrival
    from trop_core.operations.reserving.preparation import Prepared
    from trop_core.ports.services import Group


class ChoiceRequest(ReservingRequest):
    """Which of a directory's reservations is meant."""

    folder: str | None = fields.path(
        "The directory in which the program is to run, as an editor knows it. The open folder if left away."
    )
    tag: str | None = fields.name(
        "The one reservation with this tag. If left away, all services of the project, or the port without a tag where "
        "it describes none."
    )


class Choice(NamedTuple):
    """What is reserved when the plan is executed: ``rows``, and ``others`` that the same directory has besides.

    ``plan`` is that of ``reserve`` or, where there is a ``group``, of ``autoreserve``.
    """

    plan: reserve.Plan | planning.Plan
    group: Group | None
    rows: tuple[Reservation, ...]
    others: tuple[Reservation, ...]

    @property
    def directory(self) -> str:
        """What the rows are reserved for."""
        return self.plan.arrival.path

    @property
    def main_port(self) -> int | None:
        """The port that needs no tag, or None: the only one, or that of the group's main service."""
        if len(self.rows) == 1:
            return self.rows[0].port
        main = None if self.group is None else self.group.main_service
        return next((row.port for row in self.rows if row.tag == main), None)


def prepare(request: ChoiceRequest, context: Context, *, services: bool = False) -> Prepared[Any]:
    """Find out what is meant, and prepare that. ``services`` insists on a group.

    Raises what preparing ``reserve`` or ``autoreserve`` raises; ``ConfigError``, too, where no tag is given and what is
    wrong with a project's file hides whether it describes a group.
    """
    shared: dict[str, Any] = {name: getattr(request, name) for name in ReservingRequest.declared}
    if request.tag is None:
        start = context.target(request.folder, None).path
        settings = context.settings(start, **request.settings)
        if services or settings.group is not None:
            from trop_core.operations.groups import autoreserve

            wanted = autoreserve.AutoreserveRequest(folder=request.folder, **shared)
            return autoreserve.prepare_with(wanted, context, start, settings)
    return reserve.prepare(ReserveRequest(folder=request.folder, tag=request.tag, **shared), context)


def plan(connection: StoreConnection, prepared: Prepared[Any]) -> Choice:
    """Decide what to store. Reads; writes nothing. Raises what the plan of ``reserve`` or ``autoreserve`` raises."""
    if not prepared.for_group:
        one = _plan_of_one(connection, prepared)
        return _chosen(connection, one, None, (one.reservation,))
    from trop_core.operations.groups import planning

    several = planning.plan(connection, prepared)
    return _chosen(connection, several, several.group, tuple(change.after for change in several.changes))


def _plan_of_one(connection: StoreConnection, prepared: Prepared[Any]) -> reserve.Plan:
    try:
        return reserve.plan(connection, prepared)
    except TropError as error:
        from trop_core.errors.ports import PortExhausted

        if isinstance(error, PortExhausted):
            error.has_fields = False
        raise


def execute(connection: StoreConnection, chosen: Choice, context: Context) -> None:
    """Do what the plan says."""
    if isinstance(chosen.plan, reserve.Plan):
        reserve.execute(connection, chosen.plan, context)
    else:
        from trop_core.operations.groups import planning

        planning.execute(connection, chosen.plan, context)


def only_touches(chosen: Choice) -> bool:
    """Whether a plan refreshes times of use, and changes nothing else."""
    return chosen.plan.outcome == "reused" and not chosen.plan.removals


def _chosen(
    connection: StoreConnection,
    plan: reserve.Plan | planning.Plan,
    group: Group | None,
    rows: tuple[Reservation, ...],
) -> Choice:
    return Choice(plan, group, rows, _others(connection, plan.arrival, {row.tag: row for row in rows}))


def _others(
    connection: StoreConnection, arrival: Arrival, rows: Mapping[str | None, Reservation]
) -> tuple[Reservation, ...]:
    """What else the directory has, as it is once what is to move has moved."""
    stored = reservations.select(connection, Selection(arrival.source))
    return tuple(row._replace(path=arrival.path) for row in stored if row.tag not in rows)
