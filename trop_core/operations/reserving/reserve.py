"""Reserve a port for a directory: the same key gives the same port, until it is released."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import reservations
from trop_core.errors.arguments import Contradiction
from trop_core.errors.spelling import nearest, quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import PortRange, Reservation, ReservationKey
from trop_core.operations.moving import arrival as arriving
from trop_core.operations.reserving import metadata, preparation, room
from trop_core.operations.reserving.preparation import Outcome, Prepared, ReservingRequest, Wish
from trop_core.paths import canonical
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.operations.moving.arrival import Arrival
    from trop_core.ports.allocation import Exhausted
    from trop_core.ports.services import Group, Service


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
    root: bool | None = fields.switch("Reserve for the root of the git worktree that the directory lies in.")
    overwrite: bool = fields.flag("Choose a port anew where one is reserved already.")
    ignore_occupied: bool = fields.flag("Take the preferred port even if something listens on it.")
    ignore_exclusions: bool = fields.flag("Take the preferred port even if it is excluded.")
    force: bool = fields.flag("Everything at once: overwrite, ignore occupied and excluded, allow every change.")

    def __post_init__(self) -> None:
        for name in ("project", "task"):
            if getattr(self, name) is not None and getattr(self, f"clear_{name}"):
                raise Contradiction(f"clear_{name}", name, expected=f"either this or a {name}, not both")
        if self.min is not None and self.max is not None:
            PortRange(self.min, self.max)
        if self.root and self.path is not None:
            raise Contradiction("root", "path", expected="either this or a path, not both")


class ReserveResult(Record):
    """The reservation, and what had to be done for it."""

    reservation: Reservation = fields.outcome("The reservation as it is now, or would be after a real run.")
    outcome: Outcome = fields.outcome(
        "created: a new key; reused: it had this port; updated: project or task changed; reallocated: a new port; "
        "moved: the directory was elsewhere before, with this port."
    )
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Plan(NamedTuple):
    """Everything that will happen: what moves first, what is dropped to make room, and what is stored then."""

    arrival: Arrival
    reservation: Reservation
    outcome: Outcome
    is_stored: bool
    removals: tuple[Removal, ...]
    warnings: tuple[str, ...]


class Choice(NamedTuple):
    """A port, what is dropped for it, and what the caller should know of it."""

    port: int
    removals: tuple[Removal, ...] = ()
    warnings: tuple[str, ...] = ()


def prepare(request: ReserveRequest, context: Context) -> Prepared[ReserveRequest]:
    """Find the directory and read the configuration that applies to it."""
    environment = context.environment
    target, settings = context.target_and_settings(
        request.folder,
        request.path,
        root=request.root,
        tolerant=True,
        ports__min=request.min,
        ports__max=request.max,
        **request.settings,
    )
    project = Wish.of("project", request.project, environment.get("TROP_PROJECT"), clear=request.clear_project)
    task = Wish.of("task", request.task, environment.get("TROP_TASK"), clear=request.clear_task)
    return preparation.prepare(request, context, target, settings, project=project, task=task)


def plan(connection: StoreConnection, prepared: Prepared[ReserveRequest]) -> Plan:
    """Decide what to store. Reads; writes nothing.

    Raises ``StickyField``, ``PortExhausted``, ``ConfigError``, or ``Unprepared`` where the file system or git have to
    be looked at, or, for a full range, the directories of all reservations.
    """
    key = ReservationKey(prepared.target.path, prepared.request.tag)
    stored = reservations.find(connection, key)
    arrival = arriving.arrive(connection, prepared.arriving, prepared.again, is_known=stored is not None)
    if arrival.source != key.path:
        stored = reservations.find(connection, key._replace(path=arrival.source))
    if stored is None:
        return _plan_new(connection, prepared, arrival)
    if arrival.source != arrival.path:
        stored = stored._replace(path=arrival.path)
    return _plan_existing(connection, prepared, arrival, stored)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Do what the plan says."""
    arriving.execute(connection, plan.arrival, context)
    room.drop(connection, plan.removals)
    if not plan.is_stored:
        reservations.insert(connection, plan.reservation)
    elif plan.outcome == "reused":
        reservations.touch(connection, plan.reservation.key, plan.reservation.last_used_at)
    else:
        reservations.update(connection, plan.reservation)


def report(plan: Plan, dry_run: bool) -> ReserveResult:
    """What the caller gets to know of a plan."""
    return ReserveResult(reservation=plan.reservation, outcome=plan.outcome, dry_run=dry_run, warnings=plan.warnings)


