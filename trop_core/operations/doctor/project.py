"""What a directory has reserved, against what its project's file describes."""

from __future__ import annotations

from trop_core import paths
from trop_core.database import reservations
from trop_core.database.selection import Selection
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.spelling import shell_word
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import info, of_error, ok, warning
from trop_core.operations.doctor.subject import completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.caller import Target
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import OpenStore
    from trop_core.operations.groups import planning
    from trop_core.operations.groups.planning import GroupRequest
    from trop_core.operations.reserving.preparation import Prepared


def moved(store: OpenStore) -> Iterator[Finding]:
    """Whether the directory was elsewhere before: its reservations are still there then, until it reserves again."""
    from trop_core.operations.moving.arrival import Arriving, origin

    target, connection, subject = store.subject.directory, store.rows, store.subject
    if target is None or connection is None or target.explicit:
        return
    arriving = Arriving.at(target, subject.context, follow=subject.settings.follow_moves)
    found = completed(arriving, lambda known: origin(connection, known, lambda again: again))
    if found is not None:
        reserving = subject.command("reserve", place=target.path)
        advice = reserving if found.moves_along else "Decide whether this directory is to have them."
        yield warning("moved", found.told, advice)


def group(store: OpenStore) -> Iterator[Finding]:
    """Whether the services of the project's file have their ports, and those that the file would give them."""
    subject, connection = store.subject, store.rows
    settings = subject.settings
    if subject.directory is None or connection is None or settings.group is None or settings.config_directory is None:
        return
    if settings.group.problems:
        return  # told of with the file
    from trop_core.operations.groups import autoreserve

    context, start = subject.context, subject.directory.path
    request = autoreserve.AutoreserveRequest(allow_unrelated_path=True, dry_run=True)
    try:
        prepared = autoreserve.prepare_with(request, context, start, settings)
        plan, drifted = completed(prepared, lambda known: _planned(connection, known))
    except Cancelled:
        raise
    except TropError as failure:
        yield from of_error("group", failure, context.spell)
        return
    place = plan.arrival.path
    missing = [change.after.tag or "" for change in plan.changes if change.before is None]
    if missing:
        told = f"{', '.join(missing)}: in the project's file, and not reserved"
        yield info("group", told, subject.command("autoreserve", place=place))
    for told in drifted:
        yield warning("group", told, subject.command("autoreserve --force", place=place))
    if not missing and not drifted:
        yield ok("group", f"{len(plan.changes)} service{'' if len(plan.changes) == 1 else 's'}, each with its port")
    tags = {service.tag for service in settings.group.services}
    for row in reservations.select(connection, Selection(plan.arrival.path)):
        if row.tag is not None and row.tag not in tags:
            advice = subject.command(f"release --tag {shell_word(row.tag)}", place=place)
            yield info("group", f"the tag {row.tag}, port {row.port}, is no service of the project's file", advice)


def _planned(connection: StoreConnection, prepared: Prepared[GroupRequest]) -> tuple[planning.Plan, tuple[str, ...]]:
    """What reserving the group would do, and which ports the file would have elsewhere. Reads."""
    from trop_core.operations.groups import arranging, planning

    plan = planning.plan(connection, prepared)
    stored = planning.stored_services(connection, plan.group, plan.arrival)
    return plan, arranging.told_of_drift(connection, prepared, plan.group, stored)


def own_rows(store: OpenStore, target: Target) -> frozenset[int]:
    """The ports that are reserved for a directory."""
    assert store.rows is not None
    names = {target.path, target.canonical, paths.canonical(target.path)}
    return frozenset(row.port for row in reservations.at_paths(store.rows, sorted(names)))
