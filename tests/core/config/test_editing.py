"""A file's exclusions are changed, and nothing else in the file is."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from trop_core.config import list_text
from trop_core.config.editing import Edit, edited
from trop_core.errors.configuration import ConfigError
from trop_core.ports.exclusions import Exclusions, Range, rewritten, spelled
from trop_core.small_files import LARGEST_CONFIGURATION


def exclude(text: str, *ports: Range, project: bool = True) -> Edit:
    return edited(text, "/w/trop.yaml", project=project, add=Exclusions.of(ports))


def compact(text: str) -> Edit:
    return edited(text, "/w/trop.yaml", project=True, compact=True)


HEAD = "# The shop.\nproject: 'shop'   # kept\nports: {min: 5000,   max: 7000}\n"
TAIL = "cleanup:\n    expire_after_days: 7\n\n# The end."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", "excluded_ports: [5432]\n", id="an empty file"),
        pytest.param("\n\n", "\n\nexcluded_ports: [5432]\n", id="blank lines"),
        pytest.param("# Nothing yet.\n", "# Nothing yet.\nexcluded_ports: [5432]\n", id="only comments"),
        pytest.param("# Nothing yet.", "# Nothing yet.\nexcluded_ports: [5432]", id="no final line feed"),
        pytest.param(
            "# Nothing yet.\r\n", "# Nothing yet.\r\nexcluded_ports: [5432]\r\n", id="lines that end with CR LF"
        ),
        pytest.param("---\n", "---\nexcluded_ports: [5432]\n", id="a document that begins"),
        pytest.param("---\n...\n", "---\nexcluded_ports: [5432]\n...\n", id="a document that ends"),
        pytest.param("null # yet\n", "excluded_ports: [5432] # yet\n", id="null"),
        pytest.param("{}\n", "{excluded_ports: [5432]}\n", id="an empty mapping"),
        pytest.param("{project: a}", "{project: a, excluded_ports: [5432]}", id="a mapping in braces"),
        pytest.param("{project: a,\n}", "{project: a, excluded_ports: [5432],\n}", id="braces and a last comma"),
        pytest.param("project: a\n", "project: a\nexcluded_ports: [5432]\n", id="other keys"),
        pytest.param("  project: a\n", "  project: a\n  excluded_ports: [5432]\n", id="keys that are indented"),
        pytest.param("project: a\n# end", "project: a\n# end\nexcluded_ports: [5432]", id="a comment at the end"),
        pytest.param("ports:\n  min: 1\n...\n", "ports:\n  min: 1\nexcluded_ports: [5432]\n...\n", id="before the end"),
        pytest.param("excluded_ports:\n", "excluded_ports: [5432]\n", id="a key without a value"),
        pytest.param("excluded_ports:\nproject: a", "excluded_ports: [5432]\nproject: a", id="and then another key"),
        pytest.param("excluded_ports  :   \n\n", "excluded_ports  : [5432]   \n\n", id="white space around a colon"),
        pytest.param("{excluded_ports: }", "{excluded_ports: [5432] }", id="no value in braces"),
        pytest.param("excluded_ports: ~ # none\n", "excluded_ports: [5432] # none\n", id="a null value"),
        pytest.param("excluded_ports: # none\nproject: a", "excluded_ports: [5432] # none\nproject: a", id="a comment"),
        pytest.param("excluded_ports: []", "excluded_ports: [5432]", id="an empty list"),
        pytest.param("excluded_ports: [ # a\n # b\n]", "excluded_ports: [5432 # a\n # b\n]", id="only comments in it"),
        pytest.param("excluded_ports: [ ]\n", "excluded_ports: [5432]\n", id="an empty list with a space"),
        pytest.param(
            "<<: {excluded_ports: [1]}\n", "<<: {excluded_ports: [1]}\nexcluded_ports: [1, 5432]\n", id="merged"
        ),
    ],
)
def test_the_first_exclusion_makes_a_list_where_none_is(before: str, after: str) -> None:
    edit = exclude(before, (5432, 5432))

    assert edit.changed
    assert edit.text == after


@pytest.mark.parametrize(
    ("before", "ports", "after"),
    [
        pytest.param("[5001]", (6000, 6001), "[5001, 6000..6001]", id="another one"),
        pytest.param("[ 5001,5003 ]", (6000, 6000), "[ 5001,5003,6000 ]", id="as the others are written"),
        pytest.param("[5001, 7000]", (6000, 6000), "[5001, 6000, 7000]", id="where the order wants it"),
        pytest.param("[7000, 5001]", (6000, 6000), "[7000, 5001, 6000]", id="last where there is no order"),
        pytest.param("[5001]", (5002, 5002), "[5001..5002]", id="a neighbour above"),
        pytest.param("[5001]", (5000, 5000), "[5000..5001]", id="a neighbour below"),
        pytest.param("[5001..5005]", (5004, 5009), "[5001..5009]", id="an overlap"),
        pytest.param("[5001, 5003]", (5002, 5002), "[5001..5003]", id="a gap that is closed"),
        pytest.param("[5003, 9000, 5001]", (5002, 5002), "[5001..5003, 9000]", id="merged where the first one was"),
        pytest.param("[5001, 5002, 9000]", (7000, 7000), "[5001..5002, 7000, 9000]", id="neighbours that were there"),
        pytest.param("[5001, 5003]", (5000, 5009), "[5000..5009]", id="all of it"),
        pytest.param("['5001..5003']", (5004, 5004), "['5001..5004']", id="single quotes"),
        pytest.param('[5001, "7001..7003"]', (5002, 5002), '["5001..5002", "7001..7003"]', id="double quotes"),
        pytest.param("['5001', 7000]", (8000, 8000), "['5001', 7000, 8000]", id="a number in quotes"),
        pytest.param(
            "[{start: 5001, end: 5003}, 7000]",
            (8000, 8000),
            "[{start: 5001, end: 5003}, 7000, 8000]",
            id="a range by its ends",
        ),
        pytest.param("[{start: 5001, end: 5003}]", (5004, 5004), "[5001..5004]", id="a range by its ends that grows"),
        pytest.param("['5001 .. 5003']", (5004, 5004), "['5001..5004']", id="spaces around the dots"),
        pytest.param("[\n  5001,\n  7000,\n]", (6000, 6000), "[\n  5001,\n  6000, 7000,\n]", id="several lines"),
        pytest.param("[\n  5001,\n  5002,\n]", (5003, 5003), "[\n  5001..5003,\n]", id="fewer lines"),
        pytest.param("&all [5001]", (6000, 6000), "&all [5001, 6000]", id="an anchor of the list"),
        pytest.param("[&web 5001, 5003]", (5002, 5002), "[&web 5001, 5002..5003]", id="an anchor of an entry"),
    ],
)
def test_a_list_in_brackets_keeps_its_look(before: str, ports: Range, after: str) -> None:
    edit = exclude(f"{HEAD}excluded_ports: {before}  # mine\n{TAIL}", ports)

    assert edit.text == f"{HEAD}excluded_ports: {after}  # mine\n{TAIL}"


@pytest.mark.parametrize(
    ("before", "ports", "after"),
    [
        pytest.param("  - 5001\n", (6000, 6000), "  - 5001\n  - 6000\n", id="another one"),
        pytest.param("- 5001\n", (6000, 6000), "- 5001\n- 6000\n", id="without indentation"),
        pytest.param("  -   5001\n", (6000, 6000), "  -   5001\n  -   6000\n", id="with room after the dash"),
        pytest.param("  - 5001 # a\n", (5002, 5002), "  - 5001..5002 # a\n", id="a comment beside it"),
        pytest.param(
            "  # a\n  - 5001\n\n  # b\n  - 7000\n",
            (6000, 6000),
            "  # a\n  - 5001\n  - 6000\n\n  # b\n  - 7000\n",
            id="between comments",
        ),
        pytest.param(
            "  - 5001 # a\n  # b\n  - 5003 # c\n",
            (5002, 5002),
            "  # b\n  # 5003: c\n  - 5001..5003 # a\n",
            id="comments of what is merged",
        ),
        pytest.param(
            "  -\n    # a\n    5001\n  - # b\n    7000\n",
            (5002, 5002),
            "  -\n    # a\n    5001..5002\n  - # b\n    7000\n",
            id="entries on lines of their own",
        ),
        pytest.param(
            "  -\n    5001\n", (7000, 7000), "  -\n    5001\n  - 7000\n", id="a new one after an entry of two lines"
        ),
        pytest.param("  - '5001..5003'\n", (7000, 7001), "  - '5001..5003'\n  - '7000..7001'\n", id="quotes"),
        pytest.param(
            "  # old: - 1\n  - 5001\n", (7000, 7000), "  # old: - 1\n  - 5001\n  - 7000\n", id="a dash in a comment"
        ),
        pytest.param("  - &web 5001\n  - 5003\n", (5002, 5002), "  - &web 5001\n  - 5002..5003\n", id="an anchor"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
def test_a_list_with_dashes_keeps_its_look(before: str, ports: Range, after: str, ending: str) -> None:
    edit = exclude(f"{HEAD}excluded_ports:\n{before}{TAIL}".replace("\n", ending), ports)

    assert edit.text == f"{HEAD}excluded_ports:\n{after}{TAIL}".replace("\n", ending)


def test_a_list_at_the_end_of_a_file_without_a_final_line_feed_gets_none() -> None:
    edit = exclude("excluded_ports:\n- 5001", (7000, 7000))

    assert edit.text == "excluded_ports:\n- 5001\n- 7000"


@pytest.mark.parametrize(
    ("before", "ports", "after"),
    [
        pytest.param(
            "[ # head\n    # a\n    5001, # b\n    # c\n    5003 # d\n    # tail\n  ]",
            (5002, 5002),
            "[ # head\n    # a\n    # c\n    # 5003: d\n    5001..5003 # b\n    # tail\n  ]",
            id="merged",
        ),
        pytest.param(
            "[ 5001, # b\n 5005 ]", (7000, 7000), "[\n  5001, # b\n  5005,\n  7000\n]", id="added, an entry per line"
        ),
        pytest.param(
            "[\n  5001, # b\n  7000, # c\n]",
            (6000, 6000),
            "[\n  5001, # b\n  6000,\n  7000, # c\n]",
            id="with a last comma",
        ),
    ],
)
def test_a_list_in_brackets_keeps_the_comments_inside(before: str, ports: Range, after: str) -> None:
    edit = exclude(f"{HEAD}excluded_ports: {before}\n{TAIL}", ports)

    assert edit.text == f"{HEAD}excluded_ports: {after}\n{TAIL}"


@pytest.mark.parametrize(
    "text",
    [
        "excluded_ports: [5001, 5002, 5003]",
        "excluded_ports: [5001..5009, 5003]\n",
        "excluded_ports:\n- 5002\n- 5001\n- 5003 # c",
        "<<: {excluded_ports: [5001..5003]}\n",
        "ports: {min: &low 5002}\nexcluded_ports: [5001, *low, 5003]",
    ],
)
def test_what_is_excluded_already_changes_nothing(text: str) -> None:
    edit = exclude(text, (5001, 5003))

    assert not edit.changed
    assert edit.text == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("[7000, 5002, 5001]", "[5001..5002, 7000]", id="in brackets"),
        pytest.param("[5001, 5001, 5001]", "[5001]", id="the same three times"),
        pytest.param("[\n  7000,\n  5001,\n  5002,\n]", "[\n  5001..5002,\n  7000,\n]", id="on several lines"),
        pytest.param(
            "\n  # seven\n  - 7000 # a\n  - 5002 # b\n  # five\n  - 5001 # c",
            "\n  # five\n  # 5001: c\n  - 5001..5002 # b\n  # seven\n  - 7000 # a",
            id="with dashes",
        ),
        pytest.param(
            "[\n  7000, # a\n  5002, # b\n  5001\n]",
            "[\n  5001..5002, # b\n  7000 # a\n]",
            id="in brackets with comments",
        ),
        pytest.param("[&a 5002, 5001, 5000]", "[5000..5001, &a 5002]", id="an anchor"),
    ],
)
def test_compacting_sorts_and_merges(before: str, after: str) -> None:
    edit = compact(f"{HEAD}excluded_ports: {before}\n{TAIL}")

    assert edit.text == f"{HEAD}excluded_ports: {after}\n{TAIL}"
    assert compact(edit.text) == (edit.after, edit.after, edit.text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "project: a\n",
        "excluded_ports:\n",
        "excluded_ports: []\n",
        "excluded_ports: [ 5001 ,5003..5004]",
        "excluded_ports:\n  - '5001..5001'\n  # x\n  - '8080'",
        "<<: {excluded_ports: [5001..5003]}\n",
    ],
)
def test_compacting_what_is_compact_changes_nothing(text: str) -> None:
    edit = compact(text)

    assert not edit.changed
    assert edit.text == text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("? excluded_ports\n: - 5001\n", (2, 3), id="a key with a question mark"),
        pytest.param(
            "<<: {excluded_ports: &e [5001]}\nexcluded_ports: *e\n", (1, 22), id="a list that stands elsewhere"
        ),
        pytest.param("{excluded_ports}", (None, None), id="a key without a colon"),
        pytest.param("--- null\n", (None, None), id="null on the first line of a document"),
        pytest.param("excluded_ports: &a\nproject: *a\n", (None, None), id="an anchor that is needed"),
    ],
)
def test_a_list_that_cannot_be_changed_with_certainty_is_refused(text: str, place: tuple[int | None, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        exclude(text, (6000, 6000))

    (problem,) = refused.value.problems
    assert (problem.line, problem.column, problem.key) == (*place, "excluded_ports")
    assert "write it as a plain list, such as excluded_ports: [5001, 5005..5009]" in problem.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("excluded_ports: [5001\n", 2),
        ("excluded_ports: [5001]\nexcluded_ports: [5002]\n", 2),
        ("excluded_ports: [0]\n", 1),
        ("excluded_ports: 5001\n", 1),
        ("project: 5\nexclude: [1]\n", 1),
    ],
)
def test_a_broken_file_is_refused_with_the_place(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as refused:
        exclude(text, (6000, 6000))

    assert refused.value.problems[0].line == line


def test_the_global_file_has_keys_of_its_own() -> None:
    assert exclude("output_format: json\n", (1, 1), project=False).changed
    with pytest.raises(ConfigError):
        exclude("project: a\n", (1, 1), project=False)


@pytest.mark.usefixtures("unmeasured")
def test_thirty_thousand_entries_are_merged() -> None:
    text = "excluded_ports:\n" + "".join(f"- {port}\n" for port in range(2, 60_000, 2))

    edit = exclude(text, *((port, port) for port in range(3, 60_000, 2)))

    assert len(text) < LARGEST_CONFIGURATION
    assert edit.text == "excluded_ports:\n- 2..59999\n"


# Laws

RANGES = st.tuples(st.integers(5000, 5030), st.integers(0, 3)).map(lambda drawn: (drawn[0], sum(drawn)))


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str, list[str]]:
    """A file in three parts, the list in the middle, and the words of the comments in that."""
    words: list[str] = []

    def comment(indent: str = "") -> str:
        words.append(f"word{len(words)}.")
        return f"{indent}#{draw(st.sampled_from(['', ' ', '## ']))}{words[-1]}"

    ports = draw(st.lists(RANGES, min_size=1, max_size=8))
    quote = draw(st.sampled_from(["", "'", '"']))
    values = [str(low) if low == high else f"{quote}{low}..{high}{quote}" for low, high in ports]
    if draw(st.booleans()):
        values[0] = f"&first {values[0]}"
    style = draw(st.sampled_from(["dashes", "brackets", "lines"]))
    lines: list[str] = []
    indent = draw(st.sampled_from(["", "  ", "    "])) if style == "dashes" else "  "
    for number, value in enumerate(values):
        if style == "brackets":
            continue
        lines += [comment(draw(st.sampled_from(["", indent]))) for _ in range(draw(st.integers(0, 2)))]
        lines += [""] * draw(st.integers(0, 1))
        end = "," if style == "lines" and (number < len(values) - 1 or draw(st.booleans())) else ""
        beside = comment(" ") if draw(st.booleans()) else ""
        lines.append(f"{indent}{'- ' if style == 'dashes' else ''}{value}{end}{beside}")
    if style == "dashes":
        middle = "excluded_ports:" + "".join(f"\n{line}" for line in lines)
    elif style == "lines":
        middle = "excluded_ports: [" + "".join(f"\n{line}" for line in lines) + "\n]"
    else:
        middle = "excluded_ports: [" + draw(st.sampled_from([", ", ",", " ,  ", "\n  , "])).join(values) + "]"
    head = draw(st.sampled_from(["", HEAD, "---\n", '\n# é 😀\nproject: "a: b"\n']))
    tails = ["", "\n", f"\n{TAIL}", "\n  # below\n# - 1\n"]
    tail = draw(st.sampled_from(tails if style == "dashes" else [*tails, "  # beside\n"]))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    head, middle, tail = (part.replace("\n", ending) for part in (head, middle, tail))
    return head, middle, tail, words


def values_of(text: str) -> dict[str, Any]:
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def set_of(text: str) -> set[int]:
    found: set[int] = set()
    for entry in values_of(text)["excluded_ports"]:
        low, _, high = str(entry).partition("..")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def check_the_rest(parts: tuple[str, str, str, list[str]], new: str) -> None:
    head, middle, tail, words = parts
    assert new.startswith(head)
    assert new.endswith(tail)
    for word in words:
        assert new.count(word) == 1, word
    assert len(re.findall("#", new)) >= len(words)
    others = {key: value for key, value in values_of(head + middle + tail).items() if key != "excluded_ports"}
    assert {key: value for key, value in values_of(new).items() if key != "excluded_ports"} == others
    # Entries that become one may take the only line break with them.
    assert ("\r" in new) == ("\r" in head + middle + tail) or "\n" not in new


@given(files(), RANGES)
def test_excluding_adds_these_ports_and_loses_no_comment(parts: tuple[str, str, str, list[str]], ports: Range) -> None:
    text = "".join(parts[:3])

    edit = exclude(text, ports)

    assert set_of(edit.text) == set_of(text) | set(range(ports[0], ports[1] + 1))
    check_the_rest(parts, edit.text)
    assert exclude(edit.text, ports) == (edit.after, edit.after, edit.text)
    assert edit.changed == (edit.text != text) == (not set(range(ports[0], ports[1] + 1)) <= set_of(text))


@given(files())
def test_compacting_keeps_the_set_and_every_comment(parts: tuple[str, str, str, list[str]]) -> None:
    text = "".join(parts[:3])

    edit = compact(text)

    assert set_of(edit.text) == set_of(text)
    check_the_rest(parts, edit.text)
    assert list(edit.after) == sorted(edit.after)
    if "&first" not in text:
        assert edit.after == Exclusions.of(edit.before).ranges
    assert compact(edit.text) == (edit.after, edit.after, edit.text)


@given(st.lists(RANGES), st.lists(RANGES), st.booleans())
@example([(5001, 5001), (5000, 5000)], [], False)
def test_a_list_that_is_rewritten_has_its_ports_once_and_keeps_its_order(
    written: list[Range], added: list[Range], ascending: bool
) -> None:
    entries = rewritten(written, added, ascending=ascending)

    ranges = [entry.ports for entry in entries]
    assert Exclusions.of(ranges) == Exclusions.of([*written, *added])
    assert len(ranges) == len(Exclusions.of(ranges).ranges)
    assert sorted(part for entry in entries for part in entry.parts) == list(range(len(written)))
    firsts = [entry.parts[0] for entry in entries if entry.parts]
    assert ranges == sorted(ranges) if ascending else firsts == sorted(firsts)


@given(st.lists(RANGES), st.lists(RANGES))
def test_what_one_set_has_without_another(one: list[Range], other: list[Range]) -> None:
    rest = Exclusions.of(one).without(Exclusions.of(other))

    def numbers(ranges: Exclusions) -> set[int]:
        return {port for low, high in ranges.ranges for port in range(low, high + 1)}

    assert numbers(rest) == numbers(Exclusions.of(one)) - numbers(Exclusions.of(other))
    assert Exclusions.of(rest.ranges) == rest


def test_ranges_are_spelled_as_a_configuration_has_them() -> None:
    assert [spelled(ports) for ports in ((5001, 5001), (5001, 5009))] == ["5001", "5001..5009"]


@pytest.mark.parametrize("wrong", ["[1]", "[6000]\nproject: other", "[6000", "~"])
def test_what_comes_of_a_change_is_read_before_it_counts(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr(list_text, "of_new", lambda ranges: wrong)

    with pytest.raises(ConfigError, match="trop cannot tell how to change this"):
        exclude("ports: {min: 1}\n", (6000, 6000))


def test_a_variable_that_is_refused_is_in_nobodys_way_and_may_move() -> None:
    rest = "reservations: {services: {web: {env: PATH}, api: {}}}\n"

    edit = exclude(f"excluded_ports:\n  - 5001\n{rest}", (5432, 5432))

    assert edit.text == f"excluded_ports:\n  - 5001\n  - 5432\n{rest}"
