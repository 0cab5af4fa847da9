"""Reserve a port for a directory: the same key gives the same port, until it is released."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import reservations
from trop_core.errors import InvalidArgument, PortExhausted, StickyField
from trop_core.models import PortRange, Reservation, ReservationKey, identifier
from trop_core.operations.call import Unprepared

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context, Probe
    from trop_core.database.connection import StoreConnection
    from trop_core.git import GitFacts
    from trop_core.operations.cleanup import Removal, Survey
    from trop_core.ports.allocation import Exhausted

Outcome = Literal["created", "reused", "updated", "reallocated"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReserveRequest:
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
    allow_unrelated_path: bool | None = fields.switch("Allow a directory that is neither above nor below this one.")
    allow_change_project: bool | None = fields.switch("Allow the stored project to change.")
    allow_change_task: bool | None = fields.switch("Allow the stored task to change.")
    allow_change: bool | None = fields.switch("Allow the stored project and task to change.")
    force: bool = fields.flag("Everything at once: overwrite, ignore occupied and excluded, allow every change.")
    disable_autoprune: bool | None = fields.switch("When no port is left, keep reservations of missing directories.")
    disable_autoexpire: bool | None = fields.switch("When no port is left, keep reservations that expired.")
    skip_occupancy_check: bool | None = fields.switch("Do not look whether something listens on a port.")
    skip_tcp: bool | None = fields.switch("Do not look at TCP.")
    skip_udp: bool | None = fields.switch("Do not look at UDP.")
    skip_ipv4: bool | None = fields.switch("Do not look at IPv4.")
    skip_ipv6: bool | None = fields.switch("Do not look at IPv6.")
    check_all_interfaces: bool | None = fields.switch("Look at the wildcard addresses too, not just at loopback.")
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")

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


class Wish(NamedTuple):
    """A project or task as it was asked for: ``given`` says that somebody named it, or named it empty."""

    given: bool
    value: str | None


class Prepared(NamedTuple):
    """All that the plan needs besides the store. ``git`` and ``survey`` are got when the plan asks for them.

    ``now`` is the time of the preparation. What is stored carries the time of the plan: a call may wait for the lock.
    """

    request: ReserveRequest
    context: Context
    target: Target
    settings: Settings
    ports: PortRange
    project: Wish
    task: Wish
    probe: Probe
    now: int
    warnings: tuple[str, ...]
    git: GitFacts | None = None
    survey: Survey | None = None

    @property
    def key(self) -> ReservationKey:
        """The key that is asked for."""
        return ReservationKey(self.target.path, self.request.tag)


class Plan(NamedTuple):
    """Everything that will happen: what is dropped to make room, then what is stored."""

    reservation: Reservation
    outcome: Outcome
    removals: tuple[Removal, ...]
    warnings: tuple[str, ...]


def prepare(request: ReserveRequest, context: Context) -> Prepared:
    """Find the directory and read the configuration that applies to it."""
    environment = context.environment
    target = context.target(request.folder, request.path)
    settings = context.settings(
        target.path,
        ports__min=request.min,
        ports__max=request.max,
        allow_unrelated_path=request.allow_unrelated_path,
        allow_change_project=request.allow_change_project,
        allow_change_task=request.allow_change_task,
        allow_change=request.allow_change,
        disable_autoprune=request.disable_autoprune,
        disable_autoexpire=request.disable_autoexpire,
        occupancy_check__skip=request.skip_occupancy_check,
        occupancy_check__skip_tcp=request.skip_tcp,
        occupancy_check__skip_udp=request.skip_udp,
        occupancy_check__skip_ip4=request.skip_ipv4,
        occupancy_check__skip_ip6=request.skip_ipv6,
        occupancy_check__check_all_interfaces=request.check_all_interfaces,
    )
    context.caller.guard(target, allowed=request.force or settings.allow_unrelated_path)
    return Prepared(
        request=request,
        context=context,
        target=target,
        settings=settings,
        ports=PortRange(settings.port_min, settings.port_max),
        project=_wish("project", request.project, environment.get("TROP_PROJECT"), clear=request.clear_project),
        task=_wish("task", request.task, environment.get("TROP_TASK"), clear=request.clear_task),
        probe=context.probe(settings.occupancy),
        now=context.now(),
        warnings=target.warnings,
    )


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Decide what to store. Reads; writes nothing.

    Raises ``StickyField``, ``PortExhausted``, or ``Unprepared`` where a new key needs the git repository, or a full
    range a look at the directories of all reservations.
    """
    stored = reservations.find(connection, prepared.key)
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


def _wish(field: str, argument: str | None, variable: str | None, *, clear: bool) -> Wish:
    if clear:
        return Wish(given=True, value=None)
    if argument is None and variable:
        argument = identifier(field, variable)
    return Wish(given=argument is not None, value=argument)


