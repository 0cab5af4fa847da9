"""One row of the table of ``reserve``: what is stored, what is asked, and what has to come of it.

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
from typing import TYPE_CHECKING, Any, NamedTuple

import support.store as stores
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.git import GitFacts
from trop_core.operations.call import Call
from trop_core.operations.reserving.reserve import OPERATION
from trop_core.paths import DirectoryState, directory_state
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trop_core.config.settings import OccupancyChecks
    from trop_core.operations.reserving.reserve import ReserveResult

NOW = 1_900_000_000
DAY = 86_400
RANGE = "ports: {min: 5000, max: 5009}\n"
"""The ``config.yaml`` of each case that does not bring its own: ports that nobody else on this machine looks for."""

StoredRow = tuple[str, str, int, str | None, str | None, int, int]


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
class Refused:
    """What has to come of a case that is refused, with the command's exit code. Nothing at all may change."""

    kind: str
    code: int
    says: str = ""
    details: Mapping[str, object] | None = None
    alone: bool = False


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

    def placed(self, work: Path, ports_from: int) -> Case:
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


def rows_of(data: Path) -> list[StoredRow]:
    """Every row of a store, sorted."""
    return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in stores.rows_in(data / "trop.db")]


class FakeProbe:
    """Something listens on some ports: over TCP, on IPv4, on loopback."""

    def __init__(self, occupied: Collection[int], checks: OccupancyChecks) -> None:
        self.warnings: list[str] = []
        self.asked: list[int] = []
        self._occupied = () if checks.skip or checks.skip_tcp or checks.skip_ip4 else occupied

    def is_occupied(self, port: int) -> bool:
        """Whether the port is one of them."""
        self.asked.append(port)
        return port in self._occupied


class World:
    """A store, a working directory, and everything else that a call of the core gets handed in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.work = root / "work"
        self.work.mkdir()
        self.now = NOW
        self.occupied: Collection[int] = ()
        self.environment: Mapping[str, str] = {}
        self.git = GitFacts(None, None)
        self.directory_state: Callable[[str], DirectoryState] = directory_state
        self.caller = Caller(Door.TERMINAL, str(self.work))
        self.probes: list[FakeProbe] = []
        self.inferred: list[str] = []

    @property
    def rows(self) -> list[StoredRow]:
        """What is stored."""
        return rows_of(self.data)

    def directory(self, name: str) -> Path:
        """A directory below the working directory."""
        path = self.work / name
        path.mkdir(parents=True)
        return path

    def context(self) -> Context:
        """The surroundings of one call."""
        return Context(
            caller=self.caller,
            data_directory=str(self.data),
            environment=self.environment,
            arguments={},
            token=CancellationToken(),
            now=lambda: self.now,
            directory_state=self.directory_state,
            probe=self._probe,
            infer=self._infer,
        )

    def call(self, **given: object) -> Call:
        """A call of ``reserve``, with fields by their names in Python."""
        return Call(OPERATION, OPERATION.parse(on_the_wire(given)), self.context())

    def reserve(self, **given: object) -> ReserveResult:
        """The result of a call, with a store that is opened for it."""
        store = Store(str(self.data))
        try:
            result: ReserveResult = self.call(**given).run(store)
        finally:
            store.close()
        return result

    def fill(self, *rows: Row, config: str = RANGE) -> None:
        """Put rows into the store, and make the directories that exist."""
        Case(id="", expected=Refused(kind="", code=0), stored=rows, config=config).furnish(
            self.data, self.work, self.now
        )

    def _probe(self, checks: OccupancyChecks) -> FakeProbe:
        self.probes.append(FakeProbe(self.occupied, checks))
        return self.probes[-1]

    def _infer(self, path: str) -> GitFacts:
        self.inferred.append(path)
        return self.git


def on_the_wire(given: Mapping[str, object]) -> dict[str, object]:
    """Fields under their names in JSON. Written out here, so that the product's own names are held to it."""
    return {re.sub(r"_(\w)", lambda found: found[1].upper(), name): value for name, value in given.items()}


def as_flags(given: Mapping[str, object]) -> Iterator[str]:
    """Fields as flags of the command line."""
    for name, value in given.items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield str(value)
