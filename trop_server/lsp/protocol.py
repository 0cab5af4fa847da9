"""What the Language Server Protocol demands beyond what pygls does by itself.

pygls structures a message while it parses it, answers neither what is no request nor what comes at the wrong time,
calls a command cancelled that runs on, and ends with code 0 whatever happens. Here each message is looked at as plain
JSON first; pygls gets those that it knows how to handle.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol, lsp_method

from trop_core.catalogue import unknown_command
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.spelling import quoted
from trop_server.lsp.failures import log_failure, refusal, to_json_rpc
from trop_server.transport.framing import encode
from trop_server.transport.lanes import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from cattrs import Converter

    from trop_server.transport.output import Output

logger = logging.getLogger(__name__)

_NO_ID = object()

_MOST_UNHEEDED = 100

SECONDS_TO_ANSWER = 0.8
"""How long what was received whole has before the session ends."""

_SECONDS_TO_TAKE_BACK = 5.0
"""How long what is taken back has to be over. It takes none of them, unless the file system hangs."""


class Session(Protocol):
    """What the protocol's states mean for the server that speaks it."""

    def accept_options(self, options: Any) -> None:
        """Take the client's ``initializationOptions``. Raises a ``TropError`` for those that it cannot take."""

    def accept_client(self, params: dict[str, Any]) -> None:
        """Take what the parameters of ``initialize`` say of the client, whatever they hold."""

    def hears(self, method: str) -> bool:
        """Whether a notification is heard here and not by pygls."""

    def hear(self, method: str, params: Any) -> None:
        """Take such a notification. Never raises."""

    def answers(self, method: str) -> bool:
        """Whether a request is answered here."""

    async def answer(self, method: str, params: Any) -> Any:
        """The result of such a request."""

    def describe(self, capabilities: types.ServerCapabilities) -> None:
        """Say in the answer to ``initialize`` what the server can do."""

    def begin(self) -> None:
        """The client has introduced itself."""

    def end(self, code: int) -> None:
        """End the process with an exit code, unless that was decided before."""

    def finish(self, code: int) -> None:
        """The same once what was received before is answered, or a moment later."""


