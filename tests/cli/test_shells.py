"""The lines that shells and .env files are given, read by real shells and a real parser of such files."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import dotenv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.groups.case import GROUP
from support.patience import PATIENCE
from support.repositories import make_repository
from support.requirements import find_shell
from support.sandbox import SCRIPTS, TROP, Sandbox, error_lines

from trop_core.config.files import parse_text
from trop_core.errors.arguments import UnknownShell
from trop_core.errors.configuration import ConfigError
from trop_server.cli.shells import LINES, detect, parent_program, render

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("started_whole")

EVALUATE = {
    "bash": 'eval "$({trop})"',
    "zsh": 'eval "$({trop})"',
    "dash": 'eval "$({trop})"',
    "fish": "{trop} | source",
}
PORTS = {"WEB_PORT": "5000", "API_PORT": "5001", "DB_MAIN_PORT": "5004"}
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
    "GIT_COMMON_DIR",
    "VIMRUNTIME",
    "TRANSPORT",
    "web_port",
    "TROP_DATA_DIR",
    "TROP_PORT_MIN",
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
@given(names=st.lists(st.from_regex(r"([A-Z_][A-Z0-9_]*_)?PORT(_[A-Z0-9_]*)?", fullmatch=True), max_size=10))
def test_no_name_that_is_accepted_does_anything_but_name_a_variable(name: str, names: list[str]) -> None:
    """Whatever the pattern lets through is one word to the line, whole, and nothing more."""
    accepted = [each for each in names if not each.startswith("TROP_")]

    lines = render(dict.fromkeys(accepted, 5000), "bash" if name == "dash" else name)

    patterns = {"fish": r"set -gx (\w+) 5000"}
    for line, each in zip(lines.splitlines(), dict.fromkeys(accepted), strict=True):
        found = re.fullmatch(patterns.get(name, r"export (\w+)=5000"), line, re.ASCII)
        assert found
        assert found[1] == each


def test_a_dotenv_file_is_read_back(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--format", "dotenv")

    assert dict(dotenv.dotenv_values(stream=io.StringIO(done.stdout), interpolate=True)) == PORTS
    assert done.stdout == "WEB_PORT=5000\nAPI_PORT=5001\nDB_MAIN_PORT=5004\n"


@pytest.mark.parametrize("shell", ["powershell", "pwsh", "PowerShell"])
def test_powershell_is_given_assignments_of_plain_digits(project: Sandbox, shell: str) -> None:
    """In double quotes PowerShell expands $ and obeys backticks (about_Quoting_Rules): neither can stand there."""
    done = project.trop("autoreserve", "--shell", shell)

    assert done.stdout == '$env:WEB_PORT = "5000"\n$env:API_PORT = "5001"\n$env:DB_MAIN_PORT = "5004"\n'


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "export WEB_PORT=5000"),
        ("SH", "export WEB_PORT=5000"),
        ("Zsh", "export WEB_PORT=5000"),
        ("fish", "set -gx WEB_PORT 5000"),
        ("elvish", "set-env WEB_PORT 5000"),
    ],
)
def test_each_shell_has_its_own_line(project: Sandbox, shell: str, line: str) -> None:
    done = project.trop("autoreserve", "--format", "EXPORT", "--shell", shell)

    assert done.stdout.splitlines()[0] == line


ADDRESS = "http://app.localhost:5000/a?b=c&d=%20#e"
MADE: dict[str, int | str] = {"WEB_PORT": 5000, "API_URL": ADDRESS, "COMPOSE_PROJECT_NAME": "shop-login-5000"}


@pytest.mark.parametrize("name", EVALUATE)
def test_what_is_made_from_ports_arrives_as_it_is(sandbox: Sandbox, name: str) -> None:
    (sandbox.work / "lines").write_text(render(MADE, "bash" if name == "dash" else name))

    found = run_in(name, "source ./lines" if name == "fish" else ". ./lines", sandbox)

    assert {key: found[key] for key in MADE} == {key: str(value) for key, value in MADE.items()}


def test_what_is_made_from_ports_is_quoted_for_the_shells_that_are_not_here() -> None:
    assert render({"API_URL": ADDRESS}, "pwsh") == f"$env:API_URL = '{ADDRESS}'\n"
    assert render({"API_URL": ADDRESS}, "elvish") == f"set-env API_URL '{ADDRESS}'\n"


def test_a_dotenv_file_holds_what_is_made_from_ports() -> None:
    text = render(MADE, "dotenv")

    found = dotenv.dotenv_values(stream=io.StringIO(text), interpolate=True)
    assert found == {key: str(value) for key, value in MADE.items()}


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize(
    "value",
    [
        "http://localhost:5000/'; touch owned; '",
        "http://localhost:5000/$(touch owned)",
        "http://localhost:5000/`touch owned`",
        "http://localhost:5000/\n",
        "http://localhost:5000/\\",
        "http://example.org:5000/",
        "http://localhost:{port:web}",
        "javascript://localhost:5000",
        "A B",
        "Shop-5000",
        "",
    ],
)
def test_no_text_but_what_is_made_from_ports_gets_into_a_line(value: str, form: str) -> None:
    with pytest.raises(ConfigError, match="has a value that is not made from ports"):
        render({"API_URL": value}, form)


@pytest.mark.parametrize("name", ["PIP_INDEX", "WEB_PORT", "TROP_URL", "api_url"])
def test_an_address_goes_to_no_variable_that_does_not_say_so(name: str) -> None:
    with pytest.raises(ConfigError):
        render({name: ADDRESS}, "bash")


def test_what_the_user_allows_gets_into_a_line() -> None:
    given: dict[str, int | str] = {"PGHOST": 5000, "my_app": 5001, "OPENAI_BASE": ADDRESS}

    lines = render(given, "bash", allowed=("PG*", "my_app", "OPENAI_BASE"))

    assert lines == f"export PGHOST=5000\nexport my_app=5001\nexport OPENAI_BASE='{ADDRESS}'\n"


@pytest.mark.parametrize("name", ["TROP_PORT_MIN", "X; touch owned", "$(touch owned)", "X\n", ""])
def test_what_is_trops_own_or_no_name_gets_into_no_line_whatever_is_allowed(name: str) -> None:
    with pytest.raises(ConfigError):
        render({name: 5000}, "bash", allowed=("*",))


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_other_name_gets_into_a_line(name: str, form: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render({"GOOD_PORT": 5000, name: 5001}, form)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("value", [0, 65_536, True, None, 5000.0, b"5000"])
def test_no_value_but_a_port_gets_into_a_line(value: object) -> None:
    with pytest.raises(ConfigError, match="has a value that is no port"):
        render({"GOOD_PORT": value}, "bash")  # type: ignore[dict-item]


UNCHECKED = """
import sys
import trop_core.config.group
trop_core.config.group.port_refusal = lambda name, allowed: None
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
    assert "is no name of a variable" in error_lines(done)[0]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("env", HOSTILE[:8])
