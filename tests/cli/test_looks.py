"""What a terminal gets of colour, links and signs, and what nothing else gets."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.sandbox import TROP, error_lines
from support.servers import server
from support.sockets import free_block
from support.strange import NAME, SHOWN

from trop_server.cli.terminal import Look, Span, width_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import Sandbox
    from support.terminal import Terminal

XTERM: dict[str, Any] = {"TERM": "xterm-256color"}
GROUP = "ports: {{min: {0}, max: {1}}}\nreservations: {{services: {{web: {{}}, api: {{}}, db: {{}}}}}}\n"
TITLE_OR_CURSOR = re.compile(r"\x1b(?!\[\d+m|\]8;;(?:http://localhost:\d+/)?\x1b\\|\\)")
"""Any sequence but a colour, and a link to this machine."""


def link(port: int) -> str:
    return f"\x1b]8;;http://localhost:{port}/\x1b\\{port}\x1b]8;;\x1b\\"


def test_status_in_a_terminal_has_signs_words_colours_and_links(
    sandbox: Sandbox, terminal: Callable[..., Terminal]
) -> None:
    lowest = free_block()
    (sandbox.work / "trop.yaml").write_text(GROUP.format(lowest, lowest + 99))
    sandbox.reserve("--tag", "web")
    sandbox.reserve("--tag", "api")
    sandbox.reserve("--tag", "old")

    with server(lowest, sandbox.work) as pid:
        shown = terminal(TROP, **XTERM, TROP_SKIP_OCCUPANCY_CHECK=None).rest()

    user = f"{shown.split(f' ({pid})')[0].rpartition(' ')[2]} ({pid})"
    assert shown.replace(user, "python (1)").replace(str(sandbox.work), "/work") == (
        "\x1b[1m/work\x1b[0m\n"
        "\x1b[1mSTATE\x1b[0m         \x1b[1mTAG\x1b[0m  \x1b[1mPORT\x1b[0m   \x1b[1mVARIABLE\x1b[0m  "
        f"\x1b[1mURL\x1b[0m                      \x1b[1mUSED BY\x1b[0m\n"
        f"\x1b[32m● own\x1b[0m         web  {link(lowest)}  WEB_PORT  http://localhost:{lowest}/  python (1)\n"
        f"○ free        api  {link(lowest + 1)}  API_PORT  http://localhost:{lowest + 1}/  -\n"
        "\x1b[33m+ unreserved\x1b[0m  db   -      DB_PORT   -                        -\n"
        f"○ free        old  {link(lowest + 2)}  OLD_PORT  http://localhost:{lowest + 2}/  -"
        f"{' ' * (len(user) - 1)}  \x1b[33mnot in the file\x1b[0m\n"
        "Not reserved yet: db. trop autoreserve reserves all of them.\n"
        "Settings come from:\n"
        "  ports.max: /work/trop.yaml:1:26\n"
        "  ports.min: /work/trop.yaml:1:14\n"
        "  reservations: /work/trop.yaml:2:15\n"
    )


def test_into_a_pipe_it_is_plain_and_cut_at_tabs(sandbox: Sandbox) -> None:
    port = sandbox.reserve()

    done = sandbox.trop("status", **XTERM)

    assert done.stdout.splitlines() == [
        str(sandbox.work),
        "STATE\tTAG\tPORT\tVARIABLE\tURL\tUSED BY",
        f"unknown\t-\t{port}\tPORT\thttp://localhost:{port}/\t-",
        *done.stdout.splitlines()[3:],
    ]
    assert "\x1b" not in done.stdout
    assert done.stdout.isascii()


def test_list_in_a_terminal_links_its_ports_and_marks_what_is_missing(
    sandbox: Sandbox, terminal: Callable[..., Terminal]
) -> None:
    wide, gone = sandbox.directory("日本語"), sandbox.work / "gone"
    for path in (wide, gone):
        sandbox.reserve("--path", str(path))

    shown = terminal(TROP, "list", **XTERM).rest()
    bare = terminal(TROP, "list", NO_COLOR="1", **XTERM).rest()

    header, missing, there = shown.splitlines()
    assert header.startswith("\x1b[1mPORT\x1b[0m  \x1b[1mPATH\x1b[0m")
    assert missing.startswith(f"{link(5001)}  ")
    assert missing.endswith("  \x1b[31m✗ missing\x1b[0m")
    assert there.startswith(f"{link(5000)}  ")
    unlinked = re.sub(r"\x1b\][^\\]*\\", "", bare)
    starts = re.findall(r"^(.*?)(?:CREATED_AT|\d{4}-\d\d-\d\d \d)", unlinked, re.MULTILINE)
    assert len({width_of(start) for start in starts}) == 1
    assert len(starts) == 3
    assert re.search(r"\x1b\[\d", bare) is None
    assert bare.splitlines()[1].endswith("  ✗ missing")


@pytest.mark.parametrize("subcommand", ["list", "status"])
def test_nothing_of_a_stranger_is_obeyed_in_a_terminal(
    sandbox: Sandbox, terminal: Callable[..., Terminal], subcommand: str
) -> None:
    place = sandbox.directory(NAME)
    sandbox.reserve("--path", str(place), "--tag", "\U0001f469\u200d\U0001f4bb")

    shown = terminal(TROP, subcommand, "--path" if subcommand == "status" else "--filter-path", str(place), **XTERM)

    text = shown.rest()
    assert SHOWN in text
    assert TITLE_OR_CURSOR.search(text) is None


def test_a_pipe_gets_colour_only_by_force_and_a_link_never(sandbox: Sandbox) -> None:
    sandbox.reserve("--path", str(sandbox.work / "gone"))

    plain = sandbox.trop("list", NO_COLOR=None, FORCE_COLOR=None, **XTERM).stdout
    forced = sandbox.trop("list", NO_COLOR=None, FORCE_COLOR="1", **XTERM).stdout
    as_json = sandbox.trop("list", "--format", "json", NO_COLOR=None, FORCE_COLOR="1").stdout

    assert plain.rstrip().endswith("\tmissing")
    assert forced.rstrip().endswith("\t\x1b[31mmissing\x1b[0m")
    assert re.sub(r"\x1b\[\d+m", "", forced) == plain
    assert "\x1b" not in as_json


@pytest.mark.parametrize(
    ("environment", "to_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"CLICOLOR": "0"}, True, False),
        ({"CLICOLOR": "1"}, False, False),
        ({"CLICOLOR": "0", "FORCE_COLOR": "1"}, True, True),
    ],
    ids=str,
)
def test_colour_is_where_it_is_wanted(environment: dict[str, str], to_terminal: bool, expected: bool) -> None:
    assert Look.of(environment, to_terminal=to_terminal).colour is expected


@pytest.mark.parametrize(
    ("term", "to_terminal", "expected"),
    [("xterm", True, True), ("dumb", True, False), ("linux", True, False), ("xterm", False, False)],
)
def test_links_are_where_they_are_understood(term: str, to_terminal: bool, expected: bool) -> None:
    assert Look.of({"TERM": term, "NO_COLOR": "1"}, to_terminal=to_terminal).links is expected


def test_a_cell_that_is_a_tab_is_no_column() -> None:
    assert Look().paint(Look().table([[Span("A"), Span("B")], [Span("\t"), Span("b")]])) == b"A\tB\n\\t\tb\n"


def test_a_terminal_without_a_subcommand_gets_the_status(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    named = sandbox.root / "elsewhere"

    bare = terminal(TROP, "--data-dir", str(named)).rest()
    unfinished = terminal(TROP, "--data-dir").rest()
    unknown = terminal(TROP, "--bogus").rest()

    assert bare.splitlines()[:2] == [
        f"{sandbox.work}: nothing is reserved here.",
        "trop reserve gives this directory a port.",
    ]
    assert not named.exists()
    assert "SUBCOMMAND" in unfinished
    assert "unrecognized arguments: --bogus" in unknown


def test_a_pipe_without_a_subcommand_gets_the_usage_error(sandbox: Sandbox) -> None:
    done = sandbox.trop()

    assert (done.returncode, done.stdout) == (4, "")
    assert "SUBCOMMAND" in error_lines(done)[0]


def test_what_draws_is_imported_for_a_terminal_alone(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    sandbox.reserve()
    program = (
        "import sys; from trop_server.cli.main import run; run(['list']); sys.stdout.flush(); "
        "print('drawn' if 'trop_server.cli.terminal' in sys.modules else 'plain')"
    )

    piped = sandbox.run(sys.executable, "-c", program, FORCE_COLOR=None)
    shown = terminal(sys.executable, "-c", program, **XTERM).rest()

    assert piped.stdout.splitlines()[-1] == "plain"
    assert shown.splitlines()[-1] == "drawn"
