"""The lines that shells and .env files are given, read by real shells and a real parser of such files."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import dotenv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.groups.case import GROUP
from support.requirements import find_shell
from support.sandbox import SCRIPTS, TROP, Sandbox, error_lines

from trop_core.config.values import is_variable_name
from trop_core.config.variables import means_something
from trop_core.errors.arguments import UnknownShell
from trop_core.errors.configuration import ConfigError
from trop_server.cli.shells import LINES, detect, parent_program, render

if TYPE_CHECKING:
    from collections.abc import Mapping

EVALUATE = {
    "bash": 'eval "$({trop})"',
    "zsh": 'eval "$({trop})"',
    "dash": 'eval "$({trop})"',
    "fish": "{trop} | source",
}
PORTS = {"WEB_PORT": "5000", "API": "5001", "DB_MAIN": "5004"}
HOSTILE = (
    "X; touch owned",
    "$(touch owned)",
    "`touch owned`",
    "X=1; touch owned; Y",
    "X=1\ntouch owned\nY",
    "X\n",
    "X\r",
    "X Y",
    "X'",
    'X"',
    "X\\",
    "X}",
    "X:Y",
    "1X",
    "",
    "-X",
    "X-Y",
    "X\0",
    "\u0420ORT",
    "\uff38",
    "X\u00e9",
    "X\u200b",
    "X" * 256,
    "PATH",
    "path",
    "BASH_ENV",
    "LD_LIBRARY_PATH",
    "TROP_DATA_DIR",
)


@pytest.fixture
def project(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose working directory has a group."""
    (sandbox.work / "trop.yaml").write_text("ports: {min: 5000, max: 5009}" + GROUP)
    return sandbox


def run_in(name: str, script: str, sandbox: Sandbox, **environment: str | None) -> dict[str, str]:
    """The variables that a shell passes on to what it starts, after a script."""
    show = f'"{sys.executable}" -c "import os, json; print(json.dumps(dict(os.environ)))"'
    variables: dict[str, Any] = {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **environment}
    done = sandbox.run(find_shell(name), "-c", f"{script}\n{show}\ntrue", **variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, str] = json.loads(done.stdout)
    return found


def exported(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in PORTS if name in environment}


@pytest.mark.parametrize("name", EVALUATE)
@pytest.mark.parametrize("told", ["by its parent", "by a flag", "by SHELL alone"])
def test_a_shell_gets_the_ports_from_the_lines(project: Sandbox, name: str, told: str) -> None:
    """The variable SHELL names another shell where the one that runs trop has to be noticed."""
    other = "/bin/bash" if name == "fish" else "/usr/bin/fish"
    trop, variable = "trop autoreserve", other
    if told == "by a flag":
        trop += f" --shell {'bash' if name == 'dash' else name}"
    elif told == "by SHELL alone":
        # Whatever starts trop here is no shell.
        trop, variable = f"\"{sys.executable}\" -c \"import subprocess; subprocess.run(['trop', 'autoreserve'])\"", name

    environment = run_in(name, EVALUATE[name].format(trop=trop), project, SHELL=variable)

    assert exported(environment) == PORTS


@pytest.mark.parametrize("name", EVALUATE)
@given(names=st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), max_size=10))
def test_no_name_that_is_accepted_does_anything_but_name_a_variable(name: str, names: list[str]) -> None:
    """Whatever the pattern lets through is one word to the line, whole, and nothing more."""
    accepted = [each for each in names if not means_something(each)]

    lines = render(dict.fromkeys(accepted, 5000), "bash" if name == "dash" else name)

    patterns = {"fish": r"set -gx (\w+) 5000"}
    for line, each in zip(lines.splitlines(), dict.fromkeys(accepted), strict=True):
        found = re.fullmatch(patterns.get(name, r"export (\w+)=5000"), line, re.ASCII)
        assert found
        assert found[1] == each


