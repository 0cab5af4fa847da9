"""A row of the table of changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from support.doors import DOORS, DoorName
from support.refusals import Refused
from support.rows import Row

A, B = "{work}/a", "{work}/b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a case comes to: fields of the result, what a person is told, what is on stdout, and the rows then."""

    result: Mapping[str, object] = field(default_factory=dict)
    told: Sequence[str] = ()
    told_dry: Sequence[str] | None = None
    prints: str = ""
    prints_quietly: str = ""
    after: Sequence[Row] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table. ``directories`` are made below the working directory, ``links`` lead to others there."""

    id: str
    command: str
    given: Mapping[str, object] = field(default_factory=dict)
    stored: Sequence[Row] = ()
    expected: Done | Refused
    directories: Sequence[str] = ("a", "b")
    links: Mapping[str, str] = field(default_factory=dict)
    doors: Collection[DoorName] = DOORS


def moved(source: str, destination: str, port: int, tag: str | None = None) -> dict[str, object]:
    """An entry of ``migrated``."""
    return {"from": source, "to": destination, "tag": tag, "port": port}
