"""The table of ``reserve``: every flag alone, and in pairs where they touch each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.reserve.exhaustion import EXHAUSTION
from support.reserve.facts import IDENTIFIERS, SOURCES
from support.reserve.keys import EXISTING_KEYS, NEW_KEYS
from support.reserve.overwriting import OVERWRITING
from support.reserve.paths import PATHS
from support.reserve.ports import AVOIDED, PREFERRED, RANGES
from support.reserve.sticky import STICKY

if TYPE_CHECKING:
    from support.reserve.case import Case

TABLE: tuple[Case, ...] = (
    *NEW_KEYS,
    *EXISTING_KEYS,
    *OVERWRITING,
    *PREFERRED,
    *RANGES,
    *AVOIDED,
    *STICKY,
    *SOURCES,
    *IDENTIFIERS,
    *PATHS,
    *EXHAUSTION,
)
