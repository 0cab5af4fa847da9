"""Lines that give variables to a shell, and which shell it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trop_core.config.values import is_variable_name
from trop_core.config.variables import means_something
from trop_core.errors.arguments import UnknownShell
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.spelling import quoted
from trop_core.models import is_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LINES = {
    "bash": "export {}={}\n",
    "zsh": "export {}={}\n",
    "fish": "set -gx {} {}\n",
    "powershell": '$env:{} = "{}"\n',
    "dotenv": "{}={}\n",
}
"""How each shell, and a .env file, is told a variable and its value."""

_PROGRAMS = {
    "bash": "bash",
    "zsh": "zsh",
    "fish": "fish",
    "pwsh": "powershell",
    "powershell": "powershell",
    # These take the same lines as bash.
    "sh": "bash",
    "dash": "bash",
    "ash": "bash",
    "ksh": "bash",
}


def render(environment: Mapping[str, int], form: str) -> str:
    """One line for each variable, in the form of a shell or of a .env file.

    The names come from a file that a stranger may have written: each is checked here once more, whatever was checked
    before. Raises ``ConfigError`` for one that is no name of a variable or means something else already.
    """
    problems = [
        ConfigProblem(
            "reservations", None, None, None, f"{quoted(name)} = {quoted(port)} cannot be given to a shell: {reason}"
        )
        for name, port in environment.items()
        if (reason := _refusal(name, port)) is not None
    ]
    if problems:
        raise ConfigError(problems)
    return "".join(LINES[form].format(name, port) for name, port in environment.items())


def _refusal(name: str, port: object) -> str | None:
    if not is_variable_name(name):
        return "the name of a variable has letters, digits and _ alone, and does not begin with a digit"
    if means_something(name):
        return "shells and programs take this variable for something else"
    return None if is_port(port) else "the value is no port"


def parent_program(processes: str = "/proc") -> str | None:
    """The name of the program that has started this process, or None where the system does not tell.

    ``processes`` is where Linux shows them; where there is nothing of the kind, ``ps`` is asked.
    """
    parent = os.getppid()
    try:
        with open(f"{processes}/{parent}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return _told_by_ps(parent)


def _told_by_ps(process: int) -> str | None:
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
            ["ps", "-o", "comm=", "-p", str(process)],  # noqa: S607 - wherever this system has it
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def detect(environment: Mapping[str, str], parent: Callable[[], str | None] = parent_program) -> str:
    """The shell that will read the lines: the program that has started this one, else what SHELL names.

    A shell that runs another one leaves its own name in SHELL; so what has started this process knows better, where it
    is a shell at all. Raises ``UnknownShell`` where neither is a shell that is known here.
    """
    for program in (parent(), environment.get("SHELL")):
        # A login shell has a hyphen before its name.
        name = os.path.basename(program or "").removeprefix("-")
        if name in _PROGRAMS:
            return _PROGRAMS[name]
    raise UnknownShell("shell", expected="one of bash, zsh, fish, powershell", missing=True)
