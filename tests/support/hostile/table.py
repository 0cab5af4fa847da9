"""All hostile repositories."""

from __future__ import annotations

from support.hostile.claims import CLAIMING
from support.hostile.pieces import PIECES
from support.hostile.texts import TEXTS

HOSTILE = [*PIECES, *TEXTS, *CLAIMING]
