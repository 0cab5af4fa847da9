"""What the tests of the store share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be made, alone in a directory."""
    directory = tmp_path / "data"
    directory.mkdir()
    return directory / "trop.db"
