"""The real ``trop`` script in a sandbox of its own, with a store that can be filled and locked."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.forking import can_fork, run_forked
from support.patience import PATIENCE
from support.stores import integrity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRIPTS = Path(sys.executable).parent
TROP = str(SCRIPTS / "trop")
UNMEASURED: dict[str, str | None] = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
"""Changes of the environment for what gets a Ctrl-C: coverage hangs if that comes while it holds one of its locks."""


LOOKING = {"TROP_SKIP_OCCUPANCY_CHECK": None}
"""Changes of the environment for who is to look at ports, which nobody does in a sandbox unless a test wants it."""


class Sandbox:
    """A home, a data directory and a working directory below one directory, and ``trop`` running in them.

    Ports are not looked at unless a test wants it: what else runs on this machine must not decide about a test.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.home = self.root / "home"
        self.data = self.root / "data"
        self.work = self.root / "work"
        self.home.mkdir()
        self.work.mkdir()

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.data / "trop.db"

    def environment(self, **changes: str | None) -> dict[str, str]:
        """The environment of a process in here; None takes a variable away.

        Whoever runs the tests has a shell of their own, or none: here everybody has the same one.
        """
        wanted: dict[str, str | None] = {
            **os.environ,
            "HOME": str(self.home),
            "SHELL": "/bin/sh",
            "TROP_DATA_DIR": str(self.data),
            "TROP_SKIP_OCCUPANCY_CHECK": "1",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def directory(self, name: str) -> Path:
        """A new directory below the working directory."""
        path = self.work / name
        path.mkdir(parents=True)
        return path

    def run(
        self,
        *command: str | bytes,
        cwd: Path | None = None,
        stdin: str | None = None,
        **environment: str | None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        place, its_environment = cwd or self.work, self.environment(**environment)
        if can_fork(command[0], its_environment):
            return run_forked(command, cwd=place, env=its_environment, stdin=stdin or "", timeout=PATIENCE)
        return subprocess.run(
            command,
            cwd=place,
            env=its_environment,
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )

    def trop(
        self,
        *arguments: str | bytes,
        cwd: Path | None = None,
        stdin: str | None = None,
        **environment: str | None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``trop`` to its end."""
        return self.run(TROP, *arguments, cwd=cwd, stdin=stdin, **environment)

    def begin(self, *arguments: str, cwd: Path | None = None, **environment: str | None) -> subprocess.Popen[str]:
        """Start ``trop`` without waiting for it."""
        return self.begin_program(TROP, *arguments, cwd=cwd, **environment)

    def begin_program(self, *command: str, cwd: Path | None = None, **environment: str | None) -> subprocess.Popen[str]:
        """Start a program without waiting for it."""
        return subprocess.Popen(
            command,
            cwd=cwd or self.work,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def reserve(self, *arguments: str, cwd: Path | None = None, **environment: str | None) -> int:
        """The port that ``trop reserve`` prints."""
        done = self.trop("reserve", *arguments, cwd=cwd, **environment)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def rows(self) -> list[tuple[str, str, int, str | None, str | None]]:
        """Path, tag, port, project and task of all that is stored, in the order of path and tag."""
        if not self.database.exists():
            return []
        connection = sqlite3.connect(self.database, timeout=PATIENCE)
        try:
            return connection.execute(
                "SELECT path, tag, port, project, task FROM reservations ORDER BY path, tag"
            ).fetchall()
        finally:
            connection.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the store behind trop's back."""
        connection = sqlite3.connect(self.database, timeout=PATIENCE)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def execute(self, sql: str, rows: Sequence[Sequence[object]] = ((),)) -> None:
        """Change the store behind trop's back, in one transaction."""
        connection = sqlite3.connect(self.database, timeout=PATIENCE)
        try:
            with connection:
                connection.executemany(sql, rows)
        finally:
            connection.close()

    def fill(self, count: int, *, first_port: int = 10_000, below: str = "/stored") -> None:
        """Put many reservations into the store, which is created for it."""
        self.make_store()
        self.execute(
            "INSERT INTO reservations VALUES (?, '', ?, ?, NULL, 1700000000, 1700000000)",
            [(f"{below}/{number:05d}", first_port + number, f"project-{number % 3}") for number in range(count)],
        )

    def make_store(self) -> None:
        """Create an empty store, if there is none.

        It is put in place whole: a server that finds a part of one begins to make a store of it.
        """
        if not self.database.exists():
            self.data.mkdir(mode=0o700, exist_ok=True)
            made = self.data / "made.db"
            made.write_bytes(_empty_store())
            made.chmod(0o600)
            made.rename(self.database)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's write lock, as another process would."""
        self.make_store()
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=PATIENCE)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()
            connection.close()

    def integrity(self) -> str:
        """What SQLite says of the store's file."""
        return integrity_of(self.database)


@cache
def _empty_store() -> bytes:
    """The file of a store that ``trop init`` has made: made once, since hundreds of tests begin with one."""
    with tempfile.TemporaryDirectory() as directory:
        made = Sandbox(Path(directory))
        done = made.trop("init")
        assert done.returncode == 0, done.stderr
        return made.database.read_bytes()


def error_lines(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """What a failed run says: the message and the hint. Fails the test if its stderr has another form."""
    *before, error, hint = done.stderr.splitlines()
    assert error.startswith("error: "), done.stderr
    assert hint.startswith("hint: "), done.stderr
    assert all(line.startswith("warning: ") for line in before), done.stderr
    return error.removeprefix("error: "), hint.removeprefix("hint: ")


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a run printed."""
    return json.loads(done.stdout)
