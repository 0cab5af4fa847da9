"""Reserving all services of a configuration at once: all of them or none, in one transaction."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trop_core import fields, paths
from trop_core.caller import Target
from trop_core.config.files import PROJECT_FILES
from trop_core.database import reservations
from trop_core.database.failures import system_failure
from trop_core.database.selection import Selection
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.paths import InvalidPath
from trop_core.errors.ports import GroupExhausted
from trop_core.errors.reservations import ReservationConflict
from trop_core.errors.spelling import quoted
from trop_core.models import Reservation
from trop_core.operations.reserving import metadata, preparation, room
from trop_core.operations.reserving.preparation import Outcome, Prepared, ReservingRequest, Wish
from trop_core.ports.pattern import Arrangement, arrange, fits

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.settings import Group, Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.models import ReservationKey
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.ports.pattern import Unplaced

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False, init=False)
class GroupRequest(ReservingRequest):
    """What a caller may say about a group, however its configuration is found."""

    task: str | None = fields.name("The task to note. By default it is inferred from the git worktree or branch.")
    force: bool = fields.flag(
        "Replace a stored group that is incomplete or no longer fits its configuration, and allow every change."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """The group's reservations, and what had to be done for them."""

    group: dict[str, Reservation] = fields.outcome("The reservation of each service, by the service's name.")
    environment: dict[str, int] = fields.outcome("The port of each service, by the name of its variable.")
    outcome: Outcome = fields.outcome(
        "created: nothing was stored; reused: it had these ports; updated: a project or task changed; reallocated: "
        "replaced as a whole."
    )
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Plan(NamedTuple):
    """Everything that will happen: what is dropped, what of the group is replaced, and what is stored then."""

    group: Group
    rows: tuple[Reservation, ...]
    outcome: Outcome
    replaced: tuple[Reservation, ...]
    removals: tuple[Removal, ...]
    warnings: tuple[str, ...]


def find_file(config: str, context: Context) -> str:
    """The file that a caller named, absolute, its directory under its one name. Looks at the file system.

    A link that is itself called trop.yaml or trop.local.yaml counts where it lies: worktrees may share one file and
    still have ports of their own. Any other link counts as the file that it leads to. Raises ``InvalidPath`` if there
    is no such file, ``PermissionDenied`` or ``SystemFailure`` if the system will not tell.
    """
    named = context.caller.resolve(config)
    try:
        os.stat(named)
    except (FileNotFoundError, NotADirectoryError):
        advice = "Name a configuration file that exists, such as ./trop.yaml."
        raise InvalidPath(named, "there is no such file", advice=advice) from None
    except OSError as error:
        raise system_failure(error, "look for", named) from error
    if os.path.basename(named) not in PROJECT_FILES:
        named = paths.canonical(named)
    return os.path.join(paths.canonical(os.path.dirname(named)), os.path.basename(named))


def prepare(request: GroupRequest, context: Context, settings: Settings, file: str) -> Prepared[GroupRequest]:
    """What a group's plan needs; ``file`` is where its configuration was found.

    Raises ``ConfigError`` if that holds no group, ``UnrelatedPath``, ``InvalidIdentifier``.
    """
    if settings.group is None:
        message = "there is nothing to reserve: add a mapping such as {services: {web: {offset: 0}, api: {offset: 1}}}"
        raise ConfigError([ConfigProblem(file, None, None, "reservations", message)])
    directory = os.path.dirname(file)
    target = Target(directory, directory, explicit=False)
    project = Wish.of("project", None, context.environment.get("TROP_PROJECT"))
    task = Wish.of("task", request.task, context.environment.get("TROP_TASK"))
    return preparation.prepare(request, context, target, settings, project=project, task=task)


