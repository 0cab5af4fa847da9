"""A store, a directory and programs that are well, in which one thing is made wrong; and what doctor says of them."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.operations import perform
from support.patience import PATIENCE
from support.repositories import make_repository
from support.sandbox import SCRIPTS, Sandbox
from trop_core.caller import Caller, Door
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.sockets import SocketTable

if TYPE_CHECKING:
    from contextlib import ExitStack

    from support.processes import Child
    from trop_core.operations.doctor.doctor import DoctorResult
    from trop_core.operations.doctor.finding import Finding


class Patient:
    """Where a case is made: a sandbox whose ``work`` is a repository with a reservation, and which is well."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.sandbox = Sandbox(root)
        self.stack = stack
        self.work = make_repository(self.sandbox.work)
        self.environment: dict[str, str] = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "TROP_DATA_DIR": str(self.data)}
        self.world: dict[str, Any] = {
            "sockets": lambda *_, **__: SocketTable(),
            "ephemeral": Exclusions,
        }
        self.holders: list[Child] = []
        self.do("reserve")

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.sandbox.data

    @property
    def store(self) -> Path:
        """The store."""
        return self.sandbox.database

    @property
    def config(self) -> Path:
        """The user's own configuration."""
        return self.data / "config.yaml"

    def do(self, name: str, **values: object) -> Any:
        """Run an operation in the directory, in process; it looks at no port."""
        return perform(
            self.data,
            name,
            values,
            caller=Caller(Door.TERMINAL, str(self.work)),
            environment={**self.environment, "TROP_SKIP_OCCUPANCY_CHECK": "1"},
        )

    def examined(self, untouched: Path | None = None) -> DoctorResult:
        """What doctor says. Fails the test if anything below the root is another afterwards, or below another place."""
        place = untouched or self.sandbox.root
        before = traces(place)
        result: DoctorResult = perform(
            self.data,
            "doctor",
            caller=Caller(Door.TERMINAL, str(self.work)),
            environment=self.environment,
            **self.world,
        )
        assert traces(place) == before
        return result

    def write(self, name: str, text: str) -> Path:
        """A file of the project's."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def shell(self, command: str) -> str:
        """Run a command line as a person would, in the directory, with both streams as the answer."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.work if self.work.exists() else self.sandbox.root,
            env=self.sandbox.environment(**self.environment, GIT_CONFIG_GLOBAL=os.devnull),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


Cure = Callable[[Patient, "Finding"], object]


def follow(patient: Patient, finding: Finding) -> None:
    """The advice is a command: type it."""
    assert finding.advice is not None
    patient.shell(finding.advice)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is wrong: how it is made so, the finding that tells of it, and how the advice is followed.

    ``cure`` is None where what the advice asks for cannot be done in a test: another version of trop.
    """

    name: str
    make: Callable[[Patient], object]
    check: str
    status: str
    says: str
    advises: str
    cure: Cure | None = field(default=follow)


def traces(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a directory, as far as a change of it could be told: without following links."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, below, files in os.walk(root):
        for name in (*below, *files, "."):
            path = os.path.join(directory, name)
            seen = os.lstat(path)
            content = b""
            if stat.S_ISREG(seen.st_mode):
                content = Path(path).read_bytes()
            found[path] = (
                *(seen.st_ino, seen.st_mode, seen.st_uid, seen.st_size, seen.st_mtime_ns),
                hashlib.sha256(content).hexdigest(),
            )
    return found
