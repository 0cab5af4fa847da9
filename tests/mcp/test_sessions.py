"""Sessions of the agents' server: long calls, what the protocol asks for, and how the process ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from support.client import TROP_SERVER
from support.mcp import BOTH_ERAS, Era, LineClient, call, connected, tool_call
from support.messages import request
from support.patience import AT_ONCE, PATIENCE

from trop_server.mcp.progress import GrowingCount

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import Sandbox


class TestLongCalls:
    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_a_call_that_waits_for_a_lock_can_be_cancelled(self, sandbox: Sandbox, era: Era) -> None:
        async with connected(sandbox, era=era, TROP_BUSY_TIMEOUT="60") as client:
            with sandbox.locked():
                waiting = asyncio.ensure_future(client.call_tool("trop_reserve", {"tag": "cancelled"}))
                await call(client, "trop_show_path")
                queued = asyncio.ensure_future(client.call_tool("trop_reserve", {"tag": "queued"}))
                await call(client, "trop_list")
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                await call(client, "trop_list")
                assert not queued.done()
            await queued

        assert [row[1] for row in sandbox.rows()] == ["queued"]

    def test_a_cancelled_call_is_not_answered_and_makes_room_at_once(self, lines: LineClient, sandbox: Sandbox) -> None:
        with sandbox.locked():
            for number in range(20):
                cancellation = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}}
                lines.send(tool_call(number, "trop_reserve", tag=f"t{number}"), cancellation)
            lines.send(tool_call("last", "trop_reserve", tag="last"))
            lines.send(tool_call("read", "trop_list"))
            lines.answer("read")
        lines.answer("last")

        assert lines.unmatched == []
        assert [row[1] for row in sandbox.rows()] == ["last"]

    def test_waiting_calls_hold_neither_a_thread_nor_a_connection(self, lines: LineClient, sandbox: Sandbox) -> None:
        with sandbox.locked():
            lines.send(*(tool_call(number, "trop_reserve", tag=f"t{number:03d}") for number in range(40)))
            lines.send(tool_call("read", "trop_list"))
            lines.answer("read")
            threads, descriptors = lines.threads(), lines.descriptors()
            lines.send(*(tool_call(number, "trop_reserve", tag=f"t{number:03d}") for number in range(40, 300)))
            lines.send(tool_call("read", "trop_list"))
            lines.answer("read")
            more_threads, more_descriptors = lines.threads(), lines.descriptors()
        answers = [lines.answer(number) for number in range(300)]

        assert {answer["result"]["structuredContent"].get("outcome") for answer in answers} == {"created"}
        # The threads that prepare are started as they are needed, and there is a bound to them; 260 more would show.
        assert more_threads - threads < 40
        assert more_descriptors - descriptors < 20

    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_a_long_migrate_tells_how_far_it_has_come(self, sandbox: Sandbox, era: Era) -> None:
        sandbox.fill(5000)
        reports: list[tuple[float, float | None, str | None]] = []

        async def report(progress: float, total: float | None, message: str | None) -> None:
            reports.append((progress, total, message))

        async with connected(sandbox, era=era) as client:
            arguments = {"from": "/stored", "to": "/moved", "recursive": True}
            answer = await client.call_tool("trop_migrate", arguments, progress_callback=report)

        assert answer.structured_content is not None
        assert answer.structured_content["migratedCount"] == 5000
        assert answer.structured_content["truncated"]
        assert [done for done, _, _ in reports] == [0, 1000, 2000, 3000, 4000, 5000]
        assert {total for _, total, _ in reports} == {5000}
        assert reports[-1][2] == "5,000 of 5,000"

    def test_the_counts_of_several_phases_become_one_that_only_grows(self) -> None:
        told: list[tuple[int, int]] = []
        count = GrowingCount(lambda done, total: told.append((done, total)))

        for done, total in [(0, 2), (1, 2), (1, 2), (2, 2), (0, 3), (3, 3), (0, 0)]:
            count(done, total)

        assert told == [(0, 2), (1, 2), (2, 2), (5, 5)]


@pytest.mark.asyncio
@pytest.mark.usefixtures("started_whole")
async def test_two_clients_and_the_command_line_share_one_store(sandbox: Sandbox) -> None:
    async with connected(sandbox) as one, connected(sandbox, era="auto") as other:
        processes = [sandbox.begin("reserve", "--tag", f"t{number}") for number in range(4)]
        calls = [call(client, "trop_reserve", tag=f"t{number}") for number in range(10) for client in (one, other)]
        answers = await asyncio.gather(*calls)
        printed = [int(process.communicate(timeout=PATIENCE)[0]) for process in processes]

    ports = {(answer["reservation"]["tag"], answer["reservation"]["port"]) for answer in answers}
    assert len(ports) == len({port for _, port in ports}) == 10
    assert {(f"t{number}", port) for number, port in enumerate(printed)} <= ports
    assert {(tag, port) for _, tag, port, _, _ in sandbox.rows()} == ports


class TestTheProtocol:
    @pytest.mark.parametrize(
        ("line", "code", "message_id"),
        [
            pytest.param(b"{\n", -32700, None, id="no JSON"),
            pytest.param(b'"\xff"\n', -32700, None, id="no UTF-8"),
            pytest.param(b"[]\n", -32600, None, id="a batch"),
            pytest.param(b'{"jsonrpc": "2.0", "id": 5}\n', -32600, 5, id="no method"),
            pytest.param(b'{"jsonrpc": "2.0", "id": null, "method": "ping"}\n', -32600, None, id="an id that is null"),
            pytest.param(b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}\n', -32600, None, id="half an id"),
            pytest.param(b'{"jsonrpc": "2.0", "id": 6, "method": "nobody/knows"}\n', -32601, 6, id="no such method"),
        ],
    )
    def test_what_is_no_request_is_answered_and_survived(
        self, lines: LineClient, line: bytes, code: int, message_id: int | None
    ) -> None:
        lines.send(line, b"\r\n", tool_call(1, "trop_show_path"))
        error, result = lines.answer(message_id)["error"], lines.answer(1)["result"]

        assert error["code"] == code
        assert not result["isError"]

    def test_what_the_protocol_refuses_comes_with_what_every_error_has(self, lines: LineClient) -> None:
        lines.send(request(1, "nobody/knows"), request(2, "tools/call", {"name": 5}), tool_call(3, "trop_nobody"))
        unknown, misshapen, no_tool = (lines.answer(number)["error"] for number in (1, 2, 3))

        assert unknown["data"] == {
            "kind": "invalid_argument",
            "hint": "tools/list gives every tool, and tools/call calls one.",
            "details": {"given": "nobody/knows"},
            "retryable": False,
        }
        assert misshapen["data"] == {
            "kind": "invalid_argument",
            "hint": "Send initialize first, where the session has not begun; else correct the params and try again.",
            "details": {},
            "retryable": False,
        }
        assert no_tool["data"]["hint"].startswith("tools/list gives every tool; ")

    def test_what_comes_before_initialize_is_told_to_send_that_first(self, sandbox: Sandbox) -> None:
        client = LineClient(cwd=str(sandbox.work), env=sandbox.environment())
        try:
            client.send(tool_call(1, "trop_show_path"))
            data = client.answer(1)["error"]["data"]
        finally:
            client.kill()

        assert (data["kind"], data["hint"].partition(",")[0]) == ("invalid_argument", "Send initialize first")

    def test_a_message_may_come_in_pieces_and_several_in_one(self, lines: LineClient, sandbox: Sandbox) -> None:
        first, second = (json.dumps(tool_call(number, "trop_show_path")).encode() + b"\n" for number in (1, 2))

        lines.write(first[:10])
        lines.write(first[10:] + second)

        for number in (1, 2):
            assert lines.answer(number)["result"]["structuredContent"]["path"] == str(sandbox.work)

    def test_a_line_that_never_ends_ends_the_session(self, lines: LineClient) -> None:
        lines.write(b"x" * (64 * 1024 * 1024 + 1))

        assert lines.answer(None)["error"]["code"] == -32700
        assert lines.wait() == 1


ENDS = pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(LineClient.close_input, 0, id="the end of the input"),
        pytest.param(LineClient.terminate, 143, id="SIGTERM"),
        pytest.param(LineClient.interrupt, 130, id="SIGINT"),
    ],
)


class TestTheEnd:
    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "while calls wait for a lock"])
    @ENDS
    def test_it_comes_within_a_second_and_what_waited_is_not_stored(
        self, lines: LineClient, sandbox: Sandbox, end: Callable[[LineClient], None], code: int, busy: bool
    ) -> None:
        with sandbox.locked() if busy else nullcontext():
            if busy:
                lines.send(*(tool_call(number, "trop_reserve", tag=f"t{number}") for number in range(20)))
                lines.send(tool_call("read", "trop_list"))
                lines.answer("read")

            begin = time.monotonic()
            end(lines)
            ended_with = lines.wait()
            took = time.monotonic() - begin

        assert ended_with == code
        assert took < AT_ONCE
        assert sandbox.rows() == []
        assert "Traceback" not in lines.logged()

    @ENDS
    def test_a_client_that_does_not_read_cannot_prevent_it(
        self, lines: LineClient, sandbox: Sandbox, end: Callable[[LineClient], None], code: int
    ) -> None:
        sandbox.fill(1000)
        question = json.dumps(tool_call(1, "trop_list")).encode() + b"\n"
        lines.write(question * 20_000, timeout=1.0, reading=False)

        begin = time.monotonic()
        end(lines)
        ended_with = lines.process.wait(timeout=PATIENCE)
        took = time.monotonic() - begin

        assert ended_with == code
        assert took < AT_ONCE

    def test_a_client_that_closes_its_end_of_the_output_ends_it(self, lines: LineClient) -> None:
        lines.close_output()
        lines.write(json.dumps(tool_call(1, "trop_show_path")).encode() + b"\n", reading=False)

        assert lines.process.wait(timeout=PATIENCE) == 1


class TestWhatIsImported:
    @pytest.mark.parametrize(
        ("module", "stranger"),
        [
            ("trop_server.lsp.server", "mcp_types"),
            ("trop_server.mcp.server", "pygls"),
            ("trop_server.mcp.server", "lsprotocol"),
        ],
    )
    def test_neither_server_imports_what_the_other_one_stands_on(self, module: str, stranger: str) -> None:
        program = f"import sys, trop_server.main, {module}; sys.exit({stranger!r} in sys.modules)"

        done = subprocess.run([sys.executable, "-c", program], timeout=PATIENCE, check=False)

        assert done.returncode == 0


@pytest.mark.parametrize(
    ("rest", "answered"),
    [
        pytest.param("", {1, 2}, id="every line ends"),
        pytest.param('{"jsonrpc": "2.0", "id": 3, "method": "ping"}', {1, 2, 3}, id="the last line does not"),
        pytest.param('{"jsonrpc": "2.0", "id": 3, "method": "pi', {1, 2}, id="the last message is cut off"),
    ],
)
def test_what_was_received_whole_is_answered(sandbox: Sandbox, rest: str, answered: set[int]) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "trop_reserve", "arguments": {}}},
    ]
    lines = "".join(f"{json.dumps(message)}\n" for message in messages)

    done = sandbox.run(TROP_SERVER, "--mcp", stdin=lines + rest)

    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines()) if "id" in answer}
    assert done.returncode == 0, done.stderr
    assert answers.keys() == answered
    assert answers[2]["result"]["structuredContent"]["reservation"]["path"] == str(sandbox.work)
