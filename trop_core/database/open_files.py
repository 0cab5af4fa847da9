"""The files of a store that this process has open, and giving them up where they are no longer the store's.

A database, its -wal and its -shm belong together. Whoever goes on with one that was removed or replaced gives answers
that nobody else sees, and to close it in the ordinary way would destroy what others have written meanwhile: SQLite
checkpoints with a stale index, and deletes the -wal by its name. All connections of a process to one file share its
-shm, so they are given up together.
"""

from __future__ import annotations

import _sqlite3 as sqlite3
import os
import sys
import threading
import time
from contextlib import contextmanager
from weakref import WeakSet, ref

from trop_core.database.failures import system_failure
from trop_core.errors.system import SystemFailure
from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trop_core.database.file_set import FileSet
    from trop_core.database.waiting import Patience

_MANY_CURSORS = 64
"""Cursors that a connection remembers before it looks which of them are still there: a set that is told of each costs
more than a short statement."""

_PAUSE = 0.02
_LEAST_WAIT = 1.0
"""Seconds for which even a call that waits for no lock waits for those that are at work in its own process."""

# https://sqlite.org/src/file/src/os.h: SHARED_FIRST and SHARED_SIZE, the bytes that whoever reads has locked.
_SHARED_FIRST = 0x40000002
_SHARED_SIZE = 510
_DARWIN_OFD_SETLK = 90
_DARWIN_OFD_GETLK = 92

# https://sqlite.org/walformat.html, "WAL-Index Locks", and UNIX_SHM_DMS in os_unix.c of SQLite: the byte of a -shm that
# whoever has it open has locked.
_SHARED_OPEN = 128

# https://sqlite.org/walformat.html, "WAL-Index Header" and "WAL File Format"; in bytes, and where they begin and end.
_INDEX_HEADER = 48
_PAGE_SIZE = (14, 16)
_LAST_FRAME = (16, 20)
_WAL_HEADER = 32
_FRAME_HEADER = 24
_LARGEST_PAGE = 65536


class SharedConnection(sqlite3.Connection):
    """A connection that knows the file that it was opened on. Any thread may close it, and one at a time may use it.

    It has no ``files`` if it is to a database that is this process's alone.
    """

    path: str = ""
    files: FileSet | None = None
    is_open: bool = True
    only_reads: bool = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["check_same_thread"] = False
        super().__init__(*arguments, **options)
        self._cursors: list[ref[sqlite3.Cursor]] = []

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement; its rows are read from the cursor that is returned."""
        cursor = super().execute(sql, parameters)
        if cursor.description is not None:  # a statement without rows has come to its end
            cursors = self._cursors
            cursors.append(ref(cursor))
            if len(cursors) > _MANY_CURSORS:
                cursors[:] = [each for each in cursors if each() is not None]
        return cursor

    def is_replaced(self) -> bool:
        """Whether one of its files is no longer the store's. Looks at the file system."""
        return self.files is not None and self.files.are_gone()

    def end_statements(self) -> None:
        """End every statement that was not read to its end."""
        if self.is_open:
            for each in tuple(self._cursors):
                cursor = each()
                if cursor is not None:
                    cursor.close()
            self._cursors.clear()

    def close(self) -> None:
        """Close it, with all its statements: one that is left would keep the files open."""
        self.end_statements()
        self.is_open = False
        super().close()


