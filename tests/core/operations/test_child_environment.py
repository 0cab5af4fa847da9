"""Whose value a program is given: trop's own before the caller's, and the caller's before a file's."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.operations.starting.child_environment import compose

Variables = dict[str, str]


class Case(NamedTuple):
    files: Variables
    caller: Variables
    own: Variables
    expected: Variables
    given: Variables
    told: tuple[str, ...] = ()


PORT = {"PORT": "5000"}
OUTDONE = "the value of the environment counts, and not that of a file"
REPLACED = "had another value, which is replaced"
REMOVED = "PORT: is taken out, for no service is foremost here"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case({}, {}, PORT, PORT, PORT), id="nothing else"),
        pytest.param(Case({}, {"A": "a"}, PORT, {"A": "a", **PORT}, PORT), id="the caller's stays"),
        pytest.param(Case({"A": "f"}, {}, PORT, {"A": "f", **PORT}, {"A": "f", **PORT}), id="a file adds"),
        pytest.param(
            Case({"A": "f"}, {"A": "a"}, PORT, {"A": "a", **PORT}, PORT, (f"A: {OUTDONE}",)), id="caller before file"
        ),
        pytest.param(Case({"A": "a"}, {"A": "a"}, PORT, {"A": "a", **PORT}, PORT), id="the same in both"),
        pytest.param(Case({}, {"PORT": "1"}, PORT, PORT, PORT, (f"PORT: {REPLACED}",)), id="own before caller"),
        pytest.param(Case({}, {"PORT": "5000"}, PORT, PORT, PORT), id="the caller has it already"),
        pytest.param(Case({"PORT": "1"}, {}, PORT, PORT, PORT, (f"PORT: {REPLACED}",)), id="own before file"),
        pytest.param(
            Case({"PORT": "1"}, {"PORT": "2"}, PORT, PORT, PORT, (f"PORT: {OUTDONE}", f"PORT: {REPLACED}")), id="all"
        ),
        pytest.param(Case({}, {"PORT": "1"}, {"A": "a"}, {"A": "a"}, {"A": "a"}, (REMOVED,)), id="no port of its own"),
        pytest.param(Case({"PORT": "1"}, {}, {"A": "a"}, {"A": "a"}, {"A": "a"}, (REMOVED,)), id="nor one from a file"),
        pytest.param(
            Case(
                {},
                {"A": "1", "B": "2"},
                {"A": "x", "B": "y", **PORT},
                {"A": "x", "B": "y", **PORT},
                {"A": "x", "B": "y", **PORT},
                (f"A, B: {REPLACED}",),
            ),
            id="several",
        ),
        pytest.param(Case({"A": ""}, {"A": "a"}, PORT, {"A": "a", **PORT}, PORT, (f"A: {OUTDONE}",)), id="empty file"),
        pytest.param(Case({"A": "f"}, {"A": ""}, PORT, {"A": "", **PORT}, PORT, (f"A: {OUTDONE}",)), id="empty caller"),
    ],
)
def test_the_later_goes_before_the_earlier(case: Case) -> None:
    found = compose(case.files, case.caller, case.own)

    assert found.variables == case.expected
    assert found.given == case.given
    assert found.told == case.told


VARIABLES = st.dictionaries(st.sampled_from(["PORT", "A", "B", "WEB_PORT"]), st.sampled_from(["", "1", "secret"]))


@given(VARIABLES, VARIABLES, VARIABLES)
def test_every_value_is_told_of_that_is_not_what_it_was_and_never_itself(
    files: Variables, caller: Variables, own: Variables
) -> None:
    found = compose(files, caller, own)

    for source in (files, caller):
        for name, value in source.items():
            named = any(name in told.partition(":")[0].split(", ") for told in found.told)
            assert named or found.variables.get(name) == value
    assert not any("secret" in told for told in found.told)
    assert {**caller, **found.given}.items() >= found.variables.items()
