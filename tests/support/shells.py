"""What the tests of what shells do with trop have in common."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Read when this is imported: no test sees a variable of trop's from outside.
_REQUIRED = bool(os.environ.get("TROP_REQUIRE_SHELLS"))


def missing_shell(reason: str) -> NoReturn:
    """Skip a test whose shell is not here; where ``TROP_REQUIRE_SHELLS`` is set, as under CI, that is a failure."""
    if _REQUIRED:
        pytest.fail(f"{reason}, and TROP_REQUIRE_SHELLS is set")
    pytest.skip(reason)


def find_shell(name: str) -> str:
    """The path of a shell. A test that needs one which is not installed is skipped, or fails."""
    path = shutil.which(name)
    if path is None:
        missing_shell(f"{name} is not installed")
    return path
