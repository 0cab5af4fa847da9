"""Editors that open documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.client import Client
from support.documents import capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sandbox import Sandbox


@pytest.fixture
def editor(start: Callable[..., Client], sandbox: Sandbox) -> Client:
    """A server whose client knows everything about documents, with the sandbox's ``work`` open."""
    client = start()
    client.initialize(str(sandbox.work), capabilities=capabilities())
    return client


@pytest.fixture(scope="module")
def shared_editor(shared_sandbox: Sandbox) -> Iterator[Client]:
    """The same for all tests of a module."""
    client = Client(cwd=str(shared_sandbox.work), env=shared_sandbox.environment())
    client.initialize(str(shared_sandbox.work), capabilities=capabilities())
    yield client
    client.kill()
