"""The JSON Schema (draft-07) of configuration files, for every tool that knows nothing of trop.

It is made from the same table as what reads the files, and takes whatever that takes. What it cannot express takes more
than one value (a range upside down, two services with one offset, a template for a service that there is not) or
depends on how a value is written (``05000``, ``5000.0``, a key given twice): ``trop validate`` tells of these. Patterns
hold no look-around, which many validators do not know.
"""

from __future__ import annotations

from pathlib import Path

from trop_core.config.decimals import decimals
from trop_core.config.names import GLOBAL_FILE, PROJECT_FILES
from trop_core.config.schema import ANY_SERVICE, ENVIRONMENT, KEYS, MOST_MADE, MOST_SERVICES, SECTIONS, SERVICES, Kind
from trop_core.config.variables import LONGEST_VARIABLE, OWN_PREFIX, PATTERN_OF_NAMES, address_pattern, port_pattern
from trop_core.light_types import TYPE_CHECKING, Any, TypeAlias
from trop_core.models import HIGHEST_PORT, IDENTIFIER, LOWEST_PORT
from trop_core.ports.made_variables import COMPOSE_PROJECT, LONGEST_TEMPLATE, NAME, TEMPLATE, UNSAFE_SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trop_core.config.schema import Key

Schema: TypeAlias = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"

SHIPPED = "config.schema.json"
"""The file beside this module that a wheel has, and a checkout has not: the schema of config.yaml."""

_GROUP = "reservations"
_PORT = decimals(LOWEST_PORT, HIGHEST_PORT)
_PADDED_PORT = (
    f"(0{{0,4}}[1-9]|0{{0,3}}[1-9][0-9]|0{{0,2}}[1-9][0-9]{{2}}|0?[1-9][0-9]{{3}}|{decimals(10_000, HIGHEST_PORT)})"
)
"""An end of a range has five digits at most, and may begin with zeros."""


def json_schema(file: str, allowed: Sequence[str] = ()) -> Schema:
    """The schema of ``config.yaml`` or ``trop.yaml``; that of ``trop.local.yaml`` is the same.

    ``allowed`` are the variables that the user allows a project's file to name.
    """
    is_project = file in PROJECT_FILES
    keys = [key for key in KEYS.values() if not (key.user_only if is_project else key.project_only)]
    properties: dict[str, Schema] = {}
    for key in keys:
        section, _, name = key.name.rpartition(".")
        if section and not section.startswith(_GROUP):
            properties.setdefault(section, _section(section))["properties"][name] = _key(key)
        elif key.name == _GROUP:
            properties[_GROUP] = _group(allowed)
        elif not section:
            properties[name] = _key(key)
    # Of the two that are one setting, only one may be given.
    both = {end: {"not": {"type": "null"}} for end in ("max", "max_offset")}
    properties["ports"]["not"] = {"type": "object", "properties": both, "required": list(both)}
    title = PROJECT_FILES[0] if is_project else GLOBAL_FILE
    return {"$schema": DRAFT, **_mapping(properties, title=title)}


def shipped_schema() -> str | None:
    """The address of the file with the schema of ``config.yaml``, or None where this installation has none."""
    file = Path(__file__).with_name(SHIPPED)
    return file.as_uri() if file.is_file() else None


def _section(name: str) -> Schema:
    return {**_mapping({}, title=name), "description": SECTIONS[name]}