class _InUse:
    """The connections of this process, and who is at work with one now.

    Any number may be at work side by side; to give files up, all of them have to be done.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._at_work = 0
        self._waiting = 0
        self._is_giving_up = False
        self._of_thread = threading.local()
        self._connections = WeakSet[SharedConnection]()
        self._left_open = set[SharedConnection]()

    def add(self, connection: SharedConnection) -> None:
        """Note a connection. The caller is at work with it."""
        with self._changed:
            self._connections.add(connection)

    def begin(self) -> None:
        """Begin to work with connections: none is closed by another thread until ``end``. May be nested."""
        depth = getattr(self._of_thread, "depth", 0)
        if not depth:
            with self._lock:
                while self._waiting or self._is_giving_up:
                    self._changed.wait()
                self._at_work += 1
        self._of_thread.depth = depth + 1

    def end(self) -> None:
        """End what ``begin`` began."""
        self._of_thread.depth -= 1
        if not self._of_thread.depth:
            with self._lock:
                self._at_work -= 1
                if self._waiting:
                    self._changed.notify_all()

    @contextmanager
    def working(self) -> Iterator[None]:
        """``begin`` and ``end`` around a block."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def close_idle(self, seconds: float) -> None:
        """Close all connections, so that the last one brings what is in the -wal into the file; for the very end.

        Waits that long, at most, until nobody is at work, and closes none otherwise.
        """
        latest = time.monotonic() + seconds
        with self._changed:
            while self._at_work or self._is_giving_up:
                if time.monotonic() > latest:
                    return
                self._changed.wait(_PAUSE)
            self._is_giving_up = True
            connections = [each for each in self._connections if each.is_open]
        # One that only reads cannot bring anything into the file, so it must not be the last.
        for connection in sorted(connections, key=lambda each: not each.only_reads):
            # One whose files are no longer the store's would be checkpointed into what others have written.
            if not connection.is_replaced():
                connection.close()

    def leave_replaced(self, path: str | None, patience: Patience) -> None:
        """``give_up`` connections to a file if one of its files was replaced: what is opened now would share them.

        Without a path, to any file: what this process holds on to is in the way of others.
        """
        with self._changed:
            # Whoever is at work looks as well, and may be about to make the files beside the database.
            if path is None and self._at_work:
                return
            named = [each for each in self._connections if each.is_open and path in (None, each.path)]
            replaced = [each for each in named if each.is_replaced()]
        for connection in replaced:
            self.give_up(connection, patience)

    def while_nothing_is_open(self, look: Callable[[], bool]) -> bool:
        """What a look at a file's own descriptors tells, or False where this process may have the file open.

        To close such a descriptor gives up all locks that this process has on the file.
        """
        with self._lock:
            return not self._at_work and not any(each.is_open for each in self._connections) and look()

    def give_up(self, connection: SharedConnection, patience: Patience) -> None:
        """Close every connection of this process to the file that one is open on, without a trace in any file.

        Waits until nobody is at work; the caller is not. Nothing happens if the one is closed by then. Raises
        ``LockTimeout``, ``Cancelled``, ``SystemFailure`` or ``PermissionDenied``; all are open then, until the next
        attempt succeeds or the process ends, whether or not the caller keeps the one.
        """
        with self._changed:
            # Python closes what nobody keeps, and in the ordinary way.
            self._left_open.add(connection)
            self._waiting += 1
            try:
                latest = time.monotonic() + max(patience.remaining, _LEAST_WAIT)
                while self._at_work or self._is_giving_up:
                    patience.token.check()
                    if time.monotonic() > latest:
                        raise patience.timed_out("open it anew")
                    self._changed.wait(_PAUSE)
                self._is_giving_up = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()  # if this has not worked, nobody has to wait for it any more
        try:
            if connection.is_open:
                given_up = [each for each in self._connections if each.is_open and each.path == connection.path]
                # Somebody may have the whole file for itself for a moment, to switch it to WAL mode.
                patience.insist(lambda: _close_untouched(given_up, connection.path), "open it anew")
        finally:
            with self._changed:
                self._left_open = {each for each in self._left_open if each.is_open}
                self._is_giving_up = False
                self._changed.notify_all()


IN_USE = _InUse()
"""This process's one."""


def close_untouched(connection: sqlite3.Connection, path: str, patience: Patience) -> None:
    """Close the only connection of this process to a file, so that SQLite neither checkpoints nor deletes anything.

    Raises ``LockTimeout``, ``Cancelled``, ``SystemFailure`` or ``PermissionDenied``; it is still open then.
    """
    patience.insist(lambda: _close_untouched([connection], path), "open it anew")


