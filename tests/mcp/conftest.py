"""What the tests of the agents' server share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.days import Place
from support.mcp import LineClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import Sandbox


@pytest.fixture
def lines(sandbox: Sandbox) -> Iterator[LineClient]:
    """A client that has shaken hands."""
    client = LineClient(cwd=str(sandbox.work), env=sandbox.environment(TROP_BUSY_TIMEOUT="60"))
    client.introduce()
    yield client
    client.kill()


@pytest.fixture
def place(sandbox: Sandbox) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(sandbox, stack)
