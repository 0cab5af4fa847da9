"""Tell what was done to the reservations, by whom and when."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import companion, operation_log
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.history.past import PastOperation, past_operation
from trop_core.operations.moving.arrival import Arriving, stored_path, told_of_origin
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection

USUAL_NUMBER = 20
LARGEST_NUMBER = 1000


class HistoryRequest(Record):
    """Which operations to tell. Without a folder or a path, all of them."""

    folder: str | None = fields.path("Only what was done at or below this directory, as an editor knows it.")
    path: str | None = fields.path("Only what was done at or below this directory, exactly as spelled.")
    here: bool = fields.flag("Only what was done at or below this directory.")
    port: int | None = fields.port("Only what was done with this port.")
    limit: int | None = fields.integer(
        "How many operations to tell at the most.", minimum=1, maximum=LARGEST_NUMBER, default=USUAL_NUMBER
    )


class HistoryResult(Record):
    """Operations, the newest first."""

    operations: tuple[PastOperation, ...] = fields.outcome(
        "What was done, the newest first, each with the first 100 of its changes: a reservation before and after it."
    )
    truncated: bool = fields.outcome("Whether there are more than are listed.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class Prepared(NamedTuple):
    """The request, with the directories at and below which it asks, or None for the whole store.

    ``arriving`` is what is known of the directory where the request is about the one that it comes from.
    """

    request: HistoryRequest
    scopes: frozenset[str] | None
    settings: Settings
    arriving: Arriving | None

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


def prepare(request: HistoryRequest, context: Context) -> Prepared:
    """Resolve the directory of a request."""
    settings = context.settings(None)
    target = arriving = None
    if request.here:
        target = context.target(request.folder, request.path)
        arriving = Arriving.at(target, context, follow=settings.follow_moves)
    elif request.folder is not None or request.path is not None:
        target = context.caller.target(folder=request.folder, path=request.path)
    scopes = None if target is None else frozenset((target.path, target.canonical))
    return Prepared(request, scopes, settings, arriving)


def read(connection: StoreConnection, prepared: Prepared) -> HistoryResult:
    """Read the log. Where the store has none, nothing was done; where it cannot be read, a warning says so.

    Raises ``Unprepared`` for a look at the file system.
    """
    request, scopes = prepared.request, prepared.scopes
    warnings: tuple[str, ...] = ()
    if scopes is not None and prepared.arriving is not None:
        scopes |= {stored_path(connection, prepared.arriving, prepared.again)}
        warnings = told_of_origin(connection, prepared.arriving, prepared.again)
    logged = operation_log.operations(connection)
    undone = operation_log.undone(logged)
    if scopes is not None or request.port is not None:
        touching = operation_log.touching(connection, below=scopes, port=request.port)
        logged = [operation for operation in logged if operation.id in touching]
    told = companion.warning(companion.state(connection))
    return HistoryResult(
        operations=tuple(past_operation(connection, operation, undone) for operation in logged[: request.limit]),
        truncated=request.limit is not None and len(logged) > request.limit,
        warnings=warnings if told is None else (told, *warnings),
    )


OPERATION = Operation(
    name="history",
    title="History",
    description=(
        "Tells what was done to the reservations: when, by which command, from where, and each reservation before and "
        "after it. Another program's changes are not on record."
    ),
    request=HistoryRequest,
    result=HistoryResult,
    work=Query(prepare=prepare, read=read),
)
