"""Work on a store in processes that are killed in their middle, to see what they leave behind."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from support.operations import perform
from support.rows import rows_of
from support.stores import integrity_of
from trop_core.database import handles
from trop_core.database.connection import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from support.rows import Row

NEVER = 1 << 60
"""More thousands of steps than anything takes."""


class Doomed(handles.StoreConnection):
    """Dies in the middle of a statement, after so many thousands of SQLite's steps."""

    left = NEVER

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.set_progress_handler(self.count_down, 1000)

    def count_down(self) -> None:
        """One thousand steps fewer."""
        Doomed.left -= 1
        if not Doomed.left:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedAtStatement(handles.StoreConnection):
    """Dies instead of beginning a statement, after so many of them."""

    left = NEVER

    def execute(self, *arguments: Any, **options: Any) -> sqlite3.Cursor:
        self.count_down()
        return super().execute(*arguments, **options)

    def executemany(self, *arguments: Any, **options: Any) -> sqlite3.Cursor:
        self.count_down()
        return super().executemany(*arguments, **options)

    def count_down(self) -> None:
        """One statement fewer. SQLite's own trace would count each row that a trigger sees."""
        DoomedAtStatement.left -= 1
        if DoomedAtStatement.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def kill_at_each_statement(
    prepare: Callable[[], object], work: Callable[[], object], look: Callable[[int], str]
) -> list[str]:
    """Do the same work in one process after the other, each killed a statement later, until one lives to its end.

    ``prepare`` makes the store anew before each. ``look`` says what was left behind after so many statements; what it
    said is returned, the process that lived included. What has lived ends without tidying up. Forks, so whoever calls
    this has one thread.
    """
    found: list[str] = []
    while True:
        prepare()
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            vars(handles)["StoreConnection"] = DoomedAtStatement
            DoomedAtStatement.left = len(found)
            _do(work)
        end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert end in (0, -signal.SIGKILL), (len(found), end)
        found.append(look(len(found)))
        if end == 0:
            return found


def _do(work: Callable[[], object]) -> NoReturn:
    """Do work in a child, and end it: with 0 where the work came to its end, 1 where it raised."""
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


_CALLS_ON_FILES = ("open", "close", "unlink", "fchown", "fchmod", "fsync", "replace", "mkdir")


def killed_at_call(work: Callable[[], object], at: int) -> int:
    """Do work in a process that is killed before or after one of the system calls by which files are written.

    Each of them counts twice, before and after it; ``at`` is how many are survived. Returns the exit code of the
    process, which is 0 where it came to its end. Forks, so whoever calls this has one thread.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = at

    def count_down() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def doomed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count_down()
            result = function(*arguments, **options)
            count_down()
            return result

        return call

    for name in _CALLS_ON_FILES:
        setattr(os, name, doomed(getattr(os, name)))
    _do(work)


class End(NamedTuple):
    """How a process ended: its exit code, and how far it came, in steps and in bytes of the write-ahead log."""

    code: int
    steps: int
    log_size: int


def perform_until_killed(
    template: Path,
    directory: Path,
    name: str,
    values: dict[str, object] | None = None,
    *,
    steps: int = NEVER,
    size: int | None = None,
    unclosed: bool = False,
) -> End:
    """Run an operation on a copy of a data directory in a process of its own, which has so many steps to live.

    ``size`` is how many bytes it may write into a file. ``unclosed``: it ends without closing the store, so that what
    it has committed is in the write-ahead log alone.
    """
    shutil.copytree(template, directory)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _die_of(steps, size)

        def end(*_: object) -> None:
            os.write(writer, str(steps - Doomed.left).encode())
            os._exit(0)

        if unclosed:
            Database.close = end  # type: ignore[assignment,method-assign]
        perform(directory, name, values)
        end()
    os.close(writer)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    counted = os.read(reader, 100).decode()
    os.close(reader)
    log = directory / "trop.db-wal"
    return End(code, int(counted or 0), log.stat().st_size if log.exists() else 0)


def _die_of(steps: int, size: int | None) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if size is not None:
        # Without this the write fails instead, and Python would see an error.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    vars(handles)["StoreConnection"] = Doomed
    Doomed.left = steps


def assert_left(directory: Path, rows: list[Row]) -> None:
    """Fail unless the store that a killed process left behind can be opened, is whole and holds these rows."""
    path = directory / "trop.db"
    Database.open(str(path), create=False).close()
    assert rows_of(directory) == rows, directory
    assert integrity_of(path) == "ok", directory
