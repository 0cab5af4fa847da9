"""What a call brings along besides its request, and what operations ask of the world outside the store.

All of it is handed in: decisions stay functions of their arguments, and a test brings a world of its own.
"""

from __future__ import annotations

import time

from trop_core import paths
from trop_core.caller import Target
from trop_core.cancellation import no_progress
from trop_core.errors.spelling import flag_name
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from trop_core.caller import Caller
    from trop_core.cancellation import CancellationToken, Progress
    from trop_core.config.settings import Settings
    from trop_core.errors.base import TropError
    from trop_core.errors.spelling import Spelling
    from trop_core.git import GitFacts
    from trop_core.git.discovery import IsSafe
    from trop_core.identity import Identity
    from trop_core.models import PortRange
    from trop_core.ports.checks import OccupancyChecks
    from trop_core.ports.exclusions import Exclusions
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import SocketTable


class Probe(Protocol):
    """Tells whether something occupies a port now; see ``trop_core.ports.occupancy.OccupancyProbe``."""

    @property
    def privileged(self) -> Collection[int]:
        """The ports, of those that were asked about, that take privileges."""

    def told(self, spell: Spelling) -> tuple[str, ...]:
        """What the caller should know of the answers so far."""

    def is_occupied(self, port: int) -> bool:
        """Whether there is an obstacle."""

    def obstacle(self, port: int) -> str | None:
        """Why the port cannot be used: it is in use, or takes privileges. None if it can, or if nobody can look."""


class ReadProcesses(Protocol):
    """Asks the system about processes, in bounded time; see ``trop_core.ports.holders.read_processes``."""

    def __call__(self, pids: Iterable[int]) -> Mapping[int, Process]:
        """What the system tells of each."""


class ReadSockets(Protocol):
    """Reads the system's table of sockets once; see ``trop_core.ports.sockets.read_sockets``."""

    def __call__(self, ports: PortRange, checks: OccupancyChecks, *, owners: bool = True) -> SocketTable:
        """What holds a port of the range now, as far as the checks want to know."""


def _now() -> int:
    return int(time.time())


class _LateProbe:
    """The system's own answer. What asks it is imported with the first question: most calls have none."""

    def __init__(self, checks: OccupancyChecks) -> None:
        self._checks = checks
        self._probe: Probe | None = None

    @property
    def privileged(self) -> Collection[int]:
        return () if self._probe is None else self._probe.privileged

    def told(self, spell: Spelling) -> tuple[str, ...]:
        return () if self._probe is None else self._probe.told(spell)

    def is_occupied(self, port: int) -> bool:
        return self.obstacle(port) is not None

    def obstacle(self, port: int) -> str | None:
        if self._probe is None:
            from trop_core.ports.occupancy import OccupancyProbe

            self._probe = OccupancyProbe(self._checks)
        return self._probe.obstacle(port)


def _sockets(ports: PortRange, checks: OccupancyChecks, *, owners: bool = True) -> SocketTable:
    from trop_core.ports.sockets import read_sockets

    return read_sockets(ports, checks, owners=owners)


def _processes(pids: Iterable[int]) -> Mapping[int, Process]:
    from trop_core.ports.holders import read_processes

    return read_processes(pids)


def _infer(path: str, is_safe: IsSafe) -> GitFacts:
    from trop_core.git import infer

    return infer(path, is_safe)


def _common_directory(path: str, is_safe: IsSafe) -> str | None:
    from trop_core.git import common_directory

    return common_directory(path, is_safe)


def _identify(path: str) -> Identity | None:
    from trop_core.identity import identify

    return identify(path)


def _ephemeral() -> Exclusions:
    from trop_core.ports.ephemeral import ephemeral_ports

    return ephemeral_ports()


