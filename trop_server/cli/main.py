"""The command ``trop``: from the command line to an operation, and from its result to what is printed."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from trop_core.errors import (
    Cancelled,
    InternalError,
    InvalidArgument,
    SystemFailure,
    TropError,
    UnknownCommand,
    flag_name,
    wire_name,
)
from trop_server.cli.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from trop_core.cancellation import Progress
    from trop_core.catalogue import Operation
    from trop_core.config.settings import Settings
    from trop_core.context import Context


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    if sys.platform == "win32":
        sys.exit("trop does not support Windows yet.")
    # Nothing lives long enough here to be worth collecting.
    gc.disable()
    if sys.stderr is None:
        # Closed by whoever started this. print would write to stdout instead, and a port has to stand there alone.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays open until the end
    try:
        code = run(sys.argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # What --help prints may find its reader gone as well.
        _discard_stdout()
        code = 0
    if sys.stderr is not None:
        sys.stderr.flush()
    # Everything is written and closed: taking the interpreter apart would take as long as the reservation did.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line: the answer goes to stdout, everything else to stderr. Returns the exit code."""
    from trop_server.cli.parser import parse

    session: Session | None = None
    try:
        options = parse(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    except KeyboardInterrupt:
        return _fail(Cancelled())
    try:
        session = Session(options)
        session.read_log_mode()
        answer = _HANDLERS.get(options.subcommand, _run_plain)(session)
        _write(answer)
    except TropError as error:
        return _fail(error, session)
    except KeyboardInterrupt:
        return _fail(Cancelled(), session)
    except BrokenPipeError:
        # Whoever reads has seen enough. The interpreter would fail once more on what it still wants to write.
        _discard_stdout()
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user who did not ask for it
        failure = InternalError(f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return _fail(failure, session)
    return 0


class Session:
    """One run of the program: its options, how much it tells, and the settings that its operation found."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.quiet: bool = options.quiet or False
        self.verbose: bool = options.verbose and not options.quiet
        self.settings: Settings | None = None
        self.progress: Progress | None = None

    def read_log_mode(self) -> None:
        """Let TROP_LOG_MODE say how much is told, where no option does. Raises ``ConfigError``."""
        mode = os.environ.get("TROP_LOG_MODE")
        if mode and not (self.quiet or self.verbose):
            if mode not in ("quiet", "normal", "verbose"):
                from trop_core.config.environment import log_mode

                log_mode(os.environ)
            self.quiet, self.verbose = mode == "quiet", mode == "verbose"

    def tell(self, text: str) -> None:
        """Say something to a person."""
        if not self.quiet:
            _say(text)

    def perform(self, operation: Operation, values: dict[str, object], *, uris: bool = False, **changes: Any) -> Any:
        """Run an operation with values by their names in JSON, and tell its warnings."""
        import dataclasses

        from trop_core.cancellation import no_progress
        from trop_core.operations.call import Call
        from trop_core.store import Store

        request = operation.parse(values, uris=uris)
        if changes:
            request = dataclasses.replace(request, **changes)
        context = self._context(self.progress or no_progress)
        store = Store(context.data_directory)
        call = Call(operation, request, context)
        try:
            result = call.run(store)
        finally:
            store.close()
            self.settings = call.settings
            if self.verbose:
                self._tell_origins(context.data_directory)
        for warning in result.warnings:
            self.tell(f"warning: {warning}")
        return result

    def _tell_origins(self, data_directory: str) -> None:
        """Say what the call was based on: the store, and each setting that is no default, with where it was given."""
        self.tell(f"the store is in {data_directory}")
        if self.settings is not None:
            for key, origin in sorted(self.settings.origins.items()):
                self.tell(f"{key} is set by: {origin}")

    def perform_subcommand(self) -> Any:
        """Run the operation that the subcommand is, with what its flags say."""
        from trop_core.catalogue import operation
        from trop_server.cli.parser import given_values

        found = operation(self.options.subcommand.replace("-", "_"))
        return self.perform(found, given_values(found, self.options))

    def _context(self, progress: Progress) -> Context:
        from trop_core.caller import Caller, Door
        from trop_core.cancellation import CancellationToken
        from trop_core.context import Context
        from trop_core.store import data_directory

        try:
            working_directory: str | None = os.getcwd()
        except FileNotFoundError:
            working_directory = None
        caller = Caller(Door.TERMINAL, working_directory)
        return Context(
            caller=caller,
            data_directory=data_directory(self.options.data_dir, os.environ, base=working_directory or "/"),
            environment=os.environ,
            arguments={
                "maximum_lock_wait_seconds": _seconds(self.options.busy_timeout),
                "disable_autoinit": self.options.disable_autoinit,
                "output_format": getattr(self.options, "format", None),
            },
            token=CancellationToken(),
            progress=progress,
        )


def _run_plain(session: Session) -> str:
    """Run an operation whose answer is one value of its result."""
    return _ANSWERS[session.options.subcommand](session.perform_subcommand())


def _run_reserve(session: Session) -> str:
    answer = _run_plain(session)
    if session.options.field_dry_run:
        session.tell("Dry run - no changes made.")
    return answer


def _run_list(session: Session) -> str:
    from trop_core.catalogue import operation
    from trop_server.cli.parser import given_values
    from trop_server.cli.tables import render

    found = operation("list")
    result = session.perform(found, given_values(found, session.options), limit=None)
    home = None if session.options.show_full_paths else os.path.expanduser("~")
    assert session.settings is not None
    return render(result.reservations, session.settings.output_format, home=home)


def _run_call(session: Session) -> str:
    import json

    from trop_core.catalogue import by_command
    from trop_server.wire import result_to_wire

    found = by_command(session.options.command)
    if found is None:
        raise UnknownCommand(session.options.command)
    result = session.perform(found, _json_object(session.options.argument), uris=True)
    return json.dumps(result_to_wire(result)) + "\n"


def _run_release(session: Session) -> str:
    from trop_server.cli import changes

    return changes.release(session)


def _run_migrate(session: Session) -> str:
    from trop_server.cli import changes

    return changes.migrate(session)


def _run_init(session: Session) -> str:
    from trop_server.cli import changes

    return changes.init(session)


_HANDLERS: dict[str, Callable[[Session], str]] = {
    "reserve": _run_reserve,
    "release": _run_release,
    "list": _run_list,
    "migrate": _run_migrate,
    "init": _run_init,
    "call": _run_call,
}

_ANSWERS: dict[str, Callable[[Any], str]] = {
    "reserve": lambda result: f"{result.reservation.port}\n",
    "list-projects": lambda result: "".join(f"{project}\n" for project in result.projects),
    "show-path": lambda result: f"{result.path}\n",
    "show-data-dir": lambda result: f"{result.data_dir}\n",
}


def _json_object(text: str) -> dict[str, object]:
    from trop_server.framing import NotJson, decode

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


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InvalidArgument("busy_timeout", expected="a number of seconds, 0 or more", given=text, alone=True)
    return seconds


def _write(answer: str) -> None:
    if sys.stdout is None:
        raise SystemFailure("write the answer to", path="stdout", reason="it is closed")
    try:
        sys.stdout.buffer.write(answer.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_stdout()
        raise SystemFailure("write the answer to", path="stdout", reason=error.strerror or str(error)) from error


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(error: TropError, session: Session | None = None) -> int:
    spell = flag_name
    if session is not None and session.options.subcommand == "call":
        import json

        from trop_server.wire import error_to_wire

        spell = wire_name
        try:
            _write(json.dumps(error_to_wire(error)) + "\n")
        except (OSError, SystemFailure):
            _discard_stdout()
    if session is not None and session.verbose:
        import traceback

        _say("".join(traceback.format_exception(error)).rstrip())
    _say(f"error: {error.message(spell)}\nhint: {error.hint(spell)}")
    return EXIT_CODES[error.kind]


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr)
    except OSError:
        # Nobody hears it, and that changes neither the answer nor the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
