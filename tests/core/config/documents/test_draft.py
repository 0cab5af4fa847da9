"""A text that is edited in pieces: it is what it would be if each change were made in the whole."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from trop_core.config.documents.draft import Draft
from trop_core.config.documents.lines import Lines, Position, Span

TEXTS = st.text(alphabet="ab\r\n\u2028\u00e9\U0001f600", max_size=12)
PLACES = st.tuples(st.integers(0, 9), st.integers(0, 9))


def place(lines: Lines, number: int, column: int) -> Position:
    number = min(number, len(lines) - 1)
    return Position(number, min(column, len(lines.line(number))))


@given(TEXTS, st.lists(st.tuples(PLACES, PLACES, TEXTS), max_size=6))
@example("a\r", [((1, 0), (1, 0), "\n")])
@example("a\n\nb", [((0, 1), (0, 1), "\r"), ((0, 1), (1, 0), "")])
@example("a\rb\nc", [((1, 0), (1, 1), "")])
@example("a", [((0, 1), (0, 1), "\r"), ((1, 0), (1, 0), "\n")])
@example("", [((0, 0), (0, 0), "\r\n"), ((0, 0), (1, 0), "")])
def test_changes_of_a_draft_are_changes_of_the_text(
    text: str, changes: list[tuple[tuple[int, int], tuple[int, int], str]]
) -> None:
    draft, whole = Draft(text), Lines(text)

    for begin, end, new in changes:
        start = place(whole, *begin)
        span = Span(start, max(start, place(whole, *end)))
        draft.replace(span, new)
        whole = Lines(whole.text[: whole.offset(span.start)] + new + whole.text[whole.offset(span.end) :])

        assert draft.text == whole.text
        assert [draft.line(number) for number in range(len(draft))] == list(map(whole.line, range(len(whole))))


def test_two_halves_of_a_character_that_meet_are_that_character() -> None:
    draft = Draft("x\ud83dy")

    draft.replace(Span(Position(0, 2), Position(0, 3)), "\ude00")

    assert draft.text == "x\U0001f600"