class Context(NamedTuple):
    """One call's surroundings.

    ``arguments`` are settings that the caller gave for the whole call, by their dotted keys. The environment is the
    caller's; where it is a server's, it lacks what speaks to the command line alone. ``spell`` is how the caller
    knows the names of fields, and ``data_warnings`` what it should know of how the data directory was found. Who
    judges is called without one, too: ``data_failure`` is why there is none. ``asked`` says whether somebody wants
    this call: the server makes others by itself, when a folder opens.
    """

    caller: Caller
    data_directory: str
    environment: Mapping[str, str]
    arguments: Mapping[str, object]
    token: CancellationToken
    progress: Progress = no_progress
    spell: Spelling = flag_name
    now: Callable[[], int] = _now
    directory_state: Callable[[str], paths.DirectoryState] = paths.directory_state
    probe: Callable[[OccupancyChecks], Probe] = _LateProbe
    sockets: ReadSockets = _sockets
    processes: ReadProcesses = _processes
    infer: Callable[[str, IsSafe], GitFacts] = _infer
    common_directory: Callable[[str, IsSafe], str | None] = _common_directory
    identify: Callable[[str], Identity | None] = _identify
    home_directory: Callable[[], str | None] = paths.home_directory
    ephemeral: Callable[[], Exclusions] = _ephemeral
    data_warnings: tuple[str, ...] = ()
    data_failure: TropError | None = None
    asked: bool = True

    def target(self, folder: str | None, path: str | None) -> Target:
        """The directory that a call is about: what it names, else what TROP_PATH names, else where the caller is.

        Looks at the file system. Raises what ``Caller.target`` raises.
        """
        if folder is None and path is None:
            path = self.environment.get("TROP_PATH") or None
        return self.caller.target(folder=folder, path=path)

    def target_and_settings(
        self,
        folder: str | None,
        path: str | None,
        *,
        root: bool | None = None,
        tolerant: bool = False,
        **arguments: object,
    ) -> tuple[Target, Settings]:
        """The directory that a call is about, and the settings that apply to it, as the two methods beside tell.

        Where ``root`` or the configuration wants it, an inferred directory is the root of the worktree that it lies in.
        Raises ``InvalidArgument`` where ``root`` is asked for and TROP_PATH names a path.
        """
        given: dict[str, Any] = {**arguments, "reserve_for": "root" if root else None, "tolerant": tolerant}
        target = self.target(folder, path)
        if root and target.explicit:
            from trop_core.errors.arguments import InvalidArgument

            raise InvalidArgument("root", expected="either this or a path, not both (TROP_PATH names one)", given=True)
        settings = self.settings(target.path, real=target.canonical, **given)
        if target.explicit or settings.reserve_for != "root":
            return target, settings
        from trop_core import git

        top = git.worktree_root(target.path, self.is_safe)
        if top is None or top == target.path:
            return target, settings
        target = target._replace(path=top, canonical=top)
        return target, self.settings(top, **given)

    def worktrees(self, repository: str) -> tuple[str, ...]:
        """The roots of all worktrees of a repository. Looks at the file system."""
        from trop_core import git

        return git.worktrees(repository)

    def locked_among(self, missing: Collection[str], present: Iterable[str]) -> frozenset[str]:
        """Those of some missing directories that git holds as locked worktrees; see ``trop_core.absences``."""
        from trop_core.absences import locked_among

        return locked_among(
            missing, self.caller.anchors, present, lambda path: self.common_directory(path, self.is_safe)
        )

    def guard(self, target: Target, *, allowed: bool) -> None:
        """Refuse a target that has nothing to do with the caller, unless ``allowed``. Raises ``UnrelatedPath``."""
        self.caller.guard(
            target, allowed=allowed, common_directory=lambda path: self.common_directory(path, self.is_safe)
        )

    def guard_stored(self, path: str) -> None:
        """The same for a path as it is stored. Looks at the file system, and may hang where that does."""
        self.guard(Target(path, paths.canonical(path), explicit=True), allowed=False)

    def is_safe(self, directory: str) -> bool:
        """Whether the user calls a directory safe: what is in it counts, whoever owns it. Reads the user's own file."""
        from trop_core.config.search import is_called_safe

        return is_called_safe(directory, self._safe_directories)

    @property
    def _safe_directories(self) -> Collection[str]:
        from trop_core.errors.base import TropError

        try:
            return self.settings(None).safe_directories
        except TropError:
            return ()  # what is wrong with that file is told where its settings are needed

    def settings(
        self,
        target: str | None,
        *,
        real: str | None = None,
        config_file: str | None = None,
        tolerant: bool = False,
        **arguments: object,
    ) -> Settings:
        """What the configuration comes to for a call about a directory. Reads files.

        Without a target, what the user's own layers come to: for calls to which a project has nothing to say.
        ``real`` is the target's one name, for who has just asked for that. ``config_file`` is a project's file
        that somebody named, in place of those that are found. ``arguments`` are the call's own, by dotted keys
        with ``__`` for the dot; None is not given. Raises ``ConfigError``, ``InvalidArgument``,
        ``PermissionDenied`` or ``SystemFailure``; for who is ``tolerant``, what is wrong with a project's files
        is the settings' ``refusal``.
        """
        from trop_core.config.merging import load_settings

        own = {key.replace("__", "."): value for key, value in arguments.items() if value is not None}
        return load_settings(
            data_directory=self.data_directory,
            target=target,
            real=real,
            environment=self.environment,
            arguments={**self.arguments, **own},
            config_file=config_file,
            home=self.home,
            around=self.caller.anchors,
            tolerant=tolerant,
        )

    def settings_without_files(self, *keys: str) -> Settings:
        """What the environment and the command line come to for some keys, by their dotted names; no file is read.

        Raises ``ConfigError`` for variables of these keys.
        """
        from trop_core.config.merging import settings_without_files

        return settings_without_files(self.environment, self.arguments, keys)

    def extent(self, target: str) -> str:
        """How far upward a project's files are searched for from a directory, as a clause."""
        from trop_core.config.search import Ground

        return Ground.of(target, home=self.home, safe=self._safe_directories).horizon

    def searched(self, target: Target, settings: Settings) -> tuple[str, ...]:
        """The directories in which a project's files were searched for, the nearest first. Looks at the file system."""
        from trop_core.config.search import Ground

        ground = Ground.of(target.path, home=self.home, safe=settings.safe_directories, real=target.canonical)
        directories = tuple(ground.directories())
        if settings.config_directory in directories:
            return directories[: directories.index(settings.config_directory) + 1]
        return directories

    @property
    def home(self) -> str | None:
        """The caller's home directory; None for a caller without one."""
        return self.home_directory()
