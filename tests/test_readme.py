"""What the README says of the catalogue, and what it tells a newcomer to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from trop_core.config.schema import KEYS
from trop_core.errors.base import TropError
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.reference import updated

README = Path(__file__).parents[1] / "README.md"


def test_the_tables_are_those_of_the_catalogue() -> None:
    text = README.read_text(encoding="utf-8")

    assert updated(text) == text, "run: .venv/bin/python -m trop_server.reference README.md"


@pytest.mark.parametrize("part", ["commands", "configuration", "errors"])
def test_every_made_part_has_its_place(part: str) -> None:
    text = README.read_text(encoding="utf-8")

    assert text.count(f"<!-- made: {part} -->\n|") + text.count(f"<!-- made: {part} -->\n####") == 1
    assert text.count(f"<!-- end: {part} -->") == 1


def test_every_key_of_the_configuration_is_in_the_table() -> None:
    text = README.read_text(encoding="utf-8")

    assert [key for key in KEYS if f"| `{key}` |" not in text] == []


def test_every_kind_of_error_has_an_exit_code_and_stands_in_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    kinds = {kind.kind for kind in _all(TropError)}

    assert kinds == set(EXIT_CODES)
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []


@pytest.mark.parametrize("heading", ["Get a port", "Run the tests"])
def test_each_of_the_two_commands_is_a_single_line(heading: str) -> None:
    block = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("```sh\n", 1)[1].split("```", 1)[0]

    assert block.count("\n") == 1


def _all(base: type[TropError]) -> set[type[TropError]]:
    return {base}.union(*(_all(subclass) for subclass in base.__subclasses__()))
