"""Projects whose tools are started as their users do it: each is found on a port of its directory."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil

from support.patience import PATIENCE
from support.sandbox import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.sandbox import Sandbox

FLASK_APP = """
from flask import Flask
app = Flask(__name__)
app.add_url_rule("/", view_func=lambda: app.root_path)
"""
"""An application for Flask that answers with its directory."""

ASGI_APP = """
import os
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": os.getcwd().encode()})
"""
"""The same for uvicorn."""


class Running:
    """A program that a shell started."""

    def __init__(self, command: str, cwd: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=cwd,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.printed = ""

    def until(self, *wanted: object) -> str:
        """Wait until it has printed all of these, in any order. Fails with what it said if it ends before that.

        One that never says it is killed after a while.
        """
        assert self.process.stdout is not None
        impatience = Timer(PATIENCE, self._kill)
        impatience.start()
        try:
            while not all(str(text) in self.printed for text in wanted):
                line = self.process.stdout.readline()
                assert line, f"it ended without {wanted}:\n{self.printed}"
                self.printed += line
        finally:
            impatience.cancel()
            impatience.join()
        return self.printed

    def ended(self) -> tuple[int, str]:
        """Wait for its end: the exit code, and all that it printed."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self.printed + rest

    def kill(self) -> None:
        """End it and all that it started, in whatever session that is."""
        self._kill()
        self.process.communicate(timeout=PATIENCE)

    def _kill(self) -> None:
        if self.process.poll() is None:
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()


@contextmanager
def running(command: str, cwd: Path, environment: dict[str, str]) -> Iterator[Running]:
    """Run a command in a shell; it is gone when the block ends, with all that it started."""
    started = Running(command, cwd, environment)
    try:
        yield started
    finally:
        started.kill()


def answer(port: int) -> str:
    """What a server on a port of localhost answers."""
    with urlopen(f"http://localhost:{port}/", timeout=PATIENCE) as response:
        content: bytes = response.read()
    return content.decode()


class Workshop:
    """A sandbox whose programs find the tools, and whose ports are looked at, for they are listened on."""

    def __init__(self, sandbox: Sandbox, tools: Path, first_port: int) -> None:
        self.sandbox = sandbox
        self.tools = tools
        # The tools go first: where trop is installed for the tests there are a python and a pytest, too.
        path = [tools / "python/bin", SCRIPTS, tools / "node_modules/.bin", os.environ["PATH"]]
        self.environment = sandbox.environment(
            PATH=os.pathsep.join(map(str, path)),
            TROP_PORT_MIN=str(first_port),
            TROP_PORT_MAX=str(first_port + 99),
            TROP_SKIP_OCCUPANCY_CHECK=None,
            PORT=None,
            PYTEST_ADDOPTS=None,
            PYTEST_XDIST_WORKER=None,
            # At its end pytest clears away what earlier runs of it have left, which of these tests are gigabytes.
            PYTEST_DEBUG_TEMPROOT=str(sandbox.root),
            NO_COLOR="1",
            npm_config_update_notifier="false",
        )

    def project(self, name: str, files: dict[str, str] | None = None) -> Path:
        """A new directory with files, in which Vite can be found."""
        directory = self.sandbox.directory(name)
        for file, text in (files or {}).items():
            (directory / file).write_text(text)
        modules = directory / "node_modules"
        modules.mkdir()
        for part in ("vite", ".bin"):
            (modules / part).symlink_to(self.tools / "node_modules" / part)
        return directory

    def done(self, command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in bash to its end."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    def shell(self, command: str, cwd: Path, **environment: str) -> str:
        """What a command prints, which has to succeed."""
        done = self.done(command, cwd, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def running(self, command: str, cwd: Path, **environment: str) -> AbstractContextManager[Running]:
        """Run a command in bash while the block lasts."""
        return running(command, cwd, {**self.environment, **environment})

    def port(self, directory: Path, tag: str | None = None) -> int:
        """The port of a directory, or that of a tag in it."""
        return self.sandbox.reserve(*(["--tag", tag] if tag else []), cwd=directory, **self.environment)
