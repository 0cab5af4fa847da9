"""Take back one operation: every reservation that it changed is as it was before, or nothing is done."""

from __future__ import annotations

from types import MappingProxyType

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.database import companion, directories, operation_log, undoing
from trop_core.errors.history import NothingToUndo, UndoConflict, UnrelatedUndo
from trop_core.errors.paths import UnrelatedPath
from trop_core.errors.spelling import escaped
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import GivenPlan, Reservation, Timestamp
from trop_core.operations.call import Unprepared
from trop_core.operations.moving.arrival import Arriving, stored_path, told_of_origin
from trop_core.operations.moving.comeback import told_of_missing
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.operation_log import Change, Logged
    from trop_core.paths import DirectoryState

MOST_CONFLICTS = 1000
MOST_SHOWN = 1000


class UndoRequest(Record):
    """Which operation to take back. Without one, the last that touched this directory."""

    id: int | None = fields.integer(
        "The operation's number, as history tells it. If left away, the last one that touched the directory and is "
        "neither undone nor an undo.",
        minimum=1,
    )
    folder: str | None = fields.path(
        "The directory, as an editor knows it: links are followed. If left away, the open folder."
    )
    path: str | None = fields.path("The directory, exactly as spelled: links are not followed.")
    any: bool = fields.flag("The last operation of all, whichever directory it touched.")
    allow_unrelated_path: bool | None = fields.switch("Allow directories that are neither above nor below this one.")
    force: bool = fields.flag(
        "Allow directories that are neither above nor below this one; there is nothing else to force."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


class UndoResult(Record):
    """What was taken back."""

    operation: int = fields.outcome("The number of the operation that was taken back.")
    command: str = fields.outcome("What it was.")
    time: Timestamp = fields.outcome("When it was.")
    restored: tuple[Reservation, ...] = fields.outcome("What has come back, the first 1,000 of it.")
    removed: tuple[Reservation, ...] = fields.outcome("What has gone for it, the first 1,000 of it.")
    changed: int = fields.outcome("How many reservations it had changed.")
    truncated: bool = fields.outcome("Whether one of the lists is shorter than it would be.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The request with its directory, None where any will do; and the paths that the caller may touch, as far as asked.

    ``allowed`` tells that it may touch all of them. ``states`` are those of the directories that were looked at.
    """

    request: UndoRequest
    arriving: Arriving | None
    settings: Settings
    context: Context
    allowed: bool
    checked: frozenset[str] = frozenset()
    states: Mapping[str, DirectoryState] = MappingProxyType({})

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


class Plan(NamedTuple):
    """The operation that is taken back, ``undoes`` being its number, and the first of its changes."""

    undoes: int
    operation: Logged
    first: tuple[Change, ...]
    warnings: tuple[str, ...]


def prepare(request: UndoRequest, context: Context) -> Prepared:
    """Find the directory."""
    settings = context.settings(None, allow_unrelated_path=request.allow_unrelated_path)
    arriving = None
    if request.id is None and not request.any:
        target = context.target(request.folder, request.path)
        arriving = Arriving.at(target, context, follow=settings.follow_moves)
    return Prepared(request, arriving, settings, context, request.force or settings.allow_unrelated_path)


def plan(connection: StoreConnection, prepared: Prepared) -> Plan:
    """Find the operation, and look whether all of it can be taken back. Reads; writes nothing.

    Raises ``NothingToUndo``, ``UnrelatedUndo``, ``UndoConflict`` with what is in the way; and ``Unprepared`` where the
    file system or git has to be asked about a path.
    """
    logged = operation_log.operations(connection)
    undone = operation_log.undone(logged)
    found = _chosen(connection, prepared, logged, undone)
    if not prepared.allowed:
        _guard(connection, prepared, found)
    if found.id in undone:
        raise UndoConflict(found, [], undone_by=undone[found.id])
    conflicts = undoing.in_the_way(connection, found.id, MOST_CONFLICTS)
    if conflicts:
        raise UndoConflict(found, conflicts)
    first = tuple(operation_log.changes_of(connection, found.id, MOST_SHOWN))
    told = (*_told_of_passed_over(prepared, logged, undone, found), *_told_of_missing(prepared, first))
    return Plan(found.id, found, first, told)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Put the rows back, and forget which directory it was where none are left. Ids of blocks come back with the rows.

    What stands at the paths that come back is noted when it is next reserved for: a directory that has moved on from
    there is then not followed again.
    """
    undoing.take_back(connection, plan.undoes)
    directories.follow_undo(connection, plan.undoes)


def report(plan: Plan, dry_run: bool) -> UndoResult:
    """What the caller gets to know of a plan."""
    return UndoResult(
        operation=plan.undoes,
        command=plan.operation.command,
        time=Timestamp(plan.operation.time),
        restored=tuple(change.before for change in plan.first if change.before is not None),
        removed=tuple(change.after for change in plan.first if change.after is not None),
        changed=plan.operation.changed,
        truncated=plan.operation.changed > len(plan.first),
        dry_run=dry_run,
        warnings=plan.warnings,
    )


def _chosen(connection: StoreConnection, prepared: Prepared, logged: list[Logged], undone: dict[int, int]) -> Logged:
    if not companion.is_usable(connection, companion.OPERATIONS):
        raise NothingToUndo(None, told=companion.warning(companion.state(connection)))
    number = prepared.request.id
    if number is not None:
        found = next((operation for operation in logged if operation.id == number), None)
        if found is None or not found.changed:
            raise NothingToUndo(number, exists=found is not None)
        return found
    candidates = _open_to_undo(logged, undone)
    arriving = prepared.arriving
    if arriving is not None:
        target = arriving.target
        scopes = {target.path, target.canonical, stored_path(connection, arriving, prepared.again)}
        touching = operation_log.touching(connection, below=scopes)
        candidates = [each for each in candidates if each.id in touching]
    if not candidates:
        error = NothingToUndo(None, path=None if arriving is None else arriving.target.path)
        if arriving is not None:
            error.warnings = told_of_origin(connection, arriving, prepared.again)
        raise error
    return candidates[0]


def _open_to_undo(logged: list[Logged], undone: dict[int, int]) -> list[Logged]:
    """The operations that a call which names none may mean, the last one first."""
    return [each for each in logged if each.changed and each.undoes is None and each.id not in undone]


def _told_of_passed_over(
    prepared: Prepared, logged: list[Logged], undone: dict[int, int], found: Logged
) -> Iterator[str]:
    """The warning that something was done from the directory since, which may be what is meant, but touched others."""
    if prepared.arriving is None:
        return
    target = prepared.arriving.target
    for later in _open_to_undo(logged, undone):
        if later.id <= found.id:
            return
        if later.directory in (target.path, target.canonical):
            told = (
                f"operation {later.id} ({escaped(later.command)}: {escaped(later.summary)}) came from here since, and"
            )
            yield f"{told} changed other directories alone: to take that back, undo it by its number"
            return


def _guard(connection: StoreConnection, prepared: Prepared, found: Logged) -> None:
    """Refuse what touches directories that have nothing to do with the caller.

    Those that the spelling does not tell of are looked at outside of the transaction.
    """
    touched = (path for path in undoing.paths_of(connection, found.id) if path not in prepared.checked)
    open_questions = prepared.context.caller.unclear(touched)
    if open_questions:
        raise Unprepared(lambda: _looked_at(prepared, found, open_questions))


def _looked_at(prepared: Prepared, found: Logged, asked: list[str]) -> Prepared:
    """The same with paths that the caller may touch, by their names in the file system or as worktrees."""
    for path in asked:
        try:
            prepared.context.guard_stored(path)
        except UnrelatedPath as refused:
            raise UnrelatedUndo(found, refused) from refused
    return prepared._replace(checked=prepared.checked | set(asked))


def _told_of_missing(prepared: Prepared, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """The warnings that ports leave a directory for one that is missing.

    Raises ``Unprepared`` for a look at the directories.
    """
    coming = {
        change.before.path: change.after.path
        for change in changes
        if change.before is not None and change.after is not None and change.after.path != change.before.path
    }
    return told_of_missing(coming, prepared.states, prepared.context, lambda states: prepared._replace(states=states))


OPERATION = Operation(
    name="undo",
    title="Undo",
    description=(
        "Takes back one operation, whoever did it: every reservation that it changed is as it was before. If one of "
        "them was changed again since, or its port was given away, nothing is done."
    ),
    request=UndoRequest,
    result=UndoResult,
    work=Mutation(prepare=prepare, plan=plan, execute=execute, report=report),
    destructive=True,
    idempotent=False,
    takes_away=lambda request: True,
)
