"""Give the JSON Schema of a configuration file."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.config.names import GLOBAL_FILE, PROJECT_FILES
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class SchemaRequest(Record):
    """Which file the schema is for."""

    file: str | None = fields.choice(
        "The file whose schema it is; trop.yaml if left away.", (*PROJECT_FILES, GLOBAL_FILE)
    )


class SchemaResult(Record):
    """The schema."""

    schema: dict[str, Any] = fields.outcome("The JSON Schema, draft-07.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: SchemaRequest, context: Context) -> SchemaResult:
    """Make the schema; reads of the user's own file which variables it allows, and takes no lock."""
    from trop_core.config.json_schema import json_schema
    from trop_core.config.merging import allowed_variables
    from trop_core.operations.looking.validate import user_layer

    user, warnings = user_layer(context.data_directory)
    return SchemaResult(
        schema=json_schema(request.file or PROJECT_FILES[0], allowed_variables(user)), warnings=warnings
    )


OPERATION = Operation(
    name="schema",
    title="JSON Schema of Configuration",
    description="Gives the JSON Schema of a configuration file, for editors and other tools that check YAML by one.",
    request=SchemaRequest,
    result=SchemaResult,
    work=Computation(compute),
)
