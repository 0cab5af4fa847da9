"""List what trop can do, for a program that has never met it."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Computation, Operation, operations
from trop_core.light_types import TYPE_CHECKING
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class ListCommandsRequest(Record):
    """Nothing needs to be said."""


class ListCommandsResult(Record):
    """The catalogue."""

    commands: tuple[Operation, ...] = fields.outcome("Every command with its texts, schemas and properties.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: ListCommandsRequest, context: Context) -> ListCommandsResult:
    """Give the catalogue."""
    return ListCommandsResult(commands=operations())


OPERATION = Operation(
    name="list_commands",
    title="List Commands",
    description="Lists every command with its fields, result and properties, as JSON Schemas.",
    request=ListCommandsRequest,
    result=ListCommandsResult,
    work=Computation(compute),
)
