"""Bare connections to a store's file, and the file itself: which one a name means, and making an empty one."""

from __future__ import annotations

# All of sqlite3 but for its adapters of dates, which take as long to import as the rest of it. So do others beside
# this one.
import _sqlite3 as sqlite3
import errno
import os
import stat
import time
from functools import partial

from trop_core.database.failures import denial, system_failure, translate
from trop_core.database.file_set import OLDEST_SQLITE, SHARED_UNIT, FileSet, files_of
from trop_core.database.open_files import IN_USE, SharedConnection, has_open, is_cut_off
from trop_core.errors.store import NoDataDirectory, OtherNames
from trop_core.errors.system import PermissionDenied, SidecarInTheWay, SidecarLeftBehind, SidecarNoFile, SystemFailure
from trop_core.mounts import is_mounted_alone
from trop_core.paths import is_for_another

IN_MEMORY = ":memory:"

_SHARED_BEGUN = 3
"""Bytes of a -shm that is just being made. See unixOpenSharedMemory in os_unix.c of SQLite."""
_LOOKS = 10
_PAUSE = 0.02

_ROOM_BESIDE = 36 * 1024
"""Bytes that the smallest -shm and the smallest -wal take: https://sqlite.org/walformat.html"""


class StoreConnection(SharedConnection):
    """A connection with what is known of the store at its end.

    ``commits`` counts its own write transactions: those of others show in ``PRAGMA data_version``. ``soundness`` is
    whether the companion tables were found to be as they should be, and the number of the schema that had them.
    """

    commits: int = 0
    soundness: tuple[int, bool] | None = None

    def roll_back(self) -> None:
        """End the transaction, if one is open, and every statement that was not read to its end.

        An interrupt holds for as long as such a statement lives, and would stop the ROLLBACK as well.
        """
        self.end_statements()
        # A schema of the same number may be another one, once a transaction that made one was rolled back.
        self.soundness = None
        # SQLite has rolled back by itself after some errors (a full disk, an interrupt).
        if self.is_open and self.in_transaction:
            self.execute("ROLLBACK")


