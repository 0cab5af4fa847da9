"""A terminal with a process in it: what it shows, and what is typed."""

from __future__ import annotations

import os
import pty
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from support.sandbox import UNMEASURED

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox

UNSAID = dict.fromkeys(("NO_COLOR", "FORCE_COLOR", "CLICOLOR"))
"""Whoever runs the tests may have said something about colour."""


class Terminal:
    """A process at the other end of a terminal of its own."""

    def __init__(self, sandbox: Sandbox, *command: str, cwd: Path | None = None, **environment: str | None) -> None:
        self.pid, self.keyboard = pty.fork()
        if self.pid == 0:
            os.chdir(cwd or sandbox.work)
            variables = {**UNMEASURED, **UNSAID, "TERM": "dumb", "PS1": "$ ", **environment}
            os.execvpe(command[0], command, sandbox.environment(**variables))
        self.shown = b""

    def type(self, text: bytes) -> None:
        """Press keys."""
        os.write(self.keyboard, text)

    def wait_for(self, text: bytes) -> bytes:
        """Read until a text is shown that was not before; what was shown up to it. Fails at the end of the output."""
        while text not in self.shown:
            piece = self._read()
            assert piece, f"it ended without {text!r}: {self.shown!r}"
            self.shown += piece
        before, _, self.shown = self.shown.partition(text)
        return before

    def rest(self) -> str:
        """All that is shown until the end, with line feeds alone as ends of lines."""
        while piece := self._read():
            self.shown += piece
        return self.shown.decode().replace("\r\n", "\n")

    def end(self) -> int:
        """Read to the end; the exit code, negative for a signal."""
        while self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """End the process, if it has not ended, and the terminal."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.keyboard)

    def _read(self) -> bytes:
        try:
            return os.read(self.keyboard, 4096)
        except OSError:
            return b""  # Linux: the other end is closed
