"""The table of groups: what a project's files say, what is stored, what is asked, and what has to come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.groups.files import FILES, HOSTILE
from support.groups.ports import AVOIDED, CROWDED, EXHAUSTED, NEW, PREFERRED
from support.groups.stored import DRIFTED, EXTENDED, STORED

if TYPE_CHECKING:
    from support.groups.case import GroupCase

TABLE: tuple[GroupCase, ...] = (
    *NEW,
    *PREFERRED,
    *STORED,
    *EXTENDED,
    *DRIFTED,
    *AVOIDED,
    *CROWDED,
    *EXHAUSTED,
    *FILES,
    *HOSTILE,
)
