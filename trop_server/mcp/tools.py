"""Operations as MCP tools, and what becomes of a call as MCP results."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import mcp_types as types

from trop_core.database.failures import unforeseen
from trop_core.errors.base import InternalError, TropError
from trop_core.errors.spelling import wire_name
from trop_server.wire.errors import error_to_wire
from trop_server.wire.schemas import input_schema, output_schema

if TYPE_CHECKING:
    from trop_core.catalogue import Operation

logger = logging.getLogger(__name__)


def tool_name(operation: Operation) -> str:
    """The name of an operation's tool: ``trop_list_projects``."""
    return f"trop_{operation.name}"


def tool(operation: Operation) -> types.Tool:
    """An operation as ``tools/list`` describes it."""
    return types.Tool(
        name=tool_name(operation),
        title=operation.title,
        description=operation.description,
        input_schema=input_schema(operation),
        output_schema=output_schema(operation),
        annotations=types.ToolAnnotations(
            title=operation.title,
            read_only_hint=operation.read_only,
            destructive_hint=operation.destructive,
            idempotent_hint=operation.idempotent,
            open_world_hint=False,
        ),
    )


def succeeded(result: dict[str, Any]) -> types.CallToolResult:
    """A result, as structure and as the same JSON in a text."""
    return types.CallToolResult(content=[_text(result)], structured_content=result)


def failed(error: Exception) -> types.CallToolResult:
    """Any error, as a result that says so. One that is not the product's own is logged, and told without traceback."""
    if not isinstance(error, TropError):
        failure = unforeseen(error)
        logger.error("a call failed: %s", failure, exc_info=error if isinstance(failure, InternalError) else None)
        error = failure
    told = {"kind": error.kind, "message": error.message(wire_name), **error_to_wire(error)}
    return types.CallToolResult(content=[_text(told)], structured_content=told, is_error=True)


def refusal(hint: str) -> dict[str, Any]:
    """The data of an error of the protocol itself: the same as every other error has."""
    return {"kind": "invalid_argument", "hint": hint, "details": {}, "retryable": False}


def _text(value: dict[str, Any]) -> types.TextContent:
    # Readable, for a model reads it; half a surrogate pair, which only a refused value holds, stays an escape.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return types.TextContent(type="text", text=text)
