"""Who holds a port: what the system tells of processes, and in whose directory they lie.

Knows no store: which directories have reservations is handed in. Whose a process is can be told only from where it
stands, its working directory, and where its parents stand; anything else would be a guess.
"""

from __future__ import annotations

import os
import sys

from trop_core.errors.spelling import escaped
from trop_core.holder import Holder
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.looks import at_each
from trop_core.paths import is_within
from trop_core.ports.sockets import owner, told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import psutil

SECONDS = 1.0
"""How long processes are waited for: the command line of one, and where it stands, may lie on a mount that is dead."""

_MOST_PARENTS = 50
_LONGEST_COMMAND = 1000


class Process(NamedTuple):
    """What the system tells of a process; None, or empty, what it does not tell, or no longer does.

    ``program`` is the name of the file that runs, ``command`` the whole command line. ``directories`` are where it
    stands and where its parents do, the nearest first, up to the first of which the system does not tell. ``roots`` are
    those of them, and above them, that have a ``.git``: roots of worktrees.
    """

    pid: int
    name: str | None = None
    user: str | None = None
    program: str | None = None
    command: str | None = None
    directories: tuple[str, ...] = ()
    roots: frozenset[str] = frozenset()


def read_processes(pids: Iterable[int], *, patience: float = SECONDS) -> dict[int, Process]:
    """What the system tells of processes, each asked once.

    One that has ended meanwhile, or of which nothing is told in time, has its number only. Comes to its end after a few
    times ``patience`` seconds, whatever the processes do. Raises nothing.
    """
    wanted = sorted(set(pids))
    found = at_each(wanted, _process, patience=patience) if wanted else {}
    return {pid: found.get(pid, Process(pid)) for pid in wanted}


def around(processes: Iterable[Process]) -> set[str]:
    """The directories that count for whose the processes are: where they and their parents stand, and all above."""
    found: set[str] = set()
    for process in processes:
        for directory in process.directories:
            found.update(_upward(directory))
    return found


def related(process: Process, own: Collection[str], reserved: Collection[str], *, port_of: str | None) -> Holder:
    """The process as one that holds a port. Pure.

    ``own`` are the names of the directory that the port is reserved for, and ``port_of`` the one that is stored; none
    and None where it is not reserved. ``reserved`` are those of the directories ``around`` that have reservations.
    """
    holder = Holder(
        pid=process.pid,
        name=process.name,
        command=process.program,
        user=process.user,
        working_directory=escaped(process.directories[0]) if process.directories else None,
    )
    for directory in process.directories:
        nearest = next((above for above in _upward(directory) if above in reserved), None)
        if any(is_within(directory, name) and not _is_apart(nearest, name, process.roots) for name in own):
            return holder._replace(relation="own", directory=port_of, command=process.command or process.program)
        if nearest is not None:
            return holder._replace(relation="other", directory=nearest)
    return holder


def foremost(holders: Iterable[Holder | None]) -> Holder | None:
    """Of all who hold a port the one to be told: one who does not belong there before one who may, or does.

    None stands for a holder of which the system tells nothing. None, too, where there is none, and where it cannot be
    said of all that they belong there.
    """
    return min(holders, key=_precedence, default=None)


def _is_apart(nearest: str | None, directory: str, roots: Iterable[str]) -> bool:
    """Whether a directory with reservations lies in a worktree of its own below another one, as agents' hosts make it.

    What runs there is that worktree's. In the same worktree, a program of a directory below is the project's as well.
    """
    within = [root for root in roots if root != directory and is_within(root, directory)]
    return nearest is not None and any(is_within(nearest, root) for root in within)


def _precedence(holder: Holder | None) -> int:
    return 2 if holder is None else {"other": 0, "unknown": 1, "own": 3}[holder.relation]


def _upward(directory: str) -> Iterator[str]:
    """A directory and those above it, the nearest first."""
    yield directory
    while directory != "/":
        directory = directory.rpartition("/")[0] or "/"
        yield directory


def _process(pid: int) -> Process:
    import psutil

    try:
        process = psutil.Process(pid)
    except (psutil.Error, OSError):
        return Process(pid)
    with process.oneshot():
        name, user = owner(process)
        program = told(process.exe)
        command = told(process.cmdline)
    directories = tuple(_directories(process))
    roots = _roots(directories)
    # Its number may be another's by now.
    if not told(process.is_running):
        return Process(pid)
    return Process(
        pid,
        name,
        user,
        program=escaped(os.path.basename(program)) if program else None,
        command=_spelled(command) if command else None,
        directories=directories,
        roots=roots,
    )


def _roots(directories: Iterable[str]) -> frozenset[str]:
    from trop_core.git.discovery import upwards

    found = {above for directory in set(directories) for above in upwards(directory)}
    return frozenset(above for above in found if os.path.lexists(os.path.join(above, ".git")))


def _spelled(command: Sequence[str]) -> str:
    """A command line as one text that is no longer than a person reads."""
    import shlex

    text = ""
    for argument in command:
        text += f"{' ' if text else ''}{shlex.quote(argument[: _LONGEST_COMMAND + 1])}"
        if len(text) > _LONGEST_COMMAND:
            return escaped(f"{text[:_LONGEST_COMMAND]}…")
    return escaped(text)


def _directories(process: psutil.Process) -> Iterator[str]:
    for _ in range(_MOST_PARENTS):
        directory = _directory(process)
        if directory is None:
            return
        yield directory
        parent = told(process.parent)
        if parent is None:
            return
        process = parent


def _directory(process: psutil.Process) -> str | None:
    """Where a process stands; None, too, where the name that the system gives is not that directory's name here."""
    directory = told(process.cwd)
    if not directory or not directory.startswith("/"):
        return None
    if sys.platform != "linux":
        return directory
    try:
        stands = os.stat(f"/proc/{process.pid}/cwd")
    except OSError:
        return None
    try:
        named = os.stat(directory)
    except (FileNotFoundError, NotADirectoryError):
        # One that is removed keeps its name. Any other has it in a file system that is a container's own.
        return directory if stands.st_nlink == 0 else None
    except (OSError, ValueError):
        return None
    return directory if os.path.samestat(stands, named) else None
