"""Patterns for whole numbers between two bounds, for JSON Schemas: a number in quotes is a text there."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def decimals(low: int, high: int) -> str:
    """The pattern of the numbers from ``low`` to ``high``, both included and not negative, without leading zeros."""
    alternatives: list[str] = []
    for digits in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (digits - 1) if digits > 1 else 0)
        last = min(high, 10**digits - 1)
        alternatives += _of_one_length(str(first), str(last))
    return f"({'|'.join(alternatives)})"


def _of_one_length(low: str, high: str) -> Iterator[str]:
    """The alternatives for the numbers between two that have the same number of digits."""
    rest = len(low) - 1
    if not rest:
        yield _digit(low, high)
    elif low[0] == high[0]:
        yield from (low[0] + tail for tail in _of_one_length(low[1:], high[1:]))
    else:
        first, last = int(low[0]), int(high[0])
        if set(low[1:]) != {"0"}:
            yield from (low[0] + tail for tail in _of_one_length(low[1:], "9" * rest))
            first += 1
        whole = set(high[1:]) == {"9"}
        if first <= (last if whole else last - 1):
            any_digits = "[0-9]" if rest == 1 else f"[0-9]{{{rest}}}"
            yield _digit(str(first), str(last if whole else last - 1)) + any_digits
        if not whole:
            yield from (high[0] + tail for tail in _of_one_length("0" * rest, high[1:]))


def _digit(first: str, last: str) -> str:
    return first if first == last else f"[{first}-{last}]"
