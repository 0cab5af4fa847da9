"""How much an answer may hold."""

from __future__ import annotations

LONGEST_LIST = 1000
"""Entries of a list in a result. What is longer is cut, and ``truncated`` says so; counts are complete."""