def test_a_hostile_file_does_nothing_in_a_shell(sandbox: Sandbox, name: str, env: str) -> None:
    text = env.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    (sandbox.work / "trop.yaml").write_text(f'reservations: {{services: {{"$(touch owned)": {{env: "{text}"}}}}}}\n')

    done = sandbox.run(find_shell(name), "-c", EVALUATE[name].format(trop=f'"{TROP}" autoreserve'))

    assert done.stdout == ""
    assert "is no name of a variable" in done.stderr
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
        pytest.param("elvish", "/bin/bash", "elvish", id="elvish"),
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


@pytest.mark.parametrize("shell", ["tcsh", "csh", "dash"])
def test_a_shell_whose_lines_trop_does_not_write_is_taken_for_no_other(project: Sandbox, shell: str) -> None:
    done = project.trop("env", "--shell", shell)

    assert (done.returncode, done.stdout) == (4, "")
    assert error_lines(done) == (
        f'--shell: expected one of bash, sh, zsh, fish, powershell, pwsh, elvish, not "{shell}"',
        "trop env --help lists what there is",
    )
    assert not project.database.exists()


def test_nothing_is_reserved_where_nobody_could_read_the_answer(project: Sandbox) -> None:
    done = project.trop("autoreserve", SHELL=None)

    assert (done.returncode, done.stdout) == (4, "")
    assert error_lines(done) == (
        "for which shell the lines are cannot be told: neither what runs trop nor SHELL is one that trop knows",
        "Name it with --shell: one of bash, sh, zsh, fish, powershell, pwsh, elvish.",
    )
    assert not project.database.exists()


@pytest.mark.parametrize("form", ["dotenv", "json", "human"])
def test_a_shell_beside_a_format_that_is_for_none_plays_no_part(project: Sandbox, form: str) -> None:
    alone = project.trop("autoreserve", "--format", form)
    beside = project.trop("autoreserve", "--format", form, "--shell", "fish")

    assert (beside.returncode, beside.stdout) == (0, alone.stdout)


