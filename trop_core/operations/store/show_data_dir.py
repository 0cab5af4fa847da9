"""Show where the store is."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.light_types import TYPE_CHECKING
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class ShowDataDirRequest(Record):
    """Nothing needs to be said."""


class ShowDataDirResult(Record):
    """The directory."""

    data_dir: str = fields.outcome("The data directory, whether it exists or not.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: ShowDataDirRequest, context: Context) -> ShowDataDirResult:
    """Name the data directory. Looks for nothing, creates nothing."""
    return ShowDataDirResult(data_dir=context.data_directory)


OPERATION = Operation(
    name="show_data_dir",
    title="Show Data Directory",
    description="Shows the directory that holds the store and its configuration.",
    request=ShowDataDirRequest,
    result=ShowDataDirResult,
    work=Computation(compute),
)
