"""The catalogue as JSON Schema (draft 2020-12): what each command takes, and what it gives."""

from __future__ import annotations

import types
import typing
from functools import cache

from trop_core.catalogue import Operation
from trop_core.errors.spelling import wire_name
from trop_core.fields import PORTS, Field, Kind
from trop_core.holder import Holder
from trop_core.light_types import Any, Words
from trop_core.models import HIGHEST_PORT, IDENTIFIER, LOWEST_PORT, ListedReservation, Reservation, Timestamp
from trop_server.wire.limits import LONGEST_LIST, ONLY_WHERE_THERE

Schema = dict[str, Any]

_TIME: Schema = {"type": "string", "format": "date-time"}
_OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
_RESERVATION: Schema = {
    "type": "object",
    "properties": {
        "port": {"type": "integer", "minimum": LOWEST_PORT, "maximum": HIGHEST_PORT},
        "path": {"type": "string"},
        "tag": _OPTIONAL_TEXT,
        "project": _OPTIONAL_TEXT,
        "task": _OPTIONAL_TEXT,
        "createdAt": _TIME,
        "lastUsedAt": _TIME,
    },
    "required": ["port", "path", "tag", "project", "task", "createdAt", "lastUsedAt"],
    "additionalProperties": False,
}
_COMMAND: Schema = {
    "type": "object",
    "properties": {
        "command": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "inputSchema": {"type": "object"},
        "outputSchema": {"type": "object"},
        "readOnly": {"type": "boolean"},
        "destructive": {"type": "boolean"},
        "idempotent": {"type": "boolean"},
    },
    "required": [
        "command",
        "title",
        "description",
        "inputSchema",
        "outputSchema",
        "readOnly",
        "destructive",
        "idempotent",
    ],
    "additionalProperties": False,
}
_KNOWN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Any: {},
    Reservation: _RESERVATION,
    Timestamp: _TIME,
    Operation: _COMMAND,
}


def input_schema(operation: Operation) -> Schema:
    """What the command's one argument has to be."""
    fields = operation.fields
    return {
        "type": "object",
        "properties": {field.wire: _field_schema(field) for field in fields},
        "required": [field.wire for field in fields if field.required],
        "additionalProperties": False,
    }


@cache
def output_schema(operation: Operation) -> Schema:
    """What the command's result is."""
    hints = typing.get_type_hints(operation.result)
    properties = {
        wire_name(name): {**value_schema(hints[name]), "description": declared.description}
        for name, declared in operation.result.declared.items()
    }
    required = [name for name in properties if name not in ONLY_WHERE_THERE]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _field_schema(field: Field) -> Schema:
    schema: Schema = {"type": _JSON_TYPES[field.kind], "description": field.description}
    if not field.required:
        schema["type"] = [schema["type"], "null"]
    if field.kind is Kind.IDENTIFIER:
        schema["pattern"] = IDENTIFIER
    elif field.kind is Kind.PORTS:
        schema["pattern"] = f"^{PORTS}$"
    elif field.kind is Kind.CHOICE:
        schema["enum"] = [*field.choices, *([] if field.required else [None])]
    elif field.kind is Kind.PATH:
        schema["minLength"] = 1
    elif field.kind is Kind.INTEGER:
        schema["minimum"] = field.minimum
        if field.maximum is not None:
            schema["maximum"] = field.maximum
        if field.default is not None:
            schema["default"] = field.default
    return schema


def listed_schema() -> Schema:
    """A reservation as a list shows it."""
    further = {
        "occupied": {"type": ["boolean", "null"]},
        "holder": value_schema(Holder | None),
        "missing": {"type": "boolean"},
    }
    return {**_RESERVATION, "properties": {**_RESERVATION["properties"], **further}}


def value_schema(hint: Any) -> Schema:
    """What a value of a result is, by its type in Python."""
    if hint in _KNOWN:
        return dict(_KNOWN[hint])
    if hint is ListedReservation:
        return listed_schema()
    if isinstance(hint, Words):
        return {"type": "string", "enum": list(hint.__args__)}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is dict:
        return {"type": "object", "additionalProperties": value_schema(arguments[1])}
    if origin is tuple:
        return {"type": "array", "items": value_schema(arguments[0]), "maxItems": LONGEST_LIST}
    if origin in (types.UnionType, typing.Union):
        members = [value_schema(member) for member in arguments if member is not type(None)]
        optional = len(members) < len(arguments)
        if len(members) == 1 and optional:
            choices = {"enum": [*members[0]["enum"], None]} if "enum" in members[0] else {}
            return {**members[0], **choices, "type": [members[0]["type"], "null"]}
        return {"anyOf": [*members, *([{"type": "null"}] if optional else [])]}
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        properties = {wire_name(name): value_schema(member) for name, member in typing.get_type_hints(hint).items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    raise TypeError(f"no schema for {hint!r}")


_JSON_TYPES = {
    Kind.FLAG: "boolean",
    Kind.INTEGER: "integer",
    Kind.IDENTIFIER: "string",
    Kind.PATH: "string",
    Kind.TEXT: "string",
    Kind.CHOICE: "string",
    Kind.PORTS: "string",
}
