"""The real programs that ports are reserved through, on a store, a directory and a block of ports of their own."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from support.client import Client
from support.doors import DRY, Answer, called, ran, served
from support.repositories import git
from support.reserve.case import Case, as_flags, on_the_wire
from support.sandbox import LOOKING, Sandbox
from support.sockets import free_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from support.doors import DoorName


C = TypeVar("C", bound=Case)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortAnswer(Answer):
    """What ``reserve`` came to: the port if there is one, and what it warns of. Warnings are no part of ``message``."""

    port: int | None = None
    warnings: tuple[str, ...] = ()


def through_doors(table: Iterable[C]) -> Iterator[tuple[C, DoorName]]:
    """Each case with the doors that it goes through; not all with all, because a process takes its time.

    ``trop call`` shares all but the grammar with the subcommand, and a server would have to be started for each set of
    variables.
    """
    for number, case in enumerate(case for case in table if case.through_doors):
        yield case, "cli"
        if number % 3 == 0:
            yield case, "call"
        if not case.environment:
            yield case, "server"


class PortBench:
    """Runs calls through the doors. Ports are really looked at: the block is free, and nobody else's."""

    def __init__(self, root: Path) -> None:
        self.sandbox = Sandbox(root)
        self.data = self.sandbox.data
        self.ports_from = free_block()
        self._numbers = itertools.count()
        self._servers: dict[tuple[tuple[str, str], ...], tuple[Client, Path]] = {}

    def place(self) -> Path:
        """A new working directory; its name is that of a repository that may be made in it."""
        work = self.sandbox.root / f"place-{next(self._numbers)}" / "repository"
        work.mkdir(parents=True)
        (work.parent / "data").mkdir()
        return work

    def furnish(self, case: C) -> tuple[C, Path, int]:
        """Lay a case out in a place of its own; returns it with its words replaced, the place, and the time."""
        work = self.place()
        case = case.placed(work, self.ports_from)
        if case.git is not None:
            git(work, "init", "-b", case.git[1])
        now = int(time.time())
        case.furnish(self.data, work, now)
        return case, work, now

    def ask(
        self, door: DoorName, work: Path, given: Mapping[str, object], environment: Mapping[str, str] | None = None
    ) -> PortAnswer:
        """Reserve through a door, from a working directory or with that folder open."""
        if door == "server":
            client = self.server(work, environment or {})
            return _port_of(served(client, "trop.reserve", on_the_wire(given)))
        variables: dict[str, Any] = {**LOOKING, **(environment or {})}
        if door == "call":
            done = called(self.sandbox, "trop.reserve", on_the_wire(given), work=work, **variables)
        else:
            done = ran(self.sandbox, "reserve", *as_flags(given), work=work, **variables)
        warnings = tuple(line.removeprefix("warning: ") for line in done.told if line.startswith("warning: "))
        rest = [line for line in done.told if not line.startswith("warning: ")]
        if done.code == 0:
            assert rest == ([DRY] if door == "cli" and given.get("dry_run") else []), done
        else:
            assert rest[0].startswith("error: "), done
            assert rest[-1].startswith("hint: "), done
            assert done.stdout == "", done
        return _port_of(done, message="\n".join(rest), warnings=warnings)

    def server(self, work: Path, environment: Mapping[str, str]) -> Client:
        """A server with these variables, in which this folder alone is open."""
        key = tuple(sorted(environment.items()))
        if key not in self._servers:
            variables: dict[str, Any] = {**LOOKING, **environment}
            client = Client(cwd="/", env=self.sandbox.environment(**variables))
            client.initialize(str(work))
        else:
            client, other = self._servers[key]
            if other != work:
                client.change_folders(added=[work], removed=[other])
        self._servers[key] = client, work
        return client

    def close(self) -> None:
        """End all servers."""
        for client, _ in self._servers.values():
            client.kill()


def _port_of(answer: Answer, *, message: str = "", warnings: tuple[str, ...] = ()) -> PortAnswer:
    """The answer with the port that is in it, as a program prints it or in the result."""
    port = None
    if answer.code == 0:
        port = int(answer.stdout) if answer.data is None else answer.data["reservation"]["port"]
        warnings = warnings or tuple(answer.data["warnings"] if answer.data is not None else ())
    return PortAnswer(
        code=answer.code,
        stdout=answer.stdout,
        told=answer.told,
        message=message or answer.message,
        data=answer.data,
        port=port,
        warnings=warnings,
    )
