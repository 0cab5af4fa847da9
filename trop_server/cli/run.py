"""``trop run``: reserve what this directory has, and become the command, with the ports in its environment."""

from __future__ import annotations

import os

from trop_core.catalogue import Mutation, operation
from trop_core.errors.arguments import InvalidArgument, UnusableOption
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.operations.starting.child_environment import compose
from trop_core.operations.starting.placeholders import Places
from trop_server.cli import execution
from trop_server.cli.printing import as_json, say
from trop_server.cli.session import given_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trop_core.catalogue import Operation
    from trop_core.config.settings import Settings
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.starting.child_environment import ChildEnvironment
    from trop_core.operations.starting.env import EnvResult
    from trop_server.cli.session import Session

_OWN = "TROP_"
_FORM = "json"


def run(session: Session) -> str:
    """Become the command; what comes back is what ``--print-env`` prints, or nothing where it could not be started.

    All that a person has typed, and the files that it names, are looked at before anything is reserved; what the words
    come to is found out in the transaction that reserves.
    """
    options = session.options
    form = _form(session)
    wanted = _wanted(options.env)
    files = _read_files(session, options.env_file)

    def made(result: EnvResult, settings: Settings) -> _Made:
        places = Places(
            result.directory, result.port, {row.tag: row.port for row in (*result.others, *result.reservations)}
        )
        words = options.command[1:]
        templates = places._replace(name=result.name)
        own = {name: str(value) for name, value in result.environment.items()}
        named = {name: templates.fill(template) for name, template in wanted.items()}
        environment = compose(files, execution.inherited(), {**own, **named})
        return _Made(
            arguments=words if options.no_replace else [places.fill(word) for word in words],
            environment=environment,
            printed=None if form is None else _printed(form, result, environment, named, settings),
        )

    # On record stands what was called.
    found = _if_made(operation("env")._replace(name="run"), made)
    result: EnvResult = session.perform(found, given_values(found, options))
    assert session.settings is not None
    arguments, environment, printed = made(result, session.settings)
    for told in environment.told:
        session.tell(f"warning: {told}")
    if options.check:
        _check(session, result)
    if printed is not None:
        return printed
    _start(session, [options.command[0], *arguments], environment.variables)
    return ""


class _Made(NamedTuple):
    """What is made of the ports: what the command is given, and what is printed where it is not to be started."""

    arguments: list[str]
    environment: ChildEnvironment
    printed: str | None


def _if_made(env: Operation, made: Callable[[EnvResult, Settings], object]) -> Operation:
    """The operation, which reserves nothing where what is made of the ports cannot be made: ``made`` raises then."""
    work = env.work
    assert isinstance(work, Mutation)
    find, report = work.plan, work.report

    def plan(connection: StoreConnection, prepared: Any) -> Any:
        found = find(connection, prepared)
        made(report(found, False), prepared.settings)
        return found

    return env._replace(work=work._replace(plan=plan))


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
    form: str, result: EnvResult, environment: ChildEnvironment, named: Mapping[str, str], settings: Settings
) -> str:
    """What the command would be given besides the caller's own environment."""
    ports = {name: value for name, value in result.environment.items() if name not in named}
    others = {name: value for name, value in environment.given.items() if name not in ports}
    if form == "json":
        return as_json({**ports, **others}, indent=2)
    from trop_server.cli.shells import render, render_own

    return render(ports, form, allowed=settings.allowed_variables) + render_own(others, form)


def _start(session: Session, command: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        execution.become(command, environment)
    except execution.NotStarted as failure:
        say(
            f"error: cannot start {quoted(command[0])}: {failure.reason}",
            "hint: Its ports stay reserved. Correct the command and run it again.",
        )
        session.exit_code = failure.code
