"""Move reservations from one path to another: a directory was moved, or is about to be."""

from __future__ import annotations

from trop_core import fields, paths
from trop_core.catalogue import Mutation, Operation
from trop_core.database import directories, moving, reservations
from trop_core.database.directories import Directory
from trop_core.database.moving import Move
from trop_core.database.selection import Selection
from trop_core.errors.paths import InvalidPath
from trop_core.errors.reservations import NotFound, ReservationConflict
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan, Reservation
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection

MOST_SHOWN = 1000
ROWS_PER_BATCH = 1000


class MigrateRequest(Record):
    """What moves where."""

    from_: str = fields.path("The directory whose reservations move, exactly as spelled.", required=True)
    to: str = fields.path("The directory that they move to, exactly as spelled. It need not exist yet.", required=True)
    recursive: bool = fields.flag("Move those of everything below the directory, too.")
    force: bool = fields.flag("Remove the reservations that are in the way.")
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


class MovedReservation(NamedTuple):
    """One reservation that moves: its port and everything else stay."""

    from_: str
    to: str
    tag: str | None
    port: int


class MigrateResult(Record):
    """What moved."""

    from_: str = fields.outcome("Where it was, as it is stored.")
    to: str = fields.outcome("Where it is now, as it is stored.")
    migrated: tuple[MovedReservation, ...] = fields.outcome("What moved, the first 1,000 of it.")
    overwritten: tuple[Reservation, ...] = fields.outcome("What was in the way and is gone, the first 1,000 of it.")
    migrated_count: int = fields.outcome("How many moved.")
    overwritten_count: int = fields.outcome("How many are gone.")
    truncated: bool = fields.outcome("Whether one of the lists is shorter than its count.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The request with its paths resolved and checked, and what stands at the destination by now, if that is known."""

    move: Move
    canonical: str
    standing: Directory | None
    force: bool
    settings: Settings
    warnings: tuple[str, ...]


class MigratePlan(NamedTuple):
    """Everything that will happen, described as sets of rows: what moves where, and what is removed for it.

    ``same_directory`` tells that the directory itself stands at the destination already, so that what is known of it
    and of those below it moves along. Otherwise ``standing`` is what is noted of the destination, if anything.
    """

    move: Move
    total: int
    first: tuple[MovedReservation, ...]
    conflict_count: int
    first_conflicts: tuple[Reservation, ...]
    same_directory: bool
    standing: Directory | None
    warnings: tuple[str, ...]


class MigrateExecutor:
    """Does what a plan says, in batches inside the caller's transaction."""

    @staticmethod
    def execute(connection: StoreConnection, plan: MigratePlan, context: Context) -> None:
        """Remove what is in the way, then move the rows.

        Between batches it reports the rows that have moved, and raises ``Cancelled`` if the call was taken back.
        """
        if plan.total:
            _execute_for_directories(connection, plan)
        if plan.conflict_count:
            moving.remove_conflicts(connection, plan.move)
        done = 0
        context.progress(done, plan.total)
        for moved in moving.in_batches(connection, plan.move, ROWS_PER_BATCH):
            context.token.check()
            done += moved
            if moved:
                context.progress(done, plan.total)


def prepare(request: MigrateRequest, context: Context) -> Prepared:
    """Resolve the paths, and look at the destination.

    Raises ``InvalidPath`` where the destination is the source, or lies below it.
    """
    source, destination = context.caller.resolve(request.from_), context.caller.resolve(request.to)
    if source == destination:
        raise InvalidPath(request.to, "source and destination are the same", advice="Name two different directories.")
    if paths.is_within(destination, source):
        raise InvalidPath(
            request.to, f"it lies below the source, {source}", advice="Name a destination that is not below the source."
        )
    warnings: tuple[str, ...] = ()
    if paths.directory_state(destination) is paths.DirectoryState.GONE:
        warnings = (f"the destination {destination} is not an existing directory (yet)",)
    return Prepared(
        move=Move(Selection(source, recursive=request.recursive), destination),
        canonical=paths.canonical(source),
        standing=_look_at(context, destination),
        force=request.force,
        settings=context.settings(None),
        warnings=warnings,
    )


def plan(connection: StoreConnection, prepared: Prepared) -> MigratePlan:
    """Find what moves and what is in the way. Reads; writes nothing.

    Raises ``NotFound`` if nothing is reserved at the source, nothing has moved along to the destination by itself, and
    the move is not recursive; and
    ``ReservationConflict``, with everything that is in the way, if anything is and the call does not force it; and
    ``InvalidPath`` if a path would become too long to be one.
    """
    move = prepared.move
    count = reservations.count(connection, move.source)
    warnings = prepared.warnings
    if not count and _has_moved_along(connection, move):
        source, destination = move.source.path, move.destination
        warnings += (
            f"these reservations have moved along already, with the directory, from {source} to {destination}",
        )
    elif not count:
        advice = _advice(connection, prepared)
        if not move.source.recursive:
            raise NotFound(move.source.path, advice=advice)
        warnings += (f"nothing is reserved at or below {move.source.path}. {advice}",)
    longest = moving.longer_than(connection, move, paths.LONGEST_PATH)
    if longest is not None:
        paths.check_storable(longest)
    conflict_count = moving.count_conflicts(connection, move)
    if conflict_count and not prepared.force:
        conflicts = moving.conflicts(connection, move)
        raise ReservationConflict(
            f"{conflict_count} reservation{'s stand' if conflict_count > 1 else ' stands'} where others would move to: "
            + ", ".join(_named(row) for row in conflicts[:5])
            + (", …" if conflict_count > 5 else ""),
            conflicts,
        )
    same_directory = _is_same_directory(connection, prepared)
    return MigratePlan(
        move=move,
        total=count,
        first=tuple(
            MovedReservation(row.path, move.destination_of(row.path), row.tag, row.port)
            for row in reservations.select(connection, move.source, limit=MOST_SHOWN)
        ),
        conflict_count=conflict_count,
        first_conflicts=tuple(moving.conflicts(connection, move, limit=MOST_SHOWN)) if conflict_count else (),
        same_directory=same_directory,
        standing=None if same_directory else _standing(connection, prepared),
        warnings=warnings,
    )


def report(plan: MigratePlan, dry_run: bool) -> MigrateResult:
    """What the caller gets to know of a plan."""
    return MigrateResult(
        from_=plan.move.source.path,
        to=plan.move.destination,
        migrated=plan.first,
        overwritten=plan.first_conflicts,
        migrated_count=plan.total,
        overwritten_count=plan.conflict_count,
        truncated=plan.total > len(plan.first) or plan.conflict_count > len(plan.first_conflicts),
        dry_run=dry_run,
        warnings=plan.warnings,
    )


def _execute_for_directories(connection: StoreConnection, plan: MigratePlan) -> None:
    if plan.same_directory:
        directories.forget_unreserved(connection, plan.move.source)
        directories.move(connection, plan.move, by_itself=False)
    else:
        directories.replace(connection, plan.move, plan.standing)


def _is_same_directory(connection: StoreConnection, prepared: Prepared) -> bool:
    """Whether the directory that was seen at the source stands at the destination by now."""
    if prepared.standing is None:
        return False
    seen = directories.find(connection, prepared.move.source.path)
    return seen is not None and seen.identity == prepared.standing.identity


def _standing(connection: StoreConnection, prepared: Prepared) -> Directory | None:
    """What is to be noted of the destination, where something will be reserved there; None if that is nothing."""
    move = prepared.move
    if prepared.standing is None or not (
        reservations.anything_at(connection, move.source.path) or reservations.anything_at(connection, move.destination)
    ):
        return None
    seen = directories.find(connection, move.destination)
    if seen is not None and seen.identity == prepared.standing.identity:
        return seen
    return prepared.standing


def _look_at(context: Context, path: str) -> Directory | None:
    """What stands at a path now, if it has an identity."""
    from trop_core import git

    identity = context.identify(path)
    return None if identity is None else Directory(path, *identity, git_directory=git.linked_to(path, context.is_safe))


def _has_moved_along(connection: StoreConnection, move: Move) -> bool:
    """Whether what was reserved at the source is at the destination already, since the directory was moved there."""
    seen = directories.find(connection, move.destination)
    return (
        seen is not None
        and seen.came_from == move.source.path
        and reservations.anything_at(connection, move.destination)
    )


def _advice(connection: StoreConnection, prepared: Prepared) -> str:
    source = prepared.move.source
    if not source.recursive and reservations.count(connection, source._replace(recursive=True)):
        return "Something is reserved below it: move that with recursive."
    if prepared.canonical != source.path and reservations.count(connection, source.at(prepared.canonical)):
        return f"It leads to {prepared.canonical}, which has reservations: name that instead."
    return "trop list shows what is reserved."


def _named(row: Reservation) -> str:
    return row.path + (f" (tag {row.tag})" if row.tag is not None else "")


OPERATION = Operation(
    name="migrate",
    title="Migrate Reservations",
    description=(
        "Moves the reservations of a directory to another path; ports and everything else stay. For directories that "
        "were moved or renamed, or will be. All or none: one reservation in the way refuses the whole."
    ),
    request=MigrateRequest,
    result=MigrateResult,
    work=Mutation(prepare=prepare, plan=plan, execute=MigrateExecutor.execute, report=report),
    destructive=True,
    takes_away=lambda request: True,
    idempotent=False,
)
