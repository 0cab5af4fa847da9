"""All the ways in which something is wrong."""

from __future__ import annotations

from support.unwell import data, directory, programs, settings

CASES = (*data.CASES, *settings.CASES, *directory.CASES, *programs.CASES)
