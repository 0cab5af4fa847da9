"""Release reservations: their ports may be given to others."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import directories, reservations
from trop_core.database.selection import Selection
from trop_core.errors.arguments import Contradiction
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan, Reservation
from trop_core.operations.call import Unprepared
from trop_core.operations.moving.arrival import Arriving, stored_path, told_of_origin
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection

MOST_SHOWN = 1000
MOST_NAMED = 20


class ReleaseRequest(Record):
    """Which reservations go. Without a tag, all of the directory's."""

    folder: str | None = fields.path(
        "The directory, as an editor knows it: links are followed. If left away, the open folder."
    )
    path: str | None = fields.path("The directory, exactly as spelled: links are not followed.")
    tag: str | None = fields.name("Only the reservation with this tag.")
    untagged_only: bool = fields.flag("Only the reservation without a tag.")
    recursive: bool = fields.flag("Everything below the directory, too.")
    allow_unrelated_path: bool | None = fields.switch("Allow a directory that is neither above nor below this one.")
    force: bool = fields.flag(
        "Allow a directory that is neither above nor below this one; there is nothing else to force."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()

    def __post_init__(self) -> None:
        if self.tag is not None and self.untagged_only:
            raise Contradiction("untagged_only", "tag", expected="either this or a tag, not both")


class ReleaseResult(Record):
    """What went."""

    released: tuple[Reservation, ...] = fields.outcome("The released reservations, the first 1,000 of them.")
    released_count: int = fields.outcome("How many were released.")
    truncated: bool = fields.outcome("Whether more were released than are listed.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The request with its directory; and the paths below it that the caller may touch, as far as asked.

    ``allowed`` tells that it may touch all of them.
    """

    selection: Selection
    target: Target
    settings: Settings
    arriving: Arriving
    context: Context
    allowed: bool
    checked: frozenset[str] = frozenset()

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


class Plan(NamedTuple):
    """The rows that go: which ones, how many, and the first of them."""

    selection: Selection
    total: int
    first: tuple[Reservation, ...]
    warnings: tuple[str, ...]


def prepare(request: ReleaseRequest, context: Context) -> Prepared:
    """Find the directory and check that the caller has to do with it."""
    target, _ = context.target_and_settings(request.folder, request.path, tolerant=True)
    settings = context.settings(None, allow_unrelated_path=request.allow_unrelated_path)
    allowed = request.force or settings.allow_unrelated_path
    context.guard(target, allowed=allowed)
    tag = "" if request.untagged_only else request.tag
    selection = Selection(target.path, recursive=request.recursive, tag=tag)
    arriving = Arriving.at(target, context, follow=settings.follow_moves)
    return Prepared(selection, target, settings, arriving, context, allowed)


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Find the rows. Reads; writes nothing. That there are none is no error.

    Raises ``Unprepared`` where the file system or git have to be asked about a path: what lies below a directory above
    the caller's may be anybody's.
    """
    target = prepared.target
    selection = prepared.selection.at(stored_path(connection, prepared.arriving, prepared.again))
    if selection.recursive and not prepared.allowed:
        below = (path for path in reservations.paths_of(connection, selection) if path not in prepared.checked)
        open_questions = prepared.context.caller.unclear(below)
        if open_questions:
            raise Unprepared(lambda: _looked_at(prepared, open_questions))
    count = reservations.count(connection, selection)
    warnings: tuple[str, ...] = ()
    if not count:
        warnings = (_nothing(connection, selection),)
        if target.canonical != target.path and reservations.count(connection, selection.at(target.canonical)):
            warnings += (f"{target.path} leads to {target.canonical}, which has reservations",)
        warnings += told_of_origin(connection, prepared.arriving, prepared.again)
    return Plan(selection, count, tuple(reservations.select(connection, selection, limit=MOST_SHOWN)), warnings)


def _looked_at(prepared: Prepared, asked: list[str]) -> Prepared:
    """The same with paths that the caller may touch. Raises ``UnrelatedPath`` for one that it may not."""
    for path in asked:
        prepared.context.guard_stored(path)
    return prepared._replace(checked=prepared.checked | set(asked))


def _nothing(connection: StoreConnection, selection: Selection) -> str:
    """That nothing is reserved, and with which tags something is where that was asked for."""
    where = f"at or below {selection.path}" if selection.recursive else f"for {selection.path}"
    others = reservations.select(connection, selection._replace(tag=None), limit=MOST_NAMED)
    if not others:
        return f"nothing is reserved {where}, so nothing was released"
    what = f"with the tag {quoted(selection.tag)}" if selection.tag else "without a tag"
    named = ", ".join(dict.fromkeys("one without a tag" if row.tag is None else row.tag for row in others))
    return f"nothing {what} is reserved {where}, so nothing was released; reserved is: {named}"


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Remove the rows."""
    reservations.remove(connection, plan.selection)
    directories.forget_unreserved(connection, plan.selection)


def report(plan: Plan, dry_run: bool) -> ReleaseResult:
    """What the caller gets to know of a plan."""
    return ReleaseResult(
        released=plan.first,
        released_count=plan.total,
        truncated=plan.total > len(plan.first),
        dry_run=dry_run,
        warnings=plan.warnings,
    )


OPERATION = Operation(
    name="release",
    title="Release Reservations",
    description="Releases the reservations of a directory: all of them, or the one with a tag.",
    request=ReleaseRequest,
    result=ReleaseResult,
    work=Mutation(prepare=prepare, plan=plan, execute=execute, report=report),
    destructive=True,
    takes_away=lambda request: True,
)
