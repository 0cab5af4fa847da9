"""What the tests fork is like what they would start."""

from __future__ import annotations

import os
import resource
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import forking
from support.zoo import little_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.client import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "pidfd_open"), reason="takes Linux")


def address_space(client: Client) -> str:
    """How much memory a server may have, as Linux tells it."""
    lines = Path(f"/proc/{client.process.pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max address space")).split()[3]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that forks for this test alone, and is not there yet."""
    server_of = cache(forking.ForkServer)
    monkeypatch.setattr(forking, "server_of", server_of)
    yield
    server_of("trop-server").close()


@pytest.mark.usefixtures("server")
def test_a_process_may_have_as_much_as_whoever_starts_it(start: Callable[..., Client]) -> None:
    with little_memory(1 << 30):
        limited, limit = start(), resource.getrlimit(resource.RLIMIT_AS)[0]
    usual = start()
    for client in (limited, usual):
        client.initialize()

    assert isinstance(limited.process, forking.Forked)
    assert address_space(limited) == str(limit)
    assert address_space(usual) == named(resource.getrlimit(resource.RLIMIT_AS)[0])


def named(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)