def test_programs_get_an_object_of_services_and_ports(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--format", "json")

    assert json.loads(done.stdout) == {"web": 5000, "api": 5001, "db-main": 5004}


def test_people_get_a_table(project: Sandbox) -> None:
    done = project.trop("autoreserve", "--format", "human")

    assert done.stdout == (
        "SERVICE  PORT  VARIABLE\nweb      5000  WEB_PORT\napi      5001  API_PORT\ndb-main  5004  DB_MAIN_PORT\n"
    )


@pytest.mark.parametrize("form", [*LINES, "zsh", "sh", "pwsh"])
def test_a_dry_run_prints_the_lines_as_comments_and_says_what_it_is(project: Sandbox, form: str) -> None:
    asked = ["--format", "dotenv"] if form == "dotenv" else ["--shell", form]

    done = project.trop("autoreserve", *asked, "--dry-run")
    rows = project.rows()
    real = project.trop("autoreserve", *asked)

    assert done.stdout == "".join(f"# {line}\n" for line in real.stdout.splitlines())
    assert done.stderr == "Dry run - no changes made.\n"
    assert rows == []


@pytest.mark.parametrize("name", EVALUATE)
def test_a_dry_run_sets_nothing_in_a_shell(project: Sandbox, name: str) -> None:
    environment = run_in(name, EVALUATE[name].format(trop="trop autoreserve --dry-run --quiet"), project)

    assert exported(environment) == {}


def test_a_dry_run_sets_nothing_in_an_interactive_zsh(project: Sandbox) -> None:
    """There, unlike in a script, # begins no comment on a line that is typed."""
    done = subprocess.run(
        [find_shell("zsh"), "-f", "-i", "-c", 'eval "$(trop autoreserve --dry-run --quiet)"; echo "<$WEB_PORT>"'],
        cwd=project.work,
        env=project.environment(PATH=f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.stdout.strip() == "<>", done.stderr
    assert "not found" not in done.stderr


def test_a_stored_group_is_printed_without_the_variable_that_is_refused(project: Sandbox) -> None:
    project.trop("autoreserve", "--shell", "bash")
    (project.work / "trop.yaml").write_text(GROUP.replace("env: WEB_PORT", "env: PATH"))

    done = project.trop("autoreserve", "--shell", "bash")
    shown = project.trop("autoreserve", "--format", "human")

    assert (done.returncode, done.stdout) == (0, "export API_PORT=5001\nexport DB_MAIN_PORT=5004\n")
    assert done.stderr.startswith('warning: reservations.services.web.env is left out: the variable "PATH" has no PORT')
    assert "web      5000  -\n" in shown.stdout


# What somebody might put into a file: names of variables as they are, and bits that names are made of.
WORDS = st.sampled_from(
    [
        "PATH",
        "GIT_COMMON_DIR",
        "VIMRUNTIME",
        "PORT",
        "WEB_PORT",
        "TROP_PORT_MIN",
        "IMPORT",
        "LD_PRELOAD",
        "port",
        "Port",
    ]
)
NAMES = WORDS | st.text(st.sampled_from("PORT_TROPX9;$( \n'\"\\\u0420\uff30é"), max_size=14) | st.text(max_size=8)


@given(services=st.lists(st.tuples(NAMES, NAMES | st.none()), min_size=1, max_size=4), form=st.sampled_from([*LINES]))
def test_no_name_that_does_not_say_port_is_ever_printed(services: list[tuple[str, str | None]], form: str) -> None:
    written = {tag: {} if env is None else {"env": env} for tag, env in services}

    try:
        layer = parse_text(json.dumps({"reservations": {"services": written}}), "trop.yaml", project=True)
    except ConfigError:
        return
    group: Any = layer["reservations"].value
    environment = {service.variable: 5000 for service in group.services if service.variable is not None}
    lines = render(environment, form).splitlines()

    assert len(lines) == len(environment)
    for name, line in zip(environment, lines, strict=True):
        assert re.fullmatch("[A-Z_][A-Z0-9_]*", name, re.ASCII)
        assert "PORT" in name.split("_")
        assert not name.startswith("TROP_")
        assert re.fullmatch(rf"(export |set -gx |set-env |\$env:)?{name}( = |=| )\"?5000\"?", line)


def test_a_repository_cannot_have_git_run_its_own_commands(sandbox: Sandbox) -> None:
    """With GIT_COMMON_DIR=5150 git takes a directory of that name for the repository, and runs what its config says."""
    project = make_repository(sandbox.work / "project")
    shutil.copytree(project / ".git", project / "5150")
    with (project / "5150" / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "touch {sandbox.root}/owned; false"\n')
    (project / "trop.yaml").write_text("reservations: {services: {web: {preferred: 5150, env: GIT_COMMON_DIR}}}\n")
    (project / "tracked").write_text("")
    trop = f'"{TROP}" autoreserve'

    subprocess.run(["git", "status"], cwd=project, env=sandbox.environment(GIT_COMMON_DIR="5150"), check=False)
    would_run = (sandbox.root / "owned").exists()
    (sandbox.root / "owned").unlink(missing_ok=True)
    done = subprocess.run(
        [find_shell("bash"), "-c", f'eval "$({trop})"; git status >&2; echo "<$GIT_COMMON_DIR>"'],
        cwd=project,
        env=sandbox.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert would_run, "this git would not have run anything, so that nothing is tested"
    assert done.stdout == "<>\n"
    assert 'the variable "GIT_COMMON_DIR" has no PORT among its parts' in done.stderr
    assert not (sandbox.root / "owned").exists()
    assert sandbox.rows() == []


def test_the_parent_of_this_process_has_a_name() -> None:
    assert parent_program()


def test_without_proc_ps_is_asked_or_nobody_knows(sandbox: Sandbox) -> None:
    named = parent_program(str(sandbox.work / "proc"))

    assert named is None or os.path.basename(named).startswith((parent_program() or "")[:8])


def test_without_proc_and_ps_nobody_knows(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(sandbox.work))

    assert parent_program(str(sandbox.work / "proc")) is None
