"""Reserving all services of a configuration at once: all of them or none, in one transaction."""

from __future__ import annotations

import os

from trop_core import fields, paths
from trop_core.caller import Target
from trop_core.config.names import PROJECT_FILES
from trop_core.database import reservations
from trop_core.database.failures import system_failure
from trop_core.database.selection import Selection
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.paths import InvalidPath
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import Reservation
from trop_core.operations.groups import arranging, exports
from trop_core.operations.moving import arrival as arriving
from trop_core.operations.reserving import metadata, preparation, room
from trop_core.operations.reserving.preparation import GroupOutcome, Prepared, ReservingRequest, Wish
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.operations.moving.arrival import Arrival
    from trop_core.ports.services import Group


class GroupRequest(ReservingRequest):
    """What a caller may say about a group, however its configuration is found."""

    task: str | None = fields.name("The task to note. By default it is inferred from the git worktree or branch.")
    force: bool = fields.flag(
        "Lay the group out anew as a whole, where the file would have stored ports elsewhere, and allow every change."
    )


class GroupResult(Record):
    """The group's reservations, and what had to be done for them."""

    group: dict[str, Reservation] = fields.outcome("The reservation of each service, by the service's name.")
    environment: dict[str, int | str] = fields.outcome(
        "What each service's variable is set to, by its name; and the other variables that the user allows."
    )
    outcome: GroupOutcome = fields.outcome(
        "created: nothing was stored; reused: it had these ports; extended: some were missing; updated: a project or "
        "task changed; reallocated: laid out anew; moved: the directory was elsewhere before, with these ports."
    )
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Change(NamedTuple):
    """A service's reservation as it will be, and as it is now; None where there is none."""

    after: Reservation
    before: Reservation | None


class Plan(NamedTuple):
    """Everything that will happen: what moves first, what is dropped, and what of the group is stored then."""

    group: Group
    arrival: Arrival
    changes: tuple[Change, ...]
    outcome: GroupOutcome
    removals: tuple[Removal, ...]
    environment: dict[str, int | str]
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
        message = "there is nothing to reserve: add a mapping such as {services: {web: {}, api: {}}}"
        if file not in settings.config_files and settings.warnings:
            message = "; ".join(settings.warnings)
        if settings.group_place is not None:
            told = "there is nothing to reserve: it is null here"
            raise ConfigError([ConfigProblem(*settings.group_place, "reservations", told)])
        raise ConfigError([ConfigProblem(file, None, None, "reservations", message)])
    directory = os.path.dirname(file)
    target = Target(directory, directory, explicit=False)
    project = Wish.of("project", None, context.environment.get("TROP_PROJECT"))
    if not project.given and settings.project is not None and (request.force or settings.allow_change_project):
        # The file has changed its mind, and somebody permits it.
        project = Wish(given=True, value=settings.project, by="project")
    task = Wish.of("task", request.task, context.environment.get("TROP_TASK"))
    return preparation.prepare(request, context, target, settings, project=project, task=task, for_group=True)


