"""The language server: what it registers, and how a command comes to its answer."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from trop_core import __version__
from trop_core.caller import Caller, Door
from trop_core.cancellation import no_progress
from trop_core.catalogue import Operation, operations
from trop_core.context import Context
from trop_core.errors import InvalidArgument
from trop_core.operations.call import Call
from trop_core.paths import canonical, check_storable, from_uri
from trop_core.store import data_directory
from trop_server.client_log import ClientLogHandler
from trop_server.framing import BrokenFrame, Input
from trop_server.lanes import Lanes, Ticket
from trop_server.output import Output
from trop_server.parent import watch
from trop_server.progress import ProgressReports
from trop_server.protocol import TropProtocol
from trop_server.surroundings import folders_on_disk, server_environment, working_directory
from trop_server.wire import operation_to_wire, result_to_wire

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_GRACE = 0.4
_FLUSH = 0.2


class TropServer(LanguageServer):
    """One session with one client, from ``initialize`` to the end of the process."""

    protocol: TropProtocol

    def __init__(self, environment: Mapping[str, str], data_dir: str | None = None) -> None:
        super().__init__(
            "trop-server",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.None_,
            protocol_cls=TropProtocol,
        )
        self._environment = server_environment(environment)
        self._data_dir = data_dir
        self._lanes: Lanes | None = None
        self._ended: asyncio.Future[int] | None = None
        self._home = canonical(os.path.expanduser("~"))
        for operation in operations():
            self.command(operation.command)(partial(self._run, operation))

    # The session

    async def serve(self, input_descriptor: int, output_descriptor: int) -> int:
        """Speak with a client until one of the two sides ends it; returns the exit code of the process.

        When it returns, what was under way has been taken back, unless that took too long.
        """
        # Of what a client got wrong pygls logs tracebacks; the protocol here logs a sentence about it by itself.
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        output = self.protocol.output = Output(output_descriptor, partial(loop.call_soon_threadsafe, self.end, 1))
        self._lanes = Lanes(self._data_directory, output.room)
        Input(
            input_descriptor,
            loop,
            on_message=self.protocol.receive,
            on_garbage=lambda error: self.protocol.receive_garbage(str(error)),
            on_end=self._on_end,
            may_read=output.wait_until_uncrowded,
        ).start()
        code = await self._ended
        try:
            async with asyncio.timeout(_GRACE):
                await self.protocol.cancel_all()
        except TimeoutError:
            logger.warning("a command did not stop in time; its transaction ends with the process")
        output.flush(_FLUSH)
        return code

    def end(self, code: int) -> None:
        """End the session; the first reason to end it gives the exit code."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(code)

    def accept_options(self, options: Any) -> None:
        """Take the client's ``initializationOptions``. Raises ``InvalidArgument`` for a ``dataDir`` that is no path."""
        if isinstance(options, dict) and options.get("dataDir") is not None:
            named = options["dataDir"]
            if not isinstance(named, str):
                raise InvalidArgument("data_dir", expected="a path", given=named, alone=True)
            self._data_dir = check_storable(from_uri(named))

    def begin(self) -> None:
        """The client has introduced itself: watch its process, and let it see the log."""
        if self.process_id is not None:
            watch(self.process_id, partial(self.end, 1))
        logging.getLogger("trop_server").addHandler(ClientLogHandler(self.window_log_message))

    def describe(self, capabilities: types.ServerCapabilities) -> None:
        """Say in the answer to ``initialize`` what this server is for: no documents, but the whole catalogue."""
        capabilities.text_document_sync = None
        capabilities.notebook_document_sync = None
        if capabilities.execute_command_provider is not None:
            capabilities.execute_command_provider.work_done_progress = True
        catalogue = [operation_to_wire(operation) for operation in operations()]
        capabilities.experimental = {"trop": {"version": __version__, "commands": catalogue}}

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong outside of a command; pygls would put it before the person as a message box."""
        logger.error("%s: %s", getattr(source, "__name__", source), error)

    def _on_end(self, error: BrokenFrame | None) -> None:
        if error is not None:
            self.protocol.receive_garbage(str(error))
        self.end(1)

    # Commands

    async def _run(self, operation: Operation, argument: dict[str, Any], ticket: Ticket) -> dict[str, Any]:
        assert self._lanes is not None
        request = operation.parse(argument)
        reports: ProgressReports | None = None
        if ticket.progress_token is not None:
            reports = ProgressReports(asyncio.get_running_loop(), self.protocol.send_progress, ticket.progress_token)
        context = Context(
            caller=self._caller(),
            data_directory=self._data_directory(),
            environment=self._environment,
            arguments={},
            token=ticket.token,
            progress=reports or no_progress,
        )
        call = Call(operation, request, context)
        if reports is None:
            return result_to_wire(await self._lanes.run(ticket, call))
        reports.begin(operation.title)
        try:
            return result_to_wire(await self._lanes.run(ticket, call))
        finally:
            reports.end()

    def _caller(self) -> Caller:
        return Caller(
            Door.SERVER, working_directory=working_directory(), folders=tuple(self._open_folders()), home=self._home
        )

    def _open_folders(self) -> list[str]:
        return folders_on_disk(folder.uri for folder in self.protocol.workspace.folders.values())

    def _data_directory(self) -> str:
        base = self._open_folders()[:1] or [working_directory() or "/"]
        return data_directory(self._data_dir, self._environment, base=base[0])
