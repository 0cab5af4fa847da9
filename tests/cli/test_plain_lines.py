"""What is read without argparse is what argparse reads, and nothing that argparse refuses or answers is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from trop_server.cli.parser import build, parse
from trop_server.cli.plain_line import Argument, PlainGrammar, read
from trop_server.cli.subcommands import SUBCOMMANDS, add_arguments, add_global

GLOBAL = ["--verbose", "--quiet", "--data-dir", "--busy-timeout", "--disable-autoinit"]
VALUES = [
    "web",
    "5000",
    "",
    "-",
    "-1",
    "--",
    "a b",
    "-a b",
    "a=b",
    "JSON",
    "table",
    "Json",
    "export",
    "é",
    "\udcff",
    "{}",
]
ODD = ["--help", "-h", "-V", "--version", "--verb", "--tag=", "--quiet=yes", "--no-such", "-q", "help", "--tagg", "-"]


def grammar(subcommand: str) -> PlainGrammar:
    made = PlainGrammar()
    add_global(made, top=False)
    add_arguments(made, subcommand)
    return made


GRAMMARS = {name: grammar(name) for name in SUBCOMMANDS}


def texts(argument: Argument) -> st.SearchStrategy[str]:
    """Mostly what the argument takes."""
    known = [str(choice) for choice in argument._choices or ()]
    return st.sampled_from([*known, *map(str.upper, known)] or ["5000", "web"]) | st.sampled_from(VALUES)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Lines that are mostly right."""
    subcommand = draw(st.sampled_from(list(SUBCOMMANDS)))
    own = GRAMMARS[subcommand]

    def option(names: list[str]) -> list[str]:
        name = draw(st.sampled_from(names))
        argument = own.options[name]
        if argument.action not in ("store", "append"):
            return [name]
        text = draw(texts(argument))
        return [f"{name}={text}"] if draw(st.booleans()) else [name, text]

    before = [option(GLOBAL) for _ in range(draw(st.integers(0, 2)))]
    behind = [option(list(own.options)) for _ in range(draw(st.integers(0, 4)))]
    behind += [option([name]) for name, argument in own.options.items() if argument.required and draw(st.booleans())]
    count = draw(st.integers(0, len(own.words) + 1)) if draw(st.booleans()) else len(own.words)
    words = [draw(texts(own.words[min(place, len(own.words) - 1)])) for place in range(count) if own.words]
    behind = draw(st.permutations(behind))
    behind.insert(draw(st.integers(0, len(behind))), words)
    line = [word for part in (*before, [subcommand], *behind) for word in part]
    if draw(st.integers(0, 3)) == 0:
        odd = st.sampled_from([*ODD, *VALUES, *SUBCOMMANDS, *own.options])
        line.insert(draw(st.integers(0, len(line))), draw(odd))
    return line


@pytest.mark.usefixtures("unmeasured")
@settings(max_examples=examples(800), deadline=None)
@given(line=lines())
def test_a_line_that_is_read_is_read_as_argparse_reads_it(line: list[str]) -> None:
    said = read(line)

    assert said is None or vars(said) == vars(parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "reserve",
        "reserve --tag web --port 5000",
        "--quiet reserve --tag=web",
        "reserve --disable-autoclean --allow-project-change",
        "autoreserve --shell BASH --format json",
        "reserve-group trop.yaml --quiet",
        "list",
        "list --format json --filter-tag web --show-full-paths",
        "port-info 5000 --include-occupancy",
        "release --recursive --dry-run",
        "migrate --from a --to b",
        "exclude 5000..5005",
        "url",
        "status --format json",
        "run true",
        "run --env A={port} --env B=1 -- make --help",
        "run make -j 4 --port {port}",
        "call trop.list {}",
        "hook claude --within 60",
        "completions bash",
    ],
)
def test_what_stands_in_scripts_is_read_without_argparse(line: str) -> None:
    said = read(line.split())

    assert said is not None
    assert vars(said) == vars(parse(line.split()))


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_argparse_and_the_plain_grammar_know_the_same_options(subcommand: str) -> None:
    known: Any = build([subcommand]).subcommands[subcommand]._option_string_actions

    assert {name for name in known if name not in ("-h", "--help")} == set(GRAMMARS[subcommand].options)


@pytest.mark.parametrize(
    "line", ["", "--help", "reserve --help", "reserve --verb", "reserve a", "help", "list --format", "-V"]
)
def test_what_argparse_answers_or_refuses_is_not_read(line: str) -> None:
    assert read(line.split()) is None
