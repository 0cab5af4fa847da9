"""What a run does not need is not imported: it would cost more time than the work itself."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.repositories import add_worktree, make_repository

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")

SLOW = (
    "dotenv",
    "webbrowser",
    "pygls",
    "lsprotocol",
    "cattrs",
    "attrs",
    "attr",
    "pygit2",
    "yaml",
    "socket",
    "asyncio",
    "jsonschema",
    "psutil",
)

NEEDLESS = ("argparse", "dataclasses", "datetime", "enum", "importlib", "inspect", "re", "typing")
"""What much of Python is made with: each takes as long as a good part of a whole command."""

PROGRAM = """
import sys
from trop_server.cli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def imported(
    sandbox: Sandbox, *arguments: str, cwd: Path | None = None, stdin: str | None = None, **environment: str | None
) -> set[str]:
    # Whoever measures coverage imports a lot in each process; this one is left alone.
    measuring = dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))
    variables: dict[str, Any] = {**measuring, **environment}
    done = sandbox.run(sys.executable, "-c", PROGRAM, *arguments, cwd=cwd, stdin=stdin, **variables)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["reserve"],
        ["reserve", "--tag", "web"],
        ["list"],
        ["port-info", "5000"],
        ["show-path"],
        ["show-data-dir"],
        ["call", "trop.reserve"],
        ["run", "--print-env"],
        ["env", "--format", "json"],
        ["url"],
        ["status"],
    ],
    ids=" ".join,
)
def test_nothing_slow_is_imported(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.reserve()
    sandbox.reserve("--tag", "web")

    modules = imported(sandbox, *arguments)

    assert modules.isdisjoint(SLOW)


@pytest.mark.parametrize(
    "arguments",
    [["reserve"], ["reserve", "--tag", "web"], ["list"], ["list", "--filter-tag", "api"], ["url"]],
    ids=" ".join,
)
def test_what_stands_in_prompts_does_without_what_takes_long(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.reserve("--tag", "api")

    modules = imported(sandbox, *arguments)

    assert sorted(modules & set(NEEDLESS)) == []


def test_what_becomes_a_command_does_without_most_of_that(sandbox: Sandbox) -> None:
    sandbox.reserve()

    modules = imported(sandbox, "run", "--print-env")

    assert sorted(modules & set(NEEDLESS)) == ["enum", "re"]  # json is made with them


def test_a_new_key_takes_nothing_that_is_slow(sandbox: Sandbox) -> None:
    modules = imported(sandbox, "reserve")

    assert modules & set(SLOW) <= {"socket"}


@pytest.mark.parametrize("place", ["shop", "login", "web"])
def test_a_new_key_in_a_repository_takes_nothing_that_is_slow(sandbox: Sandbox, place: str) -> None:
    add_worktree(make_repository(sandbox.work / "shop"), sandbox.work / "login", "login")
    (sandbox.work / "web").symlink_to(sandbox.work / "login")
    here, there = sandbox.work / place, sandbox.work / "shop" / "not-yet"

    inferred = imported(sandbox, "reserve", cwd=here)
    related = imported(sandbox, "reserve", "--path", str(there), cwd=here)

    assert (inferred | related) & {*SLOW, "subprocess"} <= {"socket"}
    assert [row[3] for row in sandbox.rows()] == ["shop", "shop"]


def test_a_group_that_exists_takes_nothing_that_is_slow(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}, api: {offset: 1}}}\n")
    imported(sandbox, "autoreserve", "--shell", "bash")

    modules = imported(sandbox, "autoreserve", "--shell", "bash")

    assert sorted(modules & {*SLOW, *NEEDLESS, "subprocess", "json"}) == []


def test_a_file_of_variables_takes_what_reads_it(sandbox: Sandbox) -> None:
    (sandbox.work / ".env").write_text("A=1\n")

    modules = imported(sandbox, "run", "--env-file", ".env", "--print-env")

    assert modules & set(SLOW) == {"dotenv"}


def test_a_hook_takes_json_and_nothing_that_is_slow(sandbox: Sandbox) -> None:
    repository = make_repository(sandbox.work / "shop")
    sandbox.reserve(cwd=repository)
    asked = json.dumps({"hook_event_name": "SessionStart", "cwd": str(repository)})

    modules = imported(sandbox, "hook", "claude", "--within", "60000", stdin=asked)

    assert "json" in modules
    assert modules.isdisjoint({*SLOW, "dataclasses", "inspect", "logging", "subprocess", "mcp"})


@pytest.mark.parametrize(("text", "takes"), [("{min: 6000}", set()), ("{min: !!int 6000}", {"yaml"})])
def test_only_an_unusual_configuration_file_takes_yaml(sandbox: Sandbox, text: str, takes: set[str]) -> None:
    (sandbox.work / "trop.yaml").write_text(f"ports: {text}\n")

    modules = imported(sandbox, "list")

    assert modules & set(SLOW) == takes


@pytest.mark.parametrize(
    "arguments",
    [["scan"], ["port-info", "5000", "--include-occupancy"], ["list", "--include-occupancy"], ["status"]],
    ids=" ".join,
)
def test_a_look_at_the_sockets_takes_psutil(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.reserve()

    skipped = imported(sandbox, *arguments)
    modules = imported(sandbox, *arguments, TROP_SKIP_OCCUPANCY_CHECK=None)

    assert "psutil" not in skipped
    assert "psutil" in modules
