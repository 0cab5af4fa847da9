"""Reserve a port for a directory: the same key gives the same port, until it is released."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import reservations
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.ports import PortExhausted
from trop_core.models import PortRange, Reservation, ReservationKey
from trop_core.operations.reserving import metadata, preparation, room
from trop_core.operations.reserving.preparation import Outcome, Prepared, ReservingRequest, Wish

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.ports.allocation import Exhausted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReserveRequest(ReservingRequest):
    """What a caller may say about the reservation that it wants."""

    folder: str | None = fields.path(
        "The directory to reserve for, as an editor knows it: links are followed. The open folder if left away."
    )
    path: str | None = fields.path("The directory to reserve for, exactly as spelled: links are not followed.")
    tag: str | None = fields.name("Which of several ports of one directory is meant, such as web or api.")
    project: str | None = fields.name("The project to note. By default it is inferred from the git repository.")
    task: str | None = fields.name("The task to note. By default it is inferred from the git worktree or branch.")
    clear_project: bool = fields.flag("Note no project; needs the permission to change a stored one.")
    clear_task: bool = fields.flag("Note no task; needs the permission to change a stored one.")
    port: int | None = fields.port("The port that is preferred, if it is free; it may lie outside of the range.")
    min: int | None = fields.port("The lowest port of the range to choose from.")
    max: int | None = fields.port("The highest port of the range to choose from.")
    overwrite: bool = fields.flag("Choose a port anew where one is reserved already.")
    ignore_occupied: bool = fields.flag("Take the preferred port even if something listens on it.")
    ignore_exclusions: bool = fields.flag("Take the preferred port even if it is excluded.")
    force: bool = fields.flag("Everything at once: overwrite, ignore occupied and excluded, allow every change.")

    def __post_init__(self) -> None:
        for name in ("project", "task"):
            if getattr(self, name) is not None and getattr(self, f"clear_{name}"):
                raise InvalidArgument(f"clear_{name}", expected=f"either this or a {name}, not both", given=True)
        if self.min is not None and self.max is not None:
            PortRange(self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveResult:
    """The reservation, and what had to be done for it."""

    reservation: Reservation = fields.outcome("The reservation as it is now, or would be after a real run.")
    outcome: Outcome = fields.outcome(
        "created: a new key; reused: it had this port; updated: project or task changed; reallocated: a new port."
    )
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Plan(NamedTuple):
    """Everything that will happen: what is dropped to make room, then what is stored."""

    reservation: Reservation
    outcome: Outcome
    removals: tuple[Removal, ...]
    warnings: tuple[str, ...]


def prepare(request: ReserveRequest, context: Context) -> Prepared[ReserveRequest]:
    """Find the directory and read the configuration that applies to it."""
    environment = context.environment
    target = context.target(request.folder, request.path)
    settings = context.settings(target.path, ports__min=request.min, ports__max=request.max, **request.settings)
    project = Wish.of("project", request.project, environment.get("TROP_PROJECT"), clear=request.clear_project)
    task = Wish.of("task", request.task, environment.get("TROP_TASK"), clear=request.clear_task)
    return preparation.prepare(request, context, target, settings, project=project, task=task)


def plan(connection: StoreConnection, prepared: Prepared[ReserveRequest]) -> Plan:
    """Decide what to store. Reads; writes nothing.

    Raises ``StickyField``, ``PortExhausted``, or ``Unprepared`` where a new key needs the git repository, or a full
    range a look at the directories of all reservations.
    """
    stored = reservations.find(connection, _key(prepared))
    return _plan_new(connection, prepared) if stored is None else _plan_existing(connection, prepared, stored)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Do what the plan says."""
    if plan.removals:
        reservations.delete(connection, (removal.reservation.key for removal in plan.removals))
    if plan.outcome == "created":
        reservations.insert(connection, plan.reservation)
    elif plan.outcome == "reused":
        reservations.touch(connection, plan.reservation.key, plan.reservation.last_used_at)
    else:
        reservations.update(connection, plan.reservation)


def report(plan: Plan, dry_run: bool) -> ReserveResult:
    """What the caller gets to know of a plan."""
    return ReserveResult(reservation=plan.reservation, outcome=plan.outcome, dry_run=dry_run, warnings=plan.warnings)


def _key(prepared: Prepared[ReserveRequest]) -> ReservationKey:
    return ReservationKey(prepared.target.path, prepared.request.tag)


def _plan_existing(connection: StoreConnection, prepared: Prepared[ReserveRequest], stored: Reservation) -> Plan:
    request = prepared.request
    project = metadata.keep_or_change("project", stored, prepared)
    task = metadata.keep_or_change("task", stored, prepared)
    port = stored.port
    removals: tuple[Removal, ...] = ()
    warnings: tuple[str, ...] = ()
    if request.overwrite or request.force:
        port, removals, warnings = _choose(connection, prepared, own=stored.port)
    elif request.port not in (None, stored.port):
        warnings = (f"port {stored.port} stays reserved: to have {request.port} instead, overwrite it",)
    used_at = prepared.context.now()
    changed = dataclasses.replace(stored, port=port, project=project, task=task, last_used_at=used_at)
    outcome: Outcome = "reused"
    if port != stored.port:
        outcome = "reallocated"
    elif (project, task) != (stored.project, stored.task):
        outcome = "updated"
    return _plan(prepared, changed, outcome, removals, warnings)


