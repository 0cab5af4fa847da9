"""Whether a file system has what SQLite locks with: SQLite itself takes a missing lock for one that somebody holds."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import tempfile

from trop_core.database.failures import system_failure
from trop_core.errors.store import NoLocks

_MISSING = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENODEV)


def check(path: str) -> None:
    """Try out, with a file that has no name, whether a store at a path could be locked and share its -shm.

    Raises ``NoLocks`` if not; ``PermissionDenied`` or ``SystemFailure`` where no file can be made beside the store.
    """
    directory = os.path.dirname(path) or "."
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            os.ftruncate(file.fileno(), mmap.PAGESIZE)
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
                mmap.mmap(file.fileno(), mmap.PAGESIZE).close()
            except OSError as error:
                if error.errno in _MISSING:
                    reason = error.strerror or str(error)
                    raise NoLocks(path, file_system=_file_system(directory), reason=reason) from error
                raise
    except OSError as error:
        raise system_failure(error, "lock", path) from error


def _file_system(directory: str) -> str:
    """What the system calls the file system that a directory is on, and where that begins."""
    import psutil

    place = os.path.realpath(directory)
    mounts = [
        each
        for each in psutil.disk_partitions(all=True)
        if os.path.commonpath((each.mountpoint, place)) == each.mountpoint
    ]
    # The last one of several that are mounted on the same place is the one that is seen.
    found = max(reversed(mounts), key=lambda each: len(each.mountpoint), default=None)
    return "its file system" if found is None else f"the file system at {found.mountpoint} ({found.fstype})"
