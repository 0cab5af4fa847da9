"""List the projects that reservations belong to."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection


class ListProjectsRequest(Record):
    """Nothing needs to be said."""


class ListProjectsResult(Record):
    """The projects."""

    projects: tuple[str, ...] = fields.outcome("Every project once, in the order of their code points.")
    truncated: bool = fields.outcome("Whether there are more than one answer may hold.", default=False)
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class Prepared(NamedTuple):
    """The settings of the call."""

    settings: Settings


def prepare(request: ListProjectsRequest, context: Context) -> Prepared:
    """Read the user's configuration."""
    return Prepared(context.settings(None))


def read(connection: StoreConnection, prepared: Prepared) -> ListProjectsResult:
    """Read the projects; none is an empty result."""
    return ListProjectsResult(projects=tuple(reservations.projects(connection)))


OPERATION = Operation(
    name="list_projects",
    title="List Projects",
    description="Lists the projects that reservations belong to.",
    request=ListProjectsRequest,
    result=ListProjectsResult,
    work=Query(prepare=prepare, read=read),
)