class TropProtocol(LanguageServerProtocol):
    """The protocol's states, and one answer to each request."""

    def __init__(self, server: Any, converter: Converter) -> None:
        super().__init__(server, converter)
        self._session: Session = server
        self.output: Output | None = None
        self._initialized = False
        self._running: set[asyncio.Task[None]] = set()
        # Both are changed in the thread that answers, too: each look at them is a single step.
        self._unanswered: dict[str | int, asyncio.Task[None]] = {}
        self._tickets: dict[str | int, Ticket] = {}
        self._errands: dict[asyncio.Task[None], Ticket] = {}
        self._questions: dict[str | int, asyncio.Future[str | None]] = {}
        # A client may answer none of them: only the last ones are known again.
        self._unheeded: deque[str | int] = deque(maxlen=_MOST_UNHEEDED)
        self._question_ids = map("trop-{}".format, itertools.count(1))

    # What comes in

    def receive(self, message: Any) -> None:
        """Handle one decoded message. Never raises: what is wrong with it is answered, or logged."""
        if not isinstance(message, dict):
            what = "a batch" if isinstance(message, list) else "a value that is no object"
            self._refuse(None, types.ErrorCodes.InvalidRequest, f"{what} is no request: send one message at a time")
            return
        message_id = message.get("id", _NO_ID)
        valid_id = message_id if type(message_id) in (int, str) else None
        method = message.get("method")
        if message.get("jsonrpc") != "2.0":
            self._refuse(valid_id, types.ErrorCodes.InvalidRequest, 'a message needs "jsonrpc": "2.0"')
        elif isinstance(method, str):
            if not isinstance(message.get("params"), (dict, list, type(None))):
                self._refuse(valid_id, types.ErrorCodes.InvalidRequest, "params has to be an object or a list")
            elif message_id is _NO_ID:
                self._notification(method, message)
            elif valid_id is None:
                self._refuse(None, types.ErrorCodes.InvalidRequest, "the id of a request is a number or a text")
            else:
                self._request(valid_id, method, message)
        elif "method" not in message and valid_id is not None and ("result" in message or "error" in message):
            self._response(message)
        else:
            self._refuse(valid_id, types.ErrorCodes.InvalidRequest, "a request needs a method, and it is a text")

    def receive_garbage(self, reason: str) -> None:
        """Answer what was no JSON, or no frame at all."""
        self._refuse(None, types.ErrorCodes.ParseError, f"the message cannot be read: {reason}")

    async def cancel_all(self) -> None:
        """Take back every command and errand that is under way and wait until each is answered, or over.

        What hangs in the file system is not waited for. Its request is answered, too, and only once.
        """
        tasks = {*self._others(), *self._errands}
        for ticket in [*self._tickets.values(), *self._errands.values()]:
            ticket.cancel()
        if tasks:
            _, hanging = await asyncio.wait(tasks, timeout=_SECONDS_TO_TAKE_BACK)
            for message_id in [each for each, task in list(self._unanswered.items()) if task in hanging]:
                if self._settle(message_id):
                    self._send_error(message_id, _HANGS)

    async def settle(self) -> None:
        """Give what is under way a moment: requests to be answered, and errands to be done.

        A client may start another server at once, which does not open the same folders once more. Errands are not
        waited for while a person is asked something.
        """
        tasks = self._others()
        if not self._questions:
            tasks |= self._errands.keys()
        if tasks:
            await asyncio.wait(tasks, timeout=SECONDS_TO_ANSWER)

    def _others(self) -> set[asyncio.Task[None]]:
        """What handles requests, but for the one that asks: it would wait for itself."""
        return self._running - {asyncio.current_task()}

    def begin(self, errand: Callable[[Ticket], Coroutine[Any, Any, None]]) -> None:
        """Do something that no request waits for. At the latest it is over, and taken back, when the session ends."""
        ticket = Ticket()
        task = asyncio.ensure_future(self._run_errand(errand, ticket))
        self._errands[task] = ticket
        task.add_done_callback(self._errands.pop)

    async def ask(self, question: types.ShowMessageRequestParams) -> str | None:
        """Put a question before the person, and wait for the title of the action that is chosen.

        None if none is, or if the client cannot ask. May be dropped at any time. Raises ``Cancelled`` once the session
        ends.
        """
        if self._shutdown:
            raise Cancelled
        question_id = next(self._question_ids)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._questions[question_id] = answer
        params = self._converter.unstructure(question)
        method = types.WINDOW_SHOW_MESSAGE_REQUEST
        self._send_data({"jsonrpc": self.VERSION, "id": question_id, "method": method, "params": params})
        try:
            return await answer
        finally:
            del self._questions[question_id]

    def request(self, method: str, params: dict[str, Any] | None = None) -> None:
        """Send the client a request whose answer says nothing; after ``shutdown``, none."""
        if self._shutdown:
            return
        request_id = next(self._question_ids)
        self._unheeded.append(request_id)
        given = {} if params is None else {"params": params}
        self._send_data({"jsonrpc": self.VERSION, "id": request_id, "method": method, **given})

    async def _run_errand(self, errand: Callable[[Ticket], Coroutine[Any, Any, None]], ticket: Ticket) -> None:
        try:
            await errand(ticket)
        except Cancelled:
            return  # the session ends
        except Exception as error:  # noqa: BLE001 - nobody waits for it: it is logged
            log_failure("an errand failed", error)

    def _request(self, message_id: str | int, method: str, message: dict[str, Any]) -> None:
        if not self._initialized and method != types.INITIALIZE:
            text, hint = "the server was not initialized yet", "Send initialize first, and this after its answer."
            self._send_error(message_id, refusal(types.ErrorCodes.ServerNotInitialized, text, hint))
        elif self._shutdown:
            text, hint = "the server was shut down", "Start another one; this one waits for exit."
            self._send_error(message_id, refusal(types.ErrorCodes.InvalidRequest, text, hint))
        elif message_id in self._unanswered:
            self._refuse(message_id, types.ErrorCodes.InvalidRequest, f"the id {quoted(message_id)} is in use")
        elif method == types.INITIALIZE:
            if self._initialized:
                self._refuse(message_id, types.ErrorCodes.InvalidRequest, "the server was initialized already")
            else:
                self._initialize(message_id, message)
        elif method == types.SHUTDOWN:
            self._shutdown = True
            self._begin(message_id, self._finish(message_id))
        elif method == types.WORKSPACE_EXECUTE_COMMAND:
            # Made here and not when the work begins: a cancellation may be the very next message.
            params = message.get("params")
            ticket = self._tickets[message_id] = Ticket(
                params.get("workDoneToken") if isinstance(params, dict) else None
            )
            self._begin(message_id, self._execute_command(ticket, params, partial(self._reply, message_id)))
        elif self._session.answers(method):
            self._begin(message_id, self._answer(message_id, method, message.get("params")))
        else:
            error = refusal(types.ErrorCodes.MethodNotFound, f"there is no method {method}", _LEARN)
            self._send_error(message_id, error)

    def _begin(self, message_id: str | int, handling: Coroutine[Any, Any, None]) -> None:
        # What asyncio.ensure_future would come to: of a short command, to find that out is a part that counts.
        task = asyncio.get_running_loop().create_task(self._handle(message_id, handling))
        self._unanswered[message_id] = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _handle(self, message_id: str | int, handling: Coroutine[Any, Any, None]) -> None:
        """Do what answers a request; what goes wrong before it has is the answer."""
        try:
            await handling
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the client gets its one answer
            if self._unanswered.get(message_id) is not asyncio.current_task():
                log_failure("after the answer", error)
                return
            failed = to_json_rpc(error)
            self._settle(message_id)
            self._send_error(message_id, failed)

    async def _answer(self, message_id: str | int, method: str, params: Any) -> None:
        self._reply(message_id, await self._session.answer(method, params))

    def _reply(self, message_id: str | int, result: Any) -> None:
        """Answer a request with its result. Safe to use from any thread."""
        if self.output is not None:
            answer = encode({"jsonrpc": self.VERSION, "id": message_id, "result": result})
            # Before the client can have it: the next request may have the same id.
            if self._settle(message_id):
                self.output.send(answer)

    def _settle(self, message_id: str | int) -> bool:
        """Whether the request has no answer yet, and whoever asks gives it. Safe to use from any thread."""
        # In this order: once it is answered, the next request may have the same id, and a ticket of its own.
        self._tickets.pop(message_id, None)
        return self._unanswered.pop(message_id, None) is not None

    def _initialize(self, message_id: str | int, message: dict[str, Any]) -> None:
        try:
            params = self._converter.structure(message, types.InitializeRequest).params
            handling = self.lsp_initialize(params)
            try:
                while True:
                    next(handling)
            except StopIteration as stop:
                result: types.InitializeResult = stop.value
        except Exception as error:  # noqa: BLE001 - cattrs raises whatever its hooks raise, and pygls whatever a URI does
            logger.warning("the parameters of initialize are refused: %r", error)
            text = "the parameters of initialize do not have the form that the protocol gives them"
            hint = "At least processId, rootUri and capabilities are needed."
            self._send_error(message_id, refusal(types.ErrorCodes.InvalidParams, text, hint))
            return
        try:
            self._session.accept_options(message["params"].get("initializationOptions"))
        except TropError as error:
            self._send_error(message_id, to_json_rpc(error))
            return
        root = self.workspace.root_uri
        if params.workspace_folders is None and root is not None:
            # A client that knows no folders. It is one like any other: once it was closed, it does not come back.
            self.workspace.add_folder(types.WorkspaceFolder(root, root))
        self._initialized = True
        self._session.accept_client(message["params"])
        self._session.describe(result.capabilities)
        self._send_result(message_id, self._converter.unstructure(result))
        self._session.begin()

    async def _finish(self, message_id: str | int) -> None:
        await self.settle()
        await self.cancel_all()
        self._reply(message_id, None)

    async def _execute_command(self, ticket: Ticket, params: Any, reply: Callable[[Any], None]) -> None:
        if not isinstance(params, dict) or not isinstance(params.get("command"), str):
            raise refusal(types.ErrorCodes.InvalidParams, "params needs a command, and it is a text", _LEARN)
        handler = self.fm.commands.get(params["command"])
        if handler is None:
            raise unknown_command(params["command"], params["command"])
        arguments = params.get("arguments")
        if arguments is None:
            arguments = []
        if not isinstance(arguments, list) or len(arguments) > 1:
            raise InvalidArgument(
                "", expected="arguments to be a list of at most one object", given=arguments, alone=True
            )
        argument = arguments[0] if arguments else None
        if argument is not None and not isinstance(argument, dict):
            raise InvalidArgument("", expected="an object", given=argument, alone=True)
        await handler(argument or {}, ticket, reply)

    def _notification(self, method: str, message: dict[str, Any]) -> None:
        if method == types.EXIT:
            self._exit()
        elif not self._initialized or self._shutdown:
            return  # the protocol has it dropped
        elif method in (types.CANCEL_REQUEST, types.WINDOW_WORK_DONE_PROGRESS_CANCEL):
            params = message.get("params")
            self._take_back(method, params if isinstance(params, dict) else {})
        elif self._session.hears(method):
            self._session.hear(method, message.get("params"))
        elif method in _HEARD:
            try:
                self.handle_message(self.structure_message(message))
            except JsonRpcException as error:
                logger.warning("%s is ignored: %s", method, error)

    def _take_back(self, method: str, params: dict[str, Any]) -> None:
        cancelled, token = params.get("id"), params.get("token")
        if method == types.CANCEL_REQUEST:
            # The type, too: true is equal to 1, and would take back what has the id 1.
            if not isinstance(cancelled, (int, str)) or isinstance(cancelled, bool):
                return
            ticket = self._tickets.get(cancelled)
            if ticket is not None:
                ticket.cancel()
            return
        for ticket in list(self._tickets.values()):
            if token is not None and type(token) is type(ticket.progress_token) and token == ticket.progress_token:
                ticket.cancel()

    def _exit(self) -> None:
        if self._shutdown:
            self._session.finish(0)
        else:
            self._session.end(1)

    def _response(self, message: dict[str, Any]) -> None:
        if message["id"] in self._unheeded:
            self._unheeded.remove(message["id"])
            return
        answer = self._questions.get(message["id"])
        if answer is None or answer.done():
            logger.warning("an answer of the client is ignored: nothing with the id %r was asked", message["id"])
            return
        chosen = message.get("result")
        title = chosen.get("title") if isinstance(chosen, dict) else None
        answer.set_result(title if isinstance(title, str) else None)

    # What goes out

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification; after ``shutdown``, nothing."""
        if not self._shutdown:
            self._send_data({"jsonrpc": self.VERSION, "method": method, "params": params})

    def send_progress(self, params: dict[str, Any]) -> None:
        """Send a report of ``$/progress``."""
        self._send_data({"jsonrpc": self.VERSION, "method": types.PROGRESS, "params": params})

    def _refuse(self, message_id: str | int | None, code: types.ErrorCodes, message: str) -> None:
        self._send_error(message_id, refusal(code, message, "Correct the message and send it again."))

    def _send_result(self, message_id: str | int, result: Any) -> None:
        self._send_data({"jsonrpc": self.VERSION, "id": message_id, "result": result})

    def _send_error(self, message_id: str | int | None, error: JsonRpcException) -> None:
        answer = {"code": error.code, "message": error.message, "data": error.data}
        self._send_data({"jsonrpc": self.VERSION, "id": message_id, "error": answer})

    def _send_data(self, data: Any) -> None:
        if self.output is not None:
            self.output.send(encode(data if isinstance(data, dict) else self._converter.unstructure(data)))

    # What pygls would do by itself, and does otherwise

    def _execute_handler(self, msg_id: Any, *arguments: Any, **named: Any) -> None:
        # pygls never forgets the future of a notification: 2 KB each, for as long as the editor runs.
        super()._execute_handler(msg_id, *arguments, **named)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """Handled before pygls gets it: its own would raise SystemExit where nobody hears it."""
        yield from ()

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Handled before pygls gets it: its own calls commands cancelled that run on."""
        yield from ()


_HEARD = (
    types.INITIALIZED,
    types.SET_TRACE,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    types.WORKSPACE_DID_RENAME_FILES,
)
"""The notifications that pygls handles. Of documents it would keep every text that a client opens, for nothing."""

_LEARN = "trop.listCommands lists every command."

_HANGS = refusal(
    types.LSPErrorCodes.RequestFailed,
    "the session ends, and the file system does not answer: whether this was done is not known",
    "Look at what there is with trop.list once the file system answers again.",
    "io_error",
)
