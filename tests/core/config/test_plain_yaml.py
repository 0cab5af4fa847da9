"""A file that is read without YAML's parser comes to the very tree that the parser's events come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from trop_core.config import plain_yaml, yaml_tree
from trop_core.config.tree import Mapping, Scalar, Sequence
from trop_core.config.values import Problems

WHOLE = """\
# what our services need
project: shop   # the name
ports: {min: 5000, max: 6000}
excluded_ports: [5001, 5005..5009, "6000"]

reservations:
  base: 5000
  services:
    web:
      offset: 0
      preferred: 5050
      env: WEB_PORT
    api: {offset: 1}
    docs:
    #
  environment:
    API_URL: "http://localhost:{port:api}/v1"
occupancy_check:
    skip: true
    skip_udp: false
safe_directories:
  - ~/work
  - '/srv/a b'
"""


def shape(node: Any) -> Any:
    """A tree as values that can be compared, with all places."""
    place = type(node).__name__, node.line, node.column, node.end
    if isinstance(node, Scalar):
        return *place, type(node.value), node.value, node.merge
    if isinstance(node, Sequence):
        return *place, [shape(item) for item in node.items]
    assert isinstance(node, Mapping)
    return *place, [(shape(key), shape(value)) for key, value in node.entries]


def by_parser(text: str) -> Any:
    problems = Problems("trop.yaml")
    root = yaml_tree.parse(text, problems)
    assert not problems.found
    return shape(root)


WORDS = st.sampled_from(
    [
        "web",
        "a-b",
        "A_1",
        "5000",
        "0",
        "05",
        "5005..5009",
        "5..",
        "1.5",
        "true",
        "True",
        "no",
        "y",
        "null",
        "a.b/c",
        "/srv",
        "~",
        "-",
        "- ",
        "<<",
        "=",
        "1e5",
        "0x10",
        "12:30",
        "2024-01-01",
        "a b",
        "a: b",
        "a:",
        ":",
        "#",
        "a#b",
        "a #b",
        "",
        "...",
        '"a"',
        "'a'",
        "'it''s'",
        '"a\\n"',
        '"',
        "'",
        "'a' b",
        '"{a}: #"',
        "{}",
        "[]",
        "[a, 1]",
        "[a,]",
        "{a: 1}",
        "{a:1}",
        "{a: {b: []}}",
        "[a",
        "{a}",
        "&x a",
        "*x",
        "!t a",
        "|",
        ">",
        "? a",
        "%a",
        "@a",
        "`a",
        "\t",
        "é",
        "\x85",
        "a\tb",
        "---",
        "[a b]",
        "{ a : 1 }",
        "{'a': 1}",
        "_a",
        "1_0",
        ".5",
    ]
)
ENTRIES = st.tuples(
    st.sampled_from(["", "  ", "    ", " ", "      "]),
    st.sampled_from(
        ["{}: {}", "{}: {}", "{}: {}", "{}:", "- {1}", "{}: {} # note", "{}: {}  ", "# {}", "{}", "-  {1}", "{} : {}"]
    ),
    st.sampled_from(["a", "b", "c-d", "e", "f"]) | WORDS,
    WORDS,
).map(lambda parts: parts[0] + parts[1].format(parts[2], parts[3]))


@st.composite
def files(draw: st.DrawFn) -> str:
    """Files that are mostly plain: mappings in mappings, and now and then something odd."""

    def block(indent: int, depth: int) -> list[str]:
        lines = []
        for name in draw(
            st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=draw(st.integers(0, 9)) > 0)
        ):
            kind = draw(st.integers(0, 9))
            lead = " " * indent + name + ":"
            if kind < 2 and depth < 3:
                lines += [lead, *block(indent + draw(st.integers(1, 3)), depth + 1)]
            elif kind == 2:
                step = draw(st.integers(0, 2))
                items = draw(st.lists(WORDS, min_size=1, max_size=3))
                lines += [
                    lead + draw(st.sampled_from(["", " ", " # x"])),
                    *(" " * (indent + step) + f"- {item}" for item in items),
                ]
            else:
                lines.append(f"{lead} {draw(WORDS)}{draw(st.sampled_from(['', '', ' ', '  # x', ' #', '#']))}")
            lines += draw(st.sampled_from([[]] * 6 + [[""], ["# note"], ["   # note"], ["   "]]))
        return lines

    text = "\n".join(block(0, 0))
    return text + draw(st.sampled_from(["", "\n", "\n\n", "\n# x", "\n "]))


@pytest.mark.usefixtures("unmeasured")
@settings(max_examples=examples(1500), deadline=None)
@given(files() | st.lists(ENTRIES, max_size=5).map("\n".join))
def test_a_file_that_is_read_plainly_is_read_as_the_parser_reads_it(text: str) -> None:
    root = plain_yaml.read(text)

    assert root is None or shape(root) == by_parser(text)


def test_a_file_as_people_write_it_is_read_plainly() -> None:
    text = WHOLE.replace("~/work", "/work")

    root = plain_yaml.read(text)

    assert root is not None
    assert shape(root) == by_parser(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a: &x 1\nb: *x\n",
        "---\na: 1\n",
        "a: 1\n...\n",
        "a: |\n  b\n",
        "a: 1\n  b: 2\n",
        "a:\n  b: 1\n c: 2\n",
        "a: yes\n",
        "a: 05000\n",
        "a: 1.5\n",
        "a: ~\n",
        "a:\n- b\n",
        "a: b c\n",
        "a: [1,\n 2]\n",
        "a: é\n",
        "a: 1\r\n",
        "- a\n",
        "a\n",
        "a: '\n",
        "a: " + "[" * 11 + "]" * 11 + "\n",
    ],
)
def test_what_has_more_to_it_is_left_to_the_parser(text: str) -> None:
    assert plain_yaml.read(text) is None
