"""The command ``trop``: from the command line to an operation, and from its result to what is printed."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from functools import partial

from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.spelling import flag_name, wire_name
from trop_core.errors.system import AnswerLost, SystemFailure, TooManyOpenFiles
from trop_core.light_types import TYPE_CHECKING, Any, NoReturn
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.cli.printing import answer_bytes, as_json, one_per_line, say
from trop_server.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trop_server.cli.session import Options


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    if sys.platform == "win32":
        sys.exit("trop does not support Windows yet.")
    if "_ARGCOMPLETE" in os.environ:
        # A shell asks for completions.
        from trop_server.cli.completions import answer

        answer()
    # Nothing lives long enough here to be worth collecting.
    gc.disable()
    if sys.stderr is None:
        # Closed by whoever started this. print would write to stdout instead, and a port has to stand there alone.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays open until the end
    code = run(sys.argv[1:])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # What --help prints may find its reader gone as well.
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        code = _fail(AnswerLost(error.strerror or str(error)))
    if sys.stderr is not None:
        sys.stderr.flush()
    # Everything is written and closed: taking the interpreter apart would take as long as the reservation did.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line: the answer goes to stdout, everything else to stderr. Returns the exit code."""
    session: Session | None = None
    try:
        session = Session(_options(arguments))
        if session.options.subcommand not in ("hook", "doctor"):
            # A variable that is wrong must not cost an agent's host its session, and is something to tell of.
            session.read_log_mode()
        _write(_handler(session.options.subcommand)(session))
        return session.exit_code
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:
        # Whoever reads has seen enough. The interpreter would fail once more on what it still wants to write.
        _discard_stdout()
    except BaseException as error:  # noqa: BLE001 - no traceback reaches a user who did not ask for it
        return ended_by(error, session, is_done=session is not None and session.done)
    return 0


def _options(arguments: Sequence[str]) -> Options:
    """What a command line says. Ends for one that is wrong, or asks for help."""
    from trop_server.cli.plain_line import read

    said = read(arguments)
    if said is not None:
        return said
    from trop_server.cli.parser import parse

    return parse(arguments)


def ended_by(error: BaseException, session: Session | None = None, *, is_done: bool) -> int:
    """Tell what has ended a run, before or after what was asked for ``is_done``, and return its exit code."""
    if isinstance(error, TropError):
        return _fail(error, session)
    if isinstance(error, KeyboardInterrupt):
        if not is_done:
            return _fail(Cancelled(), session)
        say("interrupted, after what was asked for had been done")
        return EXIT_CODES[Cancelled.kind]
    if not isinstance(error, Exception):
        raise error
    failure = _unforeseen(error)
    failure.__cause__ = error
    return _fail(failure, session)


def _unforeseen(error: Exception) -> TropError:
    try:
        from trop_core.database.failures import unforeseen
    except (OSError, ImportError):
        return TooManyOpenFiles("load", path=__file__)
    return unforeseen(error)


def _handler(subcommand: str) -> Callable[[Session], str | bytes]:
    if subcommand not in _MODULES:
        return _HANDLERS.get(subcommand, _run_plain)
    module = f"trop_server.cli.{_MODULES[subcommand]}"
    # importlib, which has a function for this, imports a good deal more.
    __import__(module)
    found: Callable[[Session], str | bytes] = getattr(sys.modules[module], subcommand.replace("-", "_"))
    return found


def _run_plain(session: Session) -> str:
    """Run an operation whose answer is one value of its result."""
    return _ANSWERS[session.options.subcommand](session.perform_subcommand())


def _run_reserve(session: Session) -> str:
    answer = _run_plain(session)
    if session.options.field_dry_run:
        session.tell("Dry run - no changes made.")
    return answer


def _run_open(session: Session) -> str:
    from trop_server.cli.browser import show

    return show(session)