def plan(connection: StoreConnection, prepared: Prepared[GroupRequest]) -> Plan:
    """Decide what to store. Reads; writes nothing.

    Raises ``ReservationConflict``, ``StickyField``, ``GroupExhausted``, or ``Unprepared`` where new reservations need
    the git repository, or a full range a look at the directories of all reservations.
    """
    group = prepared.settings.group
    assert group is not None
    tags = {service.tag for service in group.services}
    # An untagged reservation, and one whose tag is no service, are none of the group's.
    at_path = reservations.select(connection, Selection(prepared.target.path))
    stored = {row.tag: row for row in at_path if row.tag is not None and row.tag in tags}
    if not stored:
        return _plan_new(connection, prepared, group, {})
    if len(stored) == len(tags) and fits(group.services, {tag: row.port for tag, row in stored.items()}):
        return _plan_existing(prepared, group, stored)
    if not prepared.request.force:
        raise ReservationConflict(_what_is_wrong(prepared, group, stored), tuple(stored.values()))
    return _plan_new(connection, prepared, group, stored)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Do what the plan says."""
    if plan.outcome == "reused":
        for row in plan.rows:
            reservations.touch(connection, row.key, row.last_used_at)
    elif plan.outcome == "updated":
        for row in plan.rows:
            reservations.update(connection, row)
    else:
        # All go before any comes: a port may pass from one service to another, and no two rows may have it.
        reservations.delete(connection, (removal.reservation.key for removal in plan.removals))
        reservations.delete(connection, (row.key for row in plan.replaced))
        for row in plan.rows:
            reservations.insert(connection, row)


def report(plan: Plan, dry_run: bool) -> GroupResult:
    """What the caller gets to know of a plan."""
    by_tag = {row.tag: row for row in plan.rows}
    return GroupResult(
        group={service.tag: by_tag[service.tag] for service in plan.group.services},
        environment={service.variable: by_tag[service.tag].port for service in plan.group.services},
        outcome=plan.outcome,
        dry_run=dry_run,
        warnings=plan.warnings,
    )


def _plan_existing(prepared: Prepared[GroupRequest], group: Group, stored: dict[str, Reservation]) -> Plan:
    used_at = prepared.context.now()
    rows = tuple(
        dataclasses.replace(
            row,
            project=metadata.keep_or_change("project", row, prepared),
            task=metadata.keep_or_change("task", row, prepared),
            last_used_at=used_at,
        )
        for row in (stored[service.tag] for service in group.services)
    )
    changed = any(
        (row.project, row.task) != (stored[row.tag or ""].project, stored[row.tag or ""].task) for row in rows
    )
    return Plan(group, rows, "updated" if changed else "reused", (), (), prepared.warnings)


def _plan_new(
    connection: StoreConnection, prepared: Prepared[GroupRequest], group: Group, replaced: dict[str, Reservation]
) -> Plan:
    """A group of which nothing is stored, or one that replaces what is."""
    project, task = None, None
    if len(replaced) < len(group.services):
        project, task = metadata.facts_of_new(prepared)
    facts = {
        tag: (
            metadata.keep_or_change("project", row, prepared),
            metadata.keep_or_change("task", row, prepared),
            row.created_at,
        )
        for tag, row in replaced.items()
    }
    arranged, removals = _choose(connection, prepared, group, replaced)
    used_at = prepared.context.now()
    rows = []
    for tag, port in arranged.ports.items():
        own_project, own_task, created_at = facts.get(tag, (project, task, used_at))
        rows.append(Reservation(port, prepared.target.path, tag, own_project, own_task, created_at, used_at))
    obstacles = tuple(
        f"{tag} gets {arranged.ports[tag]}: its preferred port {service.preferred} is {arranged.obstacles[tag]}"
        for service in group.services
        if (tag := service.tag) in arranged.obstacles
    )
    warnings = (*obstacles, *(room.told_of_cleanup(removals) if removals else ()))
    return Plan(
        group=group,
        rows=tuple(rows),
        outcome="reallocated" if replaced else "created",
        replaced=tuple(replaced.values()),
        removals=removals,
        warnings=(*prepared.warnings, *warnings, *prepared.probe.warnings),
    )


def _choose(
    connection: StoreConnection, prepared: Prepared[GroupRequest], group: Group, replaced: dict[str, Reservation]
) -> tuple[Arrangement, tuple[Removal, ...]]:
    """The ports of a group's services, and what is dropped for them."""
    own = {row.port for row in replaced.values()}
    start = prepared.settings.port_min if group.base is None else group.base
    found = _arrange(connection, prepared, group, start=start, own=own, freed=own)
    if isinstance(found, Arrangement):
        return found, ()
    keys: set[ReservationKey] = {row.key for row in replaced.values()}
    removals = room.removals(connection, prepared, keep=keys)
    freed = own | {removal.reservation.port for removal in removals}
    after_cleanup = _arrange(connection, prepared, group, start=start, own=own, freed=freed) if removals else found
    if isinstance(after_cleanup, Arrangement):
        return after_cleanup, removals
    raise GroupExhausted(
        offsets=found.offsets,
        minimum=start,
        maximum=prepared.ports.maximum,
        reserved=found.found.reserved,
        excluded=found.found.excluded,
        occupied=found.found.occupied,
        cleanup=not (prepared.settings.disable_autoprune and prepared.settings.disable_autoexpire),
    )


def _arrange(
    connection: StoreConnection,
    prepared: Prepared[GroupRequest],
    group: Group,
    *,
    start: int,
    own: Collection[int],
    freed: Collection[int],
) -> Arrangement | Unplaced:
    """The services' ports, if the reservations of the ports in ``freed`` were gone. ``own`` are the group's."""
    maximum = prepared.ports.maximum

    def is_occupied(port: int) -> bool:
        # What listens on a port of the group is the group's own.
        return port not in own and prepared.probe.is_occupied(port)

    def obstacle(port: int) -> str | None:
        return room.why_taken(connection, prepared, port, own=freed, is_occupied=is_occupied)

    taken = (
        [port for port in chunk if port not in freed] for chunk in reservations.taken_ports(connection, start, maximum)
    )
    return arrange(
        group.services,
        start=start,
        maximum=maximum,
        taken=taken,
        exclusions=prepared.settings.excluded_ports,
        is_occupied=is_occupied,
        obstacle=obstacle,
    )


def _what_is_wrong(prepared: Prepared[GroupRequest], group: Group, stored: dict[str, Reservation]) -> str:
    missing = [service.tag for service in group.services if service.tag not in stored]
    has = ", ".join(f"{quoted(tag)} has {row.port}" for tag, row in list(stored.items())[:_MOST_NAMED])
    if missing:
        lacks = ", ".join(map(quoted, missing[:_MOST_NAMED]))
        reason = f"is reserved in part: {lacks} {'is' if len(missing) == 1 else 'are'} missing"
    else:
        reason = "no longer has the ports that its configuration describes"
    return f"the group of {quoted(prepared.target.path)} {reason} ({has})"
