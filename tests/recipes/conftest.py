"""The recipes' tools: those that ``tests/recipes/install DIR`` installs are named by ``TROP_TEST_RECIPES``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.requirements import missing
from support.sockets import free_block
from support.workshop import Workshop

if TYPE_CHECKING:
    from support.sandbox import Sandbox

INSTALLED = os.environ.get("TROP_TEST_RECIPES")


@pytest.fixture(scope="session")
def tools() -> Path:
    """The directory with the tools."""
    if not INSTALLED:
        missing("TROP_TEST_RECIPES names no tools, which tests/recipes/install makes", "TROP_REQUIRE_RECIPES")
    return Path(INSTALLED).resolve()


@pytest.fixture
def workshop(sandbox: Sandbox, tools: Path, unmeasured: None) -> Workshop:
    """A sandbox with the tools, and a hundred ports that nothing else holds.

    No coverage is measured: it would make each recipe twice as slow, and what they reach of trop others reach as well.
    """
    return Workshop(sandbox, tools, free_block())