def test_a_dotenv_file_is_read_back(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--format", "dotenv")

    assert dict(dotenv.dotenv_values(stream=io.StringIO(done.stdout), interpolate=True)) == PORTS
    assert done.stdout == "WEB_PORT=5000\nAPI=5001\nDB_MAIN=5004\n"


def test_powershell_is_given_assignments_of_plain_digits(project: Sandbox) -> None:
    """In double quotes PowerShell expands $ and obeys backticks (about_Quoting_Rules): neither can stand there."""
    done = project.trop("autoreserve", "--shell", "powershell")

    assert done.stdout == '$env:WEB_PORT = "5000"\n$env:API = "5001"\n$env:DB_MAIN = "5004"\n'


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_other_name_gets_into_a_line(name: str, form: str) -> None:
    with pytest.raises(ConfigError, match="cannot be given to a shell"):
        render({"GOOD": 5000, name: 5001}, form)


@pytest.mark.parametrize("value", ["5000", "5000; touch owned", 0, 65_536, True, None])
def test_no_value_but_a_port_gets_into_a_line(value: object) -> None:
    with pytest.raises(ConfigError, match="the value is no port"):
        render({"GOOD": value}, "bash")  # type: ignore[dict-item]


@given(st.text(max_size=20))
def test_what_is_no_name_by_the_pattern_is_none_here(text: str) -> None:
    assert is_variable_name(text) == bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\Z", text, re.ASCII))


UNCHECKED = """
import sys
import trop_core.config.group, trop_core.config.values
trop_core.config.group.is_variable_name = lambda name: True
trop_core.config.values.is_variable_name = lambda name: True
from trop_server.cli import shells
import re
shells.is_variable_name = lambda name: len(name) <= 255 and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is not None
from trop_server.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""trop with a validation that lets every name through; what writes the lines is left as it is."""


@pytest.mark.parametrize("form", [["--shell", "bash"], ["--shell", "fish"], ["--format", "dotenv"]], ids=" ".join)
@pytest.mark.parametrize("name", ["X; touch owned", "$(touch owned)", "X=1\\ntouch owned\\nY"])
def test_a_name_that_slips_past_validation_is_refused_when_a_line_is_written(
    sandbox: Sandbox, name: str, form: list[str]
) -> None:
    (sandbox.work / "trop.yaml").write_text(f'reservations: {{services: {{web: {{env: "{name}"}}}}}}\n')

    done = sandbox.run(sys.executable, "-c", UNCHECKED, "autoreserve", *form)

    assert (done.returncode, done.stdout) == (7, "")
    assert "cannot be given to a shell" in error_lines(done)[0]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("env", HOSTILE[:8])
def test_a_hostile_file_does_nothing_in_a_shell(sandbox: Sandbox, name: str, env: str) -> None:
    text = env.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    (sandbox.work / "trop.yaml").write_text(f'reservations: {{services: {{"$(touch owned)": {{env: "{text}"}}}}}}\n')

    done = sandbox.run(find_shell(name), "-c", EVALUATE[name].format(trop=f'"{TROP}" autoreserve'))

    assert done.stdout == ""
    assert "expected a name of letters, digits and _" in done.stderr
    assert not (sandbox.work / "owned").exists()
    assert sandbox.rows() == []


@pytest.mark.parametrize(
    ("parent", "variable", "expected"),
    [
        pytest.param("zsh", "/bin/bash", "zsh", id="the-parent-goes-first"),
        pytest.param("-zsh", None, "zsh", id="a-login-shell"),
        pytest.param("/usr/local/bin/fish", None, "fish", id="a-path"),
        pytest.param("pwsh", "/bin/bash", "powershell", id="powershell"),
        pytest.param("sh", "/bin/fish", "bash", id="a-script-of-sh"),
        pytest.param("make", "/bin/fish", "fish", id="no-shell-but-SHELL"),
        pytest.param(None, "/usr/bin/bash", "bash", id="nothing-but-SHELL"),
    ],
)
def test_the_shell_is_told_by_what_runs_trop_or_by_shell(
    parent: str | None, variable: str | None, expected: str
) -> None:
    environment = {} if variable is None else {"SHELL": variable}

    assert detect(environment, lambda: parent) == expected


@pytest.mark.parametrize("variable", [None, "", "/bin/tcsh", "/opt/nu"])
def test_a_shell_that_cannot_be_told_is_an_error(variable: str | None) -> None:
    environment = {} if variable is None else {"SHELL": variable}

    with pytest.raises(UnknownShell):
        detect(environment, lambda: "python3")


def test_nothing_is_reserved_where_nobody_could_read_the_answer(project: Sandbox) -> None:
    done = project.trop("autoreserve", SHELL=None)

    assert (done.returncode, done.stdout) == (4, "")
    assert error_lines(done) == (
        "for which shell the lines are cannot be told: neither what runs trop nor SHELL is one that trop knows",
        "Name it with --shell: one of bash, zsh, fish, powershell.",
    )
    assert not project.database.exists()


@pytest.mark.parametrize("form", ["dotenv", "json", "human"])
def test_a_shell_for_a_format_that_is_for_none_is_refused(project: Sandbox, form: str) -> None:
    done = project.trop("autoreserve", "--format", form, "--shell", "bash")

    assert (done.returncode, done.stdout) == (4, "")
    assert error_lines(done)[0] == '--shell: expected no shell, because only --format export is for one, not "bash"'
    assert not project.database.exists()


def test_people_get_a_table(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--format", "human")

    assert done.stdout == (
        "SERVICE  PORT  VARIABLE\nweb      5000  WEB_PORT\napi      5001  API\ndb-main  5004  DB_MAIN\n"
    )


def test_a_dry_run_prints_the_lines_and_says_what_it_is(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--shell", "bash", "--dry-run")

    assert done.stdout == "export WEB_PORT=5000\nexport API=5001\nexport DB_MAIN=5004\n"
    assert done.stderr == "Dry run - no changes made.\n"
    assert not project.database.exists()


def test_the_parent_of_this_process_has_a_name() -> None:
    assert parent_program()


def test_without_proc_ps_is_asked_or_nobody_knows(sandbox: Sandbox) -> None:
    named = parent_program(str(sandbox.work / "proc"))

    assert named is None or os.path.basename(named).startswith((parent_program() or "")[:8])


def test_without_proc_and_ps_nobody_knows(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(sandbox.work))

    assert parent_program(str(sandbox.work / "proc")) is None
