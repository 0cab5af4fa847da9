"""What SQLite and the system say, in the product's own errors."""

from __future__ import annotations

import _sqlite3 as sqlite3
import errno
import os

from trop_core.database.file_set import files_of
from trop_core.errors.base import Cancelled, InternalError, TropError
from trop_core.errors.store import DatabaseCorrupt
from trop_core.errors.system import (
    PermissionDenied,
    SidecarLeftBehind,
    SystemFailure,
    TooFewThreads,
    TooManyOpenFiles,
    Unforeseen,
)

_PRIMARY = 0xFF
# SQLITE_PROTOCOL: a race for the -wal file's locks that SQLite gave up after many attempts.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
# SQLITE_TOOBIG: a row that is longer than any that was ever written.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_IO = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
_UNSHARED = {sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP}
_MISSING = ("no such table: ", "no such column: ")
_FEW = 8
"""What a store, its two files and a backup of it take, by the time that an error is looked at given back."""
_VIEW = ("cannot modify ", " because it is a view")
_NO_THREAD = "can't start new thread"
"""What CPython says, with no type of its own and no number."""
_UNDECODABLE = "Could not decode to UTF-8 column '"


def error_code(error: sqlite3.Error) -> int | None:
    """SQLite's extended result code of an error; None for one that Python's module raised by itself."""
    return getattr(error, "sqlite_errorcode", None)


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code of an error; None for one that Python's module raised by itself."""
    code = error_code(error)
    return None if code is None else code & _PRIMARY


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds a lock that this one needs: waiting helps."""
    return primary_code(error) in _BUSY


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is damaged, or none of SQLite's."""
    return primary_code(error) in _DAMAGED


def is_unshared(error: sqlite3.Error) -> bool:
    """Whether the file system may be at fault, for it does not let files be locked, or mapped by several processes."""
    return error_code(error) in _UNSHARED


def is_left_behind(error: sqlite3.Error) -> bool:
    """Whether a -wal does not hold what the -shm, which others have open, says that it does."""
    return error_code(error) == sqlite3.SQLITE_IOERR_SHORT_READ


def undecodable_column(error: sqlite3.Error) -> str | None:
    """The column that held text which is not UTF-8, if that is what the error is about."""
    text = str(error)
    return text.removeprefix(_UNDECODABLE).partition("'")[0] if text.startswith(_UNDECODABLE) else None


def translate(error: sqlite3.Error, path: str) -> TropError:
    """The product's error for one of SQLite's. ``path`` is the database file's.

    A lock that was waited for in vain is not translated here: who waits knows how long.
    """
    code = primary_code(error)
    text = str(error)
    if code == sqlite3.SQLITE_INTERRUPT:
        return Cancelled()
    if code in _DAMAGED:
        return DatabaseCorrupt(text, path=path)
    if (layout := _about_layout(error, path)) is not None:
        return layout
    if (column := undecodable_column(error)) is not None:
        table = "metadata" if column in ("key", "value") else "reservations"
        return DatabaseCorrupt("the text is not valid UTF-8", path=path, table=table, column=column)
    if error_code(error) == sqlite3.SQLITE_READONLY_DBMOVED:
        return SystemFailure("write to", path=path, reason="another file was put in its place meanwhile")
    if is_left_behind(error):
        return SidecarLeftBehind(files_of(path)[2])
    if code in _FORBIDDEN:
        return PermissionDenied("write to", path=path, reason=text)
    if code == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(path, text)
    if code in _IO:
        return SystemFailure("read or write", path=path, reason=text)
    return InternalError(f"{type(error).__name__}: {text} ({path})")


def system_failure(error: OSError, what: str, path: str) -> TropError:
    """The product's error for one of the system's: ``permission_denied`` if that is the reason, else ``io_error``."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return TooManyOpenFiles(what, path=path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return PermissionDenied(what, path=path, reason=reason)
    return SystemFailure(what, path=path, reason=reason)


def unforeseen(error: BaseException) -> TropError:
    """The product's error for one that nobody has caught: the system's own, or else a defect of ours."""
    if isinstance(error, TropError):
        return error
    if isinstance(error, ImportError) and are_descriptors_scarce():
        return TooManyOpenFiles("load", path=error.name or "a module")
    if isinstance(error, OSError):
        path = error.filename if isinstance(error.filename, str) else "the file system"
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return TooManyOpenFiles("use", path=path)
        return Unforeseen("use", path=path, reason=error.strerror or str(error))
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return TooFewThreads()
    return InternalError(f"{type(error).__name__}: {error}")


def are_descriptors_scarce() -> bool:
    """Whether this process may open hardly any more files: SQLite says of that only that it could not open one."""
    opened: list[int] = []
    try:
        while len(opened) < _FEW:
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return False


def denial(path: str) -> str:
    """The reason for which a file, or a directory, cannot be written that this user may not write."""
    try:
        is_read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    except OSError as error:
        return error.strerror or str(error)
    return os.strerror(errno.EROFS if is_read_only else errno.EACCES)


def _about_layout(error: sqlite3.Error, path: str) -> DatabaseCorrupt | None:
    """The error of a statement for which a table or a column is not there, or is something else."""
    text = str(error)
    if error_code(error) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return DatabaseCorrupt(f"an unknown trigger refuses the change: {text}", path=path)
    if text.startswith(_MISSING):
        name = text.rpartition(": ")[2].rpartition(".")[2]
        if text.startswith(_MISSING[0]):
            return DatabaseCorrupt("the table is missing", path=path, table=name)
        return DatabaseCorrupt("the column is missing", path=path, table="reservations", column=name)
    if text.startswith(_VIEW[0]) and text.endswith(_VIEW[1]):
        return DatabaseCorrupt("it is a view, and no table", path=path, table=text[len(_VIEW[0]) : -len(_VIEW[1])])
    return None


def _cannot_open(path: str, text: str) -> TropError:
    if are_descriptors_scarce():
        return TooManyOpenFiles("open", path=path)
    if os.path.isdir(path):
        return SystemFailure("open", path=path, reason="it is a directory")
    if os.path.islink(path) and not os.path.exists(path):
        return SystemFailure("open", path=path, reason="it is a link to a file that does not exist")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        return PermissionDenied("open", path=path, reason="this user may not read and write the file and its directory")
    return SystemFailure("open", path=path, reason=text)