def _plan_existing(
    connection: StoreConnection, prepared: Prepared[ReserveRequest], arrival: Arrival, stored: Reservation
) -> Plan:
    request = prepared.request
    if request.overwrite or request.force:
        prepared.settings.require_project()
    project = metadata.keep_or_change("project", stored, prepared)
    task = metadata.keep_or_change("task", stored, prepared)
    choice = Choice(stored.port)
    if request.overwrite or request.force:
        choice = _choose(connection, prepared, arrival, own=stored)
    elif request.port not in (None, stored.port):
        told = f"port {stored.port} stays reserved: to have {request.port} instead, add "
        choice = Choice(stored.port, warnings=(told + prepared.context.spell("overwrite"),))
    # A clock that goes back takes nothing from the time of last use.
    used_at = max(prepared.context.now(), stored.last_used_at)
    changed = stored._replace(port=choice.port, project=project, task=task, last_used_at=used_at)
    outcome: Outcome = "reused"
    if choice.port != stored.port:
        outcome = "reallocated"
    elif arrival.move is not None:
        outcome = "moved"
    elif (project, task) != (stored.project, stored.task):
        outcome = "updated"
    return _plan(prepared, arrival, changed, outcome, choice, is_stored=True)


def _plan_new(connection: StoreConnection, prepared: Prepared[ReserveRequest], arrival: Arrival) -> Plan:
    prepared.settings.require_project()
    group = prepared.settings.group
    if group is not None and group.problems:
        from trop_core.errors.configuration import ConfigError

        raise ConfigError(group.problems)
    project, task = metadata.facts_of_new(prepared)
    choice = _choose(connection, prepared, arrival, own=None)
    canonical = prepared.target.canonical
    told: tuple[str, ...] = ()
    if arrival.is_new:
        if canonical != arrival.path and reservations.anything_at(connection, canonical):
            told = (f"{arrival.path} leads to {canonical}, which has reservations of its own",)
        told += arriving.suspected(connection, prepared.arriving, project, prepared.again)
    told += arriving.above(connection, prepared.arriving, prepared.request.tag, prepared.again)
    told += _told_of_near_name(prepared, arrival)
    used_at = prepared.context.now()
    reservation = Reservation(
        port=choice.port,
        path=arrival.path,
        tag=prepared.request.tag,
        project=project,
        task=task,
        created_at=used_at,
        last_used_at=used_at,
    )
    choice = choice._replace(warnings=choice.warnings + told)
    return _plan(prepared, arrival, reservation, "created", choice, is_stored=False)


def _plan(
    prepared: Prepared[ReserveRequest],
    arrival: Arrival,
    reservation: Reservation,
    outcome: Outcome,
    choice: Choice,
    *,
    is_stored: bool,
) -> Plan:
    return Plan(
        arrival=arrival,
        reservation=reservation,
        outcome=outcome,
        is_stored=is_stored,
        removals=choice.removals,
        warnings=(*prepared.warnings, *arrival.warnings, *choice.warnings, *room.told_of_probe(prepared)),
    )


def _choose(
    connection: StoreConnection, prepared: Prepared[ReserveRequest], arrival: Arrival, *, own: Reservation | None
) -> Choice:
    """The port for a key that has the reservation ``own``, or none; what is dropped for it; and what to tell."""
    request = prepared.request
    service = _service(prepared, arrival)
    preferred = request.port
    if preferred is None and service is not None:
        preferred = service.preferred
    obstacle = _obstacle(connection, prepared, preferred, own)
    if preferred is not None and obstacle is None:
        return Choice(preferred, warnings=room.told_of_avoided(prepared, preferred))
    told: tuple[str, ...] = () if obstacle is None else (obstacle,)
    if own is not None and _stays(prepared, own.port, is_service=service is not None):
        if service is not None and prepared.probe.is_occupied(own.port):
            told += (_told_of_running(own.port, prepared),)
        return Choice(own.port, warnings=told)
    if service is not None:
        placed = _place_in_group(connection, prepared, arrival, service.tag, own)
        if placed is not None:
            told = room.told_of_avoided(prepared, placed.port) if placed.port == preferred else told
            return placed._replace(warnings=told + placed.warnings)
    found = _scan(connection, prepared)
    if isinstance(found, int):
        return Choice(found, warnings=told)
    return _choose_after_cleanup(connection, prepared, arrival, found, preferred=preferred, own=own)


def _stays(prepared: Prepared[ReserveRequest], port: int, *, is_service: bool) -> bool:
    """Whether a key may have its own port again. What listens on a service's port is the service itself, in a group."""
    is_usable = port in prepared.ports and port not in prepared.settings.excluded_ports
    return is_usable if is_service else room.qualifies(prepared, port)


def _told_of_running(port: int, prepared: Prepared[ReserveRequest]) -> str:
    return (
        f"port {port} stays, for something listens there, and a service keeps its port while it runs: if it is "
        f"somebody else's program, name another port with {prepared.context.spell('port')}, or release this one first"
    )


