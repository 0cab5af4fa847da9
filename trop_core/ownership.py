"""What root makes in somebody else's home: it belongs to them, and no link of theirs leads it elsewhere.

They may put a link in the place of anything in their home at any moment. So whatever root makes there is made by
descriptors of directories that were looked at, and becomes theirs before it has its name: what another process finds
under that name it can use, also after a crash. Nothing that was there before ever changes hands.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from contextlib import contextmanager

from trop_core import paths
from trop_core.database.failures import system_failure
from trop_core.errors.system import PermissionDenied
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.modes import allow_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LEADS_AWAY = "a link in another user's home leads to what is not that user's"
_ATTEMPTS = 10


class _Home(NamedTuple):
    """Somebody's home and who that is, and a way into it: where it begins, and the names from there."""

    user: int
    group: int
    start: str
    names: tuple[str, ...]

    def give(self, descriptor: int) -> None:
        os.fchown(descriptor, self.user, self.group)


class Place(NamedTuple):
    """A directory by its descriptor, and the home that it lies in, if that is somebody else's."""

    descriptor: int
    home: _Home | None

    def new_file(self, name: str) -> int:
        """A descriptor of a file that is made here, with mode 0600; in a home it is theirs. Raises ``OSError``."""
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self.descriptor)
        try:
            allow_owner(descriptor, 0o600)
            if self.home is not None:
                self.home.give(descriptor)
        except BaseException:
            os.close(descriptor)
            self.discard(name)
            raise
        return descriptor

    def keep_owner(self, name: str, descriptor: int, *, although_at_home: bool = False) -> os.stat_result | None:
        """Give a new file the owner of the one here that it will replace, and tell what that one is; None for none.

        In somebody's home it stays theirs, unless ``although_at_home``. A link is nobody's word about what takes its
        place. Who gets a file may put another one in its place: it has to be written by its descriptor. Raises
        ``OSError``.
        """
        try:
            former = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(former.st_mode):
            return None
        if self.home is None or although_at_home:
            # Only root may give files away; a user may give them to a group of theirs.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, former.st_uid, former.st_gid)
        return former

    def remove(self, name: str) -> None:
        """Remove a file, if there is one. Raises ``OSError``."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)

    def discard(self, *names: str) -> None:
        """Remove files, as far as that is possible."""
        for name in names:
            with contextlib.suppress(OSError):
                self.remove(name)

    def rename(self, name: str, new: str) -> None:
        """Give a file another name, and replace what has that. Raises ``OSError``."""
        os.replace(name, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, name: str, new: str) -> None:
        """Give a file a second name, which nothing has. Raises ``OSError``."""
        os.link(name, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor, follow_symlinks=False)

    def move(self, name: str, new: str) -> None:
        """Give a file another name, which nothing has; the old one may stay beside it where it cannot be removed.

        Raises ``OSError``: ``FileExistsError`` if something has the new name.
        """
        try:
            # Unlike a rename, a link never replaces what exists.
            self.link(name, new)
        except FileExistsError:
            raise
        except OSError as error:
            # A file system without links; or this is nothing that can be linked.
            if self.holds(new):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from error
            os.rename(name, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        else:
            self.discard(name)

    def holds(self, name: str) -> bool:
        """Whether something has a name. Raises ``OSError`` where the system will not tell."""
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True


def make_directory(path: str) -> bool:
    """Make a directory with mode 0700, and what is missing above it, if it lies in somebody's home; else False.

    Raises ``PermissionDenied`` or ``SystemFailure``.
    """
    home = _home(path)
    if home is None:
        return False
    try:
        os.close(_descend(home, make=True))
    except OSError as error:
        raise system_failure(error, "create", path) from error
    return True


def check_creatable(path: str) -> None:
    """Raise what ``make_directory`` would raise of links that lead away. Makes nothing."""
    home = _home(path)
    if home is None:
        return
    try:
        os.close(_descend(home))
    except FileNotFoundError:
        return
    except OSError as error:
        raise system_failure(error, "create", path) from error


@contextmanager
def place(directory: str) -> Iterator[Place]:
    """An existing directory to make something in. Raises ``OSError``.

    One that is theirs counts as one in their home: a link of theirs may have led there.
    """
    home = _home(directory)
    descriptor = os.open(directory, _DIRECTORY) if home is None else _descend(home)
    try:
        if home is None and (found := paths.home_of_another()) is not None:
            _, user, group = found
            home = _Home(user, group, directory, ()) if os.fstat(descriptor).st_uid == user else None
        yield Place(descriptor, home)
    finally:
        os.close(descriptor)


def create_file(path: str) -> bool | None:
    """Make an empty file if there is none, in a directory in somebody's home, and tell whether one was made.

    None if it lies elsewhere. Raises ``OSError``.
    """
    directory, name = os.path.split(path)
    if _home(directory) is None:
        return None
    for attempt in range(_ATTEMPTS):
        with place(directory) as found:
            temporary = f".{name}.trop.tmp"
            try:
                os.close(found.new_file(temporary))
            except FileExistsError:
                # Another process is at it, or a killed one was.
                found.remove(temporary)
                continue
            except FileNotFoundError:
                # Another process has put the directory that it had made in the place of this empty one.
                if attempt + 1 == _ATTEMPTS:
                    raise
                continue
            try:
                # Unlike a rename, a link never replaces what exists.
                found.link(temporary, name)
            except FileExistsError:
                return False
            except FileNotFoundError:
                # Another process took the temporary file for a killed one's.
                if attempt + 1 == _ATTEMPTS:
                    raise
                continue
            finally:
                found.remove(temporary)
            return True
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)


def followed(path: str) -> str:
    """The file that a name in somebody's home stands for, if it is theirs to be replaced; the name itself if no link.

    Elsewhere it is whatever the name stands for, all links followed. Raises what ``check`` raises.
    """
    check(path)
    real, home = os.path.realpath(path), _home(path)
    if home is not None and not os.path.islink(path):
        # A directory of theirs outside of their home is known as theirs by the links that lead there.
        return path
    try:
        if home is not None and _home(real) is None and os.stat(os.path.dirname(real)).st_uid != home.user:
            raise PermissionError(errno.EPERM, _LEADS_AWAY)
    except OSError as error:
        raise system_failure(error, "write", path) from error
    return real


def check(path: str) -> None:
    """Refuse to open a file in somebody's home that is reached by a link and is not theirs.

    A second name of a file is as good as a link. A file that does not exist is none of both, if no link leads to it.
    Raises ``PermissionDenied``, or ``SystemFailure``.
    """
    directory, name = os.path.split(path)
    home = _home(directory)
    if home is None:
        return
    try:
        with place(directory) as found:
            seen = os.stat(name, dir_fd=found.descriptor, follow_symlinks=False)
            if stat.S_ISLNK(seen.st_mode):
                theirs = _owner(found, name) == home.user
            else:
                theirs = seen.st_nlink == 1 or stat.S_ISDIR(seen.st_mode) or seen.st_uid == home.user
    except FileNotFoundError:
        return
    except OSError as error:
        raise system_failure(error, "open", path) from error
    if not theirs:
        raise PermissionDenied("open", path=path, reason=_LEADS_AWAY)


def _owner(found: Place, name: str) -> int | None:
    try:
        return os.stat(name, dir_fd=found.descriptor).st_uid
    except FileNotFoundError:
        return None


def _home(path: str) -> _Home | None:
    """The home in which a path lies, as it is spelled or in fact, if that is somebody else's."""
    for find in (paths.home_of_another, lambda: paths.home_above(path)):
        found = find()
        if found is None:
            continue
        home, user, group = found
        if paths.is_within(path, home):
            return _Home(user, group, home, _names(path, home))
        real, real_home = os.path.realpath(path), os.path.realpath(home)
        if paths.is_within(real, real_home):
            return _Home(user, group, real_home, _names(real, real_home))
    return None


