"""What was probably meant is offered where it mends something, and nowhere else."""

from __future__ import annotations

import pytest
import yaml

from trop_core.config.documents.document import Document
from trop_core.config.documents.edits import correcting, preferring
from trop_core.operations.documents.suggestions import written


def corrected(text: str) -> list[str]:
    document = Document(text)
    edits = [correcting(document, problem) for problem in document.problems]
    return [edit.applied(document.lines) for edit in edits if edit is not None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("projekt: shop\n", "project: shop\n"),
        ("output_format: tabel # why\n", "output_format: table # why\n"),
        ("ports: {min: 05000, mxa: 6000}\n", "ports: {min: 5000, mxa: 6000}\n"),
        # What a key that is right now holds may be wrong as well.
        ("reservatons: {services: {web: {preferd: 1}}}\n", "reservations: {services: {web: {preferd: 1}}}\n"),
    ],
)
def test_what_is_mended(text: str, expected: str) -> None:
    assert expected in corrected(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("output_format: |\n  tabel\nproject: x\n", id="a value of several lines"),
        pytest.param('output_format: "tab\\\n  el"\n', id="a quoted one"),
        pytest.param("project: a\nprojct: b\n", id="a key that is there"),
        pytest.param("reservations: {services: {web: {offset:1}}}\n", id="a value without a space before it"),
        pytest.param("ports: {min: 5000, mn: 5001}\n", id="a key that is there, nested"),
        pytest.param("ports:\n  min: &p 05000\n  max: *p\n", id="an anchor that is used"),
        pytest.param("reservations: {services: {web: {preferred: 0x99999}}}\n", id="a number that is no port"),
    ],
)
def test_what_would_mend_nothing_is_not_offered(text: str) -> None:
    assert corrected(text) == []


def test_an_anchor_that_is_used_is_not_written_over() -> None:
    document = Document("reservations:\n  services:\n    web: &w 5555\n    api: *w\n")
    place = document.entry("reservations", "services", "web")
    assert place is not None

    assert preferring(document, place, 5000) is None


@pytest.mark.parametrize("text", ["web", "a b", 'a"b\\', "yes", "05000", "a\u200b😀", "😀", "\x85\u2028", "\ufeffx"])
def test_a_name_is_written_as_yaml_reads_it(text: str) -> None:
    assert yaml.load(f"{written(text)}: 1\n", yaml.BaseLoader) == {text: "1"}
