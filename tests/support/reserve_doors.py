"""The real programs that ``reserve`` is reached through, on a store, a directory and a block of ports of their own."""

from __future__ import annotations

import itertools
import json
import os
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from support.cli import Sandbox
from support.client import Client, ServerError, workspace_folder
from support.reserve import as_flags, on_the_wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path


DoorName = Literal["cli", "call", "server"]


class Answer(NamedTuple):
    """What came through a door. ``code`` is an exit code, or a JSON-RPC code; ``data`` a result or an error's data."""

    port: int | None
    code: int
    message: str = ""
    warnings: tuple[str, ...] = ()
    data: dict[str, Any] | None = None


class Bench:
    """Runs calls through the doors. Ports are really looked at: the block is free, and nobody else's."""

    def __init__(self, root: Path) -> None:
        self.sandbox = Sandbox(root)
        self.data = self.sandbox.data
        self.ports_from = _free_block()
        self._numbers = itertools.count()
        self._servers: dict[tuple[tuple[str, str], ...], tuple[Client, list[str]]] = {}

    def place(self) -> Path:
        """A new working directory; its name is that of a repository that may be made in it."""
        work = self.sandbox.root / f"place-{next(self._numbers)}" / "repository"
        work.mkdir(parents=True)
        (work.parent / "data").mkdir()
        return work

    def ask(
        self, door: DoorName, work: Path, given: Mapping[str, object], environment: Mapping[str, str] | None = None
    ) -> Answer:
        """Reserve through a door, from a working directory or with that folder open."""
        if door == "server":
            return self._ask_server(work, given, environment or {})
        if door == "call":
            arguments = ["call", "trop.reserve", json.dumps(on_the_wire(given))]
        else:
            arguments = ["reserve", *as_flags(given)]
        variables: Any = {"TROP_SKIP_OCCUPANCY_CHECK": None, **(environment or {})}
        done = self.sandbox.trop(*arguments, cwd=work, **variables)
        told = done.stderr.splitlines()
        warnings = tuple(line.removeprefix("warning: ") for line in told if line.startswith("warning: "))
        rest = [line for line in told if not line.startswith("warning: ")]
        if done.returncode == 0:
            assert rest == (["Dry run - no changes made."] if door == "cli" and given.get("dry_run") else [])
            data = json.loads(done.stdout) if door == "call" else None
            port = int(done.stdout) if data is None else data["reservation"]["port"]
            return Answer(port, 0, warnings=warnings, data=data)
        assert rest[0].startswith("error: "), done.stderr
        assert rest[-1].startswith("hint: "), done.stderr
        assert door == "call" or done.stdout == ""
        data = json.loads(done.stdout) if door == "call" else None
        return Answer(None, done.returncode, "\n".join(rest), warnings, data)

    def close(self) -> None:
        """End all servers."""
        for client, _ in self._servers.values():
            client.kill()

    def _ask_server(self, work: Path, given: Mapping[str, object], environment: Mapping[str, str]) -> Answer:
        client = self._server(work, environment)
        try:
            data = client.call("trop.reserve", on_the_wire(given))
        except ServerError as error:
            return Answer(None, error.code, error.message, data=error.data)
        return Answer(data["reservation"]["port"], 0, warnings=tuple(data["warnings"]), data=data)

    def _server(self, work: Path, environment: Mapping[str, str]) -> Client:
        """A server with these variables, in which this folder alone is open."""
        key = tuple(sorted(environment.items()))
        if key not in self._servers:
            changes: dict[str, str | None] = {"TROP_SKIP_OCCUPANCY_CHECK": None, **environment}
            client = Client(cwd="/", env=self.sandbox.environment(**changes))
            client.initialize(str(work))
            self._servers[key] = client, [str(work)]
        client, folders = self._servers[key]
        if folders != [str(work)]:
            event = {"added": [workspace_folder(str(work))], "removed": [workspace_folder(path) for path in folders]}
            client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
            folders[:] = [str(work)]
        return client


@contextmanager
def listening(ports: Collection[int]) -> Iterator[None]:
    """Something listens on these ports: over TCP, on IPv4, on loopback."""
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def _free_block() -> int:
    """The first of a hundred ports that nothing uses, apart from those of other test processes."""
    first = 10_000 + os.getpid() % 200 * 100
    for attempt in range(200):
        block = 10_000 + (first - 10_000 + attempt * 100) % 20_000
        if all(_is_free(port) for port in range(block, block + 100)):
            return block
    raise AssertionError("no hundred ports in a row are free")


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as attempt:
                try:
                    attempt.bind((address, port))
                except OSError:
                    return False
    return True