def _names(path: str, home: str) -> tuple[str, ...]:
    return tuple(filter(None, path.removeprefix(home).split("/")))


def _descend(home: _Home, *, make: bool = False) -> int:
    """A descriptor of the directory, in which something may be made. Raises ``OSError``.

    It was reached by no link, or it is theirs: what a link of theirs leads to is no business of root's otherwise.
    """
    descriptor = os.open(home.start, _DIRECTORY)
    direct = True
    try:
        if os.fstat(descriptor).st_uid != home.user:
            raise PermissionError(errno.EPERM, _LEADS_AWAY)
        for number, name in enumerate(home.names, 1):
            mode = 0o700 if number == len(home.names) else 0o777
            inner, by_link = _enter(descriptor, name, home, mode if make else None)
            os.close(descriptor)
            descriptor, direct = inner, direct and not by_link
            if not direct and os.fstat(descriptor).st_uid != home.user:
                raise PermissionError(errno.EPERM, _LEADS_AWAY)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _enter(outer: int, name: str, home: _Home, mode: int | None) -> tuple[int, bool]:
    """A directory in another one, made with ``mode`` if it is missing; and whether a link led there."""
    for _ in range(_ATTEMPTS):
        try:
            return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=outer), False
        except FileNotFoundError:
            if mode is None:
                raise
        except OSError:
            if not stat.S_ISLNK(os.stat(name, dir_fd=outer, follow_symlinks=False).st_mode):
                raise
            return os.open(name, _DIRECTORY, dir_fd=outer), True
        _make(outer, name, home, mode)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)


def _make(outer: int, name: str, home: _Home, mode: int) -> None:
    """Make a directory that is theirs from the moment on in which it has its name. Another process may be faster."""
    temporary = f".{name}.trop.tmp"
    # What a killed process left behind.
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(temporary, dir_fd=outer)
    with contextlib.suppress(FileExistsError):
        os.mkdir(temporary, mode, dir_fd=outer)
    try:
        inner = os.open(temporary, _DIRECTORY | os.O_NOFOLLOW, dir_fd=outer)
        try:
            # Its owner may have put another directory in its place. What they could remove and make anew by themselves
            # is nothing to win.
            if os.listdir(inner) or os.fstat(inner).st_dev != os.fstat(outer).st_dev:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), temporary)
            allow_owner(inner, 0o700)
            home.give(inner)
        finally:
            os.close(inner)
        os.rename(temporary, name, src_dir_fd=outer, dst_dir_fd=outer)
    except FileNotFoundError:
        return
    except OSError as error:
        with contextlib.suppress(OSError):
            os.rmdir(temporary, dir_fd=outer)
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
