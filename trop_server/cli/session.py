"""One run of the command: what it was asked, what it tells, and the operation that it runs."""

from __future__ import annotations

import os

from trop_core.errors.arguments import InvalidArgument
from trop_core.fields import Kind
from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.cli.printing import say

if TYPE_CHECKING:
    from argparse import Namespace
    from types import SimpleNamespace

    from trop_core.cancellation import Progress
    from trop_core.catalogue import Operation
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.fields import Field
    from trop_core.store import DataDirectory

    Options = Namespace | SimpleNamespace


class Session:
    """One run of the program: its options, how much it tells, and what its operation has found and done."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.quiet: bool = options.quiet or False
        self.verbose: bool = options.verbose and not options.quiet
        self.done = False
        self.exit_code = 0
        self.settings: Settings | None = None
        self.context: Context | None = None
        self.progress: Progress | None = None

    @property
    def data_directory(self) -> str:
        """The data directory of this run. Raises what finding it raises."""
        return self._found(self.options.data_dir).path

    def read_log_mode(self) -> None:
        """Let TROP_LOG_MODE say how much is told, where no option does. Raises ``ConfigError``."""
        mode = os.environ.get("TROP_LOG_MODE", "").strip().lower()
        if mode and not (self.quiet or self.verbose):
            if mode not in ("quiet", "normal", "verbose"):
                from trop_core.config.environment import log_mode

                log_mode(os.environ)
            self.quiet, self.verbose = mode == "quiet", mode == "verbose"

    def tell(self, text: str) -> None:
        """Say something to a person, in one line."""
        if not self.quiet:
            say(text)

    def perform(self, operation: Operation, values: dict[str, object], *, uris: bool = False, **changes: Any) -> Any:
        """Run an operation with values by their names in JSON, and tell its warnings."""
        from trop_core.cancellation import no_progress
        from trop_core.operations.call import Call
        from trop_core.store import Store

        request = operation.parse(values, uris=uris)
        if changes:
            request = request._replace(**changes)
        named = getattr(request, "data_dir", None)
        data = self._found(self.options.data_dir if named is None else named, tolerant=operation.judges)
        context = self._context(data, self.progress or no_progress)
        self.context = context
        store = Store(context.data_directory)
        call = Call(operation, request, context)
        try:
            result = call.run(store)
            self.done = True
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
            for told in self.settings.passed_over:
                if told not in self.settings.warnings:
                    self.tell(told)

    def perform_subcommand(self) -> Any:
        """Run the operation that the subcommand is, with what its flags say."""
        from trop_core.catalogue import operation

        found = operation(self.options.subcommand.replace("-", "_"))
        return self.perform(found, given_values(found, self.options))

    def _found(self, named: str | None, *, tolerant: bool = False) -> DataDirectory:
        from trop_core.paths import working_directory
        from trop_core.store import data_directory

        return data_directory(named, os.environ, base=working_directory(), tolerant=tolerant)

    def _context(self, data: DataDirectory, progress: Progress) -> Context:
        from trop_core.caller import Caller, Door
        from trop_core.cancellation import CancellationToken
        from trop_core.context import Context
        from trop_core.errors.spelling import flag_name, wire_name
        from trop_core.paths import working_directory

        return Context(
            caller=Caller(Door.TERMINAL, working_directory()),
            data_directory=data.path,
            data_warnings=data.warnings,
            data_failure=data.failure,
            environment=os.environ,
            arguments={
                "maximum_lock_wait_seconds": read_seconds(self.options.busy_timeout),
                "disable_autoinit": self.options.disable_autoinit,
                "output_format": getattr(self.options, "format", None),
            },
            token=CancellationToken(),
            progress=progress,
            spell=wire_name if self.options.subcommand == "call" else flag_name,
        )


def read_seconds(text: str | None) -> float | None:
    """The seconds that --busy-timeout says, None if it is not given. Raises ``InvalidArgument``."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InvalidArgument("busy_timeout", expected="a number of seconds, 0 or more", given=text, alone=True)
    return seconds


def given_values(operation: Operation, options: Options) -> dict[str, object]:
    """The values of an operation's fields, by their names in JSON; what was not given is left out.

    Raises ``InvalidArgument`` for a text that is no whole number where one belongs.
    """
    values: dict[str, object] = {}
    for field in operation.fields:
        value = getattr(options, f"field_{field.name}", None)
        if value is not None:
            values[field.wire] = _whole_number(field, value) if field.kind is Kind.INTEGER else value
    return values


def _whole_number(field: Field, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise InvalidArgument(field.name, expected=field.expectation, given=text, alone=True)
    return int(text)
