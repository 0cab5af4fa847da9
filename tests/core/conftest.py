"""What the tests of the core share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.repositories import make_repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with one commit in the directory ``shop``."""
    return make_repository(tmp_path / "shop")
