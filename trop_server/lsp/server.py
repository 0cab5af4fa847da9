"""The language server: what it registers, and how a command comes to its answer."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from trop_core import __version__
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken, no_progress
from trop_core.catalogue import Computation, Operation, operations
from trop_core.context import Context
from trop_core.database.file_set import DATABASE_NAME
from trop_core.errors.spelling import wire_name
from trop_core.operations.call import Call
from trop_core.paths import canonical, home_directory, working_directory
from trop_core.store import DataDirectory, data_directory
from trop_server.lsp.client_log import log_to_client
from trop_server.lsp.documents.addresses import is_of_interest
from trop_server.lsp.documents.capabilities import HEARD, declare, is_answered
from trop_server.lsp.documents.commands import OPEN, address_of
from trop_server.lsp.documents.wishes import Wishes, read_wishes
from trop_server.lsp.opening import Openings
from trop_server.lsp.options import Options, ReserveOnOpen, read_options
from trop_server.lsp.progress import ProgressReports
from trop_server.lsp.protocol import TropProtocol
from trop_server.lsp.renames import Renames
from trop_server.lsp.watching import Watcher
from trop_server.lsp.window import Window
from trop_server.transport.framing import BrokenFrame, Input
from trop_server.transport.lanes import Lanes, Ticket
from trop_server.transport.output import Output
from trop_server.transport.parent import watch
from trop_server.transport.surroundings import folders_on_disk, server_environment
from trop_server.wire.commands import operation_to_wire
from trop_server.wire.values import reservation_to_wire, result_to_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from trop_core.cancellation import Progress
    from trop_core.models import Reservation
    from trop_core.records import Record
    from trop_server.lsp.documents.living import Living

logger = logging.getLogger(__name__)

T = TypeVar("T")

RESERVATIONS_CHANGED = "trop/reservationsChanged"
ANNOUNCEMENT = "trop/announcement"

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
        self._options = Options()
        self._wishes = Wishes()
        self._living: Living | None = None
        self._lanes: Lanes | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._watcher: Watcher | None = None
        self._ended: asyncio.Future[int] | None = None
        home = home_directory()
        self._home_directory = lambda: home
        self._home = None if home is None else canonical(home)
        for operation in operations():
            self.command(operation.command)(partial(self._run, operation))
        order = asyncio.Lock()
        window = Window(self.protocol.ask, self.window_show_message, self._announce)
        self._renames = Renames(self, window, order)
        self._openings = Openings(self, window, order)
        # pygls writes attributes to what it registers: a partial has room for them, a method has not.
        self.feature(types.INITIALIZED)(partial(self._on_initialized))
        self.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(partial(self._on_folders))
        self.feature(types.WORKSPACE_DID_RENAME_FILES)(partial(self._on_renames))

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
        self._lanes = Lanes(output)
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

    def finish(self, code: int) -> None:
        """End the session once what was received before is answered, or a moment later; the first code counts."""
        if self._finishing is None:
            self._finishing = asyncio.ensure_future(self._finish(code))

    async def _finish(self, code: int) -> None:
        await self.protocol.settle()
        self.end(code)

    def accept_options(self, options: Any) -> None:
        """Take the client's ``initializationOptions``. Raises what ``read_options`` raises."""
        self._options = read_options(options)

    def accept_client(self, params: dict[str, Any]) -> None:
        """Take what the parameters of ``initialize`` say of the client, whatever they hold."""
        self._wishes = read_wishes(params, saves_first=self._options.saves_first)
        if self._wishes.opens_ports:
            self.command(OPEN)(partial(self._open_port))

    def begin(self) -> None:
        """The client has introduced itself: watch its process and the store, and let it see the log."""
        if self.process_id is not None:
            watch(self.process_id, partial(self.end, 1))
        log_to_client(self.window_log_message)
        if self._options.notifications:
            assert self.protocol.output is not None
            self._watcher = Watcher(
                self._database,
                self._open_folders,
                may_tell=self.protocol.output.wait_until_uncrowded,
                tell=self._tell_reservations,
            )
            self._watcher.start()

    def describe(self, capabilities: types.ServerCapabilities) -> None:
        """Say in the answer to ``initialize`` what this server is for: the catalogue, and one kind of document."""
        declare(capabilities, self._wishes)
        capabilities.notebook_document_sync = None
        if capabilities.execute_command_provider is not None:
            capabilities.execute_command_provider.work_done_progress = True
        if capabilities.workspace is not None:
            renames = _FOLDER_RENAMES if self._options.migrate_on_rename else None
            capabilities.workspace.file_operations = types.FileOperationOptions(did_rename=renames)
        catalogue = [operation_to_wire(operation) for operation in operations()]
        capabilities.experimental = {"trop": {"version": __version__, "commands": catalogue}}

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong outside of a command; pygls would put it before the person as a message box."""
        logger.error("%s: %s", getattr(source, "__name__", source), error)

    def _on_end(self, error: BrokenFrame | None) -> None:
        if error is None:
            self.finish(1)
        else:
            self.protocol.receive_garbage(str(error))
            self.end(1)

    # What happens in the editor

    def _on_initialized(self, _params: types.InitializedParams) -> None:
        before = folders_on_disk(self._options.opened_before)
        self._open(self.protocol.workspace.folders.values(), before=before)

    def _on_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        self._open(params.event.added)

    def _on_renames(self, params: types.RenameFilesParams) -> None:
        if self._options.migrate_on_rename:
            for file in params.files:
                self.protocol.begin(partial(self._renames.follow, file.old_uri, file.new_uri))

    def _open(self, folders: Iterable[types.WorkspaceFolder], before: Collection[str] = ()) -> None:
        for folder in folders_on_disk((folder.uri for folder in folders), logged=True):
            # What was released since a folder was opened stays so when the server is started again.
            wish: ReserveOnOpen = "never" if folder in before else self._options.reserve_on_open
            self.protocol.begin(partial(self._openings.open, folder, wish))

    def _tell_reservations(self, reservations: list[Reservation]) -> None:
        self.protocol.tell(RESERVATIONS_CHANGED, {"reservations": [*map(reservation_to_wire, reservations)]})

    def _announce(self, folder: str, message: str) -> None:
        if self._options.announcements:
            self.protocol.tell(ANNOUNCEMENT, {"folder": folder, "message": message})

    # Documents

    def hears(self, method: str) -> bool:
        """Whether a notification is about documents: pygls would keep every text, and split its lines otherwise."""
        return method in HEARD

    def hear(self, method: str, params: Any) -> None:
        """Take one. The first document of interest brings along what reads them."""
        if self._living is None and method == types.TEXT_DOCUMENT_DID_OPEN and _is_opened(params):
            from trop_server.lsp.documents.living import Living

            self._living = Living(
                self._wishes,
                store=self._database,
                context=self._context_of_documents,
                tell=self.protocol.tell,
                request=self.protocol.request,
            )
        if self._living is not None:
            self._living.hear(method, params)

    def answers(self, method: str) -> bool:
        """Whether a request is about documents, and the client knows what is answered."""
        return is_answered(method, self._wishes)

    async def answer(self, method: str, params: Any) -> Any:
        """The result of one; null, as long as no document is open. Raises what ``Living.answer`` raises."""
        return None if self._living is None else await self._living.answer(method, params)

    async def _open_port(self, argument: dict[str, Any], _ticket: Ticket, reply: Callable[[Any], None]) -> None:
        self.protocol.request(types.WINDOW_SHOW_DOCUMENT, {"uri": address_of(argument), "external": True})
        reply(None)

    # Commands and errands

    async def look(self, ticket: Ticket, function: Callable[[], T], *, place: str) -> T:
        """See ``Errands``."""
        assert self._lanes is not None
        return await self._lanes.look(ticket, function, place=place)

    async def perform(self, ticket: Ticket, operation: Operation, request: Any, *, folder: str | None = None) -> Any:
        """See ``Errands``."""
        caller = self._caller()
        data = self._data_directory(getattr(request, "data_dir", None), caller, tolerant=operation.judges)
        if folder is not None:
            caller = caller._replace(folders=(folder,))
        return await self._call(ticket, operation, request, caller, data, asked=False)

    async def _run(
        self, operation: Operation, argument: dict[str, Any], ticket: Ticket, reply: Callable[[Any], None]
    ) -> None:
        request, caller = operation.parse(argument), self._caller()
        data = self._data_directory(getattr(request, "data_dir", None), caller, tolerant=operation.judges)
        if ticket.progress_token is None:
            await self._call(ticket, operation, request, caller, data, tell=partial(_reply_with, reply))
            return
        reports = ProgressReports(asyncio.get_running_loop(), self.protocol.send_progress, ticket.progress_token)
        reports.begin(operation.title)
        try:
            result = result_to_wire(await self._call(ticket, operation, request, caller, data, progress=reports))
        finally:
            reports.end()
        reply(result)

    async def _call(
        self,
        ticket: Ticket,
        operation: Operation,
        request: Any,
        caller: Caller,
        data: DataDirectory,
        *,
        progress: Progress = no_progress,
        asked: bool = True,
        tell: Callable[[Any], object] | None = None,
    ) -> Any:
        assert self._lanes is not None
        context = self._context(caller, data, token=ticket.token, progress=progress, asked=asked)
        call = Call(operation, request, context, clock=self._lanes.clock)
        if self._watcher is not None and not isinstance(operation.work, Computation):
            # What a client reads before the first look and what is told after it leave no gap between them.
            await ticket.while_harmless(self._watcher.ready())
        try:
            return await self._lanes.run(ticket, call, tell)
        finally:
            if call.writes:
                for hurried in (self._watcher, self._living):
                    if hurried is not None:
                        hurried.hurry()

    def _context(self, caller: Caller, data: DataDirectory, **surroundings: Any) -> Context:
        return Context(
            caller=caller,
            data_directory=data.path,
            data_warnings=data.warnings,
            data_failure=data.failure,
            environment=self._environment,
            arguments={},
            spell=wire_name,
            home_directory=self._home_directory,
            **surroundings,
        )

    def _context_of_documents(self) -> Context:
        caller = self._caller()
        return self._context(caller, self._data_directory(None, caller), token=CancellationToken(), asked=False)

    def _database(self) -> str:
        return os.path.join(self._data_directory(None, self._caller()).path, DATABASE_NAME)

    def _caller(self) -> Caller:
        unmeant = () if self._home is None else (self._home,)
        return Caller(Door.EDITOR, working_directory(), tuple(self._open_folders()), unmeant)

    def _open_folders(self) -> list[str]:
        # Copied in one step: another thread may ask while a folder comes or goes.
        return folders_on_disk(folder.uri for folder in list(self.protocol.workspace.folders.values()))

    def _data_directory(self, named: str | None, caller: Caller, *, tolerant: bool = False) -> DataDirectory:
        base = next(iter(caller.folders), caller.working_directory)
        named = next((each for each in (named, self._options.data_dir) if each is not None), self._data_dir)
        return data_directory(named, self._environment, base=base, tolerant=tolerant)


_FOLDER_RENAMES = types.FileOperationRegistrationOptions(
    filters=[
        types.FileOperationFilter(
            scheme="file",
            pattern=types.FileOperationPattern(glob="**", matches=types.FileOperationPatternKind.Folder),
        )
    ]
)


def _reply_with(reply: Callable[[Any], None], result: Record) -> None:
    """Answer with a result, in whatever thread has it: to change threads first takes a good part of a command."""
    reply(result_to_wire(result))


def _is_opened(params: Any) -> bool:
    """Whether what is opened is, as far as it can be told, a document of interest."""
    item = params.get("textDocument") if isinstance(params, dict) else None
    uri = item.get("uri") if isinstance(item, dict) else None
    return isinstance(uri, str) and is_of_interest(uri)
