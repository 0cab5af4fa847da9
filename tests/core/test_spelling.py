"""What a message shows of a text from elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strange import ZOO, obeyed

from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.spelling import escaped, quoted

ANY_TEXT = st.text(
    st.characters(categories=None) | st.sampled_from("\x00\x1b\x7f\x9b\n\t\u2028\u202e\u2069\u200f\ud800")
)


@pytest.mark.parametrize(("text", "shown"), [pytest.param(*pair, id=name) for name, pair in ZOO.items()])
def test_what_would_be_obeyed_is_escaped_and_all_else_stays(text: str, shown: str) -> None:
    assert escaped(text) == shown
    assert quoted(text) == f'"{shown}"'


@given(ANY_TEXT)
def test_nothing_that_would_be_obeyed_is_left(text: str) -> None:
    assert obeyed(escaped(text)) == []


@given(ANY_TEXT)
def test_each_character_is_itself_or_its_own_escape(text: str) -> None:
    strange = set(obeyed(text))

    assert escaped(text) == "".join(ascii(c)[1:-1] if c in strange else c for c in text)


@given(ANY_TEXT)
def test_what_is_shown_stays_when_it_is_shown_again(text: str) -> None:
    assert escaped(escaped(text)) == escaped(text)


def test_a_file_whose_name_has_lines_does_not_add_one_to_a_message() -> None:
    problems = [ConfigProblem("/a\nhint: b", 1, 1, "key", "it is wrong"), ConfigProblem("/c", None, None, None, "so")]

    assert str(ConfigError(problems)).split("\n") == [
        "2 problems in the configuration:",
        r"/a\nhint: b:1:1: key: it is wrong",
        "/c: so",
    ]
