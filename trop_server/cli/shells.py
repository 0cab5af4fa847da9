"""Lines that give variables to a shell, and which shell it is."""

from __future__ import annotations

import os

from trop_core.config.variables import address_refusal, port_refusal
from trop_core.errors.arguments import InvalidArgument, UnknownShell
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import is_port
from trop_core.ports.made_variables import is_made
from trop_server.cli.subcommands import EXPORT_SHELLS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_SHARED = {"sh": "bash", "zsh": "bash", "pwsh": "powershell"}
"""The shells that take the very lines of another one."""

LINES = {
    "bash": "export {}={}\n",
    "fish": "set -gx {} {}\n",
    "powershell": "$env:{} = {}\n",
    "elvish": "set-env {} {}\n",
    "dotenv": "{}={}\n",
}
"""How each shell, and a .env file, is told a variable and its value. In all of them # begins a comment."""


def _for_posix(text: str) -> str:
    """Quotes a text for the POSIX shells."""
    import shlex

    return shlex.quote(text)


def _escaping(special: str) -> Callable[[str], str]:
    """Quotes a text in single quotes, with a backslash before what would end the quotes or be one."""
    return lambda text: f"'{''.join(chr(92) + c if c in special else c for c in text)}'"


def _doubling(quotes: str) -> Callable[[str], str]:
    """Quotes a text in single quotes, with each quotation mark twice."""
    return lambda text: f"'{''.join(c * 2 if c in quotes else c for c in text)}'"


_QUOTING: dict[str, Callable[[str], str]] = {
    "bash": _for_posix,
    "fish": _escaping("\\'"),
    "powershell": _doubling("'\u2018\u2019\u201a\u201b"),
    "elvish": _doubling("'"),
    "dotenv": _escaping("\\'"),
}
"""How each takes a text of any kind as one word. To PowerShell every single quotation mark is one."""

_PROGRAMS = {
    "bash": "bash",
    "zsh": "zsh",
    "fish": "fish",
    "pwsh": "powershell",
    "powershell": "powershell",
    "elvish": "elvish",
    # These take the same lines as bash.
    "sh": "bash",
    "dash": "bash",
    "ash": "bash",
    "ksh": "bash",
}


def render(
    environment: Mapping[str, int | str], form: str, *, allowed: Collection[str] = (), dry_run: bool = False
) -> str:
    """One line for each variable, in the form of a shell or of a .env file; a dry run's lines are comments.

    Names and templates come from a file that a stranger may have written: each name and value is checked here once
    more, whatever was checked before. ``allowed`` are the variables that the user allows. Raises ``ConfigError`` for a
    name that may not be given, or a value that is neither a port nor made from ports.
    """
    problems = [
        ConfigProblem("reservations", None, None, None, f"the variable {quoted(name)} {reason}")
        for name, value in environment.items()
        if (reason := _refusal(name, value, allowed)) is not None
    ]
    if problems:
        raise ConfigError(problems)
    line = ("# " if dry_run else "") + LINES[_SHARED.get(form, form)]
    return "".join(line.format(name, _spelled(value, form)) for name, value in environment.items())


def render_own(environment: Mapping[str, str], form: str) -> str:
    """The same for variables that are the user's own: any name, and any text as it is.

    Raises ``InvalidArgument`` for a name that no shell knows, and for a value that is more than one printed line.
    """
    lines = []
    for name, value in environment.items():
        if not (name.isascii() and name.isidentifier()) or not value.isprintable():
            expected = f"json, the only form that can hold the value of {quoted(name)}"
            raise InvalidArgument("format", expected=expected, given=form)
        shared = _SHARED.get(form, form)
        lines.append(LINES[shared].format(name, _QUOTING[shared](value)))
    return "".join(lines)


def _refusal(name: str, value: object, allowed: Collection[str]) -> str | None:
    if isinstance(value, str):
        return address_refusal(name, allowed) or (None if is_made(value) else "has a value that is not made from ports")
    return port_refusal(name, allowed) or (None if is_port(value) else "has a value that is no port")


def _spelled(value: int | str, form: str) -> str:
    """A checked value, as a word of the shell: digits, or a text without quotes, spaces and backslashes."""
    if isinstance(value, str):
        # Between single quotes none of these shells, and no reader of .env files, sees anything but the text.
        return f"'{value}'"
    return f'"{value}"' if _SHARED.get(form, form) == "powershell" else str(value)


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
    raise UnknownShell("shell", expected=f"one of {', '.join(EXPORT_SHELLS)}", missing=True)