def _close_untouched(connections: Sequence[sqlite3.Connection], path: str) -> None:
    """Close all connections of this process to a file, so that SQLite neither checkpoints nor deletes anything."""
    if sys.version_info >= (3, 12):
        for connection in connections:
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            connection.close()
        return
    # SQLite does neither unless it can have the whole file for itself. Where the name means another file by now, it
    # notices that, and the lock is on what nobody here has open.
    with _shared(path):
        for connection in connections:
            connection.close()


@contextmanager
def _shared(path: str) -> Iterator[None]:
    """Have a file locked as a reader has it, through a lock that this process's other locks do not replace.

    To close the descriptor gives up all locks of this process on the file: nothing else here may have it open then.
    Raises ``BlockingIOError`` where somebody has it for itself, ``SystemFailure`` or ``PermissionDenied``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        # It is gone, and SQLite leaves alone what lies beside a name that means nothing.
        yield
        return
    except OSError as error:
        # Whatever else is in the way, the file may be there, and others at work with it.
        raise system_failure(error, "open anew", path) from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> None:
    try:
        import fcntl  # Hardly any process comes here.

        order = _DARWIN_OFD_SETLK if sys.platform == "darwin" else fcntl.F_OFD_SETLK
        fcntl.fcntl(descriptor, order, _flock(fcntl.F_RDLCK, _SHARED_FIRST, _SHARED_SIZE))
    except BlockingIOError:
        raise
    except ImportError as error:
        raise SystemFailure("lock", path=path, reason=str(error)) from error
    except OSError as error:
        raise system_failure(error, "lock", path) from error


def has_open(shared: str) -> bool:
    """Whether some process has a -shm open, this one included; False if there is none.

    It gives up what this process has locked in it: for one whose -wal is gone. Raises ``SystemFailure`` or
    ``PermissionDenied``.
    """
    try:
        import fcntl

        descriptor = os.open(shared, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            order = _DARWIN_OFD_GETLK if sys.platform == "darwin" else fcntl.F_OFD_GETLK
            lock = _flock(fcntl.F_WRLCK, _SHARED_OPEN, 1)
            # What comes back is the lock that would be in the way; of one that would not, its kind alone is changed.
            return fcntl.fcntl(descriptor, order, lock) != _flock(fcntl.F_UNLCK, _SHARED_OPEN, 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return False
    except ImportError as error:
        raise SystemFailure("look at", path=shared, reason=str(error)) from error
    except OSError as error:
        raise system_failure(error, "look at", shared) from error


def is_cut_off(log: str, shared: str) -> bool:
    """Whether a -wal is shorter than its -shm says, and some process has that open.

    Only ``while_nothing_is_open``. One that nobody has open, SQLite makes anew. Raises ``SystemFailure`` or
    ``PermissionDenied``.
    """
    try:
        descriptor = os.open(shared, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise system_failure(error, "look at", shared) from error
    try:
        # What is written is in the -wal before it is in its index. A checkpoint may cut both off, in that order.
        before, size = os.pread(descriptor, _INDEX_HEADER, 0), os.stat(log).st_size
        is_short = size < _indexed(before) and os.pread(descriptor, _INDEX_HEADER, 0) == before
    except FileNotFoundError:
        return False
    except OSError as error:
        raise system_failure(error, "look at", shared) from error
    finally:
        os.close(descriptor)
    return is_short and has_open(shared)


def _indexed(header: bytes) -> int:
    """The size of a -wal that holds all of what the header of its index says."""
    page, last = (int.from_bytes(header[start:end], sys.byteorder) for start, end in (_PAGE_SIZE, _LAST_FRAME))
    page = _LARGEST_PAGE if page == 1 else page  # it has two bytes
    return _WAL_HEADER + last * (_FRAME_HEADER + page) if last else 0


def _flock(kind: int, start: int, size: int) -> bytes:
    """A ``struct flock`` of fcntl.h, as fcntl(2) wants it for OFD locks."""
    import struct

    if sys.platform == "darwin":
        return struct.pack("qqihh", start, size, 0, kind, 0)
    return struct.pack("hhqqi", kind, os.SEEK_SET, start, size, 0)