def _mapping(properties: dict[str, Schema], *, title: str) -> Schema:
    return {"title": title, "type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _key(key: Key) -> Schema:
    schema = {**_told(key), **_value(key)}
    if key.default is not None:
        schema["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    return schema


def _told(key: Key) -> Schema:
    return {"title": key.name, "description": key.text}


def _value(key: Key) -> Schema:
    match key.kind:
        case Kind.BOOLEAN:
            return {"type": ["boolean", "null"]}
        case Kind.INTEGER | Kind.NUMBER:
            return _number(key, "null")
        case Kind.CHOICE:
            return {"enum": [*key.choices, None]}
        case Kind.IDENTIFIER:
            return {"type": ["string", "null"], "pattern": IDENTIFIER}
        case Kind.PORTS:
            return _list(_ports())
        case Kind.CHOICES:
            return _list({"enum": list(key.choices)})
        case Kind.VARIABLES:
            return _list({"type": "string", "pattern": f"^{PATTERN_OF_NAMES}$", **_NO_NAME_OF_OURS})
        case Kind.DIRECTORIES:
            return _list({"type": "string", "pattern": r"^[/~][^\x00]*$"})
        case _:
            raise TypeError(f"no schema for {key.name}")


def _list(items: Schema) -> Schema:
    return {"type": ["array", "null"], "items": items}


def _number(key: Key, *others: str) -> Schema:
    """A number in the key's bounds; one in quotes is one as well."""
    kind = "integer" if key.kind is Kind.INTEGER else "number"
    pattern = f"^{decimals(key.minimum, key.maximum)}$"
    return {"type": [kind, "string", *others], "minimum": key.minimum, "maximum": key.maximum, "pattern": pattern}


def _ports() -> Schema:
    """One entry of ``excluded_ports``."""
    single: Schema = {
        "type": ["integer", "string"],
        "minimum": LOWEST_PORT,
        "maximum": HIGHEST_PORT,
        "pattern": rf"^ *({_PORT}|{_PADDED_PORT} *\.\. *{_PADDED_PORT}) *$",
    }
    ends = {"start": single, "end": single}
    return {
        **single,
        "type": [*single["type"], "object"],
        "properties": ends,
        "required": list(ends),
        "additionalProperties": False,
    }


def _group(allowed: Sequence[str]) -> Schema:
    services: Schema = {
        **_told(KEYS[SERVICES]),
        "type": "object",
        "propertyNames": {"pattern": IDENTIFIER},
        "additionalProperties": _service(allowed),
        "minProperties": 1,
        "maxProperties": MOST_SERVICES,
    }
    properties = {"base": _key(KEYS[f"{_GROUP}.base"]), "services": services, "environment": _environment(allowed)}
    return {
        **_mapping(properties, title=_GROUP),
        "description": KEYS[_GROUP].text,
        "required": ["services"],
    }


def _service(allowed: Iterable[str]) -> Schema:
    """A service: a mapping, or in its place the port that it prefers."""
    offset, preferred, env = (KEYS[f"{ANY_SERVICE}.{name}"] for name in ("offset", "preferred", "env"))
    variable = {"type": ["string", "null"], "pattern": port_pattern(allowed), **_NO_NAME_OF_OURS}
    properties = {"offset": _key(offset), "preferred": _key(preferred), "env": {**_told(env), **variable}}
    return {
        **_number(preferred),
        **_mapping(properties, title=ANY_SERVICE),
        "type": ["object", "integer", "string", "null"],
    }


def _environment(allowed: Iterable[str]) -> Schema:
    schemes = "|".join(sorted(map(_in_any_case, UNSAFE_SCHEMES)))
    template = {
        "type": "string",
        "pattern": f"^{TEMPLATE}$",
        "maxLength": LONGEST_TEMPLATE,
        "not": {"pattern": f"^({schemes}):"},
    }
    return {
        **_told(KEYS[ENVIRONMENT]),
        "type": ["object", "null"],
        "propertyNames": {"pattern": address_pattern(allowed), **_NO_NAME_OF_OURS},
        "properties": {COMPOSE_PROJECT: {"const": NAME}},
        "additionalProperties": template,
        "maxProperties": MOST_MADE,
    }


def _in_any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in word)


_NO_NAME_OF_OURS: Schema = {
    "maxLength": LONGEST_VARIABLE,
    "not": {"type": "string", "pattern": f"^{_in_any_case(OWN_PREFIX)}"},
}