def _run_call(session: Session) -> str:
    from trop_core.catalogue import by_command, unknown_command
    from trop_server.wire.values import result_to_wire

    given: str = session.options.command
    # In whichever way a name is written elsewhere: list-projects, listProjects, trop.listProjects, trop_list_projects.
    name = given.replace("-", "_").removeprefix("trop.").removeprefix("trop_")
    command = f"trop.{wire_name(name)}"
    found = by_command(command)
    if found is None:
        raise unknown_command(given, command)
    result = session.perform(found, _json_object(session.options.argument), uris=True)
    return as_json(result_to_wire(result))


_HANDLERS: dict[str, Callable[[Session], str | bytes]] = {
    "reserve": _run_reserve,
    "open": _run_open,
    "call": _run_call,
}

_MODULES = {
    "list": "listing",
    "status": "status",
    "release": "changes",
    "migrate": "changes",
    "swap": "changes",
    "restore": "changes",
    "init": "changes",
    "reserve-group": "groups",
    "autoreserve": "groups",
    "env": "starting",
    "run": "run",
    "validate": "groups",
    "doctor": "doctor",
    "history": "history",
    "undo": "history",
    "exclude": "exclusions",
    "completions": "completions",
    "hook": "hook",
    "setup": "setup",
    "compact-exclusions": "exclusions",
    "port-info": "inspection",
    "scan": "inspection",
    "prune": "cleanup",
    "expire": "cleanup",
    "autoclean": "cleanup",
    "assert-reservation": "assertions",
    "assert-port": "assertions",
    "assert-data-dir": "assertions",
}
"""Subcommands with more to tell than one value, and the module of ``trop_server.cli`` whose function does it."""

_ANSWERS: dict[str, Callable[[Any], str]] = {
    "reserve": lambda result: f"{result.reservation.port}\n",
    "url": lambda result: one_per_line([result.url]),
    "list-projects": lambda result: one_per_line(result.projects),
    "show-path": lambda result: one_per_line([result.path]),
    "backup": lambda result: one_per_line([result.file]),
    "show-data-dir": lambda result: one_per_line([result.data_dir]),
    "schema": lambda result: as_json(result.schema, indent=2),
}


def _json_object(text: str) -> dict[str, object]:
    from trop_server.transport.framing import NotJson, decode

    content = text.encode("utf-8", "surrogateescape")
    if text == "-":
        content = b"" if sys.stdin is None else sys.stdin.buffer.read()
        text = content.decode("utf-8", "replace")
    try:
        value = decode(content)
    except NotJson:
        value = None
    if not isinstance(value, dict):
        raise InvalidArgument("", expected="a JSON object", given=text, alone=True)
    return value


def _write(answer: str | bytes) -> None:
    """Write an answer: a text, in which nothing is obeyed, or what ``cli.terminal`` has painted for people."""
    if not answer:
        return
    if sys.stdout is None:
        raise AnswerLost("it is closed")
    try:
        sys.stdout.buffer.write(answer if isinstance(answer, bytes) else answer_bytes(answer))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_stdout()
        raise AnswerLost(error.strerror or str(error)) from error


def _discard_stdout() -> None:
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(error: TropError, session: Session | None = None) -> int:
    """Tell what is wrong, and return the exit code that it has."""
    try:
        return _tell(error, session)
    except (OSError, ImportError):
        # What it takes to tell it well cannot be loaded now, for the same reason, most likely.
        return _tell(error, None)


def _tell(error: TropError, session: Session | None) -> int:
    spell: Callable[[str], str] = flag_name
    if session is not None:
        from trop_server.cli.subcommands import spelled

        spell = partial(spelled, session.options.subcommand)
    if session is not None and session.options.subcommand == "call":
        from trop_server.wire.errors import error_to_wire

        spell = wire_name
        try:
            _write(as_json({"message": error.message(spell), **error_to_wire(error)}))
        except (OSError, SystemFailure):
            _discard_stdout()
    if session is not None and session.verbose:
        import traceback

        say(*"".join(traceback.format_exception(error)).rstrip().split("\n"))
    if session is not None:
        for warning in error.warnings:
            session.tell(f"warning: {warning}")
    first, *others = error.lines(spell)
    say(f"error: {first}", *others, f"hint: {error.hint(spell)}")
    return EXIT_CODES[error.kind]
