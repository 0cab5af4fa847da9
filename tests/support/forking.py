"""Starting trop's programs without loading them each time: a process that has loaded one forks for each start.

What is forked is a process of its own, with the real pipes, environment, directory and arguments, and begins in the
function that the installed script calls. Most of what a start takes is loading, the same each time. Who tests how a
program is loaded starts the script itself: what uses the fixture ``started_whole`` does.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from coverage import Coverage

from support.loading import PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORKING = "import sys; sys.path.append(sys.argv[3]); from support import forked; forked.main()"

_READ_BY_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "MALLOC_")
"""How variables begin that have their effect while Python starts."""

_LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
"""What a test may have less of for a while, and with it whatever is started then."""

_PROGRAMS = [str(Path(sys.executable).with_name(name)) for name in ("trop", "trop-server")]

started_whole = False
"""Whether whoever starts a program now wants to have its script run."""


class Forked:
    """A process that was forked: what ``subprocess.Popen`` offers of one, as far as tests use it."""

    def __init__(self, server: ForkServer, pid: int, stdin: IO[bytes] | None, stdout: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdin, self.stdout = stdin, stdout
        self.returncode: int | None = None
        self._server = server
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Its exit code, or None while it runs; minus the number of a signal that it died of."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises ``subprocess.TimeoutExpired``."""
        code = self._ended(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            if poll.poll(None if timeout is None else timeout * 1000):
                self.returncode = self._server.reap(self.pid)
                os.close(self._handle)
        return self.returncode


def can_fork(program: str | bytes, environment: Mapping[str, str]) -> bool:
    """Whether a program may be forked: one of trop's own, of which nobody wants to see the start itself."""
    return (
        not started_whole
        and hasattr(os, "pidfd_open")
        and program in _PROGRAMS
        and _of_the_interpreter(environment) == _of_the_interpreter(os.environ)
    )


def fork(command: Sequence[str], *, cwd: str, env: Mapping[str, str], stderr: IO[bytes]) -> Forked:
    """A process of trop's that speaks over pipes."""
    its_input, our_input = os.pipe()
    our_output, its_output = os.pipe()
    try:
        server, pid = _start(command, cwd, env, (its_input, its_output, stderr.fileno()))
    finally:
        os.close(its_input)
        os.close(its_output)
    return Forked(server, pid, os.fdopen(our_input, "wb", 0), os.fdopen(our_output, "rb", 0))


def run_forked(
    command: Sequence[str | bytes],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str,
    timeout: float,
    user: tuple[int, int] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program of trop's to its end, perhaps as another user and group, which takes root.

    Raises ``subprocess.TimeoutExpired`` once it is killed.
    """
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        given.write(os.fsencode(stdin))
        given.seek(0)
        server, pid = _start(command, str(cwd), env, (given.fileno(), stdout.fileno(), stderr.fileno()), user)
        process = Forked(server, pid, None, None)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        return subprocess.CompletedProcess(command, code, _text(stdout), _text(stderr))


class ForkServer:
    """The process that has loaded a program; it does one thing at a time, for one thread after the other."""

    def __init__(self, kind: str) -> None:
        self._ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        # Each of the forks is measured by itself, if it is.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS_")}
        measured = "measured" if Coverage.current() else ""
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _FORKING, kind, str(its.fileno()), PLACE, measured],
                pass_fds=[its.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )

    def close(self) -> None:
        """End it; what it has forked goes on."""
        self._ours.close()
        self._process.communicate()

    def fork(self, asked: Mapping[str, object], files: Sequence[int]) -> int:
        """The number of a new process in a directory and with three files, which these are."""
        with tempfile.TemporaryFile("w+") as file, self._one_at_a_time:
            json.dump(asked, file)
            file.seek(0)
            socket.send_fds(self._ours, [b"fork"], [file.fileno(), *files])
            return self._answer()

    def reap(self, pid: int) -> int:
        """The exit code of a process that has ended, which is gone with that."""
        with self._one_at_a_time:
            self._ours.send(b"%d" % pid)
            return self._answer()

    def _answer(self) -> int:
        answer = self._ours.recv(100)
        assert answer, "the process that forks has ended"
        return int(answer)


server_of = cache(ForkServer)
"""The process that has loaded a program, which is kept."""


def _start(
    command: Sequence[str | bytes],
    cwd: str,
    env: Mapping[str, str],
    files: Sequence[int],
    user: tuple[int, int] | None = None,
) -> tuple[ForkServer, int]:
    words = [os.fsdecode(word) for word in command]
    kind = "mcp" if "--mcp" in words else Path(words[0]).name
    server = server_of(kind)
    # The place itself, and not its name: it may have been moved, or removed, before the process begins.
    place = os.open(cwd, os.O_PATH | os.O_DIRECTORY)
    try:
        asked = {
            "arguments": words,
            "environment": dict(env),
            "user": user,
            "limits": {limit: resource.getrlimit(limit) for limit in _LIMITS},
        }
        return server, server.fork(asked, (place, *files))
    finally:
        os.close(place)


def _of_the_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_BY_THE_INTERPRETER)}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "surrogateescape")
