"""What the usual slips are called: in the same words whichever of PyYAML's parsers there is."""

from __future__ import annotations

import pytest
import yaml

from trop_core.config.values import Problems
from trop_core.config.yaml_tree import parse

TAB = "a tab stands where YAML allows spaces alone"
CHARACTER = "a value cannot begin with this character: put it in quotes"
NO_COLON = "this line has no colon with a space behind it"
SECOND_COLON = "a second colon with a space behind it: put the value in quotes"
UNCLOSED = "the bracket that is opened in line {} is not closed, or a comma is missing"
BESIDE_NOTHING = "no line above that this one could stand beside begins with as many spaces"


@pytest.fixture(
    params=[pytest.param(True, marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="no libyaml")), False]
)
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", request.param)


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("ports:\n\tmin: 5000\n", 2, TAB, id="a tab before a key"),
        pytest.param("\tproject: x\n", 1, TAB, id="a tab before the first key"),
        pytest.param("project: x\r\n\ttask: y\r\n", 2, TAB, id="a tab before a key, after a value"),
        pytest.param("project: @x\n", 1, CHARACTER, id="an at sign"),
        pytest.param("project: `x`\n", 1, CHARACTER, id="a backtick"),
        pytest.param("project: %x\n", 1, CHARACTER, id="a percent sign"),
        pytest.param("project x\nports:\n  min: 1\n", 1, NO_COLON, id="no colon, and a key after it"),
        pytest.param("ports:\n  min: 1\n  max 2\nproject: x\n", 3, NO_COLON, id="no colon, and a key outside after it"),
        pytest.param("ports:\n  min: 1\n  max 2\n", 3, NO_COLON, id="no colon, in the last line"),
        pytest.param("ports:\n  min: 1\n  max 2\n\n# x\n", 3, NO_COLON, id="no colon, in the last line but a comment"),
        pytest.param("ports\n  min: 1\n", 2, "line 1 has" + NO_COLON[13:], id="no colon, above what is below it"),
        pytest.param("project: x: y\n", 1, SECOND_COLON, id="two colons"),
        pytest.param(
            "project: x\n  task: y\n", 2, "this line is indented below one that has a value already", id="deeper"
        ),
        pytest.param("ports:\n  min: 1\n max: 2\n", 3, BESIDE_NOTHING, id="a space too few"),
        pytest.param(
            "ports:\n   min: 1\n  max: 2\nproject: x\n", 3, BESIDE_NOTHING, id="a space too few, in the middle"
        ),
        pytest.param('project: "x\n', 2, "the quote that begins in line 1 is never closed", id="an open quote"),
        pytest.param(
            "ports:\n  min: '1\n\n", 4, "the quote that begins in line 2 is never closed", id="a deep open quote"
        ),
        pytest.param("excluded_ports: [1, 2\n", 2, UNCLOSED.format(1), id="an open bracket"),
        pytest.param(
            "a: 1\nexcluded_ports: [1, 2\nports: {min: 1}\n", 2, UNCLOSED.format(2), id="an open bracket above"
        ),
    ],
)
def test_a_slip_is_called_by_its_name(text: str, line: int, message: str) -> None:
    problems = Problems("trop.yaml")

    parse(text, problems)

    assert [(problem.line, problem.message) for problem in problems.found] == [(line, f"broken YAML: {message}")]


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize("text", ["- a\nb: 1\n", "a: [1 2, }\n", 'a: "x" y\n', 'a: "\\q"\n', "a: 1\n- b\n"])
def test_what_has_no_better_name_is_told_as_the_parser_says_it(text: str) -> None:
    problems = Problems("trop.yaml")

    parse(text, problems)

    (problem,) = problems.found
    assert problem.message.startswith("broken YAML: while ")
