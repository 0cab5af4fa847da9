"""``trop run`` in a real terminal: the keyboard, the jobs of a shell and the size are the command's own."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from support.requirements import find_shell
from support.sandbox import TROP

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import Sandbox
    from support.terminal import Terminal

SAY = "import os, sys; sys.stdout.write(os.ttyname(0) and 'terminal\\n')"

HEAR = """
import os, signal

heard = {signal.SIGINT, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
os.write(1, b"ready\\n")
number = signal.sigwait(heard)
os.write(os.open("heard", os.O_WRONLY | os.O_CREAT), str(int(number)).encode())
os._exit(9)
"""
"""It reads nothing: a shell that does may meet the end of its terminal before the signal, and ends of that."""

ANSWER = "print('ready', flush=True); print(input().upper(), flush=True)"


def test_the_command_has_the_terminal(terminal: Callable[..., Terminal]) -> None:
    started = terminal(TROP, "run", sys.executable, "-c", SAY)

    started.wait_for(b"terminal")
    assert started.end() == 0


def test_a_ctrl_c_is_for_the_command(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    started = terminal(TROP, "run", sys.executable, "-c", HEAR)
    started.wait_for(b"ready")

    started.type(b"\x03")

    assert started.end() == 9
    assert (sandbox.work / "heard").read_text() == str(int(signal.SIGINT))


def test_a_command_that_does_not_hear_it_is_ended_by_it(terminal: Callable[..., Terminal]) -> None:
    started = terminal(TROP, "run", "sh", "-c", "echo ready; exec cat")
    started.wait_for(b"ready")

    started.type(b"\x03")

    assert started.end() == -signal.SIGINT


def test_it_is_a_job_that_a_shell_stops_and_resumes(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    (sandbox.work / "answer.py").write_text(ANSWER)
    started = terminal(find_shell("bash"), "--norc", "--noprofile", "-i")
    started.type(f"{TROP} run {sys.executable} answer.py\n".encode())
    started.wait_for(b"ready")

    started.type(b"\x1a")
    started.wait_for(b"Stopped")
    started.wait_for(b"$ ")
    started.type(b"fg\n")
    # The shell shows what it resumes, and reads nothing from then on.
    started.wait_for(b"answer.py")
    started.type(b"typed\n")
    started.wait_for(b"TYPED")

    started.wait_for(b"$ ")
    started.type(b"exit 3\n")
    assert started.end() == 3


def test_closing_the_terminal_ends_the_command(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    started = terminal(TROP, "run", sys.executable, "-c", HEAR)
    started.wait_for(b"ready")

    os.close(started.keyboard)
    _, status = os.waitpid(started.pid, 0)
    started.pid, started.keyboard = 0, os.open(os.devnull, os.O_RDONLY)

    assert os.waitstatus_to_exitcode(status) == 9
    assert (sandbox.work / "heard").read_text() == str(int(signal.SIGHUP))