def _plan_existing(connection: StoreConnection, prepared: Prepared, stored: Reservation) -> Plan:
    request = prepared.request
    project = _keep_or_change("project", stored, prepared.project, prepared)
    task = _keep_or_change("task", stored, prepared.task, prepared)
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


def _plan_new(connection: StoreConnection, prepared: Prepared) -> Plan:
    project, task = prepared.project, prepared.task
    if not project.given and prepared.settings.project is not None:
        project = Wish(given=True, value=prepared.settings.project)
    if prepared.git is None and not (project.given and task.given):
        raise Unprepared(lambda: prepared._replace(git=prepared.context.infer(prepared.target.path)))
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
        project=project.value if project.given or prepared.git is None else prepared.git.project,
        task=task.value if task.given or prepared.git is None else prepared.git.task,
        created_at=used_at,
        last_used_at=used_at,
    )
    return _plan(prepared, reservation, "created", removals, warnings)


def _plan(
    prepared: Prepared,
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


def _keep_or_change(
    field: Literal["project", "task"], stored: Reservation, wish: Wish, prepared: Prepared
) -> str | None:
    has: str | None = getattr(stored, field)
    if not wish.given or wish.value == has:
        return has
    if not (prepared.request.force or getattr(prepared.settings, f"allow_change_{field}")):
        raise StickyField(field, path=stored.path, tag=stored.tag, stored=has, requested=wish.value)
    return wish.value


def _choose(
    connection: StoreConnection, prepared: Prepared, *, own: int | None
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
    removals = _removals(connection, prepared)
    freed = {removal.reservation.port for removal in removals}
    if preferred in freed:
        obstacle = _obstacle(connection, prepared, own, freed)
        if obstacle is None:
            return preferred, removals, _told_of_cleanup(removals)
    # Every other port of the range was just found to be taken.
    for port in sorted(freed):
        if _qualifies(prepared, port):
            return port, removals, (*_told_of(obstacle), *_told_of_cleanup(removals))
    raise PortExhausted(
        minimum=prepared.ports.minimum,
        maximum=prepared.ports.maximum,
        reserved=found.reserved,
        excluded=found.excluded,
        occupied=found.occupied,
        cleanup=not (prepared.settings.disable_autoprune and prepared.settings.disable_autoexpire),
    )


def _obstacle(
    connection: StoreConnection, prepared: Prepared, own: int | None, freed: Collection[int] = ()
) -> str | None:
    """Why the preferred port cannot be had, or None. The key's own port, or one that is freed, is in nobody's way."""
    request = prepared.request
    preferred = request.port
    if preferred is None:
        return None
    holder = None if preferred == own or preferred in freed else reservations.holder(connection, preferred)
    if holder is not None:
        reason = f"reserved for {holder.path}" + (f" (tag {holder.tag})" if holder.tag is not None else "")
    elif not (request.ignore_exclusions or request.force) and preferred in prepared.settings.excluded_ports:
        reason = "excluded"
    elif not (request.ignore_occupied or request.force) and prepared.probe.is_occupied(preferred):
        reason = "occupied"
    else:
        return None
    return f"the preferred port {preferred} is {reason}"


def _qualifies(prepared: Prepared, port: int) -> bool:
    return (
        port in prepared.ports and port not in prepared.settings.excluded_ports and not prepared.probe.is_occupied(port)
    )


def _scan(connection: StoreConnection, prepared: Prepared) -> int | Exhausted:
    from trop_core.ports.allocation import lowest_free

    ports = prepared.ports
    return lowest_free(
        ports,
        reservations.taken_ports(connection, ports.minimum, ports.maximum),
        prepared.settings.excluded_ports,
        prepared.probe.is_occupied,
    )


def _removals(connection: StoreConnection, prepared: Prepared) -> tuple[Removal, ...]:
    """What cleanup drops, as far as it is not disabled."""
    settings = prepared.settings
    prune, expire = not settings.disable_autoprune, not settings.disable_autoexpire
    if not (prune or expire):
        return ()
    from trop_core.operations import cleanup

    survey = prepared.survey
    if survey is None or survey.is_outdated(connection):
        taken = cleanup.Survey.take(connection, survey)
        if prune:
            look = partial(taken.with_directories, prepared.context.directory_state, progress=prepared.context.progress)
            raise Unprepared(lambda: prepared._replace(survey=look()))
        raise Unprepared(lambda: prepared._replace(survey=taken))
    return survey.removals(
        connection,
        now=prepared.now,
        prune=prune,
        expire_after_days=settings.expire_after_days if expire else None,
        keep=prepared.key,
    )


def _told_of(obstacle: str | None) -> tuple[str, ...]:
    return () if obstacle is None else (obstacle,)


def _told_of_cleanup(removals: tuple[Removal, ...]) -> tuple[str, ...]:
    missing = sum(removal.reason == "missing" for removal in removals)
    expired = len(removals) - missing
    return (f"to make room, reservations were dropped: {missing} of missing directories, {expired} expired",)


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
