"""Where the answer goes when stdout or stderr is not what one expects, and what each format looks like."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.sandbox import TROP, as_json, error_lines

from trop_core.catalogue import operation
from trop_core.errors.spelling import escaped
from trop_server.cli.subcommands import OWN, SUBCOMMANDS, spelled

if TYPE_CHECKING:
    import subprocess

    from support.sandbox import Sandbox

COLUMNS = ["port", "path", "tag", "project", "task", "created_at", "last_used_at"]


def shell(sandbox: Sandbox, script: str) -> subprocess.CompletedProcess[str]:
    return sandbox.run("bash", "-o", "pipefail", "-c", script, TROP)


@pytest.fixture
def stored(sandbox: Sandbox) -> Sandbox:
    """A few reservations of every kind."""
    sandbox.make_store()
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (f"{sandbox.home}/shop", "", 5000, "shop", "main", 0, 1_700_000_000),
            (f"{sandbox.home}/shop", "web", 5001, "shop", None, 0, 1_700_000_000),
            (f"{sandbox.home}", "", 5004, None, None, 0, 0),
            (f"{sandbox.home}-not", "", 5005, None, None, 0, 0),
            ('/w/a,b\t"c"', "", 5002, "größe", "line\nfeed", 0, 253_402_300_800),
            ("/w/\x1b[31mred", "", 5003, None, None, 0, 0),
        ],
    )
    return sandbox


def _as_a_cell(value: object) -> object:
    return escaped(value) if isinstance(value, str) else value


class TestList:
    """``trop list``."""

    def test_the_table_has_columns_for_people(self, stored: Sandbox) -> None:
        done = stored.trop("list")

        header, *lines = done.stdout.splitlines()
        assert header.split("\t") == [column.upper() for column in COLUMNS]
        assert len(lines) == 6
        assert "\x1b" not in done.stdout
        assert "~/shop" in done.stdout
        assert f"{stored.home}-not" in done.stdout
        assert "2023-11-14 22:13:20" in done.stdout
        assert "9999-12-31 23:59:59" in done.stdout

    def test_into_a_pipe_its_columns_are_cut_at_tabs(self, stored: Sandbox) -> None:
        ports = shell(stored, "$0 list | cut -f1 | tail -n +2")
        paths = shell(stored, "$0 list --show-full-paths | cut -f2 | tail -n +2")

        assert [int(port) for port in ports.stdout.split()] == [port for _, _, port, *_ in stored.rows()]
        assert paths.stdout.splitlines() == [escaped(path) for path, *_ in stored.rows()]

    def test_in_a_terminal_its_columns_are_aligned(self, stored: Sandbox) -> None:
        done = stored.run("script", "-qec", f"{TROP} list", "/dev/null", TERM="dumb")

        header, *lines = done.stdout.replace("\r\n", "\n").splitlines()
        assert "\t" not in done.stdout
        assert header.split() == [column.upper() for column in COLUMNS]
        assert {line.index("1970-01-01") for line in lines} == {header.index("CREATED_AT")}

    def test_what_belongs_to_a_missing_directory_is_marked(self, sandbox: Sandbox) -> None:
        kept, gone = sandbox.directory("kept"), sandbox.work / "gone"
        sandbox.reserve("--path", str(kept))
        sandbox.reserve("--path", str(gone))

        piped = sandbox.trop("list").stdout.splitlines()
        shown = sandbox.run("script", "-qec", f"{TROP} list", "/dev/null", TERM="dumb").stdout.splitlines()
        wire = as_json(sandbox.trop("call", "list"))["reservations"]

        assert [line.split("\t")[7:] for line in piped] == [[], ["missing"], []]
        assert [line.split()[-1] == "missing" for line in shown] == [False, True, False]
        assert [(row["path"], row.get("missing")) for row in wire] == [(str(gone), True), (str(kept), None)]
        for form in ("json", "csv", "tsv"):
            lines = sandbox.trop("list", "--format", form).stdout.replace(str(sandbox.root), "")
            assert "missing" not in lines

    def test_a_directory_that_cannot_be_looked_at_is_not_called_missing(self, sandbox: Sandbox) -> None:
        loop = sandbox.work / "loop"
        loop.symlink_to(loop)
        sandbox.reserve("--path", str(loop / "below"))

        assert "missing" not in sandbox.trop("list").stdout

    def test_home_is_not_shortened_if_one_asks(self, stored: Sandbox) -> None:
        done = stored.trop("list", "--show-full-paths")

        assert "~" not in done.stdout
        assert f"{stored.home}/shop" in done.stdout

    def test_a_home_that_is_a_link_is_shortened_as_well(self, stored: Sandbox) -> None:
        link = stored.root / "link"
        link.symlink_to(stored.home)

        told = stored.trop("list", HOME=str(link)).stdout

        assert "~/shop" in told
        assert f"{stored.home}/" not in told

    @pytest.mark.parametrize("command", ["list", "status --path {link}/spelled", "history"])
    def test_a_path_that_was_given_below_such_a_home_is_shortened_as_well(self, stored: Sandbox, command: str) -> None:
        link = stored.root / "link"
        link.symlink_to(stored.home)
        made = stored.trop("reserve", "--path", "~/spelled", "--allow-unrelated-path", HOME=str(link))

        told = stored.trop(*command.format(link=link).split(), HOME=f"{link}/").stdout

        assert made.returncode == 0
        assert "~/spelled" in told
        assert f"{link}/" not in told

    def test_an_empty_store_has_a_header_only(self, sandbox: Sandbox) -> None:
        assert sandbox.trop("list").stdout.split() == [column.upper() for column in COLUMNS]
        assert as_json(sandbox.trop("list", "--format", "json")) == []
        assert sandbox.trop("list", "--format", "csv").stdout == ",".join(COLUMNS) + "\n"
        assert sandbox.trop("list", "--format", "tsv").stdout == "\t".join(COLUMNS) + "\n"

    def test_json_has_every_value_as_it_is(self, stored: Sandbox) -> None:
        rows = as_json(stored.trop("list", "--format", "json"))

        assert [row["path"] for row in rows] == [path for path, *_ in stored.rows()]
        assert all(list(row) == COLUMNS for row in rows)
        by_port = {row["port"]: row for row in rows}
        assert by_port[5001] == {
            "port": 5001,
            "path": f"{stored.home}/shop",
            "tag": "web",
            "project": "shop",
            "task": None,
            "created_at": "1970-01-01 00:00:00",
            "last_used_at": "2023-11-14 22:13:20",
        }

    @pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
    def test_separated_values_can_be_read_back(self, stored: Sandbox, form: str, delimiter: str) -> None:
        done = stored.trop("list", "--format", form)

        header, *rows = csv.reader(io.StringIO(done.stdout, newline=""), delimiter=delimiter)
        assert header == COLUMNS
        read = [(path, tag, int(port), project or None, task or None) for port, path, tag, project, task, *_ in rows]
        assert read == [tuple(map(_as_a_cell, row)) for row in stored.rows()]

    def test_the_format_comes_from_the_environment_too(self, stored: Sandbox) -> None:
        from_variable = stored.trop("list", TROP_OUTPUT_FORMAT="json")
        argument_wins = stored.trop("list", "--format", "tsv", TROP_OUTPUT_FORMAT="json")

        assert len(as_json(from_variable)) == 6
        assert argument_wins.stdout.startswith("port\tpath\t")

    @pytest.mark.parametrize(
        ("arguments", "ports"),
        [
            (["--filter-project", "shop"], {5000, 5001}),
            (["--filter-tag", "web"], {5001}),
            (["--filter-path", "{home}"], {5000, 5001, 5004}),
            (["--filter-path", "~/shop"], {5000, 5001}),
            (["--filter-path", "../home/shop", "--filter-tag", "web"], {5001}),
            (["--filter-path", "/nowhere"], set()),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_filters(self, stored: Sandbox, arguments: list[str], ports: set[int]) -> None:
        named = [argument.format(home=stored.home) for argument in arguments]

        rows = as_json(stored.trop("list", "--format", "json", *named))

        assert {row["port"] for row in rows} == ports

    def test_a_link_to_the_root_has_everything_below_it_and_the_root_itself(self, sandbox: Sandbox) -> None:
        ports = {sandbox.reserve(cwd=Path("/")), sandbox.reserve()}
        link = sandbox.work / "link"
        link.symlink_to("/")

        rows = as_json(sandbox.trop("list", "--format", "json", "--filter-path", str(link)))

        assert {row["port"] for row in rows} == ports

    def test_occupancy_adds_two_columns(self, stored: Sandbox) -> None:
        rows = as_json(stored.trop("list", "--format", "json", "--include-occupancy"))
        table = stored.trop("list", "--include-occupancy").stdout

        assert {(row["occupied"], row["holder"]) for row in rows} == {(None, None)}  # the sandbox skips all checks
        assert table.splitlines()[0].endswith("OCCUPIED\tHOLDER")

    @pytest.mark.parametrize(
        ("skipped", "by"),
        [
            (["TROP_SKIP_OCCUPANCY_CHECK"], "TROP_SKIP_OCCUPANCY_CHECK"),
            (["TROP_SKIP_IPV4", "TROP_SKIP_IPV6"], "TROP_SKIP_IPV4, TROP_SKIP_IPV6"),
            (["TROP_SKIP_TCP", "TROP_SKIP_UDP"], "TROP_SKIP_TCP, TROP_SKIP_UDP"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_where_nobody_looks_nothing_is_said_of_occupancy(
        self, stored: Sandbox, skipped: list[str], by: str
    ) -> None:
        off: dict[str, Any] = {"TROP_SKIP_OCCUPANCY_CHECK": None, **dict.fromkeys(skipped, "1")}

        done = stored.trop("list", "--include-occupancy", **off)
        called = stored.trop("call", "list", '{"includeOccupancy": true}', **off)

        told = f"whether ports are occupied was not looked at: the check is skipped ({by})"
        assert done.stderr == f"warning: {told}\n"
        assert {line.split("\t")[7] for line in done.stdout.splitlines()} == {"OCCUPIED", "-"}
        assert {row["occupied"] for row in as_json(called)["reservations"]} == {None}
        assert as_json(called)["warnings"] == [told]

    def test_it_is_never_cut(self, sandbox: Sandbox) -> None:
        sandbox.fill(2345)

        rows = as_json(sandbox.trop("list", "--format", "json"))

        assert len(rows) == 2345


class TestOddStreams:
    """stdout and stderr that are closed, full, or read by somebody who has seen enough."""

    @pytest.mark.parametrize("form", ["table", "json", "csv"])
    def test_a_reader_that_has_seen_enough_is_no_error(self, sandbox: Sandbox, form: str) -> None:
        sandbox.fill(5000)

        done = shell(sandbox, f'"$0" list --format {form} | head -1')

        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == 1

    @pytest.mark.parametrize("arguments", ["--help", "reserve --help", "--version", "reserve", "list"])
    def test_a_reader_that_is_gone_is_no_error(self, sandbox: Sandbox, arguments: str) -> None:
        done = shell(sandbox, f'{{ exec 3>&1; ("$0" {arguments}; echo $? >&3) | exec true; }}')

        assert (done.stdout, done.stderr) == ("0\n", "")

    @pytest.mark.parametrize("arguments", ["reserve", "list", "call trop.list"])
    @pytest.mark.parametrize("redirection", [">&-", ">/dev/full"], ids=["closed", "full"])
    def test_an_answer_that_cannot_be_written_is_an_error(
        self, sandbox: Sandbox, arguments: str, redirection: str
    ) -> None:
        done = shell(sandbox, f'"$0" {arguments} {redirection}')

        error, hint = error_lines(done)
        assert done.returncode == 5
        assert error.startswith('cannot write the answer to "stdout": ')
        assert hint.startswith("What was asked for is done")

    def test_a_call_without_an_answer_needs_no_stdout(self, sandbox: Sandbox) -> None:
        sandbox.reserve()

        done = shell(sandbox, '"$0" release >/dev/full')

        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "Released 1 reservation.")

    @pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"], ids=["closed", "full"])
    def test_what_is_meant_for_people_never_gets_among_the_answer(self, sandbox: Sandbox, redirection: str) -> None:
        warned = shell(sandbox, f'"$0" reserve --path later {redirection}')
        failed = shell(sandbox, f'"$0" reserve --path /elsewhere {redirection}')
        misused = shell(sandbox, f'"$0" reserve --bogus {redirection}')

        assert (warned.returncode, warned.stdout) == (0, "5000\n")
        assert (failed.returncode, failed.stdout) == (1, "")
        assert (misused.returncode, misused.stdout) == (4, "")

    def test_a_closed_stdin_is_no_obstacle(self, sandbox: Sandbox) -> None:
        reserved = shell(sandbox, '"$0" reserve <&-')
        called = shell(sandbox, '"$0" call trop.list - <&-')

        assert (reserved.returncode, reserved.stdout) == (0, "5000\n")
        assert called.returncode == 4
        assert "Traceback" not in called.stderr

    def test_everything_closed_still_reserves(self, sandbox: Sandbox) -> None:
        done = shell(sandbox, '"$0" reserve <&- >&- 2>&-')

        assert done.returncode == 5
        assert len(sandbox.rows()) == 1
        assert sandbox.integrity() == "ok"


class TestHelp:
    """The help of each subcommand."""

    @pytest.mark.parametrize("name", [name for name in SUBCOMMANDS if name not in OWN])
    def test_it_lists_every_field_as_a_flag(self, sandbox: Sandbox, name: str) -> None:
        done = sandbox.trop(name, "--help")

        fields = [field for field in operation(name.replace("-", "_")).fields if field.name != "folder"]
        flags = [spelled(name, field.name) for field in fields]
        if name == "list":
            flags = ["--filter-path", "--filter-project", "--filter-tag", "--include-occupancy", "--format"]
        for flag in [*flags, "--verbose", "--quiet", "--data-dir", "--busy-timeout", "--version", "--help"]:
            assert f"{flag} " in done.stdout.replace(",", " ").replace("\n", " "), flag
        assert "--allow-project-change" not in done.stdout
        assert "--disable-autoclean" not in done.stdout

    def test_the_silent_aliases_are_understood(self, sandbox: Sandbox) -> None:
        sandbox.reserve("--project", "a", "--task", "a", "--disable-autoclean")

        sandbox.reserve("--project", "b", "--allow-project-change")
        sandbox.reserve("--task", "b", TROP_ALLOW_TASK_CHANGE="1")
        sandbox.reserve("--task", "c", "--allow-task-change")

        assert sandbox.rows()[0][3:] == ("b", "c")


def test_show_path_warns_of_each_problem_of_a_configuration_by_itself(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    config = sandbox.data / "config.yaml"
    config.write_text("ports: 5\nfoo: 1\nbar: 2\n")

    done = sandbox.trop("show-path")

    assert (done.returncode, done.stdout) == (0, f"{sandbox.work}\n")
    assert done.stderr.splitlines() == [
        f"warning: {config}:1:8: ports: expected a mapping, not 5",
        f"warning: {config}:2:1: foo: unknown key",
        f"warning: {config}:3:1: bar: unknown key",
    ]


class TestCall:
    """``trop call``: the server's commands, once, in process."""

    def test_it_prints_the_result_as_json(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("call", "trop.reserve", '{"tag": "web", "port": 6500}')

        answer = as_json(done)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("\n") == 1
        assert (answer["outcome"], answer["reservation"]["port"]) == ("created", 6500)

    @pytest.mark.parametrize("argument", [[], ["{}"], ['{"path": null}']], ids=["none", "empty", "null"])
    def test_the_argument_may_be_left_away(self, sandbox: Sandbox, argument: list[str]) -> None:
        assert as_json(sandbox.trop("call", "trop.list", *argument))["reservations"] == []

    def test_the_argument_may_come_from_the_input(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("call", "trop.reserve", "-", stdin='{"tag": "größe"}')

        assert as_json(done)["reservation"]["tag"] == "größe"

    def test_paths_may_be_uris(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("call", "trop.showPath", json.dumps({"folder": sandbox.work.as_uri()}))

        assert as_json(done)["path"] == str(sandbox.work)

    def test_pages_are_cut_where_the_server_cuts_them(self, sandbox: Sandbox) -> None:
        sandbox.fill(1500)

        answer = as_json(sandbox.trop("call", "trop.list"))

        assert (len(answer["reservations"]), answer["truncated"]) == (1000, True)

    def test_it_lists_the_commands(self, sandbox: Sandbox) -> None:
        commands = as_json(sandbox.trop("call", "trop.listCommands"))["commands"]

        assert "trop.reserve" in [entry["command"] for entry in commands]

    @pytest.mark.parametrize(
        ("arguments", "code", "kind", "field"),
        [
            pytest.param(["trop.bogus"], 4, "invalid_argument", "command", id="an unknown command"),
            pytest.param(["trop.reserve", '{"port": "5000"}'], 4, "invalid_argument", "port", id="a wrong type"),
            pytest.param(["trop.reserve", '{"port": 1e999}'], 4, "invalid_argument", "port", id="an endless number"),
            pytest.param(["trop.reserve", '{"bogus": 1}'], 4, "invalid_argument", "bogus", id="an unknown field"),
            pytest.param(["trop.reserve", '{"tag": " "}'], 4, "invalid_identifier", "tag", id="a blank tag"),
            pytest.param(["trop.reserve", '{"min": 2, "max": 1}'], 4, "invalid_argument", "min", id="a range"),
            pytest.param(["trop.reserve", "nope"], 4, "invalid_argument", "", id="no JSON"),
            pytest.param(["trop.reserve", "[]"], 4, "invalid_argument", "", id="a list"),
            pytest.param(["trop.reserve", '{"port": NaN}'], 4, "invalid_argument", "", id="NaN"),
            pytest.param(["trop.reserve", "[" * 100_000], 4, "invalid_argument", "", id="nested without end"),
            pytest.param(["trop.reserve", ""], 4, "invalid_argument", "", id="nothing"),
            pytest.param(["trop.reserve", '{"path": "/elsewhere"}'], 1, "unrelated_path", None, id="unrelated"),
            pytest.param(["trop.list", "--disable-autoinit"], 3, "no_data_directory", None, id="no store"),
        ],
    )
    def test_an_error_is_json_on_stdout_and_a_sentence_on_stderr(
        self, sandbox: Sandbox, arguments: list[str], code: int, kind: str, field: str | None
    ) -> None:
        done = sandbox.trop("call", *arguments)

        error = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        message, hint = error_lines(done)
        assert done.returncode == code
        assert error.keys() == {"message", "kind", "hint", "details", "retryable"}
        assert (error["kind"], error["message"], error["hint"]) == (kind, message, hint)
        if field is not None:
            assert error["details"]["field"] == field
        assert "--" not in message + hint or kind == "no_data_directory"

    def test_input_that_is_no_text_is_refused(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("call", "trop.list", "-", stdin='{"path": "\udcff"}')

        assert (done.returncode, as_json(done)["kind"]) == (4, "invalid_argument")

    def test_a_lock_that_is_held_may_be_tried_again(self, sandbox: Sandbox) -> None:
        with sandbox.locked():
            done = sandbox.trop("call", "trop.reserve", "--busy-timeout", "0")

        assert done.returncode == 2
        assert as_json(done)["retryable"] is True

    def test_a_variable_that_nobody_understands_is_json_too(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("call", "trop.list", TROP_LOG_MODE="maybe")

        assert (done.returncode, as_json(done)["kind"]) == (7, "config_error")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        pytest.param(["list", "--format", "JSON"], {}, id="--format"),
        pytest.param(["list"], {"TROP_OUTPUT_FORMAT": "Json"}, id="TROP_OUTPUT_FORMAT"),
        pytest.param(["list", "--format", "json"], {"TROP_LOG_MODE": "QUIET"}, id="TROP_LOG_MODE"),
    ],
)
def test_a_word_is_taken_in_any_letter_case(sandbox: Sandbox, arguments: list[str], variables: dict[str, Any]) -> None:
    port = sandbox.reserve()

    done = sandbox.trop(*arguments, **variables)

    assert (done.returncode, done.stderr) == (0, "")
    assert [row["port"] for row in json.loads(done.stdout)] == [port]


@pytest.mark.parametrize("subcommand", ["list", "history"])
def test_the_help_says_in_which_zone_times_are(sandbox: Sandbox, subcommand: str) -> None:
    told = " ".join(sandbox.trop(subcommand, "--help").stdout.split())

    assert "Times are in UTC." in told
