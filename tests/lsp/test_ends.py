"""How the process ends: the code, and that it takes no longer than a second, whatever is running."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from array import array
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from support.client import TROP_SERVER, Client, OutputEnded
from support.messages import command, frame, initialize_params, notification, request
from support.patience import AT_ONCE, PATIENCE

from trop_server.transport.framing import read_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sandbox import Sandbox


def send_exit(client: Client) -> None:
    client.notify("exit")


def shut_down(client: Client) -> None:
    client.send(request("bye", "shutdown"), notification("exit"))


ENDS = [
    pytest.param(send_exit, 1, id="exit"),
    pytest.param(shut_down, 0, id="shutdown and exit"),
    pytest.param(Client.close_input, 1, id="the end of the input"),
    pytest.param(Client.terminate, 143, id="SIGTERM"),
    pytest.param(Client.interrupt, 130, id="SIGINT"),
]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while commands wait for a lock"])
@pytest.mark.parametrize(("end", "code"), ENDS)
def test_it_ends_within_a_second_and_what_waited_is_not_stored(
    client: Client, sandbox: Sandbox, end: Callable[[Client], None], code: int, busy: bool
) -> None:
    with sandbox.locked() if busy else nullcontext():
        if busy:
            client.send(*(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(20)))
            client.call("trop.list")

        begin = time.monotonic()
        end(client)
        ended_with = client.wait()
        took = time.monotonic() - begin

    assert ended_with == code
    assert took < AT_ONCE
    assert sandbox.rows() == []
    assert "Traceback" not in client.logged()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_before_initialize_ends_it(start: Callable[..., Client], number: int, code: int) -> None:
    client = start()
    client.request("too/early")

    client.process.send_signal(number)

    assert client.wait() == code


def test_shutdown_answers_what_waits_before_it_answers_itself(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        client.send(*(command(number, "trop.reserve") for number in range(10)), request("bye", "shutdown"))
        answers = [client.next_answer() for _ in range(11)]
    client.notify("exit")

    assert {answer["id"] for answer in answers[:10]} == set(range(10))
    assert {answer["error"]["code"] for answer in answers[:10]} == {-32800}
    assert answers[10] == {"jsonrpc": "2.0", "id": "bye", "result": None}
    assert client.wait() == 0
    assert sandbox.rows() == []


@pytest.fixture
def editor() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is there until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while a command waits for a lock"])
def test_it_goes_when_the_process_of_the_client_is_gone(
    start: Callable[..., Client], sandbox: Sandbox, editor: subprocess.Popen[bytes], busy: bool
) -> None:
    client = start(TROP_BUSY_TIMEOUT="60")
    client.initialize(str(sandbox.work), processId=editor.pid)
    with sandbox.locked() if busy else nullcontext():
        if busy:
            client.send(command(1, "trop.reserve"))
        client.call("trop.list")

        begin = time.monotonic()
        editor.kill()
        code = client.wait()
        took = time.monotonic() - begin

    assert code == 1
    assert took < AT_ONCE
    assert sandbox.rows() == []


def test_a_client_process_that_is_gone_already_is_not_watched(
    start: Callable[..., Client], editor: subprocess.Popen[bytes]
) -> None:
    editor.kill()
    editor.wait()
    client = start()

    client.initialize(processId=editor.pid)

    assert client.call("trop.list")["reservations"] == []


def test_a_closed_output_ends_it(client: Client) -> None:
    client.close_output()

    client.write(b"".join([b"Content-Length: 2\r\n\r\n{}"] * 3), reading=False)

    assert client.wait() == 1


@pytest.mark.parametrize("closed", ["0", "1"])
def test_without_input_or_output_it_says_so(sandbox: Sandbox, closed: str) -> None:
    script = f'exec "$0" {closed}{"<" if closed == "0" else ">"}&-'

    done = sandbox.run("sh", "-c", script, TROP_SERVER)

    assert done.returncode != 0
    assert "one of them is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_stderr_does_no_harm(sandbox: Sandbox) -> None:
    done = sandbox.run("sh", "-c", 'exec "$0" 2>&-', TROP_SERVER, stdin=frame(request(1, "shutdown")).decode())

    assert done.returncode == 1
    assert '"code":-32002' in done.stdout


AN_AGENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def lines(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def framed(stdout: bytes) -> list[dict[str, Any]]:
    return [json.loads(content) for content in read_frames(io.BytesIO(stdout).read) if content]


def in_lines(stdout: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


@pytest.mark.parametrize(
    ("mode", "asked", "answers_in", "code"),
    [
        pytest.param([], frame(request("last", "initialize", initialize_params("/"))), framed, 1, id="lsp"),
        pytest.param(
            ["--mcp", "--tools", "all"],
            lines(request(1, "initialize", AN_AGENT), request("last", "tools/list")),
            in_lines,
            0,
            id="mcp",
        ),
    ],
)
def test_a_stdout_that_keeps_nobody_waiting_is_written_to_as_any_other(
    sandbox: Sandbox,
    mode: list[str],
    asked: bytes,
    answers_in: Callable[[bytes], list[dict[str, Any]]],
    code: int,
) -> None:
    """As it is for a program that got its pipe from one that has made it so, for both of them."""
    source, sink = os.pipe()
    fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(sink, False)
    command_line = [TROP_SERVER, *mode]
    with subprocess.Popen(
        command_line, stdin=subprocess.PIPE, stdout=sink, env=sandbox.environment(), cwd=sandbox.work
    ) as process:
        os.close(sink)
        assert process.stdin is not None
        process.stdin.write(asked)
        process.stdin.flush()
        until = time.monotonic() + PATIENCE
        while not is_full(source) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        assert is_full(source)
        process.stdin.close()
        with open(source, "rb") as stdout:
            answers = answers_in(stdout.read())

    assert answers[-1]["id"] == "last"
    assert len(json.dumps(answers[-1])) > 3 * 4096
    assert process.returncode == code


def is_full(pipe: int) -> bool:
    """Whether no more fits into a pipe: as much as it holds waits to be read."""
    waiting = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0] == fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


class TestAClientThatDoesNotRead:
    """Its answers pile up: not without bound, and they keep nobody from ending the process."""

    @pytest.mark.parametrize("name", ["trop.list", "trop.listCommands", "trop.bogus"])
    def test_memory_stays_bounded_and_a_signal_is_heard(self, client: Client, sandbox: Sandbox, name: str) -> None:
        sandbox.fill(1000, below="/stored/" + "x" * 100)
        client.call(name) if name != "trop.bogus" else client.refused(name)
        before = client.memory()
        stream = b"".join(
            frame(
                b'{"jsonrpc":"2.0","id":%d,"method":"workspace/executeCommand","params":{"command":"%s"}}'
                % (number, name.encode())
            )
            for number in range(50_000)
        )

        sent = client.write(stream, timeout=2, reading=False)
        grown = client.memory() - before
        begin = time.monotonic()
        client.terminate()
        code = client.process.wait(PATIENCE)
        took = time.monotonic() - begin

        # All the answers to what was sent take gigabytes. How many are made before reading stops is a matter of speed
        # (up to 250 MB were seen), and so is how many calls wait by then, which may be any number.
        waiting = sent * 50_000 // len(stream)
        assert grown < 512 * 1024 * 1024 + waiting * 8 * 1024
        assert code == 143
        assert took < AT_ONCE

    def test_once_it_reads_again_everything_is_answered(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fill(1000)
        requests = [command(number, "trop.list") for number in range(200)]

        client.write(b"".join(map(frame, requests)), reading=False)
        answers = {client.next_answer()["id"] for _ in requests}

        assert answers == set(range(200))


def test_the_end_of_the_input_is_heard_while_answers_pile_up(client: Client, sandbox: Sandbox) -> None:
    sandbox.fill(1000)
    client.write(b"".join(frame(command(number, "trop.list")) for number in range(200)), timeout=0.5, reading=False)

    client.close_input()
    code = client.process.wait(PATIENCE)

    assert code == 1


def test_the_output_ends_with_the_process(client: Client) -> None:
    client.terminate()

    with pytest.raises(OutputEnded):
        client.receive()


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("ending", [(), ("shutdown", "exit")], ids=["an end of input", "a farewell"])
def test_what_was_received_whole_is_answered(sandbox: Sandbox, ending: tuple[str, ...], count: int) -> None:
    sandbox.make_store()
    messages = [request(1, "initialize", initialize_params(str(sandbox.work))), notification("initialized", {})]
    messages += [command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(100, 100 + count)]
    if ending:
        messages += [request("bye", "shutdown"), notification("exit")]

    done = sandbox.run(TROP_SERVER, stdin=b"".join(map(frame, messages)).decode())

    answers = [(int(number), kind) for number, kind in re.findall(r'"id":(\d{3}),"(result|error)"', done.stdout)]
    done_in_time = [number for number, kind in answers if kind == "result"]
    assert done.returncode == (0 if ending else 1), done.stderr
    # How many are done within the second that there is, if any, is a matter of the machine. Each is answered.
    assert sorted(number for number, _ in answers) == [*range(100, 100 + count)]
    assert {row[1] for row in sandbox.rows()} == {f"t{number}" for number in done_in_time}


@pytest.mark.parametrize("options", [{}, {"notifications": True}], ids=["by itself", "while it watched the store"])
@pytest.mark.parametrize(("end", "code"), ENDS)
def test_the_store_is_one_whole_file_afterwards(
    start: Callable[..., Client], sandbox: Sandbox, end: Callable[[Client], None], code: int, options: dict[str, bool]
) -> None:
    client = start()
    client.initialize(str(sandbox.work), initializationOptions=options)
    client.call("trop.reserve")
    client.call("trop.list")
    assert (sandbox.data / "trop.db-wal").exists()

    end(client)

    assert client.wait() == code
    assert [path.name for path in sandbox.data.iterdir()] == ["trop.db"]
