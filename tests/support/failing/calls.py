"""Runs of the command line in which one system call about its files fails, each in a fork of one process."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.loading import PLACE
from support.requirements import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.sandbox import Sandbox

ERRORS = ("ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE")

_SERVER = """
import ctypes, json, os, signal, sys
sys.path.append(sys.argv[2])
from support.loading import load_everything
load_everything("trop_core", "trop_server.cli")
from trop_server.cli import main
shim = ctypes.CDLL(sys.argv[1])
shim.failed_call.restype = ctypes.c_char_p
shim.arm.argtypes = (ctypes.c_char_p, ctypes.c_long, ctypes.c_int)
shim.calls.restype = ctypes.c_long
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(60)
        os.chdir(asked["cwd"])
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        shim.arm(os.fsencode(asked["below"]), asked["number"], asked["error"])
        code = main.run(asked["arguments"])
        sys.stdout.flush()
        found = {"code": code, "calls": shim.calls(), "failed": shim.failed_call().decode()}
        shim.arm(b"", 0, 0)
        with open(asked["outcome"], "w") as file:
            json.dump(found, file)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Outcome(NamedTuple):
    """What one run came to: how many calls it made, and which one failed, if it came to that."""

    code: int
    stdout: str
    stderr: str
    calls: int
    failed: str


class FailingCalls:
    """A process from which runs are forked; all modules are loaded in it already."""

    def __init__(self, process: subprocess.Popen[str], sandbox: Sandbox) -> None:
        self._process = process
        self._sandbox = sandbox

    def run(self, arguments: Sequence[str], *, number: int = 0, error: str = "EIO") -> Outcome:
        """Run the command line in the sandbox; the call with that number, from 1, fails. 0 lets all of them work."""
        place = self._sandbox.root
        asked = {
            "cwd": str(self._sandbox.work),
            "arguments": list(arguments),
            # What the test itself writes lies beside.
            "below": str(place / "run"),
            "number": number,
            "error": getattr(errno, error),
            **{name: str(place / name) for name in ("stdout", "stderr", "outcome")},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        ended = self._process.stdout.readline().strip()
        stdout, stderr = ((place / name).read_text() for name in ("stdout", "stderr"))
        assert ended == "0", f"{arguments} with {error} at call {number} ended with {ended}: {stderr}"
        found = json.loads((place / "outcome").read_text())
        return Outcome(found["code"], stdout, stderr, found["calls"], found["failed"])


@contextmanager
def failing_calls(sandbox: Sandbox) -> Iterator[FailingCalls]:
    """A process for runs in a sandbox; it takes a compiler, and a libc that can be put behind another library."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        missing("takes Linux and a C compiler")
    shim = sandbox.root / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    environment = sandbox.environment(LD_PRELOAD=str(shim))
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, shim, PLACE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=os.path.dirname(shim),
    )
    try:
        yield FailingCalls(process, sandbox)
    finally:
        process.kill()
        process.communicate()
