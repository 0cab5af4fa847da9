"""The schemas that the server publishes are schemas, and say what the validation does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trop_core.catalogue import Operation, operations
from trop_core.errors.arguments import InvalidIdentifier
from trop_core.models import identifier
from trop_server.wire.schemas import input_schema, output_schema

EACH_OPERATION = pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.command)

TAG = Draft202012Validator(
    next(schema for name, schema in input_schema(operations()[0])["properties"].items() if name == "tag")
)


@EACH_OPERATION
def test_both_schemas_are_valid_schemas(operation: Operation) -> None:
    Draft202012Validator.check_schema(input_schema(operation))
    Draft202012Validator.check_schema(output_schema(operation))


@EACH_OPERATION
def test_every_field_of_both_is_described(operation: Operation) -> None:
    for schema in (input_schema(operation), output_schema(operation)):
        assert schema["additionalProperties"] is False
        for name, field in schema["properties"].items():
            assert field["description"].endswith("."), name


@EACH_OPERATION
def test_every_result_has_warnings_and_a_mutating_one_says_whether_it_was_a_dry_run(operation: Operation) -> None:
    schema = output_schema(operation)

    assert "warnings" in schema["required"]
    assert ("plan" in schema["properties"]) is ("plan" in input_schema(operation)["properties"])
    assert ("dryRun" in schema["properties"]) is (not operation.read_only)
    assert ("dryRun" in input_schema(operation)["properties"]) is (not operation.read_only)


@EACH_OPERATION
def test_each_field_may_be_null_unless_it_has_to_be_there(operation: Operation) -> None:
    schema = input_schema(operation)
    validator = Draft202012Validator(schema)
    optional = {name: None for name in schema["properties"] if name not in schema["required"]}

    errors = [error for error in validator.iter_errors(optional) if error.validator != "required"]

    assert errors == []


ODD = (
    "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x20\x7f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
    "\u200b\ufeff\u0000a\U0001f642"
)


@given(st.one_of(st.text(alphabet=ODD, max_size=6), st.text(max_size=6), st.text("aé \t", min_size=250, max_size=260)))
@example("")
@example("a" * 255)
@example("a" * 256)
@example(" " * 300 + "a" * 255 + " " * 300)
@example(" " * 300 + "a" * 256)
@example("a\n")
@example("a\nb")
@example("\ufeffa")
@example("a" + " " * 254 + "b")
@example("a" + " " * 253 + "b")
@example("\x1ca\x1c")
@example("a\x85")
def test_the_pattern_of_an_identifier_agrees_with_what_is_accepted(text: str) -> None:
    try:
        identifier("tag", text)
        accepted = True
    except InvalidIdentifier:
        accepted = False

    assert TAG.is_valid(text) is accepted
