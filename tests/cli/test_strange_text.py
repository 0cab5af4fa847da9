"""Whatever a directory, a tag, a branch, a process or a file holds: a terminal shows it, and does not obey it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.repositories import git, make_repository
from support.rows import fill, row
from support.sandbox import TROP, as_json
from support.strange import NAME, SHOWN, TITLE, ZOO, is_inert

from trop_server.cli.printing import answer_bytes, one_per_line
from trop_server.cli.printing import as_json as printed_json
from trop_server.cli.tables import render_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.sandbox import Sandbox

ANY_TEXT = st.text(st.characters(categories=None) | st.sampled_from('\x00\x1b\x7f\x9b\n\t\r,"\u2028\u202e\ud800'))


class TestTheBorder:
    """The functions that everything printed goes through."""

    @given(ANY_TEXT)
    def test_an_answer_holds_nothing_that_a_terminal_obeys(self, text: str) -> None:
        assert is_inert(answer_bytes(text).decode(), tabs=True)

    @given(st.lists(ANY_TEXT))
    def test_a_text_is_a_line(self, texts: list[str]) -> None:
        answer = one_per_line(texts)

        assert is_inert(answer)
        assert answer.count("\n") == len(texts)

    @given(st.lists(ANY_TEXT))
    def test_json_is_plain_ascii_and_loses_nothing(self, texts: list[str]) -> None:
        answer = printed_json(texts)

        assert answer.isascii()
        assert is_inert(answer)
        assert answer_bytes(answer).decode() == answer
        assert json.loads(answer) == texts

    @pytest.mark.parametrize("form", ["table", "csv", "tsv"])
    @given(rows=st.lists(st.tuples(ANY_TEXT, st.none() | ANY_TEXT)))
    def test_a_row_is_a_line(self, form: str, rows: list[tuple[str, str | None]]) -> None:
        answer = render_records(("one", "other"), rows, form)

        assert is_inert(answer, tabs=form != "csv")
        assert answer.count("\n") == len(rows) + 1
        if form != "table":
            read = [*csv.reader(io.StringIO(answer, newline=""), delimiter="," if form == "csv" else "\t")]
            assert [len(each) for each in read] == [2] * (len(rows) + 1)


@pytest.fixture
def strange(sandbox: Sandbox) -> Path:
    """A directory called by everything at once, whose reservations are called so, too."""
    place = sandbox.directory(NAME)
    sandbox.data = place / f"data{TITLE}"
    (place / "trop.yaml").write_text("# nothing\n")
    rows = [
        row(str(place), 5000, "", NAME, NAME),
        row(str(place), 5001, NAME, NAME),
        row(f"{place}/gone", 5002, NAME),
        row(f"{place}/other", 5003),
        row(f"{place}/other", 5004, NAME),
    ]
    fill(sandbox.data, rows)
    return place


SPOKEN: dict[str, tuple[list[str], int]] = {
    "reserve": (["reserve", "--verbose", "--tag", "new"], 0),
    "another project": (["reserve", "--project", "other"], 1),
    "a missing path": (["reserve", "--path", f"{TITLE}/missing"], 0),
    "unrelated": (["reserve", "--path", f"/{NAME}"], 1),
    "a tag": (["reserve", "--tag", NAME], 4),
    "show-path": (["show-path"], 0),
    "show-path canonical": (["show-path", "--path", ".", "--canonicalize"], 0),
    "show-data-dir": (["show-data-dir"], 0),
    "release dry": (["release", "--dry-run"], 0),
    "release": (["release", "--recursive"], 0),
    "release nothing": (["release", "--path", f"{TITLE}/nothing"], 0),
    "list": (["list", "--show-full-paths"], 0),
    "list json": (["list", "--format", "json"], 0),
    "list csv": (["list", "--format", "csv"], 0),
    "list tsv": (["list", "--format", "tsv"], 0),
    "list filtered": (["list", "--filter-path", TITLE], 0),
    "list-projects": (["list-projects"], 0),
    "port-info": (["port-info", "5001"], 0),
    "port-info of what is gone": (["port-info", "5002", "--include-occupancy"], 0),
    "scan": (["scan"], 0),
    "migrate": (["migrate", "--from", "gone", "--to", f"new{TITLE}"], 0),
    "migrate dry": (["migrate", "--from", "gone", "--to", f"new{TITLE}", "--dry-run"], 0),
    "migrate quiet": (["migrate", "--from", "gone", "--to", f"new{TITLE}", "--quiet"], 0),
    "migrate into a conflict": (["migrate", "--from", "gone", "--to", "other"], 6),
    "migrate over a conflict": (["migrate", "--from", "gone", "--to", "other", "--force"], 0),
    "migrate nothing": (["migrate", "--from", f"none{TITLE}", "--to", f"new{TITLE}"], 6),
    "prune": (["prune", "--dry-run"], 0),
    "expire": (["expire", "--dry-run"], 0),
    "autoclean": (["autoclean"], 0),
    "init": (["init"], 0),
    "init overwrite": (["init", "--overwrite", "--with-config", "--dry-run"], 0),
    "validate": (["validate", "trop.yaml"], 0),
    "validate nothing": (["validate", f"{TITLE}.yaml"], 4),
    "autoreserve": (["autoreserve"], 7),
    "reserve-group": (["reserve-group", f"{TITLE}.yaml"], 4),
    "exclude": (["exclude", "6900"], 0),
    "exclude globally": (["exclude", "6900", "--global"], 0),
    "compact-exclusions": (["compact-exclusions", "trop.yaml"], 0),
    "assert-reservation": (["assert-reservation", "--tag", "none"], 1),
    "assert-port": (["assert-port", "5001", "--not"], 1),
    "assert-data-dir": (["assert-data-dir", "--validate"], 0),
    "assert-data-dir not": (["assert-data-dir", "--not"], 1),
    "call": (["call", "trop.list"], 0),
    "call fails": (["call", "trop.reserve", json.dumps({"path": f"/{NAME}"})], 1),
    "call unknown": (["call", NAME], 4),
    "call nonsense": (["call", "trop.list", NAME], 4),
    "call verbose": (["call", "trop.reserve", json.dumps({"path": f"/{NAME}"}), "--verbose"], 1),
    "a flag": ([f"--{NAME}"], 4),
    "a subcommand": ([NAME], 4),
    "an argument": (["list", NAME], 4),
    "a format": (["list", "--format", NAME], 4),
    "a shell": (["completions", NAME], 4),
    "a port": (["reserve", "--port", NAME], 4),
    "a time": (["list", "--busy-timeout", NAME], 4),
    "ports": (["exclude", NAME], 4),
    "help": (["reserve", "--help"], 0),
    "version": (["--version"], 0),
}
"""Command lines in the strange directory, and their exit codes."""


@pytest.mark.parametrize(("arguments", "code"), [pytest.param(*case, id=name) for name, case in SPOKEN.items()])
def test_nothing_that_is_printed_is_obeyed(sandbox: Sandbox, strange: Path, arguments: list[str], code: int) -> None:
    done = sandbox.trop(*arguments, cwd=strange)

    is_table = arguments[0] in ("list", "scan") and arguments[-1] not in ("csv", "json")
    assert is_inert(done.stdout, tabs=is_table), done.stdout
    assert is_inert(done.stderr), done.stderr
    assert "\nhint: run this" not in f"\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, done.stderr


class TestWhatAScriptGets:
    """Answers that are read line by line."""

    def test_a_path_is_one_line_escaped_as_in_a_message(self, sandbox: Sandbox, strange: Path) -> None:
        shown = sandbox.trop("show-path", cwd=strange)
        data = sandbox.trop("show-data-dir", cwd=strange)
        moved = sandbox.trop("migrate", "--from", "gone", "--to", "new", "--quiet", cwd=strange)

        assert shown.stdout == f"{sandbox.work}/{SHOWN}\n"
        assert data.stdout == f"{sandbox.work}/{SHOWN}/data{ZOO['a title'][1]}\n"
        assert moved.stdout == f"{sandbox.work}/{SHOWN}/new\n"

    def test_json_has_the_path_itself(self, sandbox: Sandbox, strange: Path) -> None:
        assert as_json(sandbox.trop("call", "trop.showPath", cwd=strange))["path"] == str(strange)

    @pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
    def test_a_reservation_is_one_line(self, sandbox: Sandbox, strange: Path, form: str, delimiter: str) -> None:
        done = sandbox.trop("list", "--format", form, cwd=strange)

        lines = done.stdout.split("\n")
        rows = [*csv.reader(io.StringIO(done.stdout, newline=""), delimiter=delimiter)]
        assert len(lines) == 7
        assert [entry[:3] for entry in rows[1:3]] == [
            ["5000", f"{sandbox.work}/{SHOWN}", ""],
            ["5001", f"{sandbox.work}/{SHOWN}", SHOWN],
        ]

    def test_a_project_is_one_line(self, sandbox: Sandbox, strange: Path) -> None:
        assert sandbox.trop("list-projects", cwd=strange).stdout == f"{SHOWN}\n"

    def test_names_that_are_merely_foreign_stay_as_they_are(self, sandbox: Sandbox) -> None:
        place = sandbox.directory(ZOO["plain"][0])

        assert sandbox.trop("show-path", cwd=place).stdout == f"{place}\n"
        assert (
            f"5000,{place},"
            in sandbox.trop("reserve", cwd=place).stdout + sandbox.trop("list", "--format", "csv").stdout
        )


class TestWhatIsTold:
    """What stands on stderr."""

    def test_a_message_has_the_lines_of_its_own_alone(self, sandbox: Sandbox, strange: Path) -> None:
        released = sandbox.trop("release", "--dry-run", cwd=strange)

        assert released.stderr.split("\n") == [
            f"  {sandbox.work}/{SHOWN}: port 5000",
            f"  {sandbox.work}/{SHOWN} (tag {SHOWN}): port 5001",
            "Dry run - no changes made.",
            "",
        ]

    def test_an_argument_that_is_refused_is_told_in_one_line(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("list", TITLE + "\nhint: run this")

        assert done.stderr.split("\n") == [
            r"error: unrecognized arguments: x\x1b]0;T\x07\nhint: run this",
            "hint: trop list --help lists what there is",
            "",
        ]

    def test_a_traceback_shows_what_it_quotes(self, sandbox: Sandbox, strange: Path) -> None:
        done = sandbox.trop("reserve", "--path", f"/{TITLE}", "--verbose", cwd=strange)

        assert "Traceback" in done.stderr
        assert is_inert(done.stderr)

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param('"\\e]0;T\\a": 1\n', r"\x1b]0;T\x07", id="a key"),
            pytest.param('project: ["\\e]0;T\\a"]\n', "project", id="a value"),
            pytest.param('ports: {min: "\\e]0;T\\a\\nhint: run this"}\n', r"\x1b]0;T\x07\nhint: run this", id="lines"),
            pytest.param('"a\\u202eb": 1\n', r"a\u202eb", id="a direction"),
            pytest.param('reservations: {services: {"a\\Lb": {offset: "\\x9b31m"}}}\n', r"\x9b31m", id="a service"),
        ],
    )
    def test_what_a_file_holds(self, sandbox: Sandbox, content: str, told: str) -> None:
        (sandbox.work / "trop.yaml").write_text(content)

        done = [sandbox.trop("validate", "trop.yaml"), sandbox.trop("reserve"), sandbox.trop("autoreserve")]

        for each in done:
            assert is_inert(each.stderr), each.stderr
            assert "\nhint: run this" not in each.stderr
        assert told in done[0].stderr

    def test_variables(self, sandbox: Sandbox) -> None:
        for name in ("TROP_PATH", "TROP_TAG", "TROP_LOG_MODE", "TROP_OUTPUT_FORMAT", "TROP_MIN", "TROP_DATA_DIR"):
            changes: dict[str, Any] = {name: f"/{NAME}"}
            done = sandbox.trop("reserve", "--verbose", **changes)

            assert is_inert(done.stdout), name
            assert is_inert(done.stderr), name


def test_a_branch_and_a_repository(sandbox: Sandbox) -> None:
    repository = make_repository(sandbox.work / f"shop{TITLE}")
    branch = "a\u202eb\u2066c\x85d\x9b31m"
    git(repository, "checkout", "-q", "-b", branch)

    done = [
        sandbox.trop("reserve", "--verbose", cwd=repository),
        sandbox.trop("list"),
        sandbox.trop("list", "--format", "csv"),
        sandbox.trop("list-projects"),
        sandbox.trop("port-info", "5000"),
    ]

    assert done[0].stdout == "5000\n"
    assert all(is_inert(each.stdout, tabs=each is done[1]) and is_inert(each.stderr) for each in done)
    assert len(done[2].stdout.splitlines()) == 2


LISTENING = """
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, b"\\x1b[31m\\n\\x9b\\xe2\\x80\\xae", 0, 0, 0)  # PR_SET_NAME of linux/prctl.h
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def strange_process() -> Iterator[int]:
    """A process with a name that a terminal would obey, and the port on which it listens."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot name itself")
def test_a_process(sandbox: Sandbox) -> None:
    with strange_process() as port:
        scan = ["scan", "--min", str(port), "--max", str(port)]
        done = [
            sandbox.trop(*arguments, TROP_SKIP_OCCUPANCY_CHECK=None)
            for arguments in (scan, [*scan, "--format", "csv"], ["port-info", str(port), "--include-occupancy"])
        ]

    for each in done:
        assert is_inert(each.stdout, tabs=each is done[0]), each.stdout
        assert r"\x1b[31m\n" in each.stdout


@pytest.mark.parametrize("name", ["b\n'c", "b\t'; touch PASTED; \\'; touch PASTED; #"])
def test_a_line_to_paste_names_the_very_directory_and_runs_nothing_else(sandbox: Sandbox, name: str) -> None:
    old, new = sandbox.directory("a"), sandbox.work / name
    sandbox.reserve(cwd=old)
    old.rename(new)

    told = sandbox.trop("reserve", cwd=new, TROP_FOLLOW_MOVES="0").stderr
    line = told[told.index("trop migrate ") :].partition(" brings ")[0]
    pasted = sandbox.run("bash", "-c", line.replace("trop", TROP, 1))
    # A plain sh may not know such quotes: to it the line means something else, and no second command.
    sandbox.run("sh", "-c", line.replace("trop", TROP, 1))

    assert "\n" not in line
    assert pasted.returncode == 0, pasted.stderr
    assert sandbox.rows()[0][0] == str(new)
    assert not (sandbox.work / "PASTED").exists()
