"""Command lines are completed, in real shells and as the shells' scripts ask for it."""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.patience import PATIENCE
from support.requirements import find_shell
from support.rows import row
from support.sandbox import SCRIPTS, TROP, error_lines
from support.strange import ZOO

from trop_server.cli.parser import build
from trop_server.cli.subcommands import SHELLS, SUBCOMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")

REAL_SHELLS = ("bash", "zsh", "fish")
AUTO = ["--disable-autoinit", "--disable-autoprune", "--disable-autoexpire"]
HOSTILE = "a; $(touch pwned) `touch pwned` \"'"
OBEYED = [text for text, shown in ZOO.values() if text != shown and text.isascii()] + ["\x9b31m", "\u202ea", "\u2028"]


def complete(
    sandbox: Sandbox, line: str, *, cwd: Path | None = None, shell: str = "powershell", **environment: str
) -> list[str]:
    """What is offered for a command line with the cursor at its end, asked for as the PowerShell script does."""
    answer = sandbox.root / "answer"
    answer.unlink(missing_ok=True)
    done = subprocess.run(
        [TROP],
        cwd=cwd or sandbox.work,
        env=sandbox.environment(
            _ARGCOMPLETE="1",
            _ARGCOMPLETE_IFS="\n",
            _ARGCOMPLETE_SHELL=shell,
            _ARGCOMPLETE_SUPPRESS_SPACE="1",
            _ARGCOMPLETE_STDOUT_FILENAME=str(answer),
            COMP_LINE=line,
            COMP_POINT=str(len(line)),
            **environment,
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")
    return answer.read_text().splitlines()


def store(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)",
        [row("/w/a", 5000), row("/w/a", 5001, "web", "shop", "login"), row("/w/b", 5002, "web", "blog")],
    )


def _program(sandbox: Sandbox, name: str) -> Path:
    """A directory with one program in it, which prints the file that it is given."""
    place = sandbox.root / "programs"
    place.mkdir()
    (place / name).write_text('#!/bin/sh\ncat "$1"\n')
    (place / name).chmod(0o755)
    return place


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        pytest.param("trop comp", ["compact-exclusions", "completions"], id="a subcommand"),
        pytest.param("trop --quiet comp", ["compact-exclusions", "completions"], id="after an option"),
        pytest.param("trop completions ", list(SHELLS), id="a choice"),
        pytest.param("trop list --format ", ["table", "json", "csv", "tsv"], id="the choices of an option"),
        pytest.param("trop list --format=j", ["--format=json"], id="with an equals sign"),
        pytest.param("trop reserve --allow-change-", ["--allow-change-project", "--allow-change-task"], id="options"),
        pytest.param("trop reserve --disable-auto", AUTO, id="options but no silent alias"),
        pytest.param("trop reserve --tag ", ["web"], id="tags of the store"),
        pytest.param("trop list --filter-project ", ["blog", "shop"], id="projects of the store"),
        pytest.param("trop reserve --task l", ["login"], id="tasks of the store"),
        pytest.param("trop port-info ", ["5000", "5001", "5002"], id="ports of the store"),
        pytest.param("trop exclude ", [], id="no files where ports are meant"),
        pytest.param("trop reserve --port ", [], id="nothing for a port that is wished for"),
        pytest.param("trop --busy-timeout ", [], id="nothing for seconds"),
        pytest.param("trop compact-exclusions ", ["dir/", "other.yml", "trop.yaml"], id="configuration files"),
        pytest.param("trop validate ./d", ["./dir/"], id="a path that begins with a dot"),
        pytest.param("trop validate dir/", ["dir/deep.yaml"], id="in a directory"),
        pytest.param("trop validate .h", [".hidden.yaml"], id="hidden files if they are meant"),
        pytest.param("trop migrate --from ", ["dir/"], id="directories"),
        pytest.param("trop --data-dir d", ["dir/"], id="a data directory"),
        pytest.param("trop reserve --path nowhere/", [], id="a directory that is not there"),
        pytest.param("trop restore ", ["README.md", "dir/", "other.yml", "trop.yaml"], id="any file for a backup"),
        pytest.param("trop backup R", ["README.md"], id="a backup's file"),
        pytest.param("trop env --write .h", [".hidden.yaml"], id="a file for the variables"),
        pytest.param("trop env --write=.h", ["--write=.hidden.yaml"], id="that with an equals sign"),
        pytest.param("trop run --env-file R", ["README.md"], id="a file of variables"),
        pytest.param("trop run -- known-", ["known-program"], id="a program to run"),
        pytest.param("trop run --tag web known-", ["known-program"], id="a program without the dashes"),
        pytest.param("trop run -- di", ["dir/"], id="a directory with programs"),
        pytest.param("trop run -- dir/", ["dir/deep.yaml"], id="a program by its path"),
        pytest.param("trop run -- cat R", ["README.md"], id="a file for the program"),
        pytest.param("trop run cat --tag ", ["README.md", "dir/", "other.yml", "trop.yaml"], id="no option of trop's"),
        pytest.param("trop run -- cat --t", [], id="no options of trop's behind the dashes"),
        pytest.param("trop run --services --t", ["--tag"], id="options of trop's before a program"),
        pytest.param("trop call trop.compact", ["trop.compactExclusions"], id="commands of the server"),
        pytest.param("trop call trop.list ", [], id="nothing for JSON"),
    ],
)
def test_what_can_stand_here_is_offered(sandbox: Sandbox, line: str, offered: list[str]) -> None:
    store(sandbox)
    for name in ("trop.yaml", "other.yml", "README.md", ".hidden.yaml", "dir/deep.yaml"):
        (sandbox.work / name).parent.mkdir(exist_ok=True)
        (sandbox.work / name).touch()
    programs = _program(sandbox, "known-program")
    (programs / "known-text").touch()

    found = [word.strip() for word in complete(sandbox, line, PATH=f"{programs}:/nowhere")]

    assert found == offered


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {
        name
        for action in parser._actions
        for name in action.option_strings
        if action.help is not argparse.SUPPRESS and name.startswith("--")
    }


