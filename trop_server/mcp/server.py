"""The MCP server: the catalogue as tools, through the official SDK.

The SDK speaks the protocol. What carries its messages is the language server's: its own transport leaves broken JSON
unanswered, and its end waits for a client that does not read.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from trop_core import __version__
from trop_core.caller import Caller, Door
from trop_core.context import Context
from trop_core.errors.spelling import quoted, wire_name
from trop_core.looks import at_each
from trop_core.operations.call import Call
from trop_core.paths import canonical, home_directory, working_directory
from trop_core.store import data_directory
from trop_server.mcp import occupants
from trop_server.mcp.instructions import INSTRUCTIONS
from trop_server.mcp.progress import GrowingCount
from trop_server.mcp.roots import ROOTS_CHANGED, Roots
from trop_server.mcp.tools import arguments_of, failed, refusal, succeeded, tool
from trop_server.transport.framing import BrokenFrame, Input, encode_line, read_lines
from trop_server.transport.lanes import Lanes, Ticket
from trop_server.transport.output import Output
from trop_server.transport.surroundings import folders_on_disk, server_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from anyio.streams.memory import MemoryObjectSendStream
    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession

    from trop_core.catalogue import Operation
    from trop_server.mcp.offers import Offer

logger = logging.getLogger(__name__)

_PLUGIN_ROOTS = ("PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT")
"""Variables that name the directory of the plugin that started the server: a host makes it the working directory."""

_HINTS = {
    types.METHOD_NOT_FOUND: "tools/list gives every tool, and tools/call calls one.",
    types.INVALID_PARAMS: (
        "Send initialize first, where the session has not begun; else correct the params and try again."
    ),
}
"""What to do about the errors that the SDK makes, whose data is a text at most."""

_CANCELLED = "notifications/cancelled"
_GRACE = 0.4
_SECONDS_TO_ANSWER = 0.8
_FLUSH = 0.2


class McpServer:
    """One session with one client, from its first message to the end of the process."""

    def __init__(
        self, environment: Mapping[str, str], data_dir: str | None = None, *, offered: Mapping[str, Offer]
    ) -> None:
        self._environment = server_environment(environment)
        self._data_dir = data_dir
        self._offered = offered
        unmeant = (home_directory(), *map(environment.get, _PLUGIN_ROOTS))
        self._unmeant = tuple(canonical(name) for name in unmeant if name and os.path.isabs(name))
        self._tickets: dict[asyncio.Future[Any], Ticket] = {}
        self._roots = Roots()
        self._lanes: Lanes | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._unanswered: set[int | str | None] = set()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._output: Output | None = None
        self._incoming: MemoryObjectSendStream[SessionMessage | Exception] | None = None
        self._ended: asyncio.Future[int] | None = None

    # The session

    async def serve(self, input_descriptor: int, output_descriptor: int) -> int:
        """Speak with a client until one of the two sides ends it; returns the exit code of the process.

        When it returns, what was under way has been taken back, unless that took too long.
        """
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        output = self._output = Output(output_descriptor, partial(loop.call_soon_threadsafe, self.end, 1))
        self._lanes = Lanes(output)
        self._incoming, messages = anyio.create_memory_object_stream[SessionMessage | Exception](math.inf)
        server: Server[Any] = Server(
            "trop",
            version=__version__,
            title="trop",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        session = asyncio.ensure_future(
            server.run(messages, _Lines(output, self._note_answer), server.create_initialization_options())
        )
        session.add_done_callback(self._on_session_end)
        Input(
            input_descriptor,
            loop,
            on_message=self._receive,
            on_garbage=lambda error: self._refuse(types.PARSE_ERROR, f"the message cannot be read: {error}"),
            on_end=self._on_end,
            may_read=output.wait_until_uncrowded,
            split=read_lines,
        ).start()
        code = await self._ended
        for ticket in self._tickets.values():
            ticket.cancel()
        if self._tickets and (await asyncio.wait(self._tickets, timeout=_GRACE))[1]:
            logger.warning("a call did not stop in time; its transaction ends with the process")
        output.flush(_FLUSH)
        return code

    def end(self, code: int) -> None:
        """End the session; the first reason to end it gives the exit code."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(code)

    def _on_end(self, error: BrokenFrame | None) -> None:
        if error is not None:
            self._refuse(types.PARSE_ERROR, f"the message cannot be read: {error}")
            self.end(1)
        elif self._finishing is None:
            # An MCP client ends a session by closing the server's input: nothing is wrong then.
            self._finishing = asyncio.ensure_future(self._finish())

    async def _finish(self) -> None:
        """End the session once what was received before is answered, or a moment later."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                await self._is_idle.wait()
        self.end(0)

    def _on_session_end(self, session: asyncio.Future[None]) -> None:
        if not session.cancelled() and (error := session.exception()) is not None:
            logger.error("the session broke off", exc_info=error)
        self.end(1)

    def _receive(self, message: Any) -> None:
        """Hand one decoded message to the SDK, or answer what is none."""
        assert self._incoming is not None
        message_id = message.get("id") if isinstance(message, dict) else None
        valid_id = message_id if type(message_id) in (int, str) else None
        try:
            if valid_id is None and isinstance(message, dict) and "id" in message and "method" in message:
                # The SDK would take it for a notification, and its sender would wait for ever.
                raise ValueError("the id of a request is a number or a text")
            if valid_id in self._unanswered and "method" in message:
                raise ValueError(f"the id {quoted(valid_id)} is in use")
            parsed = types.jsonrpc_message_adapter.validate_python(message, by_name=False)
        except ValueError as error:
            reason = "this is no JSON-RPC message" if isinstance(error, ValidationError) else str(error)
            self._refuse(types.INVALID_REQUEST, reason, valid_id)
        else:
            if valid_id is not None and "method" in message:
                self._unanswered.add(valid_id)
                self._is_idle.clear()
            elif isinstance(parsed, types.JSONRPCNotification):
                self._note_notification(parsed)
            self._incoming.send_nowait(SessionMessage(parsed))

    def _note_notification(self, notification: types.JSONRPCNotification) -> None:
        if notification.method == ROOTS_CHANGED:
            self._roots.change()
        elif notification.method == _CANCELLED:
            # It gets no answer any more.
            cancelled = (notification.params or {}).get("requestId")
            if type(cancelled) in (int, str):
                self._note_answer(cancelled)

    def _note_answer(self, message_id: int | str | None) -> None:
        self._unanswered.discard(message_id)
        if not self._unanswered:
            self._is_idle.set()

    def _refuse(self, code: int, message: str, message_id: str | int | None = None) -> None:
        assert self._output is not None
        error = {"code": code, "message": message, "data": refusal("Correct the message and send it again.")}
        self._output.send(encode_line({"jsonrpc": "2.0", "id": message_id, "error": error}))

    # Tools

    async def _list_tools(self, request: ServerRequestContext[Any], params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool(offer) for offer in self._offered.values()])

    async def _call_tool(
        self, request: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        offer = self._offered.get(params.name)
        if offer is None:
            data = refusal("tools/list gives every tool; trop-server --mcp --tools all offers more of them.")
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {quoted(params.name)}", data)
        try:
            call = await self._run(request.session, offer.operation, params.arguments or {})
            told = occupants.are_told(offer.operation.name)
            seen = await asyncio.to_thread(occupants.seen, call) if told else {}
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the agent gets it as a result to act on
            return failed(error)
        return succeeded(offer.operation, call.result, seen)

    async def _run(self, session: ServerSession, operation: Operation, arguments: dict[str, Any]) -> Call:
        """Make a call, which has its result then. Raises what the operation raises."""
        assert self._lanes is not None
        request = operation.parse(arguments_of(operation, arguments))
        loop, ticket = asyncio.get_running_loop(), Ticket()

        def progress(done: int, total: int) -> None:
            report = session.report_progress(done, total, f"{done:,} of {total:,}")
            asyncio.run_coroutine_threadsafe(report, loop)

        named = getattr(request, "data_dir", None)
        named = self._data_dir if named is None else named
        data = data_directory(named, self._environment, base=working_directory(), tolerant=operation.judges)
        caller = await self._caller(session)
        folder = getattr(request, "folder", None)
        if folder is not None and not caller.anchors:
            # Where nothing else tells what may be touched, the folder that the call names does. It is resolved here and
            # once: below itself it would be another one.
            folder = caller.resolve(folder)
            caller = caller._replace(folders=(folder,), is_named_by_call=True)
            request = request._replace(folder=folder)
        context = Context(
            caller=caller,
            data_directory=data.path,
            data_warnings=data.warnings,
            data_failure=data.failure,
            environment=self._environment,
            arguments={},
            token=ticket.token,
            progress=GrowingCount(progress),
            spell=wire_name,
        )
        # The SDK cancels the task that waits here. The work goes on in its own until it is rolled back: the next call
        # must not come to its turn before that.
        call = Call(operation, request, context, clock=self._lanes.clock)
        running = asyncio.ensure_future(self._lanes.run(ticket, call))
        self._tickets[running] = ticket
        running.add_done_callback(self._settle)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            ticket.cancel()
            raise
        return call

    def _settle(self, running: asyncio.Future[Any]) -> None:
        del self._tickets[running]
        if not running.cancelled():
            running.exception()  # looked at, so that asyncio does not miss anybody who does

    async def _caller(self, session: ServerSession) -> Caller:
        """Who calls: the client's roots are its open folders, those that say anything.

        Where it has told some and none of them does, the working directory says nothing of where it works, either.
        """
        roots, directory, unmeant = await self._roots.told(session), working_directory(), self._unmeant
        meant = await asyncio.to_thread(self._meant, folders_on_disk(roots)) if roots else ()
        if roots and not meant and directory is not None:
            unmeant = (*unmeant, directory)
        return Caller(Door.AGENT, directory, meant, unmeant)

    def _meant(self, roots: list[str]) -> tuple[str, ...]:
        """Those of a client's roots that exist here and that somebody has chosen. Looks at the file system."""
        found = at_each(roots, _found)
        # One on a dead mount is meant by its name.
        places = {root: found.get(root, root) for root in roots}
        return tuple(root for root, place in places.items() if place not in (None, "/", *self._unmeant))


class _Lines:
    """The SDK's stream of messages to the client; sending never waits."""

    def __init__(self, output: Output, answered: Callable[[int | str | None], None]) -> None:
        self._output = output
        self._answered = answered

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message.model_dump(by_alias=True, exclude_unset=True)
        if isinstance(item.message, types.JSONRPCError):
            _explain(message["error"])
        self._output.send(encode_line(message))
        if isinstance(item.message, types.JSONRPCResponse | types.JSONRPCError):
            self._answered(item.message.id)

    async def aclose(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Nothing is held."""


def _explain(error: dict[str, Any]) -> None:
    """Give an error that the SDK has made the data that every other one has."""
    hint, given = _HINTS.get(error["code"]), error.get("data")
    if hint is not None and not isinstance(given, dict):
        error["data"] = {**refusal(hint), "details": {"given": given} if given else {}}


def _found(root: str) -> str | None:
    """A directory's one name in the file system, or None if there is none."""
    return canonical(root) if os.path.isdir(root) else None
