"""Where a table's cases are laid out, to be asked about through every door."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from support.bench import Bench
from support.port_bench import PortBench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.client import Client
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
