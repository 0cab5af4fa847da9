"""A row of the table of ``reserve``: what is stored, what is asked, and what has to come of it.

The table is written down once and run through every door. Ports from 5000 to 5099 and the words in braces stand for
what a run has in their place: a block of ports that is really free, and the run's own directories.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from support import stores
from support.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.rows import Row as StoredRow


NOW = 1_900_000_000
DAY = 86_400
RANGE = "ports: {min: 5000, max: 5009}\n"
"""The ``config.yaml`` of each case that does not bring its own: ports that nobody else on this machine looks for."""


class Row(NamedTuple):
    """A reservation that exists before. ``path`` is relative to the working directory; ``age`` is in seconds."""

    path: str = "."
    tag: str = ""
    port: int = 5004
    project: str | None = None
    task: str | None = None
    age: int = 100
    exists: bool = True

    def stored(self, work: Path, now: int) -> StoredRow:
        """The row as the store has it."""
        return (
            below(work, self.path),
            self.tag,
            self.port,
            self.project,
            self.task,
            now - self.age - 50,
            now - self.age,
        )


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """What has to come of a case that works. Everything that is not named here must stay as it was."""

    outcome: str
    port: int
    path: str = "."
    tag: str = ""
    project: str | None = None
    task: str | None = None
    warnings: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table. ``given`` are fields by their names in Python; ``config`` is in the data directory."""

    id: str
    expected: Reserved | Refused
    stored: tuple[Row, ...] = ()
    given: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    config: str = RANGE
    project_file: str | None = None
    local_file: str | None = None
    git: tuple[str, str] | None = None
    occupied: Collection[int] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    through_doors: bool = True

    def placed(self, work: Path, ports_from: int) -> Self:
        """The same case with its ports and words replaced by those of a run."""
        words = {"work": str(work), "root": str(work.parent)}

        def place(value: Any) -> Any:
            if type(value) is int:
                return value - 5000 + ports_from if 5000 <= value <= 5099 else value
            if isinstance(value, str):
                for word, text in words.items():
                    value = value.replace("{" + word + "}", text)
                return re.sub(r"\b50\d\d\b", lambda found: str(int(found[0]) - 5000 + ports_from), value)
            if isinstance(value, (Row, tuple, list)):
                placed = [place(entry) for entry in value]
                return Row(*placed) if isinstance(value, Row) else tuple(placed)
            if isinstance(value, (set, frozenset)):
                return {place(entry) for entry in value}
            if isinstance(value, dict):
                return {key: place(entry) for key, entry in value.items()}
            return value

        expected = self.expected
        names = [name for name in self.__dataclass_fields__ if name not in ("id", "expected")]
        return replace(
            self,
            expected=replace(
                expected, **{name: place(getattr(expected, name)) for name in expected.__dataclass_fields__}
            ),
            **{name: place(getattr(self, name)) for name in names},
        )

    def rows_before(self, work: Path, now: int) -> list[StoredRow]:
        """What is stored before."""
        return sorted(row.stored(work, now) for row in self.stored)

    def rows_after(self, work: Path, now: int, used: int) -> list[StoredRow]:
        """What has to be stored after, if the call came at the time ``used``."""
        before = self.rows_before(work, now)
        expected = self.expected
        if isinstance(expected, Refused):
            return before
        path = below(work, expected.path)
        gone = {below(work, name) for name in expected.dropped}
        others = [row for row in before if row[:2] != (path, expected.tag) and row[0] not in gone]
        own = [row for row in before if row[:2] == (path, expected.tag)]
        created_at = own[0][5] if own else used
        changed = (path, expected.tag, expected.port, expected.project, expected.task, created_at, used)
        return sorted([*others, changed])

    def furnish(self, data: Path, work: Path, now: int) -> None:
        """Make the directories, files and rows of the case, in place of those that an earlier one left."""
        for name, text in (("trop.yaml", self.project_file), ("trop.local.yaml", self.local_file)):
            if text is not None:
                (work / name).write_text(text)
        for row in self.stored:
            if row.exists:
                (work / row.path).mkdir(parents=True, exist_ok=True)
        for name, target in self.links.items():
            (work / name).symlink_to(target)
        make_store(data)
        (data / "config.yaml").write_text(self.config)
        with closing(sqlite3.connect(data / "trop.db", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM reservations")
            connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", self.rows_before(work, now))
            connection.execute("COMMIT")


def below(work: Path, name: str) -> str:
    """A path of the table, as it is stored."""
    return os.path.normpath(work / name)


def make_store(data: Path) -> None:
    """An empty store, if there is none."""
    if not (data / "trop.db").exists():
        data.mkdir(mode=0o700, exist_ok=True)
        stores.make_v2(data / "trop.db")


def on_the_wire(given: Mapping[str, object]) -> dict[str, object]:
    """Fields under their names in JSON. Written out here, so that the product's own names are held to it."""
    return {re.sub(r"_(\w)", lambda found: found[1].upper(), name): value for name, value in given.items()}


def as_flags(given: Mapping[str, object]) -> Iterator[str]:
    """Fields as flags of the command line, each value a word of its own."""
    for name, value in given.items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield str(value)