def _choose_after_cleanup(
    connection: StoreConnection,
    prepared: Prepared[ReserveRequest],
    arrival: Arrival,
    found: Exhausted,
    *,
    preferred: int | None,
    own: Reservation | None,
) -> Choice:
    """The port for a key where ``found`` says that none of the range is left: one that is freed for it."""
    from trop_core.errors.ports import PortExhausted

    freed: set[int] = set()
    removals: tuple[Removal, ...] = ()
    keep = () if own is None else (own.key,)
    for removals in room.removals(connection, prepared, keep=keep, arrival=arrival, preferred=preferred):
        freed = {removal.reservation.port for removal in removals}
        told = room.told_of_cleanup(removals)
        obstacle = _obstacle(connection, prepared, preferred, own, freed)
        if preferred in freed and obstacle is None:
            return Choice(preferred, removals, (*room.told_of_avoided(prepared, preferred), *told))
        # Every other port of the range was just found to be taken.
        usable = [port for port in freed if room.qualifies(prepared, port)]
        if usable:
            return Choice(min(usable), removals, told if obstacle is None else (obstacle, *told))
    left = _scan(connection, prepared, freed) if freed else found
    if isinstance(left, int):
        # What held it has let go of it meanwhile, or nobody can look any more.
        return Choice(left, removals, room.told_of_cleanup(removals)) if left in freed else Choice(left)
    raise PortExhausted(**room.counts(prepared, left))


def _group_here(prepared: Prepared[ReserveRequest], arrival: Arrival) -> Group | None:
    """The group of that very directory, if it has one."""
    settings = prepared.settings
    if settings.group is None or settings.config_directory is None or prepared.request.tag is None:
        return None
    if canonical(settings.config_directory) not in (arrival.path, prepared.target.canonical):
        return None
    return settings.group


def _service(prepared: Prepared[ReserveRequest], arrival: Arrival) -> Service | None:
    """The service of the group of that very directory that the tag is, if it is one."""
    group = _group_here(prepared, arrival)
    services = () if group is None else group.services
    return next((service for service in services if service.tag == prepared.request.tag), None)


def _told_of_near_name(prepared: Prepared[ReserveRequest], arrival: Arrival) -> tuple[str, ...]:
    """The warning that a new tag is nearly a service of the group of that very directory, and none of its services."""
    group, tag = _group_here(prepared, arrival), prepared.request.tag
    if group is None or tag is None or any(service.tag == tag for service in group.services):
        return ()
    meant = nearest(tag, [service.tag for service in group.services])
    if meant is None:
        return ()
    return (f"{quoted(tag)} is no service of the project's file: if {quoted(meant)} was meant, release this one",)


def _place_in_group(
    connection: StoreConnection,
    prepared: Prepared[ReserveRequest],
    arrival: Arrival,
    tag: str,
    own: Reservation | None,
) -> Choice | None:
    """The port that a service gets when the whole group is asked for, or None where there is no room for it.

    Where that one is freed for the group, all goes that is dropped for the group: so the others find their places.
    """
    from trop_core.errors.ports import GroupExhausted
    from trop_core.operations.groups import arranging, planning

    group = prepared.settings.group
    assert group is not None
    stored = planning.stored_services(connection, group, arrival)
    if own is not None:
        del stored[tag]
    removals: tuple[Removal, ...] = ()
    try:
        found, dropped = arranging.choose(connection, prepared, group, stored, arrival)
        port = found.ports.get(tag)
        if any(removal.reservation.port == port for removal in dropped):
            removals = dropped
    except GroupExhausted:
        # For one of them there may be room all the same.
        port = arranging.arrange(connection, prepared, group, stored).ports.get(tag)
    return None if port is None else Choice(port, removals, room.told_of_cleanup(removals))


def _obstacle(
    connection: StoreConnection,
    prepared: Prepared[ReserveRequest],
    preferred: int | None,
    own: Reservation | None,
    freed: Collection[int] = (),
) -> str | None:
    """Why the preferred port cannot be had, or None. The key's own port, or one that is freed, is in nobody's way."""
    request = prepared.request
    if preferred is None:
        return None
    ignores_occupied = request.ignore_occupied or request.force
    reason = room.why_taken(
        connection,
        prepared,
        preferred,
        own=(None if own is None else own.port, *freed),
        ignore_exclusions=request.ignore_exclusions or request.force,
        occupation=(lambda port: None) if ignores_occupied else prepared.probe.obstacle,
    )
    return None if reason is None else f"the preferred port {preferred} is {reason}"


def _scan(
    connection: StoreConnection, prepared: Prepared[ReserveRequest], freed: Collection[int] = ()
) -> int | Exhausted:
    """The lowest free port of the range, if the reservations of the ports in ``freed`` were gone."""
    from trop_core.ports.allocation import lowest_free

    ports = prepared.ports
    taken = reservations.taken_ports(connection, ports.minimum, ports.maximum)
    if freed:
        others = ([port for port in chunk if port not in freed] for chunk in taken)
        return lowest_free(
            ports,
            filter(None, others),
            prepared.settings.excluded_ports,
            prepared.probe.is_occupied,
            avoided=prepared.avoidance.ports,
        )
    return lowest_free(
        ports, taken, prepared.settings.excluded_ports, prepared.probe.is_occupied, avoided=prepared.avoidance.ports
    )


OPERATION = Operation(
    name="reserve",
    title="Reserve Port",
    description=(
        "Reserves a port for a directory and returns it. The same directory and tag always get the same port, "
        "also after a restart and whatever listens on it by then."
    ),
    request=ReserveRequest,
    result=ReserveResult,
    work=Mutation(
        prepare=prepare,
        plan=plan,
        execute=execute,
        report=report,
        only_touches=lambda plan: plan.outcome == "reused" and not plan.removals,
    ),
)
