"""Names that do not exist come with the nearest that do, and those that do are known by their other spellings."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest
from support.client import TROP_SERVER
from support.sandbox import as_json, error_lines

if TYPE_CHECKING:
    from support.sandbox import Sandbox


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        pytest.param(["rserve"], 'there is no subcommand "rserve"', "did you mean reserve? ", id="a subcommand"),
        pytest.param(["hist"], 'there is no subcommand "hist"', "did you mean history? ", id="the beginning of one"),
        pytest.param(["zzzzz"], 'there is no subcommand "zzzzz"', "", id="nothing like a subcommand"),
        pytest.param(["reserve", "--tga=x"], "unrecognized arguments: --tga=x", "did you mean --tag? ", id="a flag"),
        pytest.param(
            ["reserve", "web"], "unrecognized arguments: web", "did you mean --tag web? ", id="no flag at all"
        ),
        pytest.param(
            ["list", "--path", "."], "unrecognized arguments: --path .", "did you mean --filter-path? ", id="a filter"
        ),
        pytest.param(
            ["list", "--format", "jsno"],
            '--format: expected one of table, json, csv, tsv, not "jsno"',
            "did you mean json? ",
            id="a word",
        ),
        pytest.param(
            ["call", "lstProjects"],
            'there is no command "lstProjects"',
            "Did you mean trop.listProjects? ",
            id="a command",
        ),
        pytest.param(["call", "nope"], 'there is no command "nope"', "", id="nothing like a command"),
        pytest.param(
            ["call", "trop.run"],
            'there is no command "trop.run"',
            "Only the command line has it: trop run. ",
            id="a subcommand that is no command",
        ),
        pytest.param(["call", "prunt"], 'there is no command "prunt"', "Did you mean trop.prune? ", id="close to harm"),
        pytest.param(["call", "tune"], 'there is no command "tune"', "", id="not close to harm"),
        pytest.param(
            ["prunt"], 'there is no subcommand "prunt"', "did you mean prune? ", id="a subcommand close to harm"
        ),
        pytest.param(["restock"], 'there is no subcommand "restock"', "", id="a subcommand not close to harm"),
        pytest.param(["Undo"], 'there is no subcommand "Undo"', "did you mean undo? ", id="harm in other letters"),
        pytest.param(["RELEASE"], 'there is no subcommand "RELEASE"', "did you mean release? ", id="in capitals"),
        pytest.param(["call", "Undo"], 'there is no command "Undo"', "Did you mean trop.undo? ", id="so called"),
        pytest.param(
            ["prune", "--FORCE"], "unrecognized arguments: --FORCE", "did you mean --force? ", id="force in capitals"
        ),
        pytest.param(["prune", "--forse"], "unrecognized arguments: --forse", "did you mean --force? ", id="force"),
        pytest.param(["prune", "--fourth"], "unrecognized arguments: --fourth", "", id="not close to force"),
        pytest.param(["release", "--folder"], "unrecognized arguments: --folder", "", id="nothing like a flag"),
    ],
)
def test_what_does_not_exist_comes_with_the_nearest_that_does(
    sandbox: Sandbox, arguments: list[str], error: str, hint: str
) -> None:
    done = sandbox.trop(*arguments)

    told, advice = error_lines(done)
    assert (done.returncode, told) == (4, error)
    assert advice.startswith(hint or ("trop ", "trop."))
    assert advice.endswith(("--help lists what there is", "lists every command."))


@pytest.mark.parametrize(
    "command", ["trop.listProjects", "listProjects", "list-projects", "trop.list-projects", "trop_list_projects"]
)
def test_a_command_is_called_by_any_of_its_names(sandbox: Sandbox, command: str) -> None:
    sandbox.reserve("--project", "shop")

    assert as_json(sandbox.trop("call", command))["projects"] == ["shop"]


@pytest.mark.parametrize(
    ("short", "long"), [(["help"], ["--help"]), (["help", "list"], ["list", "--help"]), (["-V"], ["--version"])]
)
def test_help_and_version_go_by_their_other_names_too(sandbox: Sandbox, short: list[str], long: list[str]) -> None:
    told, meant = sandbox.trop(*short), sandbox.trop(*long)

    assert (told.returncode, told.stdout) == (0, meant.stdout)
    assert told.stdout != ""


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        pytest.param(["-v"], "unrecognized arguments: -v", "did you mean --version or --verbose? ", id="short"),
        pytest.param(
            ["list", "-v"], "unrecognized arguments: -v", "did you mean --version or --verbose? ", id="short, behind"
        ),
        pytest.param(["--versoin"], "unrecognized arguments: --versoin", "did you mean --version? ", id="misspelled"),
        pytest.param(["--verbose"], "the following arguments are required: SUBCOMMAND", "", id="one that exists"),
    ],
)
def test_an_option_without_a_subcommand_is_looked_at_all_the_same(
    sandbox: Sandbox, arguments: list[str], error: str, hint: str
) -> None:
    done = sandbox.trop(*arguments)

    told, advice = error_lines(done)
    assert (done.returncode, told) == (4, error)
    assert advice.startswith(f"{hint}trop ")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        pytest.param(["--mpc"], "unrecognized arguments: --mpc", "did you mean --mcp? ", id="misspelled"),
        pytest.param(["-v"], "unrecognized arguments: -v", "did you mean --version? ", id="short"),
        pytest.param(["zzz"], "unrecognized arguments: zzz", "", id="nothing like an option"),
        pytest.param(["--tools"], "argument --tools: expected one argument", "", id="without its value"),
    ],
)
def test_the_server_refuses_its_options_in_the_same_way(
    sandbox: Sandbox, arguments: list[str], error: str, hint: str
) -> None:
    done = sandbox.run(TROP_SERVER, *arguments)

    assert (done.returncode, done.stdout) == (4, "")
    assert error_lines(done) == (error, f"{hint}trop-server --help lists what there is")


def test_a_field_that_does_not_exist_comes_with_the_nearest_that_does(sandbox: Sandbox) -> None:
    for given, meant in (("tga", "tag"), ("prot", "port")):
        done = sandbox.trop("call", "reserve", json.dumps({given: "web"}))

        assert (done.returncode, as_json(done)["kind"]) == (4, "invalid_argument")
        assert as_json(done)["hint"].startswith(f"Did you mean {meant}? ")


def test_what_is_missing_is_said_with_what_to_give(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {app: {}, db: {}}}\n")
    wanted = {
        "run": "Give COMMAND as well, and try again.",
        "url": "Give --tag as well, and try again.",
        "swap": "add PATH; trop swap --help lists what there is",
        "migrate --to x": "add --from PATH; trop migrate --help lists what there is",
        "call assertPort": "Give port as well, and try again.",
    }

    found = {line: error_lines(sandbox.trop(*line.split()))[1] for line in wanted}

    assert found == wanted


def test_of_two_that_exclude_each_other_both_are_named(sandbox: Sandbox) -> None:
    done = sandbox.trop("call", "reserve", json.dumps({"folder": "/tmp", "path": "/tmp"}))
    flags = sandbox.trop("release", "--tag", "web", "--untagged-only")

    assert error_lines(done) == ("folder: expected either a folder or a path, not both", "Leave folder or path away.")
    assert as_json(done)["details"]["given"] == "/tmp"
    assert error_lines(flags)[1] == "Leave --untagged-only or --tag away."


def test_where_the_token_of_a_plan_comes_from_is_said_on_the_command_line(sandbox: Sandbox) -> None:
    sandbox.reserve()
    planned = sandbox.trop("release", "--dry-run", "--verbose").stderr
    token = planned.partition("--plan ")[2].split()[0]
    sandbox.trop("release", "--plan", token)

    again = error_lines(sandbox.trop("release", "--plan", token))[1]
    called = as_json(sandbox.trop("call", "release", json.dumps({"plan": token})))["hint"]
    told = " ".join(sandbox.trop("release", "--help").stdout.split())

    assert again.endswith("that comes with it as --plan: --dry-run --verbose prints it.")
    assert called.endswith("that comes with it as plan.")
    assert "--plan PLAN The token of the plan" in told
    assert "--verbose prints it." in told


def test_an_undone_reservation_is_given_up(sandbox: Sandbox) -> None:
    sandbox.reserve()
    added = sandbox.trop("undo").stderr.splitlines()[-1]
    sandbox.reserve("--tag", "web")
    sandbox.trop("release")

    assert added == "Undone: 1 reservation given up."
    assert sandbox.trop("undo").stderr.splitlines()[-1] == "Undone: 1 reservation as before."


def test_a_shell_is_known_in_any_letter_case(sandbox: Sandbox) -> None:
    assert sandbox.trop("completions", "BASH").stdout == sandbox.trop("completions", "bash").stdout


def test_help_for_what_does_not_exist_names_the_nearest(sandbox: Sandbox) -> None:
    done = sandbox.trop("help", "relese")

    assert done.returncode == 4
    assert "did you mean release?" in done.stderr


def test_what_other_programs_call_so_is_told_as_it_is_here(sandbox: Sandbox) -> None:
    lines = ("reserve web", "release web", "url 'a b'", "list --json", "list --jsn", "swap . x")

    hints = [error_lines(sandbox.trop(*shlex.split(line)))[1] for line in lines]

    assert [hint.partition("?")[0] for hint in hints[:4]] == [
        "did you mean --tag web",
        "did you mean --tag web",
        "did you mean --tag 'a b'",
        "did you mean --format json",
    ]
    assert hints[4] == "trop list --help lists what there is"
