"""Copies of the database file, made while its lock is held."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
import time

from trop_core import ownership
from trop_core.database.failures import system_failure, translate
from trop_core.database.file_set import DATABASE_NAME
from trop_core.errors.system import SystemFailure

_NAME = re.escape(DATABASE_NAME)
_UNFINISHED = re.compile(
    rf"(?:\.{_NAME}\..+\.bak(?:\.\d+)?\.[0-9a-f]{{16}}|{_NAME}\.(?:(?:v\d+|\d{{8}}T\d{{6}}Z)\.)?bak)\.tmp"
    r"(?:-journal|-wal|-shm)?"
)
"""A copy of the store while it is written, and what SQLite keeps beside it; hidden where no lock guards it."""
_DAY = 86_400.0


def back_up(path: str, suffix: str) -> str:
    """Copy the database beside itself and return the copy's path.

    That is ``path + suffix``, or the first of ``path + suffix + ".1"``, ``".2"`` and so on that does not exist. The
    caller holds the write lock, through another connection, and has written nothing yet: the copy is what that lock
    guards. It is written under a temporary name with mode 0600, synced, and only then given its name, which is never
    one that exists. What root makes in somebody else's home is theirs. Raises ``SystemFailure`` or
    ``PermissionDenied``; a copy that is not complete is removed.
    """
    temporary = f"{path}{suffix}.tmp"
    directory, name = os.path.split(temporary)
    try:
        with ownership.place(directory or ".") as place:
            # The lock is held, so a file of this name is what a killed process left behind.
            place.remove(name)
            _remove_unfinished(place, locked=True)
            os.close(place.new_file(name))
            try:
                _copy(path, temporary)
                return _give_name(place, temporary, f"{path}{suffix}")
            finally:
                place.discard(name, f"{name}-journal")
    except OSError as error:
        raise system_failure(error, "back the store up to", temporary) from error


def write_copy(source: sqlite3.Connection, path: str) -> None:
    """Write what a connection reads to a new file, with mode 0600; the connection has a read transaction open.

    The file has another name until it is whole. Raises ``FileExistsError`` if there is one by now, ``SystemFailure`` or
    ``PermissionDenied``; nothing is left then.
    """
    directory, name = os.path.split(path)
    # Several may be written at once, in one process, too.
    temporary = f".{name}.{os.urandom(8).hex()}.tmp"
    try:
        with ownership.place(directory) as place:
            _remove_unfinished(place, locked=False)
            os.close(place.new_file(temporary))
            try:
                _pour(source, os.path.join(directory, temporary))
                _name(place, temporary, name)
            finally:
                place.discard(temporary, f"{temporary}-journal")
    except FileExistsError:
        raise
    except OSError as error:
        raise system_failure(error, "back the store up to", path) from error


def unfinished(directory: str | int, *, age: float) -> dict[str, int]:
    """The copies in a directory that were not finished, by their names, with their sizes in bytes.

    Only those that nobody has written to for so many seconds: younger ones may be written now. Raises ``OSError`` for a
    directory that cannot be read.
    """
    found = {}
    for name in sorted(filter(_UNFINISHED.fullmatch, os.listdir(directory))):
        with contextlib.suppress(OSError):
            if isinstance(directory, int):
                seen = os.stat(name, dir_fd=directory, follow_symlinks=False)
            else:
                seen = os.lstat(os.path.join(directory, name))
            if stat.S_ISREG(seen.st_mode) and time.time() - seen.st_mtime >= age:
                found[name] = seen.st_size
    return found


def _remove_unfinished(place: ownership.Place, *, locked: bool) -> None:
    """Remove what killed processes left of copies, as far as that is possible, and certain.

    Whoever holds the store's lock is the only one who copies under it. Any other copy is written in seconds: one that
    was not touched for a day is nobody's, and if its process only slept, that one fails and nothing is lost.
    """
    with contextlib.suppress(OSError):
        for name in unfinished(place.descriptor, age=0 if locked else _DAY):
            if locked is not name.startswith("."):
                place.discard(name)


def remove(path: str) -> None:
    """Remove a backup whose reason was rolled back. One that is gone already, or cannot be removed, stays as it is."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def free_name(wanted: str) -> str:
    """A name that nothing has: ``wanted``, or that with ``.1``, ``.2`` and so on. It may be taken a moment later."""
    name, number = wanted, 0
    while os.path.lexists(name):
        number += 1
        name = f"{wanted}.{number}"
    return name


def _copy(path: str, destination: str) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as source:
        _pour(source, destination, path)


def _pour(source: sqlite3.Connection, destination: str, path: str = "") -> None:
    def refuse_to_hang(status: int, remaining: int, total: int) -> None:
        # Connection.backup tries a locked source again for ever.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise SystemFailure("back up", path=path or destination, reason="the source is locked")

    try:
        with contextlib.closing(sqlite3.connect(destination, timeout=0, isolation_level=None)) as target:
            source.backup(target, progress=refuse_to_hang)
    except sqlite3.Error as error:
        raise translate(error, destination) from error
    descriptor = os.open(destination, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _give_name(place: ownership.Place, temporary: str, wanted: str) -> str:
    number, own = 0, os.path.basename(temporary)
    while True:
        name = f"{wanted}.{number}" if number else wanted
        try:
            _name(place, own, os.path.basename(name))
        except FileExistsError:
            number += 1
            continue
        return name


def _name(place: ownership.Place, temporary: str, name: str) -> None:
    """Give a file its name, which lasts from then on. Raises ``FileExistsError`` for one that exists."""
    place.move(temporary, name)
    try:
        os.fsync(place.descriptor)
    except OSError:
        place.discard(name)
        raise
