"""Answers to the hooks of agents' hosts: the ports of a directory, in bounded time, and never a failure."""

from __future__ import annotations

import _thread
import os
import stat
import sys
import time
from contextlib import suppress

from trop_core import git, looks, paths
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.errors.base import TropError
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.operations.call import Call
from trop_core.operations.looking.nearest import OPERATION as NEAREST
from trop_core.operations.looking.nearest import UNTAGGED, NearestRequest
from trop_core.store import Store, data_directory
from trop_server.mcp.hosts.claude_hook import LONGEST_QUESTION, answer, asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.catalogue import Operation
    from trop_core.operations.looking.nearest import NearestResult
    from trop_server.cli.session import Session
    from trop_server.mcp.hosts.claude_hook import Event

_LEAST_SECONDS = 0.15
"""What is left to work however long the interpreter has taken to start."""

_MOST_SECONDS = 3600.0
_SECONDS_FOR_LOCK = 0.1
_SHARE_OF_ANOTHER = 0.25
"""Of the time that the host waits: how much a look at another directory gets."""

_ENV_FILE = "CLAUDE_ENV_FILE"
_MOST_READ = 65536
"""Bytes of that file's end, which have what was exported last."""

_PLUGINS = ("CLAUDE_PLUGIN_ROOT", "PLUGIN_ROOT")


def hook(session: Session) -> str:
    """Answer the hook that a host tells of on stdin. Whatever is in the way, there is then no answer, and no error."""
    turn = _Turn(session.options.within / 1000)
    try:
        _answer(session, turn)
    except TropError as error:
        _explain(session, error.message())
    except Exception as error:  # noqa: BLE001 - a host is never failed
        _explain(session, repr(error))
    return ""


def _explain(session: Session, reason: str) -> None:
    if session.verbose:
        session.tell(f"no answer: {reason}")


class _Turn:
    """The time that the host waits. When it is over, this process ends, unless its answer has been begun.

    Nothing else ends a look at a mount that is dead, or a read from a pipe that nobody closes.
    """

    def __init__(self, seconds: float) -> None:
        self._begun = _thread.allocate_lock()
        seconds = min(max(seconds, 0), _MOST_SECONDS)
        left = max(seconds - time.process_time(), min(seconds, _LEAST_SECONDS))
        with suppress(RuntimeError):
            _thread.start_new_thread(self._end, (left,))

    def begin(self) -> bool:
        """Whether there still is time to answer."""
        return self._begun.acquire(blocking=False)

    def _end(self, seconds: float) -> None:
        time.sleep(seconds)
        if self.begin():
            os._exit(0)


def _answer(session: Session, turn: _Turn) -> None:
    event = asked(_input())
    if event is None:
        _explain(session, "what came in is no SessionStart and no CwdChanged in an absolute directory")
        return
    if not os.path.isdir(event.directory):
        _explain(session, f"{event.directory} is no directory")
        return
    desk = _Desk(session, paths.canonical(event.directory))
    try:
        found = _found(event, desk, session)
        lines = _lines(found.environment, desk) + "".join(f"unset {name}\n" for name in _left_behind(found, desk))
    finally:
        desk.store.close()
    # A closed stdout has a number that something else may have by now; so has a closed stdin.
    if not found.reservations:
        _explain(session, "nothing is reserved there")
    is_told = bool(found.reservations) and sys.stdout is not None
    if not (is_told or lines) or not turn.begin():
        return
    exported = found.environment if _export(lines.encode()) else {}
    if not is_told:
        return
    os.write(1, answer(event, found.reservations, exported).encode())


def _input() -> bytes:
    content = b""
    while sys.stdin is not None and len(content) <= LONGEST_QUESTION and (piece := os.read(0, 65536)):
        content += piece
    return content


def _found(event: Event, desk: _Desk, session: Session) -> NearestResult:
    """Reserve where that is wanted, and read what there is then."""
    if event.name == "SessionStart" and desk.is_root_of_worktree():
        try:
            desk.reserve()
        except TropError as error:
            # What is reserved already is told all the same.
            if session.verbose:
                session.tell(f"nothing new is reserved: {error}")
    found: NearestResult = desk.perform(NEAREST, NearestRequest(folder=desk.directory))
    return found


