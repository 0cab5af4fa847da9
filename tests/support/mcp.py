"""The MCP SDK's own client, and one that sends bare lines; both talk to a real ``trop-server --mcp``."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, ListRootsResult, Root, TextContent, jsonrpc_message_adapter

from support.client import TROP_SERVER, Client
from support.forking import can_fork, fork
from support.messages import notification, request
from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import IO, TextIO

    from mcp.client._transport import TransportStreams
    from mcp.client.context import ClientRequestContext

    from support.forking import Forked
    from support.sandbox import Sandbox

Era = Literal["legacy", "auto"]
"""The handshake that clients of today begin with, or what the SDK's client agrees on by itself: the newest protocol."""

BOTH_ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])


@asynccontextmanager
async def connected(
    sandbox: Sandbox,
    *arguments: str,
    roots: Sequence[str] | Exception | None = None,
    era: Era = "legacy",
    cwd: Path | None = None,
    tools: str | None = "all",
    **environment: str | None,
) -> AsyncIterator[McpClient]:
    """A client and its server, which ends with it.

    ``roots`` are URIs; an exception is a client that has roots and does not tell them, None one that has none. Every
    tool is offered, unless ``tools`` says otherwise; None are the usual ones.
    """
    command = [TROP_SERVER, "--mcp", *([] if tools is None else ["--tools", tools]), *arguments]

    async def list_roots(context: ClientRequestContext) -> ListRootsResult | ErrorData:
        if isinstance(roots, Exception):
            return ErrorData(code=-32603, message=str(roots))
        return ListRootsResult(roots=[Root.model_validate({"uri": uri}) for uri in roots or ()])

    with cast("TextIO", tempfile.TemporaryFile("w+")) as log:
        client = McpClient(
            _transport(command, str(cwd or sandbox.work), sandbox.environment(**environment), log),
            mode=era,
            read_timeout_seconds=PATIENCE,
            list_roots_callback=None if roots is None else list_roots,
        )
        async with client:
            yield client
        log.seek(0)
        assert "Traceback" not in log.read()


def _transport(
    command: list[str], cwd: str, env: dict[str, str], log: TextIO
) -> AbstractAsyncContextManager[TransportStreams]:
    """The SDK's own way to a program that it starts, or the same to one that is forked."""
    if can_fork(TROP_SERVER, env):
        return _to_a_fork(fork(command, cwd=cwd, env=env, stderr=log.buffer))
    program, *arguments = command
    return stdio_client(StdioServerParameters(command=program, args=arguments, env=env, cwd=cwd), errlog=log)


@asynccontextmanager
async def _to_a_fork(process: Forked) -> AsyncIterator[TransportStreams]:
    """Messages to and from a process, which gets the end of its input at the end, and is waited for."""
    assert process.stdin is not None
    assert process.stdout is not None
    into_session, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    output = asyncio.StreamReader(limit=1 << 26)
    reading, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), process.stdout
    )

    async def receive() -> None:
        async with into_session:
            async for line in output:
                await into_session.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))

    async def send(stdin: IO[bytes]) -> None:
        async with from_session:
            async for each in from_session:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
                await asyncio.to_thread(stdin.write, text.encode())

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            tasks.start_soon(send, process.stdin)
            yield received, sent
            tasks.cancel_scope.cancel()
        process.stdin.close()
        await asyncio.to_thread(process.wait, PATIENCE)
    finally:
        process.stdin.close()
        process.kill()
        reading.close()


async def call(client: McpClient, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured result of a tool, which the SDK has checked against the output schema; fails if it is an error."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return _structured(answer)


async def refused(client: McpClient, tool: str, **arguments: Any) -> dict[str, Any]:
    """The error that a tool is refused with, which is a text alone; fails if it is not."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, answer.content
    assert answer.structured_content is None
    told = _told(answer)
    assert list(told) == ["kind", "message", "hint", "details", "retryable"]
    return told


class LineClient(Client):
    """A real ``trop-server --mcp`` and a client that is written by hand: a message is a line."""

    def __init__(self, *arguments: str, cwd: str, env: dict[str, str], tools: str | None = "all") -> None:
        chosen = [] if tools is None else ["--tools", tools]
        super().__init__("--mcp", *chosen, *arguments, cwd=cwd, env=env)

    def send(self, *messages: Any) -> None:
        """Send messages, or bytes as they are, all of them in one piece."""
        self.write(b"".join(_line(message) for message in messages))

    def introduce(self, **capabilities: Any) -> dict[str, Any]:
        """Shake hands, as a client without roots unless it says so; returns the server's answer."""
        client = {"name": "test", "version": "1"}
        answer = self.request(
            "initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}
        )
        self.send(notification("notifications/initialized"))
        return answer

    def _complete(self) -> dict[str, Any] | None:
        line, newline, rest = self._received.partition(b"\n")
        if not newline:
            return None
        self._received = rest
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message


def tool_call(message_id: int | str, tool: str, **arguments: Any) -> dict[str, Any]:
    """A request to call a tool."""
    return request(message_id, "tools/call", {"name": tool, "arguments": arguments})


def _line(message: Any) -> bytes:
    if isinstance(message, bytes):
        return message
    # A message without params has none: MCP does not know null there.
    whole = {key: value for key, value in message.items() if key != "params" or value is not None}
    return json.dumps(whole).encode() + b"\n"


def _structured(answer: Any) -> dict[str, Any]:
    """What an answer holds as structure; fails unless its one text is the same."""
    structured: dict[str, Any] = answer.structured_content
    assert _told(answer) == structured
    return structured


def _told(answer: Any) -> dict[str, Any]:
    (content,) = answer.content
    assert isinstance(content, TextContent)
    told: dict[str, Any] = json.loads(content.text)
    return told
