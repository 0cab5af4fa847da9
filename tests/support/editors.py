"""What the tests of the editors' clients have in common."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

# Read when this is imported: no test sees a variable of trop's from outside.
_REQUIRED = bool(os.environ.get("TROP_REQUIRE_EDITORS"))


def missing_editor(reason: str) -> NoReturn:
    """Skip a test whose editor is not here; where ``TROP_REQUIRE_EDITORS`` is set, as under CI, that is a failure."""
    if _REQUIRED:
        pytest.fail(f"{reason}, and TROP_REQUIRE_EDITORS is set")
    pytest.skip(reason)