class _Desk:
    """One directory, and the operations about it."""

    def __init__(self, session: Session, directory: str) -> None:
        options = session.options
        self._session = session
        data = data_directory(options.data_dir, os.environ, base=paths.working_directory())
        home = paths.home_directory()
        self.directory = directory
        self.store = Store(data.path)
        self._home = None if home is None else paths.canonical(home)
        self._context = Context(
            caller=Caller(Door.HOOK, directory, (directory,), () if self._home is None else (self._home,)),
            data_directory=data.path,
            environment=os.environ,
            arguments={"maximum_lock_wait_seconds": _SECONDS_FOR_LOCK, "disable_autoinit": options.disable_autoinit},
            token=CancellationToken(),
            asked=False,
        )

    def perform(self, operation: Operation, request: Any) -> Any:
        """Run an operation."""
        return Call(operation, request, self._context).run(self.store)

    @property
    def allowed_variables(self) -> tuple[str, ...]:
        """What the user's own configuration allows."""
        return self._context.settings(None).allowed_variables

    def owner(self, port: int) -> str | None:
        """The directory that a port is reserved for, if it is."""
        from trop_core.operations.looking.port_info import OPERATION as PORT_INFO
        from trop_core.operations.looking.port_info import PortInfoRequest

        found = self.perform(PORT_INFO, PortInfoRequest(port=port)).reservation
        return None if found is None else str(found.path)

    def lines_at(self, directory: str) -> set[str]:
        """The lines that a session in another directory gets; none if it gets none, or the system is too slow."""

        def look() -> set[str]:
            there = _Desk(self._session, directory)
            try:
                found: NearestResult = there.perform(NEAREST, NearestRequest(folder=directory))
                # Which of a group's ports was PORT, a directory that is gone does not tell any more.
                rows = () if os.path.isdir(directory) else found.reservations
                gone = {f"export {UNTAGGED}={row.port}" for row in rows}
                return gone.union(_lines(found.environment, there).splitlines())
            except TropError:
                return set()
            finally:
                there.store.close()

        return looks.Look(look).answer(self._session.options.within / 1000 * _SHARE_OF_ANOTHER, set())

    def is_root_of_worktree(self) -> bool:
        """Whether a session that starts here is one about a project: neither the home directory nor a plugin's own."""
        if self.directory in ("/", self._home):
            return False
        plugins = (os.environ.get(name) for name in _PLUGINS)
        if any(paths.is_within(self.directory, os.path.realpath(plugin)) for plugin in plugins if plugin):
            return False
        return git.worktree_root(self.directory, self._context.is_safe) == self.directory

    def reserve(self) -> None:
        """Reserve the services of the project, or the port without a tag where it describes none."""
        settings = self._context.settings(self.directory, tolerant=True)
        settings.require_project()
        if settings.group is not None:
            from trop_core.operations.groups.autoreserve import OPERATION as AUTORESERVE
            from trop_core.operations.groups.autoreserve import AutoreserveRequest

            self.perform(AUTORESERVE, AutoreserveRequest(folder=self.directory))
        else:
            from trop_core.operations.reserving.reserve import OPERATION as RESERVE
            from trop_core.operations.reserving.reserve import ReserveRequest

            self.perform(RESERVE, ReserveRequest(folder=self.directory))


def _left_behind(found: NearestResult, desk: _Desk) -> list[str]:
    """The variables that the file exports as trop does in another directory, and not in the session's.

    A program that believed them would take a port that is another directory's. What anybody else has exported is
    theirs, whatever number is in it.
    """
    here = {row.path for row in found.reservations}
    left = []
    lines: dict[str, set[str]] = {}
    exported = _exported()
    allowed = desk.allowed_variables if exported else ()
    for name, value in exported.items():
        if name not in found.environment and (value.isdigit() or name in allowed):
            owners = {owner for port in _ports_in(value) if (owner := desk.owner(port)) is not None}
            for owner in owners - here - lines.keys():
                lines[owner] = desk.lines_at(owner)
            if any(f"export {name}={value}" in lines[owner] for owner in owners - here):
                left.append(name)
    return left


def _exported() -> dict[str, str]:
    """What the file that the host names exports, as far as its end tells."""
    exported: dict[str, str] = {}
    try:
        descriptor = os.open(os.environ.get(_ENV_FILE, ""), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            status = os.fstat(descriptor)
            content = b""
            if stat.S_ISREG(status.st_mode):
                content = os.pread(descriptor, _MOST_READ, max(0, status.st_size - _MOST_READ))
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return exported
    for line in content.decode("utf-8", "replace").splitlines():
        word, _, rest = line.partition(" ")
        name, _, value = rest.partition("=")
        if word == "export" and name.isidentifier() and name.isascii():
            exported[name] = value
        elif word == "unset":
            exported.pop(name, None)
    return exported


def _ports_in(value: str) -> list[int]:
    """The numbers in a value that may be ports: the value itself, the port of a URL, the end of a project's name."""
    words = "".join(character if character.isalnum() else " " for character in value).split()
    return [
        int(word) for word in words if word.isascii() and word.isdigit() and len(word) <= 5 and 0 < int(word) < 65536
    ]


def _export(lines: bytes) -> bool:
    """Append lines to the file that the host names. False where that is not possible, or there are none."""
    file = os.environ.get(_ENV_FILE)
    if not file or not lines:
        return False
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return False
            end = os.pread(descriptor, len(lines) + 1, max(0, status.st_size - len(lines) - 1))
            if end in (lines, b"\n" + lines):
                # The same session asks again and again.
                return True
            broken = end and not end.endswith(b"\n")
            whole = b"\n" + lines if broken else lines
            return os.write(descriptor, whole) == len(whole)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return False


def _lines(environment: Mapping[str, int | str], desk: _Desk) -> str:
    """The lines by which a shell of the host exports the variables."""
    port = environment.get(UNTAGGED)
    if list(environment) == [UNTAGGED] and isinstance(port, int):
        # The usual case needs none of the rules for names from a file: to import them would take longer than all else.
        return f"export {UNTAGGED}={port}\n"
    from trop_server.cli.shells import render

    return render(environment, "sh", allowed=desk.allowed_variables)
