"""``trop run``: reserve what this directory has, and become the command, with the ports in its environment."""

from __future__ import annotations

import os

from trop_core.catalogue import operation
from trop_core.errors.arguments import InvalidArgument, UnusableOption
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.starting.child_environment import compose
from trop_core.operations.starting.placeholders import Places
from trop_server.cli import execution
from trop_server.cli.printing import as_json, say
from trop_server.cli.session import given_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trop_core.operations.starting.child_environment import ChildEnvironment
    from trop_core.operations.starting.env import EnvResult
    from trop_server.cli.session import Session

_OWN = "TROP_"
_FORM = "json"


def run(session: Session) -> str:
    """Become the command; what comes back is what ``--print-env`` prints, or nothing where it could not be started.

    All that a person has typed, and the files that it names, are looked at before anything is reserved.
    """
    options = session.options
    form = _form(session)
    wanted = _wanted(options.env)
    files = _read_files(session, options.env_file)
    result: EnvResult = session.perform(operation("env"), given_values(operation("env"), options))
    places = Places(
        result.directory, result.port, {row.tag: row.port for row in (*result.others, *result.reservations)}
    )
    arguments = options.command[1:] if options.no_replace else [places.fill(word) for word in options.command[1:]]
    templates = places._replace(name=result.name)
    own = {name: str(value) for name, value in result.environment.items()}
    named = {name: templates.fill(template) for name, template in wanted.items()}
    environment = compose(files, execution.inherited(), {**own, **named})
    for told in environment.told:
        session.tell(f"warning: {told}")
    if options.check:
        _check(session, result)
    if form is not None:
        return _printed(session, form, result, environment, named)
    _start(session, [options.command[0], *arguments], environment.variables)
    return ""


def _form(session: Session) -> str | None:
    """How to print the variables, or None where the command is to be started. Raises ``InvalidArgument``."""
    options = session.options
    if not options.print_env:
        if options.env_format is not None:
            raise UnusableOption("format", "a command that is started prints no variables; --print-env does")
        if not any(options.command[:1]):
            raise InvalidArgument("command", expected="what to start, as in: trop run -- npm start", missing=True)
        return None
    form: str = options.env_format or _FORM
    if form == "export":
        from trop_server.cli.shells import detect

        form = options.shell or detect(os.environ)
    return form


def _wanted(given: Iterable[str]) -> dict[str, str]:
    """The variables that ``--env`` names, with their templates. Raises ``InvalidArgument``; no value is in it."""
    wanted = {}
    for text in given:
        name, has_template, template = text.partition("=")
        if not (name.isascii() and name.isidentifier()) or name.upper().startswith(_OWN):
            expected = f"a name of letters, digits and _, no digit first, that does not begin with {_OWN}"
            raise InvalidArgument("env", expected=expected, given=name, alone=True)
        wanted[name] = template if has_template else "{port}"
    return wanted


def _read_files(session: Session, paths: Sequence[str]) -> dict[str, str]:
    if not paths:
        return {}
    from trop_server.cli.env_files import read_files

    variables, warnings = read_files(paths)
    for warning in warnings:
        session.tell(f"warning: {warning}")
    return variables


def _check(session: Session, result: EnvResult) -> None:
    from trop_core.operations.starting.squatters import check

    assert session.settings is not None
    assert session.context is not None
    for warning in check(result.reservations, session.settings, session.context):
        session.tell(f"warning: {warning}")


def _printed(
    session: Session, form: str, result: EnvResult, environment: ChildEnvironment, named: Mapping[str, str]
) -> str:
    """What the command would be given besides the caller's own environment."""
    ports = {name: value for name, value in result.environment.items() if name not in named}
    others = {name: value for name, value in environment.given.items() if name not in ports}
    if form == "json":
        return as_json({**ports, **others}, indent=2)
    from trop_server.cli.shells import render, render_own

    allowed = session.settings.allowed_variables if session.settings is not None else ()
    return render(ports, form, allowed=allowed) + render_own(others, form)


def _start(session: Session, command: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        execution.become(command, environment)
    except execution.NotStarted as failure:
        say(
            f"error: cannot start {quoted(command[0])}: {failure.reason}",
            "hint: Its ports stay reserved. Correct the command and run it again.",
        )
        session.exit_code = failure.code
