"""Processes that run a piece of Python and talk with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Child:
    """A process that runs a piece of Python and talks over its pipes, a line at a time."""

    def __init__(self, program: str, *arguments: object, **environment: str) -> None:
        search_path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search_path), **environment},
        )

    def expect(self, line: str) -> None:
        """Wait for the line that the process prints next; anything else is an error."""
        found = self.line()
        assert found == line, f"expected {line!r}, the process said {found!r}"

    def line(self) -> str:
        """Wait for the line that the process prints next; the empty text when it is over."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def say(self, line: str = "") -> None:
        """Send the process a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Close its input, wait for it and return what it still printed; it must end with code 0."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, f"it ended with {self.process.returncode}"
        return output

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@contextmanager
def child(program: str, *arguments: object, **environment: str) -> Iterator[Child]:
    """A process that is gone when the block ends."""
    started = Child(program, *arguments, **environment)
    try:
        yield started
    finally:
        started.kill()
