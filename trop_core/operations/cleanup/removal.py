"""What ``prune``, ``expire`` and ``autoclean`` share: a plan of what goes, and doing it, in one transaction."""

from __future__ import annotations

from functools import partial

from trop_core import fields
from trop_core.catalogue import Mutation
from trop_core.database import directories, reservations
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan
from trop_core.operations.call import Unprepared
from trop_core.operations.cleanup.survey import SECONDS_PER_DAY, Removal, Survey, removal
from trop_core.paths import DirectoryState
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection

MOST_SHOWN = 1000
ROWS_PER_BATCH = 1000


class CleaningResult(Record):
    """What went, and why."""

    removed: tuple[Removal, ...] = fields.outcome(
        "The removed reservations, the first 1,000 of them; the reason is missing (the directory) or expired."
    )
    removed_count: int = fields.outcome("How many were removed.")
    kept_count: int = fields.outcome(
        "How many stay although their directories are missing: on a volume that is not mounted, or in a worktree that "
        "git holds as locked."
    )
    truncated: bool = fields.outcome("Whether more were removed than are listed.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """What goes: whether those of missing directories do, and after how many days those that nobody uses, if any.

    ``take_absent`` says that an absence that may pass counts as one that does not. ``now`` is the time of the
    preparation. ``survey`` is got when the plan asks for it.
    """

    context: Context
    settings: Settings
    prune: bool
    days: int | None
    take_absent: bool
    now: int
    survey: Survey | None = None


class Plan(NamedTuple):
    """The rows that go, by their numbers or as those that were last used before a time; how many, and the first."""

    numbers: tuple[int, ...]
    unused_since: int | None
    total: int
    first: tuple[Removal, ...]
    kept: int = 0
    warnings: tuple[str, ...] = ()


def preparing(
    context: Context, *, prune: bool, expire: bool, days: int | None = None, take_absent: bool = False
) -> Prepared:
    """Read the configuration; without ``days``, it says when a reservation has expired.

    A project's file may only put that off.
    """
    asks_project = expire and days is None
    settings = context.settings(context.caller.vicinity if asks_project else None, cleanup__expire_after_days=days)
    expire_after_days = settings.expire_after_days if expire else None
    return Prepared(context, settings, prune, expire_after_days, take_absent, context.now())


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Find the rows. Reads; writes nothing. That there are none is no error.

    Raises ``Unprepared`` where the directories of the reservations have to be looked at first.
    """
    if not prepared.prune:
        return _plan_expired(connection, prepared)
    survey = prepared.survey
    if survey is None or survey.is_outdated(connection):
        taken = Survey.take(connection, survey)
        raise Unprepared(lambda: prepared._replace(survey=_with_directories(taken, prepared.context)))
    leaving = survey.leaving(
        connection,
        now=prepared.now,
        prune=True,
        expire_after_days=prepared.days,
        take_absent=prepared.take_absent,
    )
    return Plan(
        numbers=tuple(row[-1] for row, _ in leaving),
        unused_since=None,
        total=len(leaving),
        first=tuple(removal(row, reason, connection) for row, reason in leaving[:MOST_SHOWN]),
        kept=survey.kept(leaving),
        warnings=_told_of_unknown(survey),
    )


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Remove the rows, in batches.

    Between batches it reports the rows that are gone, and raises ``Cancelled`` if the call was taken back.
    """
    done = 0
    if plan.total:
        context.progress(done, plan.total)
    while done < plan.total:
        context.token.check()
        if plan.unused_since is None:
            batch = plan.numbers[done : done + ROWS_PER_BATCH]
            removed = reservations.remove_numbered(connection, batch)
            done += len(batch)
        else:
            removed = reservations.remove_unused_since(connection, plan.unused_since, limit=ROWS_PER_BATCH)
            done += len(removed)
        directories.forget_unreserved_at(connection, removed)
        context.progress(done, plan.total)


def report(plan: Plan, dry_run: bool) -> CleaningResult:
    """What the caller gets to know of a plan."""
    return CleaningResult(
        removed=plan.first,
        removed_count=plan.total,
        kept_count=plan.kept,
        truncated=plan.total > len(plan.first),
        dry_run=dry_run,
        warnings=plan.warnings,
    )


def _plan_expired(connection: StoreConnection, prepared: Prepared) -> Plan:
    assert prepared.days is not None
    # No time is below zero, and SQLite's numbers end at 64 bits, which so many days could exceed.
    unused_since = max(0, prepared.context.now() - prepared.days * SECONDS_PER_DAY)
    first = reservations.unused_since(connection, unused_since, limit=MOST_SHOWN)
    return Plan(
        numbers=(),
        unused_since=unused_since,
        total=reservations.count_unused_since(connection, unused_since),
        first=tuple(Removal(row, "expired") for row in first),
    )


def _with_directories(survey: Survey, context: Context) -> Survey:
    def progress(done: int, total: int) -> None:
        context.token.check()
        context.progress(done, total)

    return survey.with_directories(context.directory_state, context.locked_among, progress=progress)


def _told_of_unknown(survey: Survey) -> tuple[str, ...]:
    """What is kept because nobody can tell whether it is needed."""
    silent = set(survey.unanswered)
    unreadable = sorted(
        path for path, state in survey.states.items() if state is DirectoryState.UNKNOWN and path not in silent
    )
    told = partial(_told, "its reservations stay", "their reservations stay")
    return (
        *told(survey.unanswered, "did not answer in time, or was not asked after others did not"),
        *told(unreadable, "cannot be looked at (permissions, a loop of links, an I/O error)"),
    )


def _told(one: str, many: str, paths: tuple[str, ...] | list[str], what: str) -> tuple[str, ...]:
    if not paths:
        return ()
    if len(paths) == 1:
        return (f"the directory {quoted(paths[0])} {what}: {one}",)
    return (f"{len(paths):,} directories, {quoted(paths[0])} the first of them, {what}: {many}",)


WORK = partial(Mutation, plan=plan, execute=execute, report=report)
"""The work of each of the three, but for its preparation."""
