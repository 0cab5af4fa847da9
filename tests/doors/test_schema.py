"""The JSON Schema of trop.yaml, which other tools check files by, and what of the loader's rules it cannot express."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator
from support.sandbox import error_lines
from support.written_configurations import written

from trop_core.catalogue import operation
from trop_core.config.schema import KEYS
from trop_core.config.template import config_template
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.client import Client
    from support.sandbox import Sandbox

FILES = 500
NOT_EXPRESSED = {
    "takes more than one value": (
        r"is above ports\.max",
        r"go beyond 65535",
        r"has the same (offset|preferred port|variable)",
        r"whose first port is not above its last",
        r"there is no service",
        r"is given twice",
        r"give env: the variable that the service's name makes",
    ),
    "depends on how the value is written": (
        r"because YAML reads something else in it",
        r"not 5000\.0$",
        r"this key is given twice",
        r"a key is a text, not",
    ),
}
"""What the loader refuses and the schema takes, by the reason."""


def schema_of(sandbox: Sandbox, *file: str) -> Any:
    done = sandbox.trop("schema", *file)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def as_json_has_it(value: Any) -> Any:
    """A value of YAML in JSON, whose keys are texts."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): as_json_has_it(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json_has_it(each) for each in value]
    return value


def is_not_expressed(message: str) -> bool:
    return any(re.search(pattern, message) for patterns in NOT_EXPRESSED.values() for pattern in patterns)


@pytest.mark.usefixtures("unmeasured")
def test_schema_and_loader_agree_about_any_file(shared: Client, shared_sandbox: Sandbox) -> None:
    validator = Draft7Validator(schema_of(shared_sandbox))
    file = shared_sandbox.work / "trop.yaml"
    taken = 0

    for number in range(FILES):
        text = written(Random(number))
        file.write_text(text)
        told = shared.call("trop.validate", {"config": str(file)})
        complaints = [error.message for error in validator.iter_errors(as_json_has_it(yaml.safe_load(text)))]

        beyond = [each["message"] for each in told["problems"] if not is_not_expressed(each["message"])]
        # What the schema refuses may stand in what the loader no longer reads, after another mistake.
        assert told["problems"] or not complaints, (text, complaints)
        assert complaints or not beyond, (text, beyond)
        taken += told["valid"]

    assert FILES / 10 < taken < FILES * 9 / 10


@pytest.mark.parametrize("reason", NOT_EXPRESSED)
def test_each_exception_is_one_that_comes_up(shared: Client, shared_sandbox: Sandbox, reason: str) -> None:
    """A pattern that nothing matches would hide nothing, and explain nothing."""
    file = shared_sandbox.work / "trop.yaml"
    patterns = set(NOT_EXPRESSED[reason])

    for number in range(4 * FILES):
        if not patterns:
            break
        file.write_text(written(Random(number)))
        for problem in shared.call("trop.validate", {"config": str(file)})["problems"]:
            patterns -= {pattern for pattern in patterns if re.search(pattern, problem["message"])}

    assert patterns == set()


class TestTheSchema:
    @pytest.mark.parametrize("file", ["trop.yaml", "trop.local.yaml", "config.yaml"])
    def test_it_is_one_of_the_draft_that_it_names(self, sandbox: Sandbox, file: str) -> None:
        schema = schema_of(sandbox, file)

        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        Draft7Validator.check_schema(schema)

    def test_a_call_gives_the_same(self, sandbox: Sandbox, shared: Client) -> None:
        result = shared.call("trop.schema")

        assert result == {"schema": schema_of(sandbox), "warnings": []}
        Draft7Validator(output_schema(operation("schema"))).validate(result)

    def test_it_needs_no_store_and_makes_none(self, sandbox: Sandbox) -> None:
        schema_of(sandbox)

        assert not sandbox.database.exists()

    @pytest.mark.parametrize("file", ["trop.yaml", "config.yaml"])
    def test_it_has_every_key_of_the_file_with_its_text_and_default(self, sandbox: Sandbox, file: str) -> None:
        expected = {
            key.name: (key.text, key.default and json.loads(json.dumps(key.default)))
            for key in KEYS.values()
            if not (key.user_only if file == "trop.yaml" else key.project_only)
        }

        found = {
            part["title"]: (part["description"], part.get("default"))
            for part in described(schema_of(sandbox, file))
            if part["title"] in KEYS
        }

        assert {name: told[0] for name, told in found.items()} == {name: told[0] for name, told in expected.items()}
        assert {name: told[1] for name, told in found.items() if told[1]} == {
            name: told[1] for name, told in expected.items() if told[1]
        }

    def test_no_pattern_looks_around(self, sandbox: Sandbox) -> None:
        assert not re.search(r'"pattern": "[^"]*\(\?[=!<]', json.dumps(schema_of(sandbox)))

    @pytest.mark.parametrize(
        ("variable", "is_taken"),
        [
            ("SEARCH_PATHS", True),
            ("CACHE_9", True),
            ("X_CACHE", False),
            ("SEARCH", False),
            ("WEB_PORT", True),
            ("MY_HOST", True),
            ("9_HOST", False),
        ],
    )
    def test_it_takes_the_variables_that_the_user_allows(self, sandbox: Sandbox, variable: str, is_taken: bool) -> None:
        sandbox.database.parent.mkdir(parents=True, exist_ok=True)
        (sandbox.database.parent / "config.yaml").write_text('allowed_variables: [SEARCH_PATHS, CACHE_*, "*_HOST"]\n')
        text = f"reservations: {{services: {{web: {{env: {variable}}}}}}}\n"
        (sandbox.work / "trop.yaml").write_text(text)

        validator = Draft7Validator(schema_of(sandbox))

        assert validator.is_valid(yaml.safe_load(text)) is is_taken
        assert (sandbox.trop("validate", "trop.yaml").returncode == 0) is is_taken

    def test_a_file_that_there_is_no_schema_for_is_refused(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("schema", "package.json")

        assert (done.returncode, done.stdout) == (4, "")
        message = 'FILE: expected one of trop.yaml, trop.local.yaml, config.yaml, not "package.json"'
        assert error_lines(done) == (message, "trop schema --help lists what there is")


class TestTheUsersOwnFile:
    def test_its_schema_takes_what_init_writes_and_every_default_in_it(self, sandbox: Sandbox) -> None:
        validator = Draft7Validator(schema_of(sandbox, "config.yaml"))
        text = re.sub(r"^#(?=\S|  )", "", config_template(), flags=re.MULTILINE)

        validator.validate(yaml.safe_load(config_template()))
        validator.validate(yaml.safe_load(text))

    @pytest.mark.parametrize("text", ["project: shop", "safe_directories: [here]", "allowed_variables: [TROP_X]"])
    def test_its_schema_refuses_what_the_loader_refuses(self, sandbox: Sandbox, text: str) -> None:
        assert not Draft7Validator(schema_of(sandbox, "config.yaml")).is_valid(yaml.safe_load(text))

    def test_an_editor_finds_the_schema_where_there_is_a_file_with_it(self) -> None:
        text = config_template("file:///a%20b/config.schema.json")

        assert text.splitlines()[0] == "# yaml-language-server: $schema=file:///a%20b/config.schema.json"
        assert text.split("\n", 1)[1] == config_template()


def described(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that is titled and described."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str) and "description" in schema:
            yield schema
        for value in schema.values():
            yield from described(value)
