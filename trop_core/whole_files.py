"""Files that are there whole or not at all, whatever happens while they are written.

Who replaces a file holds the lock on its directory meanwhile (``alone``). It is a lock on the directory itself: a file
made for it would be left lying about, and the file that is replaced is soon one that is gone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from contextlib import contextmanager

from trop_core import ownership
from trop_core.database.failures import denial, system_failure
from trop_core.errors.spelling import quoted
from trop_core.errors.system import MountedFile, NotTakenBack, PermissionDenied, SystemFailure
from trop_core.light_types import TYPE_CHECKING, Literal
from trop_core.mounts import is_mounted_alone

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
    denied = None if os.access(directory, os.W_OK | os.X_OK) else directory
    if denied is None and os.path.exists(path):
        denied = path if not os.access(path, os.W_OK) or not os.stat(path).st_mode & 0o222 else None
    if denied is not None:
        raise PermissionDenied("write", path=path, reason=denial(denied))


def check_replaceable(path: str) -> None:
    """Raise what putting another file in the place of a name would raise, as far as the system tells beforehand."""
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionDenied("write", path=path, reason=denial(directory))
    if os.path.isdir(path) and not os.path.islink(path):
        raise SystemFailure("write", path=path, reason="it is a directory")
    if is_mounted_alone(path):
        raise MountedFile(path)


def write(path: str, content: bytes, *, keep_mode: bool = False) -> None:
    """Write a file, or replace it; the caller is ``alone`` in its directory. ``path`` is no link.

    The file then has mode 0600. One that is replaced keeps its owner, where the system allows it, and with
    ``keep_mode`` its mode. Raises ``SystemFailure`` or ``PermissionDenied``; what was there before is then there still.
    """
    with _prepared(path, content, keep_mode=keep_mode) as (place, temporary):
        try:
            place.rename(temporary, os.path.basename(path))
        except OSError as error:
            raise system_failure(error, "write", path) from error
        _sync(place)


def is_displaced(path: str) -> bool:
    """Whether a process was killed when what has a name had only its second one: see ``bring_back``."""
    return not os.path.lexists(path) and os.path.lexists(os.path.join(os.path.dirname(path), _saved(path)))


def bring_back(path: str) -> None:
    """Give a file its name again that is displaced; the caller is ``alone``. There may be no other copy.

    Raises ``SystemFailure`` or ``PermissionDenied``.
    """
    if is_displaced(path):
        try:
            with ownership.place(os.path.dirname(path)) as place:
                place.rename(_saved(path), os.path.basename(path))
        except OSError as error:
            raise system_failure(error, "put back", path) from error


def _saved(path: str) -> str:
    """The second name that a file has while it is replaced, in the same directory."""
    return f".{os.path.basename(path)}.trop.old"


class Replacement:
    """A file that gets its name in the middle of other work, and loses it again if that work fails after all."""

    def __init__(self, path: str, place: ownership.Place, temporary: str) -> None:
        self._path = path
        self._place = place
        self._name = os.path.basename(path)
        self._temporary = temporary
        self._saved = _saved(self._name)
        self._state: Literal["waiting", "new", "replacing"] = "waiting"

    def put_in_place(self) -> None:
        """Give the file its name. Raises ``SystemFailure`` or ``PermissionDenied``; what had it before has it still."""
        try:
            saved = self._save()
        except OSError as error:
            raise system_failure(error, "write", self._path) from error
        try:
            self._place.rename(self._temporary, self._name)
        except OSError as error:
            failure = system_failure(error, "write", self._path)
            self._state = "replacing" if saved else "waiting"
            self.take_back(failure)
            raise failure from error
        self._state = "replacing" if saved else "new"

    def keep(self) -> None:
        """The other work is done: the file stays, and what it replaced goes."""
        self._state = "waiting"
        self._place.discard(self._saved)
        _sync(self._place)

    def take_back(self, failure: BaseException) -> None:
        """Put back what was there, for the other work has failed. Raises ``NotTakenBack`` where that fails as well."""
        state, self._state = self._state, "waiting"
        try:
            if state == "replacing":
                self._place.rename(self._saved, self._name)
                # Of two names of one file, a rename leaves both.
                self._place.discard(self._saved)
            elif state == "new":
                self._place.remove(self._name)
        except OSError as error:
            left = os.path.join(os.path.dirname(self._path), self._saved)
            reason = error.strerror or str(error)
            raise NotTakenBack(str(failure), path=self._path, reason=reason, left=left) from failure

    def _save(self) -> bool:
        """Keep what has the name under a second one; False if there is nothing."""
        # The caller is alone here: what has this name, and has another one, is what a killed process left behind.
        self._place.remove(self._saved)
        try:
            if stat.S_ISDIR(os.stat(self._name, dir_fd=self._place.descriptor, follow_symlinks=False).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._second_name()
        except FileNotFoundError:
            return False
        return True

    def _second_name(self) -> None:
        try:
            self._place.link(self._name, self._saved)
        except FileNotFoundError:
            raise
        except OSError:
            # A file system without links, or a mount point, which has no other name and is refused here as well.
            self._place.rename(self._name, self._saved)


@contextmanager
def replacement(path: str, content: bytes) -> Iterator[Replacement]:
    """A file with mode 0600 that is written, and gets its name when the block says so; the caller is ``alone``.

    When the block begins, the content is on the disk. When an error leaves it, all is as it was before. What root
    writes in somebody else's home is theirs; elsewhere a file that is replaced keeps its owner. Raises
    ``SystemFailure``, ``PermissionDenied`` or ``NotTakenBack``.
    """
    bring_back(path)
    with _prepared(path, content) as (place, temporary):
        made = Replacement(path, place, temporary)
        try:
            yield made
        except BaseException as failure:
            made.take_back(failure)
            raise


@contextmanager
def _prepared(path: str, content: bytes, *, keep_mode: bool = False) -> Iterator[tuple[ownership.Place, str]]:
    """A file that holds what ``path`` is to hold, on the disk, under a name of its own; it is gone after the block."""
    directory, name = os.path.split(path)
    # Everybody who writes here has the lock, so a file of this name is what a killed process left behind.
    temporary = f".{name}.trop.tmp"
    with contextlib.ExitStack() as stack:
        try:
            place = stack.enter_context(ownership.place(directory))
            place.remove(temporary)
            stack.callback(place.discard, temporary)
            with open(place.new_file(temporary), "wb") as file:
                former = place.keep_owner(name, file.fileno(), although_at_home=keep_mode)
                if keep_mode and former is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(former.st_mode))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise system_failure(error, "write", path) from error
        yield place, temporary


def _sync(place: ownership.Place) -> None:
    # The new file is there. That its name is on the disk as well is as much as can be asked for.
    with contextlib.suppress(OSError):
        os.fsync(place.descriptor)
