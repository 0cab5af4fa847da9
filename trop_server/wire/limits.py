"""How much an answer may hold."""

from __future__ import annotations

LONGEST_LIST = 1000
"""Entries of a list in a result. What is longer is cut, and ``truncated`` says so; counts are complete."""

ONLY_WHERE_THERE = ("plan",)
"""The fields of results that are left away where they have no value: what only a dry run gives."""