def create_file(path: str) -> bool:
    """Make an empty file with mode 0600 if there is none, and tell whether one was made.

    What root makes in somebody else's home is theirs. An existing file is not opened: closing it again would drop the
    locks that SQLite holds on it in this process.
    """
    try:
        if is_for_another(os.path.dirname(path)):
            from trop_core import ownership

            made = ownership.create_file(path)
            if made is not None:
                return made
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            from trop_core.modes import allow_owner

            allow_owner(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except FileExistsError:
        return False
    except OSError as error:
        raise system_failure(error, "create", path) from error
    return True


def check(path: str) -> None:
    """Refuse, as root, to open what a link in somebody else's home puts in the place of a store.

    SQLite would write into it, and make files beside it. Raises ``PermissionDenied`` or ``SystemFailure``.
    """
    if path != IN_MEMORY and is_for_another(os.path.dirname(path)):
        from trop_core import ownership

        ownership.check(path)


def connect(path: str) -> StoreConnection:
    """A connection to an existing file, ``IN_MEMORY`` included, as it is; it waits for no lock.

    Raises ``NoDataDirectory``, ``SystemFailure``, ``PermissionDenied`` also where only reading is possible, or SQLite's
    own error where the file is damaged or locked.
    """
    check(path)
    # mode=rw: SQLite itself would create a missing file with whatever mode the umask leaves.
    name = path if path == IN_MEMORY else f"file:{_uri_escaped(path)}?mode=rw"
    if path != IN_MEMORY:
        check_writable(path)
    with IN_USE.working():
        try:
            connection = _opened(name, path)
        except sqlite3.OperationalError as error:
            if not os.path.lexists(path):
                raise NoDataDirectory(path) from error
            raise translate(error, path) from error
        try:
            # Reads the file: a damaged one is noticed here, and so is a locked one.
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.files is not None:
                connection.files.note()
            # A long statement needs a place for what it may have to take back, and not everybody has one for files.
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_read_only(path: str, *, immutable: bool = False) -> StoreConnection:
    """A bare connection to an existing file that can only read it, for whoever looks on. Raises SQLite's own errors.

    ``immutable`` is for a file that nobody writes to: no lock is taken, and what is in a -wal is not seen. The caller
    is at work (``IN_USE``) for as long as it uses it.
    """
    check(path)
    _check_beside(files_of(path))
    connection = _opened(f"file:{_uri_escaped(path)}?mode=ro{'&immutable=1' if immutable else ''}", path)
    connection.only_reads = True
    return connection


def connect_own(name: str, path: str) -> StoreConnection:
    """A bare connection to a copy that is this process's alone, or to an empty database in memory.

    ``path`` is the file that it stands for. Raises SQLite's own errors.
    """
    connection = sqlite3.connect(name, timeout=0, isolation_level=None, factory=StoreConnection)
    connection.path = path
    return connection


def check_writable(path: str) -> None:
    """Raise ``PermissionDenied`` where this user may only read a store, ``SystemFailure`` where the disk is full.

    SQLite would open it all the same, and leave files beside it that are in the way of whoever may write. The same goes
    for a -shm whose -wal was removed, ``SidecarLeftBehind``: SQLite would make a new -wal, and look there, by the old
    index, for what it never held. And for a file with more than one name, ``OtherNames``.
    """
    files = files_of(path)
    _check_beside(files)
    itself, log, shared = files
    missing = False
    for name in files:
        if os.access(name, os.W_OK):
            continue
        if not os.path.exists(name):
            if name == itself:  # opening it tells
                return
            missing = True
        elif os.access(name, os.W_OK):  # somebody has made it between the two looks
            continue
        elif name == itself:
            raise PermissionDenied("write to", path=name, reason=denial(name))
        else:
            raise SidecarInTheWay("write to", path=name, reason=denial(name))
    _check_names(itself)
    if _is_left_behind(log, shared) if missing else IN_USE.while_nothing_is_open(partial(is_cut_off, log, shared)):
        raise SidecarLeftBehind(shared)
    if missing or _is_to_be_made(shared):
        _check_room(os.path.dirname(itself) or ".")


def _check_beside(files: list[str]) -> None:
    """Raise ``SidecarNoFile`` for what lies beside a store and is no file: SQLite may wait for a FIFO for ever."""
    itself, *beside = files
    for name in (*beside, f"{itself}-journal"):
        try:
            is_file = stat.S_ISREG(os.lstat(name).st_mode)
        except OSError:
            continue  # there is none, or opening it tells
        if not is_file:
            raise SidecarNoFile(name)


def _check_names(path: str) -> None:
    """Raise ``OtherNames`` for a store's file that others may have open by a name with another -wal beside it.

    Names in the store's own directory are none of those: a process that was killed while it made the store may have
    left one.
    """
    for attempt in range(_LOOKS):
        try:
            seen = os.stat(path)
            if seen.st_nlink <= 1 or not stat.S_ISREG(seen.st_mode):
                break
            with os.scandir(os.path.dirname(path) or ".") as entries:
                beside = sum(each.inode() == seen.st_ino for each in entries)
        except OSError:
            return  # opening it tells
        if beside >= seen.st_nlink:
            break
        if attempt:
            # One may have been removed between the two looks.
            time.sleep(_PAUSE)
    else:
        raise OtherNames.linked(path)
    if is_mounted_alone(path):
        raise OtherNames.mounted(path)


def _check_room(directory: str) -> None:
    """Raise ``PermissionDenied`` or ``SystemFailure`` where what lies beside a store cannot be made."""
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionDenied("write to", path=directory, reason=denial(directory))
    room = os.statvfs(directory)
    if room.f_blocks and room.f_bfree * room.f_frsize < _ROOM_BESIDE:
        raise SystemFailure("write to", path=directory, reason=os.strerror(errno.ENOSPC))


def _is_left_behind(log: str, shared: str) -> bool:
    """Whether a process has a -shm open whose -wal was removed. One that nobody has open, SQLite makes anew."""
    # In this order: whoever opens a store makes the -wal first, and whoever closes it removes that last.
    return os.path.lexists(shared) and not os.path.lexists(log) and has_open(shared) and not os.path.lexists(log)


def _is_to_be_made(shared: str) -> bool:
    """Whether a -shm is to be made anew. Raises ``SidecarInTheWay`` for one of which a part is missing.

    Whoever opened it would believe what is left of it, and not see what others have stored.
    """
    for _ in range(_LOOKS):
        try:
            size = os.stat(shared).st_size
        except FileNotFoundError:
            return True
        if not size % SHARED_UNIT:
            return not size
        if size <= _SHARED_BEGUN:
            return True
        # It may be in the making: then it grows.
        time.sleep(_PAUSE)
    raise SidecarInTheWay("use", path=shared, reason="a part of it is missing")


def _opened(name: str, path: str) -> StoreConnection:
    if tuple(map(int, sqlite3.sqlite_version.split("."))) < OLDEST_SQLITE:
        raise SystemFailure(
            "open",
            path=path,
            reason=f"this Python has SQLite {sqlite3.sqlite_version}, and trop needs 3.37 or later",
        )
    # In this order: a file that is put in place between the two is taken for a change, and opened once more.
    files = None if path == IN_MEMORY else FileSet(path)
    connection = sqlite3.connect(name, timeout=0, isolation_level=None, uri=True, factory=StoreConnection)
    connection.path, connection.files = path, files
    IN_USE.add(connection)
    return connection


def _uri_escaped(path: str) -> str:
    # urllib.parse costs more to import than a reservation takes. https://sqlite.org/uri.html, "URI filenames".
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
