"""Programs that listen on a port, each in a directory of its own, as dev servers do."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "--token=hunter2"
"""An argument of every server."""

_LISTEN = """
import os, socket, sys
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(os.getpid(), flush=True)
sys.stdin.read()
"""

_START_FROM_HERE = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[2:], cwd=sys.argv[1]).returncode)"


@contextmanager
def server(
    port: int,
    cwd: Path,
    *,
    started_from: Path | None = None,
    before: str = "",
    named: str | None = None,
    through: tuple[str, ...] = (),
) -> Iterator[int]:
    """A process that listens on a port of 127.0.0.1 and works in a directory; its number.

    ``started_from`` is where its parent stands, if not where it does. ``before`` is run in it first, ``named`` is its
    first argument in place of the program's name, and ``through`` a command that it is started by.
    """
    # The interpreter itself: one of a virtual environment looks at its own name.
    program = os.path.realpath(sys.executable)
    command = [*through, named or program, "-c", before + _LISTEN, str(port), SECRET]
    if started_from is not None:
        command = [program, "-c", _START_FROM_HERE, str(cwd), *command]
    process = subprocess.Popen(
        command,
        executable=program if named else None,
        cwd=started_from or cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Whatever happens, its input ends with the block, and it with that.
    with process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
