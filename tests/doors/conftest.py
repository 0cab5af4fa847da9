"""Where a table's cases are laid out, to be asked about through every door."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from support.bench import Bench
from support.doors import DOORS, ask
from support.keeping import SECRET, Keeping
from support.port_bench import PortBench
from support.repositories import make_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.doors import DoorName
    from support.sandbox import Sandbox

_numbers = itertools.count()


@pytest.fixture
def bench(shared_sandbox: Sandbox, shared: Client) -> Iterator[Bench]:
    """A new working directory, alone open in the server, on the store that all cases share one after the other."""
    work = shared_sandbox.root / f"place-{next(_numbers)}"
    work.mkdir()
    shared.change_folders(added=[work], removed=[shared_sandbox.work])
    yield Bench(shared_sandbox, shared, work)
    shared.change_folders(added=[shared_sandbox.work], removed=[work])


@pytest.fixture(scope="module")
def port_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    """A block of ports, and a store that all cases share one after the other."""
    made = PortBench(tmp_path_factory.mktemp("ports"))
    yield made
    made.close()


@pytest.fixture(params=DOORS)
def reserve(request: pytest.FixtureRequest, sandbox: Sandbox, client: Client) -> Callable[..., tuple[int, str]]:
    """Reserves in a directory through each door in turn; gives the port and what was told."""
    door: DoorName = request.param

    def reserve_in(directory: Path, tag: str | None = None) -> tuple[int, str]:
        given = {} if tag is None else {"tag": tag}
        if door == "server":
            answer = ask(sandbox, client, door, "trop.reserve", {**given, "folder": str(directory)})
        else:
            answer = ask(sandbox, client, door, "trop.reserve", given, work=directory)
        assert answer.code == 0, answer.message
        if door == "cli":
            return int(answer.stdout), answer.message
        return answer.data["reservation"]["port"], "\n".join(answer.data["warnings"])

    return reserve_in


@pytest.fixture(params=DOORS)
def keeping(request: pytest.FixtureRequest, sandbox: Sandbox, client: Client) -> Keeping:
    return Keeping(sandbox, client, request.param)


@pytest.fixture
def shop(sandbox: Sandbox) -> Path:
    """A repository with an untracked file of variables."""
    repository = make_repository(sandbox.work / "shop")
    (repository / ".env.local").write_bytes(SECRET)
    return repository
