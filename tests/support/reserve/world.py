"""A world in process, in which ``reserve`` is called: with a clock, a port probe and a git of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from support.refusals import Refused
from support.reserve.case import NOW, RANGE, Case, Row, on_the_wire
from support.rows import Row as StoredRow
from support.rows import rows_of
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.git import GitFacts
from trop_core.operations.call import Call
from trop_core.operations.reserving.reserve import OPERATION
from trop_core.paths import DirectoryState, directory_state
from trop_core.ports.exclusions import Exclusions
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from trop_core.errors.spelling import Spelling
    from trop_core.operations.reserving.reserve import ReserveResult
    from trop_core.ports.checks import OccupancyChecks


C = TypeVar("C", bound=Case)


class FakeProbe:
    """Something listens on some ports: over TCP, on IPv4, on loopback."""

    def __init__(self, occupied: Collection[int], checks: OccupancyChecks) -> None:
        self.warnings: list[str] = []
        self.asked: list[int] = []
        self._occupied = () if checks.skip or checks.skip_tcp or checks.skip_ip4 else occupied

    @property
    def privileged(self) -> Collection[int]:
        """None of them."""
        return ()

    def told(self, spell: Spelling) -> tuple[str, ...]:
        """What a test has put into ``warnings``."""
        return tuple(self.warnings)

    def is_occupied(self, port: int) -> bool:
        """Whether the port is one of them."""
        return self.obstacle(port) is not None

    def obstacle(self, port: int) -> str | None:
        """That the port is one of them."""
        self.asked.append(port)
        return "occupied" if port in self._occupied else None


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
        self.ephemeral = Exclusions()

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
            ephemeral=lambda: self.ephemeral,
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

    def furnish(self, case: C) -> C:
        """Become the world of a case; returns it with its words replaced."""
        case = case.placed(self.work, 5000)
        case.furnish(self.data, self.work, self.now)
        self.occupied, self.environment = case.occupied, case.environment
        if case.git is not None:
            self.git = GitFacts(*case.git)
        return case

    def _probe(self, checks: OccupancyChecks) -> FakeProbe:
        self.probes.append(FakeProbe(self.occupied, checks))
        return self.probes[-1]

    def _infer(self, path: str, _is_safe: object) -> GitFacts:
        self.inferred.append(path)
        return self.git
