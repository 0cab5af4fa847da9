"""Names that do not exist come with the nearest that do, and those that do are known by their other spellings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
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
        pytest.param(["reserve", "web"], "unrecognized arguments: web", "", id="no flag at all"),
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
        pytest.param(["call", "trop.run"], 'there is no command "trop.run"', "", id="a subcommand that is no command"),
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


def test_a_field_that_does_not_exist_comes_with_the_nearest_that_does(sandbox: Sandbox) -> None:
    for given, meant in (("tga", "tag"), ("prot", "port")):
        done = sandbox.trop("call", "reserve", json.dumps({given: "web"}))

        assert (done.returncode, as_json(done)["kind"]) == (4, "invalid_argument")
        assert as_json(done)["hint"].startswith(f"Did you mean {meant}? ")


def test_a_shell_is_known_in_any_letter_case(sandbox: Sandbox) -> None:
    assert sandbox.trop("completions", "BASH").stdout == sandbox.trop("completions", "bash").stdout


def test_help_for_what_does_not_exist_names_the_nearest(sandbox: Sandbox) -> None:
    done = sandbox.trop("help", "relese")

    assert done.returncode == 4
    assert "did you mean release?" in done.stderr