def plan(connection: StoreConnection, prepared: Prepared[GroupRequest]) -> Plan:
    """Decide what to store. Reads; writes nothing.

    Raises ``StickyField``, ``ConfigError`` where something new is to be reserved and the file is at fault,
    ``GroupExhausted``, or ``Unprepared`` where the file system, git or the directories of all reservations have to be
    looked at.
    """
    group = prepared.settings.group
    assert group is not None
    arrival = arriving.arrive(connection, prepared.arriving, prepared.again)
    stored = stored_services(connection, group, arrival)
    missing = [service for service in group.services if service.tag not in stored]
    if missing and group.problems:
        raise ConfigError(group.problems)
    anew = bool(stored) and prepared.request.force
    removals: tuple[Removal, ...] = ()
    ports = {tag: row.port for tag, row in stored.items()}
    told: tuple[str, ...] = ()
    if missing or anew:
        found, removals = arranging.choose(connection, prepared, group, stored, arrival, anew=anew)
        ports, told = found.ports, arranging.told_of(prepared, group, found)
    if not anew:
        told += arranging.told_of_drift(connection, prepared, group, stored)
    changes = _changes(prepared, group, arrival, stored, ports)
    told += tuple(
        f"{after.tag} had port {before.port}, and has {after.port} now"
        for after, before in changes
        if before is not None and before.port != after.port
    )
    if arrival.is_new:
        project = next((change.after.project for change in changes), None)
        told += arriving.suspected(connection, prepared.arriving, project, prepared.again)
    left_out = tuple(f"{problem.key} is left out: {problem.message}" for problem in group.problems)
    return Plan(
        group=group,
        arrival=arrival,
        changes=changes,
        outcome=_outcome(changes, arrival, missing=bool(missing)),
        removals=removals,
        environment=_exported(connection, prepared, group, arrival, changes),
        warnings=(
            *prepared.warnings,
            *arrival.warnings,
            *left_out,
            *told,
            *room.told_of_cleanup(removals),
            *room.told_of_probe(prepared),
        ),
    )


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Do what the plan says."""
    arriving.execute(connection, plan.arrival, context)
    room.drop(connection, plan.removals)
    # All go before any comes: a port may pass from one service to another, and no two rows may have it.
    reservations.delete(
        connection, (after.key for after, before in plan.changes if before and before.port != after.port)
    )
    for after, before in plan.changes:
        if before is None or before.port != after.port:
            reservations.insert(connection, after)
        elif (before.project, before.task) == (after.project, after.task):
            reservations.touch(connection, after.key, after.last_used_at)
        else:
            reservations.update(connection, after)


def report(plan: Plan, dry_run: bool) -> GroupResult:
    """What the caller gets to know of a plan."""
    return GroupResult(
        group={change.after.tag or "": change.after for change in plan.changes},
        environment=plan.environment,
        outcome=plan.outcome,
        dry_run=dry_run,
        warnings=plan.warnings,
    )


def only_touches(plan: Plan) -> bool:
    """Whether a plan refreshes times of use, and changes nothing else."""
    return plan.outcome == "reused" and not plan.removals


def stored_services(connection: StoreConnection, group: Group, arrival: Arrival) -> dict[str, Reservation]:
    """The reservations of a group's services, as they are once what is to move has moved.

    An untagged reservation, and one whose tag is no service, are none of the group's. Reads.
    """
    tags = {service.tag for service in group.services}
    return {
        row.tag: row._replace(path=arrival.path)
        for row in reservations.select(connection, Selection(arrival.source))
        if row.tag is not None and row.tag in tags
    }


def _changes(
    prepared: Prepared[GroupRequest],
    group: Group,
    arrival: Arrival,
    stored: Mapping[str, Reservation],
    ports: Mapping[str, int],
) -> tuple[Change, ...]:
    used_at = prepared.context.now()
    new_project, new_task = None, None
    if len(stored) < len(group.services):
        new_project, new_task = metadata.facts_of_new(prepared)
    changes = []
    for service in group.services:
        tag = service.tag
        before = stored.get(tag)
        if before is None:
            after = Reservation(ports[tag], arrival.path, tag, new_project, new_task, used_at, used_at)
        else:
            after = before._replace(
                port=ports[tag],
                project=metadata.keep_or_change("project", before, prepared),
                task=metadata.keep_or_change("task", before, prepared),
                last_used_at=max(used_at, before.last_used_at),
            )
        changes.append(Change(after, before))
    return tuple(changes)


def _outcome(changes: tuple[Change, ...], arrival: Arrival, *, missing: bool) -> GroupOutcome:
    stored = [(change.before, change.after) for change in changes if change.before is not None]
    if not stored:
        return "created"
    if any(before.port != after.port for before, after in stored):
        return "reallocated"
    if arrival.move is not None:
        return "moved"
    if missing:
        return "extended"
    changed = any((before.project, before.task) != (after.project, after.task) for before, after in stored)
    return "updated" if changed else "reused"


def _exported(
    connection: StoreConnection,
    prepared: Prepared[GroupRequest],
    group: Group,
    arrival: Arrival,
    changes: tuple[Change, ...],
) -> dict[str, int | str]:
    rows = tuple(change.after for change in changes)
    others = tuple(reservations.select(connection, Selection(arrival.source))) if group.made else ()
    made = exports.allowed_variables(group, prepared.settings.allowed_variables)
    return exports.variables(group, rows, others, made)
