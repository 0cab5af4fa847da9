"""What the core says of a text as it is typed: the same as of a file, and nothing about what is whole and right."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.operations import perform
from support.patience import AT_ONCE
from support.typed_configurations import ANCHORED, HUNDRED_LINES, SESSIONS, SHOP, mutated
from support.written_configurations import written

from trop_core.config.documents.document import Document
from trop_core.config.documents.lines import Lines, Position

if TYPE_CHECKING:
    from pathlib import Path

    from support.typed_configurations import Session

    from trop_core.config.documents.document import TypingProblem

MUTATIONS = 2000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("validated")


def place_of(lines: Lines, line: int | None, column: int | None) -> Position:
    return Position(0, 0) if line is None else lines.of_yaml(line, column or 1)


def validated(directory: Path, text: str) -> list[tuple[Position, str | None, str]]:
    """What ``validate`` says of a file with the text, with the places as an editor counts them."""
    file = directory / "trop.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    lines = Lines(text)
    found = perform(directory / "data", "validate", {"config": str(file)}).problems
    return [(place_of(lines, each.line, each.column), each.key, each.message) for each in found]


def said(problems: tuple[TypingProblem, ...]) -> list[tuple[Position, str | None, str]]:
    return [(each.span.start, each.key, each.message) for each in problems]


texts = st.one_of(
    st.integers().map(lambda seed: written(Random(seed))),
    st.tuples(st.sampled_from((SHOP, ANCHORED)), st.integers()).map(lambda pair: mutated(Random(pair[1]), pair[0])),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@settings(max_examples=examples(250))
@given(texts)
@example("\ufeffprojekt: x\n")
@example("project: a\u2028projekt: b\r\nx: 1\n")
@example("\x00")
@example("project: \t'\n")
@example("reservations: {services: {web: {env: PATH}}}\nfollow_moves: true\nprojekt: 1\n")
@example("project: a\nproject: b\nports: {min")
def test_the_problems_of_a_text_are_those_that_validate_tells_of_the_file(directory: Path, text: str) -> None:
    if "\ud83d" in text:
        return  # no file holds half of a character
    document = Document(text)

    expected, found = validated(directory, text), said(document.problems)

    assert found[: len(expected)] == expected
    assert document.is_broken or len(found) == len(expected)


@pytest.mark.usefixtures("unmeasured")
def test_no_mutation_crashes_or_hangs() -> None:
    random = Random(17)
    slowest = 0.0
    for number in range(MUTATIONS):
        text = mutated(random, random.choice((SHOP, ANCHORED, HUNDRED_LINES)))
        began = time.process_time()

        document = Document(text)
        problems = document.problems
        at = document.lines.position(random.randrange(len(text) + 1))
        document.spot(at)
        document.outline.entry_at(at)
        _ = document.group

        slowest = max(slowest, time.process_time() - began)
        assert all(problem.span.start <= problem.span.end for problem in problems), (number, text)
        assert all(problem.span.end.line < len(document.lines) for problem in problems), (number, text)
        assert problems or not document.is_broken, (number, text)
    assert slowest < AT_ONCE


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("excluded_ports:\n" + "  - 5001 # a line among many\n" * 34_000, id="right"),
        pytest.param("excluded_ports:\n" + "  - 5001 # a line among many\n" * 34_000 + "project: 'x\n", id="broken"),
        pytest.param("excluded_ports: [" + "5001, " * 160_000, id="one line"),
        pytest.param("[" * 1_000_000, id="nested"),
        pytest.param("x" * 1_100_000, id="too large"),
        pytest.param("\n" * 1_000_000, id="empty lines"),
        pytest.param("😀: 1\r\n" * 120_000, id="astral characters"),
    ],
)
def test_a_text_of_a_megabyte_takes_seconds_at_most(text: str) -> None:
    began = time.process_time()

    document = Document(text)
    _ = document.problems
    document.spot(Position(len(document.lines) - 1, 0))

    assert time.process_time() - began < AT_ONCE


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_while_somebody_types_nothing_is_said_about_lines_that_are_whole_and_right(session: Session) -> None:
    text = session.before
    assert not Document(session.after).problems
    for number, keystroke in enumerate(session.keystrokes):
        text = keystroke.applied(text)
        document = Document(text)
        edited = document.lines.position(keystroke.start + len(keystroke.text)).line
        wrong = [problem for problem in document.problems if problem.span.start.line != edited]

        # What a value refers to may be what is just typed.
        assert not [
            each for each in wrong if document.lines.line(each.span.start.line).strip() and not _waits_for_more(each)
        ], (
            number,
            text,
            wrong,
        )


def _waits_for_more(problem: TypingProblem) -> bool:
    """Whether what is wrong is that something does not stand there yet, and may be what is just typed."""
    return problem.message.startswith(("there is no service", "expected at least one service"))


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_while_somebody_types_the_whole_lines_keep_their_keys(session: Session) -> None:
    text, kept, whole = session.before, 0, 0
    last = Document(session.after).entries
    for keystroke in session.keystrokes:
        text = keystroke.applied(text)
        document = Document(text)
        edited = document.lines.position(keystroke.start + len(keystroke.text)).line
        above = {
            (entry.path, entry.key)
            for entry in last
            if entry.key is not None and entry.whole.end.line < edited and not session.before
        }
        whole += bool(above)
        kept += bool(above) and above <= {(entry.path, entry.key) for entry in document.entries}

    print(f"{session.name}: {kept} of {whole} keystrokes keep the keys of all lines above")
    assert kept >= 0.95 * whole


@pytest.mark.parametrize(
    ("text", "line", "mended", "keys"),
    [
        pytest.param("project: shop\nports\noutput_format: json\n", 1, 1, ["project", "output_format"], id="no colon"),
        pytest.param(
            "project: shop\nports: {min: 5\noutput_format: json\n",
            1,
            1,
            ["project", "ports", "output_format"],
            id="an open brace",
        ),
        pytest.param("project: 'shop\noutput_format: json\n", 2, 0, ["output_format"], id="an open quote"),
        pytest.param("ports:\n\tmin: 5000\noutput_format: json\n", 1, 1, ["ports", "output_format"], id="a tab"),
        pytest.param("project:shop\noutput_format: json\n", 0, 0, ["output_format"], id="no space"),
        pytest.param(
            "project: shop\n]]]]\noutput_format: json\n", 1, 1, ["project", "output_format"], id="a stray bracket"
        ),
        pytest.param(
            "project: shop\x00\noutput_format: json\n",
            0,
            0,
            ["output_format"],
            id="a character that YAML does not allow",
        ),
    ],
)
def test_a_broken_text_is_read_as_far_as_it_can_be(text: str, line: int, mended: int, keys: list[str]) -> None:
    document = Document(text)

    assert document.is_broken
    assert [problem.span.start.line for problem in document.problems] == [line]
    assert not document.claims(mended)
    assert set(keys) <= {entry.path[0] for entry in document.entries}


def test_a_broken_line_does_not_hide_what_is_wrong_elsewhere() -> None:
    document = Document("projekt: shop\nports: {min: 5\noutput_format: xml\n")

    found = [(problem.span.start.line, problem.key) for problem in document.problems]

    assert found == [(1, None), (0, "projekt"), (2, "output_format")]


def test_a_value_stands_where_it_begins_and_not_where_its_anchor_does() -> None:
    document = Document("ports: &range # of the shop\n  !!map\n  min: x\n  max: &a !!int 5\n  \n")

    found = [(problem.span.start, problem.key) for problem in document.problems]
    spot = document.spot(Position(4, 2))

    assert found == [(Position(2, 7), "ports.min")]
    assert spot is not None
    assert (spot.role, spot.path) == ("key", ("ports",))


def test_each_entry_is_found_by_its_path_as_it_is_among_all() -> None:
    random = Random(23)
    for _ in range(300):
        document = Document(mutated(random, random.choice((SHOP, ANCHORED))))
        entries = {entry.path: entry for entry in document.entries}
        if len(entries) < len(document.entries):
            continue  # which of two with one name is meant is nobody's to say

        for path, entry in entries.items():
            found = document.entry(*path)
            assert found is not None, (path, document.text)
            assert (found.key, found.value, found.node) == (entry.key, entry.value, entry.node), (path, document.text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ports:\n  min: &p 5000 : x\n  max: 7000\nreservations:\n  base: *p\n", id="an anchor"),
        pytest.param("excluded_ports:\n  - 5001\n  \t- 5002\n", id="a line that goes on"),
    ],
)
def test_what_a_line_was_mended_to_is_held_against_no_other(text: str) -> None:
    (problem,) = Document(text).problems

    assert "broken YAML" in problem.message


def test_a_long_word_is_found_from_its_end() -> None:
    found = Document(f"projec{'x' * 200_000} ")

    # A pattern that tries each place before takes minutes for it. Behind a word that is no key, nothing can be put.
    assert found.spot(found.lines.position(len(found.text))) is None
