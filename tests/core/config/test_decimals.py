"""Patterns for numbers between two bounds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from trop_core.config.decimals import decimals

numbers = st.integers(0, 10**7) | st.integers(0, 200)


@given(numbers, numbers, numbers)
def test_a_pattern_takes_the_numbers_between_its_bounds_and_no_others(one: int, other: int, number: int) -> None:
    low, high = sorted((one, other))
    pattern = decimals(low, high)

    for each in (number, low, high, low + 1, high + 1, max(low - 1, 0)):
        assert (re.fullmatch(pattern, str(each)) is not None) is (low <= each <= high)
        assert re.fullmatch(pattern, f"0{each}") is None
