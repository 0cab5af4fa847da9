"""Files that are there whole or not at all, whatever happens while they are written.

Who replaces a file holds the lock on its directory meanwhile (``alone``). It is a lock on the directory itself: a file
made for it would be left lying about, and the file that is replaced is soon one that is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trop_core import ownership
from trop_core.database.failures import system_failure
from trop_core.errors.spelling import quoted
from trop_core.errors.system import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.waiting import Patience


@contextmanager
def alone(directory: str, patience: Patience, operation: str) -> Iterator[None]:
    """Hold the lock on a directory. At least one attempt to get it is made.

    Raises ``LockTimeout``, naming ``operation``, when the time is over; ``Cancelled``; ``PermissionDenied`` or
    ``SystemFailure`` for a directory that cannot be opened or locked.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise system_failure(error, "lock", directory) from error
    try:
        try:
            patience.insist(
                lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
                operation,
                what=f"the directory {quoted(directory)}",
            )
        except OSError as error:
            raise system_failure(error, "lock", directory) from error
        yield
    finally:
        os.close(descriptor)


def check_writable(path: str) -> None:
    """Raise the ``PermissionDenied`` that writing the file would raise, as far as the system tells beforehand.

    A file that nobody may write counts as well: that its directory lets it be replaced is no reason to do so, not even
    for root.
    """
    directory = os.path.dirname(path)
    denied = not os.access(directory, os.W_OK | os.X_OK)
    if os.path.exists(path):
        denied = denied or not os.access(path, os.W_OK) or not os.stat(path).st_mode & 0o222
    if denied:
        raise PermissionDenied("write", path=path, reason="Permission denied")


def write(path: str, content: bytes, *, keep_mode: bool = False) -> None:
    """Write a file, or replace it; the caller is ``alone`` in its directory. ``path`` is no link.

    The file then has mode 0600. With ``keep_mode``, one that is replaced keeps its mode and, where the system allows
    it, its owner. Raises ``SystemFailure`` or ``PermissionDenied``; what was there before is then there still.
    """
    with written(path, content, keep_mode=keep_mode):
        pass


@contextmanager
def written(path: str, content: bytes, *, keep_mode: bool = False) -> Iterator[None]:
    """``write`` around work that the file has to wait for: all that can fail is done before it.

    The content is on the disk when the work begins, and gets its name when that has ended well. What root writes in
    somebody else's home is theirs.
    """
    directory, name = os.path.split(path)
    # Everybody who writes here has the lock, so a file of this name is what a killed process left behind.
    temporary = f".{name}.trop.tmp"
    with contextlib.ExitStack() as stack:
        try:
            place = stack.enter_context(ownership.place(directory))
            place.remove(temporary)
            stack.callback(_remove, place, temporary)
            with open(place.new_file(temporary), "wb") as file:
                if keep_mode:
                    _take_over(path, file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise system_failure(error, "write", path) from error
        yield
        try:
            place.rename(temporary, name)
        except OSError as error:
            raise system_failure(error, "write", path) from error
        # From here on the new file is there. That its name is on the disk as well is as much as can be asked for.
        with contextlib.suppress(OSError):
            os.fsync(place.descriptor)


def _remove(place: ownership.Place, name: str) -> None:
    with contextlib.suppress(OSError):
        place.remove(name)


def _take_over(path: str, descriptor: int) -> None:
    """Give a new file the owner and the mode of the one that it will replace."""
    try:
        former = os.stat(path)
    except FileNotFoundError:
        return
    # Only root may give files away; a user may give them to a group of theirs.
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, former.st_uid, former.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(former.st_mode))
