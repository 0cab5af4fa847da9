"""The three doors to a command, and what comes back through one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from support.messages import ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

DoorName = Literal["cli", "call", "server"]
DOORS: tuple[DoorName, ...] = ("cli", "call", "server")
JSON_DOORS: tuple[DoorName, ...] = ("call", "server")

DRY = "Dry run - no changes made."
POSITIONALS = {
    "trop.assertPort": "port",
    "trop.compactExclusions": "config",
    "trop.exclude": "ports",
    "trop.portInfo": "port",
    "trop.restore": "file",
    "trop.swap": "path",
    "trop.undo": "id",
}
"""The fields that stand on the command line without a flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came through a door: an exit code or a JSON-RPC code, texts, and a result or an error's ``data``.

    ``told`` are the lines of a program's stderr, ``message`` is the whole of it or the server's error.
    """

    code: int
    stdout: str = ""
    told: tuple[str, ...] = ()
    message: str = ""
    data: Any = None


def ask(
    sandbox: Sandbox,
    client: Client,
    door: DoorName,
    command: str,
    given: Mapping[str, object],
    *options: str,
    work: Path | None = None,
    **environment: str | None,
) -> Answer:
    """Run a command through a door; ``options`` are for the subcommand alone, all that follows for both programs."""
    if door == "server":
        return served(client, command, given)
    if door == "call":
        return called(sandbox, command, given, work=work, **environment)
    return ran(sandbox, *as_command_line(command, given), *options, work=work, **environment)


def served(client: Client, command: str, given: Mapping[str, object]) -> Answer:
    """What the server answers."""
    try:
        return Answer(code=0, data=client.call(command, dict(given)))
    except ServerError as error:
        return Answer(code=error.code, message=error.message, data=error.data)


def called(
    sandbox: Sandbox, command: str, given: Mapping[str, object], *, work: Path | None = None, **environment: str | None
) -> Answer:
    """What ``trop call`` prints."""
    done = sandbox.trop("call", command, json.dumps(given), cwd=work, **environment)
    return Answer(
        code=done.returncode,
        told=tuple(done.stderr.splitlines()),
        message=done.stderr,
        data=json.loads(done.stdout or "null"),
    )


def ran(sandbox: Sandbox, *arguments: str, work: Path | None = None, **environment: str | None) -> Answer:
    """What a subcommand prints."""
    done = sandbox.trop(*arguments, cwd=work, **environment)
    return Answer(code=done.returncode, stdout=done.stdout, told=tuple(done.stderr.splitlines()), message=done.stderr)


def as_command_line(command: str, given: Mapping[str, object]) -> list[str]:
    """A command and its argument in JSON as the subcommand and its arguments."""
    flags = dict(given)
    positional = POSITIONALS.get(command)
    values = [str(flags.pop(positional))] if positional in flags else []
    return [_kebab(command.removeprefix("trop.")), *values, *as_flags(flags)]


def as_flags(given: Mapping[str, object]) -> list[str]:
    """An argument in JSON as flags; each has its value in the same word."""
    flags: list[str] = []
    for name, value in given.items():
        if value is True:
            flags.append(f"--{_kebab(name)}")
        elif value is not False:
            flags.append(f"--{_kebab(name)}={value}")
    return flags


def _kebab(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
