"""Every command, and every way to get its arguments wrong: made from the schemas that the server publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.messages import required_of

from trop_core.catalogue import operations
from trop_server.wire.schemas import input_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.client import Client
    from support.messages import ServerError

    from trop_core.catalogue import Operation

NOT_OF_TYPE: dict[str, list[Any]] = {
    "boolean": [0, 1, 1.0, "true", "", [], [True], {}],
    "integer": [True, False, "5000", "", 5000.0, 5000.5, 1e999, [5000], {"port": 5000}],
    "string": [True, 0, 5000, 1.5, [], ["a"], {}, {"a": "b"}],
}


def types_of(field: dict[str, Any]) -> list[str]:
    """The types that a field's schema names."""
    named = field["type"]
    return [named] if isinstance(named, str) else list(named)


def wrong_arguments(operation: Operation) -> Iterator[tuple[dict[str, Any], str]]:
    """Arguments that a command refuses, each with the field that is to blame."""
    schema = input_schema(operation)
    for unknown in ("bogus", "", "Folder", "dry_run", "jsonrpc", "größe", "x" * 1000):
        yield {unknown: 1}, unknown
    needed = required_of(schema, "/w/a")
    for missing in schema["required"]:
        yield {name: value for name, value in needed.items() if name != missing}, missing
        yield {**needed, missing: None}, missing
    for name, field in schema["properties"].items():
        [kind] = set(types_of(field)) - {"null"}
        for value in [*NOT_OF_TYPE[kind], *out_of_bounds(field)]:
            yield {**needed, name: value}, name


def out_of_bounds(field: dict[str, Any]) -> Iterator[Any]:
    if "minimum" in field:
        yield field["minimum"] - 1
        yield -(10**30)
    if "maximum" in field:
        yield field["maximum"] + 1
        yield 10**30
    if "minLength" in field:
        yield ""
        yield "a\0b"
        yield "\ud800"
    if "pattern" in field:
        yield from ("", " ", "a\nb", "\x00", "a" * 256, "\x7f")


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.command)
def test_a_wrong_argument_is_refused_by_name(shared: Client, operation: Operation) -> None:
    for argument, field in wrong_arguments(operation):
        check_refusal(shared.refused(operation.command, argument), operation, argument, field)


def check_refusal(refusal: ServerError, operation: Operation, argument: dict[str, Any], field: str) -> None:
    assert refusal.code == -32602
    assert refusal.message
    assert "\n" not in refusal.message
    assert refusal.data.keys() == {"kind", "hint", "details", "retryable"}
    assert refusal.data["hint"]
    assert "--" not in refusal.data["hint"]
    assert refusal.data["retryable"] is False
    value = argument.get(field)
    details = refusal.data["details"]
    if refusal.data["kind"] == "invalid_argument":
        assert details["field"] == field
        assert details["expected"]
        if value is not None and value != 1e999 and field in input_schema(operation)["properties"]:
            assert details["given"] == value
            assert type(details["given"]) is type(value)
    elif refusal.data["kind"] == "invalid_identifier":
        assert details == {"field": field, "value": value}
    else:
        assert refusal.data["kind"] == "invalid_path"
        assert details == {"path": value}


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.command)
def test_the_schema_refuses_what_the_server_refuses(operation: Operation) -> None:
    schema = input_schema(operation)
    validator = Draft202012Validator(without_nulls(schema))
    for argument, field in wrong_arguments(operation):
        value = argument.get(field)
        described = schema["properties"].get(field, {})
        # JSON Schema has no word for what a path must not hold, and takes 5000.0 for an integer.
        is_of_a_path = isinstance(value, str) and ("\0" in value or "\ud800" in value) and "pattern" not in described
        if not is_of_a_path and not (type(value) is float and value.is_integer()):
            assert not validator.is_valid(argument), argument


@pytest.mark.parametrize(
    ("name", "argument", "kind"),
    [
        pytest.param("trop.reserve", {"min": 6000, "max": 5000}, "invalid_argument", id="a range upside down"),
        pytest.param("trop.reserve", {"folder": "/w/a", "path": "/w/a"}, "invalid_argument", id="folder and path"),
        pytest.param("trop.list", {"folder": "/w/a", "path": "/w/a"}, "invalid_argument", id="both, for a list"),
        pytest.param("trop.reserve", {"project": "a", "clearProject": True}, "invalid_argument", id="set and clear"),
        pytest.param("trop.reserve", {"task": "a", "clearTask": True}, "invalid_argument", id="set and clear the task"),
        pytest.param("trop.reserve", {"path": "/elsewhere"}, "unrelated_path", id="an unrelated path"),
    ],
)
def test_what_takes_more_than_one_field_to_see_is_a_failed_request(
    shared: Client, name: str, argument: dict[str, Any], kind: str
) -> None:
    refusal = shared.refused(name, argument)

    assert (refusal.code, refusal.data["kind"]) == (-32803, kind)
    assert refusal.data["hint"]


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.command)
def test_null_counts_as_absent(shared: Client, operation: Any) -> None:
    schema = input_schema(operation)
    needed = {name: f"/w/{name}" if value == "" else value for name, value in required_of(schema, "").items()}
    needed |= {"dryRun": True} if "dryRun" in schema["properties"] else {}
    nulls = {name: None for name in schema["properties"] if name not in needed}

    answers = [
        shared.request("workspace/executeCommand", {"command": operation.command, "arguments": [argument]})
        for argument in (needed, {**nulls, **needed})
    ]

    for answer in answers:
        result = answer.get("result", {})
        for reservation in (result.get("reservation"), *result.get("reservations", ())):
            for time in ("createdAt", "lastUsedAt"):
                (reservation or {}).pop(time, None)
        answer.get("result", {}).pop("plan", None)  # each has a token of its own
        del answer["id"]
    assert answers[0] == answers[1]


def without_nulls(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema for somebody who sends no null, which is the same as leaving a field away."""
    properties = {
        name: {**field, "type": [kind for kind in types_of(field) if kind != "null"]}
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": properties}
