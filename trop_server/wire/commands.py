"""The commands as ``trop.listCommands`` describes them."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.wire.schemas import input_schema, output_schema

if TYPE_CHECKING:
    from trop_core.catalogue import Operation


def operation_to_wire(operation: Operation) -> dict[str, Any]:
    """An operation as ``trop.listCommands`` describes it."""
    return {
        "command": operation.command,
        "title": operation.title,
        "description": operation.description,
        "inputSchema": input_schema(operation),
        "outputSchema": output_schema(operation),
        "readOnly": operation.read_only,
        "destructive": operation.destructive,
        "idempotent": operation.idempotent,
    }
