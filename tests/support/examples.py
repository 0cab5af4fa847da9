"""How many examples a law is tried with: few in each run, which are others each time, and more where that is wanted."""

from __future__ import annotations

import os

TIMES = float(os.environ.get("TROP_TEST_EXAMPLES", "1"))


def examples(usually: int) -> int:
    """A number of examples, multiplied by what ``TROP_TEST_EXAMPLES`` says."""
    return max(1, round(usually * TIMES))
