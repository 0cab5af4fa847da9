"""Operations as MCP tools: what a model writes into their arguments, and what becomes of a call as MCP results."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import mcp_types as types

from trop_core.database.failures import unforeseen
from trop_core.errors.base import InternalError, TropError
from trop_core.errors.spelling import wire_name
from trop_core.fields import Kind
from trop_server.mcp import occupants
from trop_server.mcp.plain_schemas import plain, plain_result, without_nulls
from trop_server.wire.errors import error_to_wire
from trop_server.wire.schemas import input_schema, output_schema
from trop_server.wire.values import result_to_wire

if TYPE_CHECKING:
    from trop_core.catalogue import Operation
    from trop_core.operations.looking.given_ports import Occupant
    from trop_core.records import Record
    from trop_server.mcp.offers import Offer

logger = logging.getLogger(__name__)

LONGEST_LIST = 50
"""Entries of a list in an answer: a model has to read all of them."""

_LONGEST_TEXT, _LONGEST_OF_MANY = 1000, 300
"""Characters of a text in an error, and of one in a list there."""

_WHOLE_NUMBER = re.compile("-?(0|[1-9][0-9]{0,17})")
_TRUTHS = {"true": True, "false": False}

_LESS = (
    f"only the first {LONGEST_LIST} entries of a list are shown: ask for less, where the tool takes a folder, a "
    "project or a tag"
)
_NEXT_PAGE = "there is more: ask for less, with folder, project or tag, or give next as after"


def tool(offer: Offer) -> types.Tool:
    """A tool as ``tools/list`` describes it."""
    operation = offer.operation
    return types.Tool(
        name=offer.name,
        title=operation.title,
        description=offer.description,
        input_schema=_input_schema(offer),
        output_schema=_output_schema(operation),
        annotations=types.ToolAnnotations(
            title=operation.title,
            read_only_hint=operation.read_only,
            destructive_hint=operation.destructive,
            idempotent_hint=operation.idempotent,
            open_world_hint=False,
        ),
    )


def arguments_of(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """What a model gave, as the operation takes it.

    A text that is exactly a whole number, true or false is one where one belongs; models write them. A list is asked
    for in pages that an answer has room for, and of one port it is always asked who has it.
    """
    values = dict(given)
    kinds = {field.wire: field.kind for field in operation.fields}
    for name, value in given.items():
        if isinstance(value, str):
            values[name] = _meant(value, kinds.get(name))
    limit = values.get("limit")
    if _has_pages(operation) and (limit is None or (type(limit) is int and limit > LONGEST_LIST)):
        values["limit"] = LONGEST_LIST
    if _is_asked_who(operation) and values.get("includeOccupancy") is None:
        values["includeOccupancy"] = True
    return values


def succeeded(operation: Operation, result: Record, seen: dict[int, Occupant]) -> types.CallToolResult:
    """A result, as structure and as the same JSON in a text. ``seen`` is what occupies the ports that it gives out."""
    wire = result_to_wire(result, longest=LONGEST_LIST)
    if occupants.are_told(operation.name):
        occupants.add(operation.name, wire, seen)
    if _has_pages(operation) and wire["next"] is not None:
        wire["truncated"] = True
        wire["warnings"] = [*wire["warnings"], _NEXT_PAGE]
    elif wire.get("truncated"):
        wire["warnings"] = [*wire["warnings"], _LESS]
    told = occupants.shortened(without_nulls(wire))
    return types.CallToolResult(content=[_text(told)], structured_content=told)


def failed(error: Exception) -> types.CallToolResult:
    """Any error, as a result that says so. One that is not the product's own is logged, and told without traceback.

    It is a text and no structure: clients hold structure against the schema of the result, and throw away what does
    not fit (the SDK for TypeScript does until its version 2).
    """
    if not isinstance(error, TropError):
        failure = unforeseen(error)
        logger.error("a call failed: %s", failure, exc_info=error if isinstance(failure, InternalError) else None)
        error = failure
    told = _bounded({"kind": error.kind, "message": error.message(wire_name), **error_to_wire(error)})
    return types.CallToolResult(content=[_text(told)], is_error=True)


def refusal(hint: str) -> dict[str, Any]:
    """The data of an error of the protocol itself: the same as every other error has."""
    return {"kind": "invalid_argument", "hint": hint, "details": {}, "retryable": False}


def _input_schema(offer: Offer) -> dict[str, Any]:
    schema = plain(input_schema(offer.operation))
    fields = {field.wire: field.name for field in offer.operation.fields}
    shown = {
        name: member
        for name, member in schema["properties"].items()
        if offer.shown is None or fields[name] in offer.shown
    }
    if _has_pages(offer.operation):
        shown["limit"] = {**shown["limit"], "maximum": LONGEST_LIST, "default": LONGEST_LIST}
    if _is_asked_who(offer.operation):
        shown["includeOccupancy"] = {**shown["includeOccupancy"], "default": True}
    if offer.shown is not None:
        # What is not shown is understood as well, and an error may ask for it: no host is to refuse it.
        del schema["additionalProperties"]
    return {**schema, "properties": shown}


def _output_schema(operation: Operation) -> dict[str, Any]:
    schema = output_schema(operation)
    return plain_result(occupants.describe(operation.name, schema) if occupants.are_told(operation.name) else schema)


def _is_asked_who(operation: Operation) -> bool:
    return operation.name == "port_info"


def _has_pages(operation: Operation) -> bool:
    return any(field.name == "after" for field in operation.fields)


def _bounded(value: Any, longest: int = _LONGEST_TEXT) -> Any:
    """An error as it fits into a context: a stranger's file may have a thousand mistakes, a text a million letters."""
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}…"
    if isinstance(value, list):
        return [_bounded(entry, _LONGEST_OF_MANY) for entry in value[:LONGEST_LIST]]
    if isinstance(value, dict):
        cut = any(isinstance(entry, list) and len(entry) > LONGEST_LIST for entry in value.values())
        kept = {name: _bounded(entry, longest) for name, entry in value.items()}
        return {**kept, "truncated": True} if cut else kept
    return value


def _meant(text: str, kind: Kind | None) -> object:
    if kind is Kind.INTEGER and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if kind is Kind.FLAG:
        return _TRUTHS.get(text, text)
    return text


def _text(value: dict[str, Any]) -> types.TextContent:
    # Readable, for a model reads it; half a surrogate pair, which only a refused value holds, stays an escape.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return types.TextContent(type="text", text=text)
