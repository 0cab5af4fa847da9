"""JSON Schemas as every agent's host takes them, and results that fit them.

Hosts compile schemas to grammars or convert them to their model's own, and refuse a whole tool for what they do not
know: alternatives, lists of types, formats, look-around in patterns. So a field that may be null is one that may be
left away, in what comes in and in what goes out.
"""

from __future__ import annotations

from typing import Any

_NULL = "null"


def plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in the few words that every host knows; it takes everything that the other one takes."""
    simple: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):
            (simple[key],) = (name for name in value if name != _NULL)
        elif key == "enum":
            simple[key] = [member for member in value if member is not None]
        elif key == "properties":
            simple[key] = {name: plain(member) for name, member in value.items()}
        elif key == "required":
            if wanted := [name for name in value if not _may_be_null(schema["properties"][name])]:
                simple[key] = wanted
        elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
            simple[key] = plain(value)
        elif key not in ("format", "anyOf"):
            simple[key] = value
    return simple


def plain_result(schema: dict[str, Any]) -> dict[str, Any]:
    """The same of what comes out: its fields, and of what is in them no more than what kind of value it is.

    A model reads an answer and not the schema of one, and pays for every word of both.
    """
    simple = plain(schema)
    return {**simple, "properties": {name: _kind_of(member) for name, member in simple["properties"].items()}}


def _kind_of(schema: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in schema.items() if key in ("type", "description", "enum")}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            told[key] = {"type": schema[key]["type"]} if "type" in schema[key] else {}
    return told


def without_nulls(value: Any) -> Any:
    """A result as a plain schema describes it: what is null is left away."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member) for member in value]
    return value


def _may_be_null(schema: dict[str, Any]) -> bool:
    return _NULL in schema.get("type", ()) if isinstance(schema.get("type"), list) else False
