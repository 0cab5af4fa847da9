"""A JSON-RPC client that is written by hand: it sends whatever bytes a test wants, and never waits for ever."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.forking import Forked, can_fork, fork
from support.messages import (
    ServerError,
    folders_changed,
    frame,
    initialize_params,
    notification,
    request,
    result,
    unframe,
)
from support.patience import PATIENCE
from support.sandbox import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable

TROP_SERVER = str(SCRIPTS / "trop-server")


class OutputEnded(Exception):
    """The server has closed its output."""


class Client:
    """A real ``trop-server`` process, and the client's ends of its pipes."""

    def __init__(self, *arguments: str, cwd: str, env: dict[str, str]) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it is as old as the process
        command = [TROP_SERVER, *arguments]
        self.process: subprocess.Popen[bytes] | Forked
        if can_fork(TROP_SERVER, env):
            self.process = fork(command, cwd=cwd, env=env, stderr=self.log)
        else:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                bufsize=0,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input, self.output = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.input, False)
        os.set_blocking(self.output, False)
        self.unmatched: list[dict[str, Any]] = []
        self._received = bytearray()
        self._ids = itertools.count(1000)

    # Raw bytes

    def write(self, data: bytes, *, timeout: float = PATIENCE, reading: bool = True) -> int:
        """Send bytes, and take in what comes meanwhile unless ``reading`` is false.

        Returns how many were sent: fewer than all if the server takes no more for ``timeout`` seconds.
        """
        view, sent = memoryview(data), 0
        while sent < len(data):
            sources = [self.output] if reading else []
            readable, writable, _ = select.select(sources, [self.input], [], timeout)
            if not readable and not writable:
                break
            if readable and not self._take_in():
                sources.clear()
                reading = False
            if writable:
                sent += os.write(self.input, view[sent : sent + 65536])
        return sent

    def send(self, *messages: Any) -> None:
        """Send messages, all of them in one piece."""
        self.write(b"".join(map(frame, messages)))

    def close_input(self) -> None:
        """Let the server see the end of its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close_output(self) -> None:
        """Close this side's end of the server's output."""
        assert self.process.stdout is not None
        self.process.stdout.close()

    # Messages

    def receive(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next message. Raises ``TimeoutError`` or ``OutputEnded``; what is no frame fails the test."""
        deadline = time.monotonic() + timeout
        while (message := self._complete()) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self.output], [], [], remaining)[0]:
                raise TimeoutError(f"nothing came within {timeout} s; so far {bytes(self._received)[:200]!r}")
            if not self._take_in():
                raise OutputEnded(bytes(self._received))
        return message

    def answer(self, message_id: object, timeout: float = PATIENCE) -> dict[str, Any]:
        """The answer to a request; other messages are kept for later."""
        for message in self.unmatched:
            if "method" not in message and message["id"] == message_id:
                self.unmatched.remove(message)
                return message
        deadline = time.monotonic() + timeout
        while True:
            message = self.receive(max(0.0, deadline - time.monotonic()))
            if "method" not in message and message["id"] == message_id:
                return message
            self.unmatched.append(message)

    def next_answer(self) -> dict[str, Any]:
        """The next answer to whatever request; what the server logs meanwhile is passed over."""
        while "method" in (message := self.receive()):
            pass
        return message

    def request(self, method: str, params: Any = None, timeout: float = PATIENCE) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        message_id = next(self._ids)
        self.send(request(message_id, method, params))
        return self.answer(message_id, timeout)

    def call(self, name: str, argument: dict[str, Any] | None = None, timeout: float = PATIENCE) -> dict[str, Any]:
        """A command's result. Raises ``ServerError``."""
        arguments = [] if argument is None else [argument]
        return result(self.request("workspace/executeCommand", {"command": name, "arguments": arguments}, timeout))

    def refused(self, name: str, argument: dict[str, Any] | None = None) -> ServerError:
        """The error that a command is refused with; fails the test if it is not."""
        try:
            answer = self.call(name, argument)
        except ServerError as error:
            return error
        raise AssertionError(f"{name} was not refused, but gave {answer}")

    def initialize(self, *folders: str, **params: Any) -> dict[str, Any]:
        """Introduce this client, with folders (paths or URIs) open; returns the server's result."""
        answer = self.request("initialize", initialize_params(*folders, **params))
        self.send(notification("initialized", {}))
        return result(answer)

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.send(notification(method, params))

    def change_folders(self, added: Iterable[Path | str] = (), removed: Iterable[Path | str] = ()) -> None:
        """Open folders (paths or URIs) in the window, and close others."""
        self.send(folders_changed(added, removed))

    # The process

    def interrupt(self) -> None:
        """Send the process a Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit code, once the process has ended. What it still says is read, so that it can say it."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"the server still runs after {timeout} s")
            assert self.process.stdout is not None
            if self.process.stdout.closed or not select.select([self.output], [], [], min(remaining, 0.01))[0]:
                _wait_a_moment(self.process, remaining)
            elif not self._take_in():
                self.process.wait(max(0.0, deadline - time.monotonic()))
        return self.process.wait()

    def rest(self) -> list[dict[str, Any]]:
        """Every message that is still to be had from a server that has ended. Fails if other bytes are among them."""
        messages = self.unmatched
        self.unmatched = []
        while self._take_in():
            pass
        while (message := self._complete()) is not None:
            messages.append(message)
        assert not self._received, bytes(self._received)
        return messages

    def logged(self) -> str:
        """What the server wrote to its stderr so far."""
        self.log.seek(0)
        return self.log.read().decode()

    def threads(self) -> int:
        """How many threads the process has."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptors(self) -> int:
        """How many files the process has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self) -> int:
        """The memory that the process occupies, in bytes."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End the process, whatever it does, and let go of everything."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.log.close()

    def _take_in(self) -> bool:
        """Read what is there; False once there will be no more."""
        has_ended = self.process.poll() is not None
        try:
            chunk = os.read(self.output, 1 << 20)
        except BlockingIOError:
            return not has_ended
        self._received += chunk
        return bool(chunk)

    def _complete(self) -> dict[str, Any] | None:
        return unframe(self._received)


def _wait_a_moment(process: subprocess.Popen[bytes] | Forked, remaining: float) -> None:
    try:
        process.wait(min(remaining, 0.05))
    except subprocess.TimeoutExpired:
        return
