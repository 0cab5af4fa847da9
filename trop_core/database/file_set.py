"""The files that one connection has open: a database, and what SQLite keeps beside it.

Imports nothing that Python has not loaded when it starts, since the express lane needs it, too.
"""

import os
from _thread import allocate_lock

DATABASE_NAME = "trop.db"
"""What a store's database is called, in the data directory."""

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database in WAL mode. https://sqlite.org/walformat.html"""

OLDEST_SQLITE = (3, 37)
"""The first one that has STRICT tables. https://sqlite.org/stricttables.html"""

SHARED_UNIT = 32768
"""Bytes: a -shm that is whole has a whole number of such units. See wal.c of SQLite."""

_Found = tuple[int, int, int]


def files_of(path: str) -> list[str]:
    """A database's own file, and those beside it: where a name is a link, beside what that leads to.

    Looks at the file system. SQLite follows such a link itself, and none in the place of the files beside.
    """
    real = os.path.realpath(path) if os.path.islink(path) else path
    return [real, *(real + suffix for suffix in BESIDE)]


class FileSet:
    """Which files one connection has open: the database's, and those beside it.

    Make it before the file is opened, and ``note`` at once after the first read, which opens those beside it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._names = files_of(path)
        self._found = _look_at(self._names)
        self._is_torn = False
        self._comparing = allocate_lock()

    def note(self) -> None:
        """Take what lies beside the database now for what was opened.

        What lay there before has to be there still, and what was opened must not be gone already. A file that was put
        in place since may have the inode number of the one that lay there before: of the numbers alone it cannot be
        told that what was opened between the two is gone.
        """
        before, self._found[1:] = self._found[1:], _look_at(self._names[1:])
        self._is_torn = any(map(_is_another, before, self._found[1:])) or _has_lost(self._names)

    def tear(self) -> None:
        """Take them for gone: they turned out not to belong together."""
        self._is_torn = True

    def are_gone(self) -> bool:
        """Whether a name means another file by now, or none, or one that was cut off. Looks at the file system.

        A -wal that somebody made shorter may be none that was cut off, but the result of a checkpoint: opening the
        files anew tells. A database that has nothing beside it may be switched to WAL mode by another process, and the
        next read opens both then.
        """
        with self._comparing:
            now = _look_at(self._names)
            if self._names[0] != self._path and self._names[0] != os.path.realpath(self._path):
                self._is_torn = True
            if now == self._found and now[0] is not None:
                return self._is_torn
            had, has = list(map(bool, self._found)), list(map(bool, now))
            self._is_torn = (
                self._is_torn
                or not had[0]
                or any(map(_is_another, self._found, now))
                or (not had[1] and has[1]) != (not had[2] and has[2])
            )
            self._found = now
        return self._is_torn


def _look_at(names: list[str]) -> "list[_Found | None]":
    """Which file each name means now, and its size; None if it means none. A link has become another file."""
    found: list[_Found | None] = []
    for name in names:
        try:
            status = os.lstat(name)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino, status.st_size))
    return found


def _is_another(before: "_Found | None", now: "_Found | None") -> bool:
    return before is not None and (now is None or now[:2] != before[:2] or now[2] < before[2])


def _has_lost(names: list[str]) -> bool:
    """Whether this process has one of these files open that was removed, as far as the system tells: proc(5)."""
    lost = [f"{name} (deleted)" for name in names]
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return False
    for number in numbers:
        try:
            if os.readlink(f"/proc/self/fd/{number}") in lost:
                return True
        except OSError:  # a descriptor that was closed since
            continue
    return False