def test_every_subcommand_is_offered(sandbox: Sandbox) -> None:
    assert set(complete(sandbox, "trop ")) == set(SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_option_of_a_subcommand_is_offered(sandbox: Sandbox, name: str) -> None:
    subparsers = next(action for action in build([name])._actions if isinstance(action, argparse._SubParsersAction))

    assert set(complete(sandbox, f"trop {name} --")) == options_of(subparsers.choices[name])


def test_what_is_stored_comes_as_a_word_and_not_as_code(sandbox: Sandbox) -> None:
    sandbox.make_store()
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 0, 0)",
        [("/w", text, port) for port, text in enumerate([HOSTILE, "ü 👩\u200d💻", *OBEYED], start=5000)],
    )

    offered = complete(sandbox, "trop reserve --tag ", shell="bash")

    script = f'printf "%s\\n" {" ".join(offered)}'
    done = subprocess.run(["bash", "-c", script], cwd=sandbox.work, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == [HOSTILE, "ü 👩\u200d💻", ""]
    assert list(sandbox.work.iterdir()) == []


def test_a_directory_whose_name_would_be_obeyed_is_not_offered(sandbox: Sandbox) -> None:
    for name in ("ü\u3000a", *OBEYED):
        sandbox.directory(name)

    assert complete(sandbox, "trop show-path --path ", shell="fish") == ["ü\u3000a/"]


@pytest.mark.parametrize("state", ["missing", "empty", "noise", "a directory", "version 1", "in use", "current"])
def test_an_answer_writes_nothing_and_does_without_a_store_that_cannot_be_read(sandbox: Sandbox, state: str) -> None:
    if state != "missing":
        sandbox.data.mkdir(mode=0o700)
    if state in ("empty", "noise"):
        sandbox.database.write_bytes(b"" if state == "empty" else os.urandom(5000))
    elif state == "a directory":
        sandbox.database.mkdir()
    elif state == "version 1":
        _version_1(sandbox)
    elif state in ("current", "in use"):
        store(sandbox)
    holder = sandbox.locked() if state == "in use" else _nothing()
    with holder:
        before = _everything_in(sandbox.data)

        offered = complete(sandbox, "trop reserve --tag ")

        assert _everything_in(sandbox.data) == before
    assert [word.strip() for word in offered] == (["web"] if state in ("version 1", "in use", "current") else [])


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _version_1(sandbox: Sandbox) -> None:
    stores.make_v1(sandbox.database, [("/w", None, 5000, None, None, 1, 2), ("/w", "web", 5001, None, None, 1, 2)])


def _everything_in(directory: Path) -> dict[str, bytes]:
    # What is in the -shm file are locks.
    if not directory.exists():
        return {}
    return {
        path.name: path.read_bytes() if path.is_file() and not path.name.endswith("-shm") else b""
        for path in directory.iterdir()
    }


@pytest.mark.parametrize("shell", REAL_SHELLS)
def test_the_script_is_one_that_the_shell_can_read(sandbox: Sandbox, shell: str) -> None:
    script = sandbox.trop("completions", shell)

    read = sandbox.run(find_shell(shell), "-n", stdin=script.stdout)

    assert (script.returncode, script.stderr, read.returncode) == (0, "", 0)


def test_the_script_for_powershell_asks_this_program(sandbox: Sandbox) -> None:
    script = sandbox.trop("completions", "powershell").stdout

    assert "Register-ArgumentCompleter -Native -CommandName trop -ScriptBlock" in script
    # All that ``complete`` above hands over, as the script does.
    for name in ("_ARGCOMPLETE", "_ARGCOMPLETE_IFS", "_ARGCOMPLETE_SHELL", "COMP_LINE", "COMP_POINT"):
        assert f"$env:{name} = " in script
    assert "$env:_ARGCOMPLETE_STDOUT_FILENAME = $completion_file" in script


def test_another_shell_is_refused(sandbox: Sandbox) -> None:
    done = sandbox.trop("completions", "tcsh")

    message, _ = error_lines(done)
    assert (done.returncode, done.stdout) == (4, "")
    assert '"tcsh"' in message


@pytest.mark.parametrize("shell", REAL_SHELLS)
def test_a_shell_completes_after_the_line_of_the_help_was_run_in_it(sandbox: Sandbox, shell: str) -> None:
    shown = sandbox.root / "shown"

    with _completing(sandbox, shell) as type_in:
        # Typed again until it has happened: what is typed while the shell starts may be lost.
        type_in(f"trop show-data-d\t> {shown}\r", lambda: shown.exists() and shown.read_text())

    assert shown.read_text() == f"{sandbox.data}\n"


@pytest.mark.parametrize("shell", REAL_SHELLS)
def test_a_shell_completes_a_program_and_its_file_behind_run(sandbox: Sandbox, shell: str) -> None:
    shown = sandbox.root / "shown"
    (sandbox.work / "what to tell: (1).txt").write_text("told\n")

    with _completing(sandbox, shell, _program(sandbox, "tell-a-file")) as type_in:
        type_in(f"trop run -- tell-a\twhat\t> {shown}\r", lambda: shown.exists() and shown.read_text())

    assert shown.read_text() == "told\n"


@contextmanager
def _completing(sandbox: Sandbox, shell: str, *places: Path) -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """A shell in a terminal, in which the line of the help was run, and which finds programs in places, too."""
    program = find_shell(shell)
    help_text = sandbox.trop("completions", "--help").stdout
    (line,) = re.findall(rf"^  {shell} +(\S.*)$", help_text, re.MULTILINE)
    environment = sandbox.environment(
        PATH=":".join([*map(str, places), str(SCRIPTS), os.environ["PATH"]]),
        TERM="xterm",
        SHELL=program,
        ZDOTDIR=None,
        XDG_CONFIG_HOME=None,
    )
    # Without it, the first fish of a user reads all manuals of the machine, in the background.
    (sandbox.home / ".local/share/fish/generated_completions").mkdir(parents=True)
    subprocess.run([program, "-c", line], cwd=sandbox.work, env=environment, timeout=PATIENCE, check=True)
    with _terminal(program, sandbox.work, environment) as type_in:
        yield type_in


@contextmanager
def _terminal(
    program: str, cwd: Path, environment: dict[str, str]
) -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """An interactive shell in a terminal of its own; gives a function that types a line until something is true."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(program, [program, "-i"], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    said = bytearray()

    def type_in(line: str, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            # Ctrl-U: away with what is left of the line before.
            os.write(terminal, b"\x15" + line.encode())
            attempt = time.monotonic() + 5
            while time.monotonic() < attempt:
                if select.select([terminal], [], [], 0.05)[0]:
                    said.extend(os.read(terminal, 4096))
                if happened():
                    return
        raise TimeoutError(f"it has not happened; the terminal shows {bytes(said)!r}")

    try:
        yield type_in
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def test_a_reservation_does_not_pay_for_it(sandbox: Sandbox) -> None:
    program = "import sys; from trop_server.cli.main import run; run(['reserve']); print(*sys.modules, file=sys.stderr)"
    sandbox.reserve()

    done = sandbox.run(sys.executable, "-c", program)

    assert done.returncode == 0, done.stderr
    assert not {"ruamel.yaml", "argcomplete"} & set(done.stderr.split())
