"""Writes the types of the Lua API from the catalogue; with ``--check`` it only tells whether they are up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from trop_core.catalogue import operations
from trop_server.wire.commands import operation_to_wire
from trop_server.wire.schemas import listed_schema

TARGET = Path(__file__).parents[3] / "editors/neovim/lua/trop/types.lua"

_HEADER = """\
---@meta
-- The server's commands, written from its catalogue by tests/editors/neovim/lua_types.py. Nothing loads this file.
-- luacheck: no max line length

"""
_TAKEN = {"status"}
"""Commands without a function of their own: the API has another one of the name, for statuslines."""

_NAMES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "object": "table"}


def lua_type(schema: dict[str, Any]) -> str:
    """A JSON Schema as a type of LuaCATS; null is nil."""
    if "anyOf" in schema or "oneOf" in schema:
        parts = [lua_type(part) for part in schema.get("anyOf") or schema["oneOf"]]
        return "|".join(dict.fromkeys(parts))
    if "enum" in schema or "const" in schema:
        return "|".join(f'"{value}"' for value in schema.get("enum") or [schema["const"]])
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return "|".join("nil" if kind == "null" else lua_type({**schema, "type": kind}) for kind in kinds)
    properties = schema.get("properties", {})
    if kinds == "array":
        element = lua_type(schema.get("items", {}))
        return f"({element})[]" if "|" in element else f"{element}[]"
    if kinds == "object" and {"port", "lastUsedAt"} <= properties.keys():
        return "trop.Reservation"
    if kinds == "object" and properties:
        return "{ " + ", ".join(f"{name}: {lua_type(entry)}" for name, entry in properties.items()) + " }"
    return "nil" if kinds == "null" else _NAMES.get(kinds, "any")


def fields(schema: dict[str, Any]) -> list[str]:
    """A line for each property of an object."""
    required = schema.get("required", [])
    lines = []
    for name, entry in schema.get("properties", {}).items():
        kind = lua_type(entry)
        optional = name not in required or "nil" in kind.split("|")
        kind = kind.replace("|nil", "")
        lines.append(f"---@field {name}{'?' * optional} {kind} {entry.get('description', '')}".rstrip())
    return lines


def class_of(name: str, description: str, schema: dict[str, Any]) -> list[str]:
    """A class, with the sentence that describes it."""
    return [f"--- {description}", f"---@class {name}", *fields(schema), ""]


def render() -> str:
    """The whole file."""
    classes: list[str] = []
    functions: list[str] = []
    for operation in operations():
        wire = operation_to_wire(operation)
        name = wire["command"].removeprefix("trop.")
        title = name[0].upper() + name[1:]
        classes += class_of(f"trop.{title}Argument", f"What `{wire['command']}` takes.", wire["inputSchema"])
        classes += class_of(f"trop.{title}Result", f"What `{wire['command']}` gives.", wire["outputSchema"])
        if name in _TAKEN:
            continue
        functions.append(
            f"---@field {re.sub('([A-Z])', lambda letter: '_' + letter[1].lower(), name)} "
            f"fun(argument?: trop.{title}Argument, callback?: fun(err: trop.Error?, result: trop.{title}Result?)) "
            f"{wire['description']}"
        )
    kept = class_of("trop.Reservation", "A port that is kept for a directory, under a tag or none.", listed_schema())
    commands = ["--- The commands of the server, as functions.", "---@class trop.Commands", *functions]
    return _HEADER + "\n".join([*kept, *classes, *commands]) + "\n"


def main() -> int:
    """Write the file, or tell whether it is up to date."""
    rendered = render()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(rendered, encoding="utf-8")
        return 0
    return 0 if TARGET.read_text(encoding="utf-8") == rendered else 1


if __name__ == "__main__":
    sys.exit(main())