def _plan_new(connection: StoreConnection, prepared: Prepared[ReserveRequest]) -> Plan:
    project, task = metadata.facts_of_new(prepared)
    port, removals, warnings = _choose(connection, prepared, own=None)
    path, canonical = prepared.target.path, prepared.target.canonical
    if (
        canonical != path
        and not reservations.anything_at(connection, path)
        and reservations.anything_at(connection, canonical)
    ):
        warnings += (f"{path} leads to {canonical}, which has reservations of its own",)
    used_at = prepared.context.now()
    reservation = Reservation(
        port=port,
        path=path,
        tag=prepared.request.tag,
        project=project,
        task=task,
        created_at=used_at,
        last_used_at=used_at,
    )
    return _plan(prepared, reservation, "created", removals, warnings)


def _plan(
    prepared: Prepared[ReserveRequest],
    reservation: Reservation,
    outcome: Outcome,
    removals: tuple[Removal, ...],
    warnings: tuple[str, ...],
) -> Plan:
    return Plan(
        reservation=reservation,
        outcome=outcome,
        removals=removals,
        warnings=(*prepared.warnings, *warnings, *prepared.probe.warnings),
    )


def _choose(
    connection: StoreConnection, prepared: Prepared[ReserveRequest], *, own: int | None
) -> tuple[int, tuple[Removal, ...], tuple[str, ...]]:
    """The port for a key whose own port, if it has one, is ``own``; what is dropped for it; and what to tell."""
    preferred = prepared.request.port
    obstacle = _obstacle(connection, prepared, own)
    if preferred is not None and obstacle is None:
        return preferred, (), ()
    if own is not None and _qualifies(prepared, own):
        return own, (), _told_of(obstacle)
    found = _scan(connection, prepared)
    if isinstance(found, int):
        return found, (), _told_of(obstacle)
    removals = room.removals(connection, prepared, keep=(_key(prepared),))
    freed = {removal.reservation.port for removal in removals}
    if preferred in freed:
        obstacle = _obstacle(connection, prepared, own, freed)
        if obstacle is None:
            return preferred, removals, room.told_of_cleanup(removals)
    # Every other port of the range was just found to be taken.
    for port in sorted(freed):
        if _qualifies(prepared, port):
            return port, removals, (*_told_of(obstacle), *room.told_of_cleanup(removals))
    raise PortExhausted(
        minimum=prepared.ports.minimum,
        maximum=prepared.ports.maximum,
        reserved=found.reserved,
        excluded=found.excluded,
        occupied=found.occupied,
        cleanup=not (prepared.settings.disable_autoprune and prepared.settings.disable_autoexpire),
    )


def _obstacle(
    connection: StoreConnection, prepared: Prepared[ReserveRequest], own: int | None, freed: Collection[int] = ()
) -> str | None:
    """Why the preferred port cannot be had, or None. The key's own port, or one that is freed, is in nobody's way."""
    request = prepared.request
    preferred = request.port
    if preferred is None:
        return None
    ignores_occupied = request.ignore_occupied or request.force
    reason = room.why_taken(
        connection,
        prepared,
        preferred,
        own=(own, *freed),
        ignore_exclusions=request.ignore_exclusions or request.force,
        is_occupied=(lambda port: False) if ignores_occupied else prepared.probe.is_occupied,
    )
    return None if reason is None else f"the preferred port {preferred} is {reason}"


def _qualifies(prepared: Prepared[ReserveRequest], port: int) -> bool:
    return (
        port in prepared.ports and port not in prepared.settings.excluded_ports and not prepared.probe.is_occupied(port)
    )


def _scan(connection: StoreConnection, prepared: Prepared[ReserveRequest]) -> int | Exhausted:
    from trop_core.ports.allocation import lowest_free

    ports = prepared.ports
    return lowest_free(
        ports,
        reservations.taken_ports(connection, ports.minimum, ports.maximum),
        prepared.settings.excluded_ports,
        prepared.probe.is_occupied,
    )


def _told_of(obstacle: str | None) -> tuple[str, ...]:
    return () if obstacle is None else (obstacle,)


OPERATION = Operation(
    name="reserve",
    title="Reserve Port",
    description=(
        "Reserves a port for a directory and returns it. The same directory and tag always get the same port, "
        "also after a restart and whatever listens on it by then."
    ),
    request=ReserveRequest,
    result=ReserveResult,
    work=Mutation(prepare=prepare, plan=plan, execute=execute, report=report),
)
