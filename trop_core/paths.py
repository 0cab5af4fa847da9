"""Paths: as a caller gave them, as the file system knows them, and how two of them relate.

A path is stored as text. What cannot be stored without loss (bytes that are not UTF-8, a NUL, nothing at all) is
refused as ``InvalidPath`` and never mangled.
"""

from __future__ import annotations

import os
import stat
from functools import cache, lru_cache

from trop_core.errors.paths import InvalidPath
from trop_core.light_types import TYPE_CHECKING, Enum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_URI = r"[A-Za-z][A-Za-z0-9+.-]*://|[Ff][Ii][Ll][Ee]:/"


_HANDLE: int = os.O_PATH | os.O_CLOEXEC if hasattr(os, "O_PATH") else 0
"""How to open a place without asking for what is in it: open(2). Linux alone can."""

LONGEST_PATH = 4096
"""PATH_MAX of Linux; other systems take less."""


class DirectoryState(Enum):
    """What the system says of a directory. Only ``GONE`` is a reason to give up its reservation.

    ``AWAY`` is what a look of a cleanup makes of a missing one that may come back; a single look never tells it.
    """

    PRESENT = "present"
    GONE = "gone"
    AWAY = "away"
    UNKNOWN = "unknown"


def check_storable(path: str) -> str:
    """The path itself; raises ``InvalidPath`` if it is empty, too long, holds a NUL or is not valid UTF-8."""
    if not path:
        raise InvalidPath(path, "it is empty", alone=True)
    if len(path) > LONGEST_PATH:
        raise InvalidPath(path, f"it has more than {LONGEST_PATH} characters, which no system takes", alone=True)
    if "\0" in path:
        raise InvalidPath(path, "it holds a NUL character", alone=True)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidPath(
            path,
            "it is not valid UTF-8",
            advice="Rename the directory to a name in UTF-8: another spelling could not be told apart later.",
            alone=True,
        ) from None
    return path


def working_directory() -> str | None:
    """Where this process stands, under its one name; None if that directory is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def explicit(path: str, *, base: str | None) -> str:
    """A path that somebody named: absolute, ``~`` expanded, ``.`` and ``..`` and extra slashes resolved as text.

    ``base`` is the absolute directory at which a relative path starts, or None if there is no such place. Symbolic
    links are not followed, nothing is looked up, and the path need not exist. Raises ``InvalidPath`` for what cannot be
    stored.
    """
    if path[:1] == "/":
        return _normal(path)
    check_storable(path)
    if path[0] == "~":
        path = os.path.expanduser(path)
    if base is None:
        if path[0] != "/":
            advice = "Change to a directory that exists, or give a whole path."
            raise InvalidPath(path, "it is relative, and the working directory no longer exists", advice=advice)
        base = "/"
    return _normal(path if path[0] == "/" else os.path.join(base, path))


@lru_cache
def _normal(path: str) -> str:
    """An absolute path with ``.`` and ``..`` and extra slashes resolved as text. Raises ``InvalidPath``."""
    # POSIX lets exactly two leading slashes mean something else; on the systems that trop runs on they do not.
    return check_storable("/" + os.path.normpath(check_storable(path)).lstrip("/"))


def canonical(path: str) -> str:
    """The one name that the file system has for an absolute path: all links followed, as far as it exists.

    Raises ``InvalidPath`` if that name cannot be stored.
    """
    name = real(check_storable(path))
    return name if name == path else check_storable(name)


def real(path: str) -> str:
    """What ``os.path.realpath`` gives for an absolute path. Raises what that raises.

    That looks at every directory on the way. Where the system itself calls the place so already, no link was on it.
    """
    if _HANDLE:
        try:
            descriptor = os.open(path, _HANDLE)
            try:
                if os.readlink(f"/proc/self/fd/{descriptor}") == path:
                    return path
            finally:
                os.close(descriptor)
        except OSError:
            pass  # it does not exist, nobody may open it, or there is no /proc
    return os.path.realpath(path)


def is_strangers(owner: int | None, place: str, below: str) -> bool:
    """Whether what somebody put into a directory is no business of a directory at or below that.

    That is so for what belongs neither to the caller, nor to root, nor to the owner of either directory: in a place
    that everybody may write, somebody else may put anything. Of an absolute path that does not exist, the nearest
    directory above it has that owner. Looks at the two only for what is neither the caller's nor root's.
    """
    if owner in (os.geteuid(), 0):
        return False
    while not os.path.isdir(below) and (parent := os.path.dirname(below)) != below:
        below = parent
    try:
        return owner not in (os.stat(below).st_uid, os.stat(place).st_uid)
    except (OSError, ValueError):
        return True


def is_there(path: str) -> bool:
    """Whether anything has this name, a link that leads nowhere, too. No also where the system will not tell.

    To ask for nothing else takes a third of the time of ``os.path.lexists`` where there is nothing.
    """
    if not _access_tells():
        return os.path.lexists(path)
    try:
        return os.access(path, os.F_OK, effective_ids=True, follow_symlinks=False)
    except ValueError:
        return False


def first_there(candidates: Iterable[str]) -> str | None:
    """The first of some absolute paths for which ``is_there`` holds; those after it are not looked at."""
    if not _access_tells():
        return next(filter(os.path.lexists, candidates), None)
    access, exists = os.access, os.F_OK
    try:
        return next(
            (path for path in candidates if access(path, exists, effective_ids=True, follow_symlinks=False)), None
        )
    except ValueError:
        return None


def names_there(directory: str, names: Iterable[str]) -> list[str]:
    """Those of some names in an absolute directory for which ``is_there`` holds."""
    beginning = directory if directory in ("", "/") else f"{directory}/"
    if not _access_tells():
        return [name for name in names if os.path.lexists(beginning + name)]
    access, exists = os.access, os.F_OK
    try:
        return [name for name in names if access(beginning + name, exists, effective_ids=True, follow_symlinks=False)]
    except ValueError:
        return []


@cache
def _access_tells() -> bool:
    """Whether the system can be asked so: some libraries cannot, and some containers forbid it, without a word."""
    try:
        return os.access("/", os.F_OK, effective_ids=True, follow_symlinks=False)
    except NotImplementedError:
        return False


def from_uri(text: str) -> str:
    """The path in a ``file:`` URI; a text that is no URI as it is.

    Raises ``InvalidPath`` for a URI of another scheme or host, or one whose escapes are not UTF-8.
    The form is that of RFC 8089.
    """
    if ":/" not in text:
        return text
    import re

    if not re.match(_URI, text):
        return text
    scheme, _, rest = text.partition(":")
    advice = "Give a file:/// URI or a path."
    if scheme.lower() != "file":
        raise InvalidPath(text, "only file:// URIs name a directory on this machine", advice=advice, alone=True)
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    if host.lower() not in ("", "localhost"):
        raise InvalidPath(text, f"it names the machine {host}", advice=advice, alone=True)
    if not path.startswith("/"):
        raise InvalidPath(text, "the URI has no absolute path", advice=advice, alone=True)
    from urllib.parse import unquote_to_bytes

    try:
        return unquote_to_bytes(path.partition("#")[0].partition("?")[0]).decode("utf-8")
    except UnicodeError:  # half of a character, too, which JSON can spell
        raise InvalidPath(text, "its escapes are not valid UTF-8", advice=advice, alone=True) from None


def home_directory() -> str | None:
    """The user's home, absolute, which need not exist; None for a user without one, and for one whose home is ``/``.

    It is the same for all processes of a user: inside of a snap, ``HOME`` is a directory of that one program.
    """
    home = os.environ.get("SNAP_REAL_HOME", "")
    if not os.path.isabs(home):
        home = os.environ.get("HOME", "")
    if not os.path.isabs(home):
        import pwd

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    home = "/" + os.path.normpath(home).lstrip("/")
    return None if home == "/" else home


def home_of_another() -> tuple[str, int, int] | None:
    """The home, the user and the group of whom root works for, where that is somebody else; None for all others."""
    if os.geteuid() != 0:
        return None
    home = home_directory()
    try:
        status = None if home is None else os.stat(home)
    except (OSError, ValueError):
        return None
    return None if home is None or status is None or status.st_uid == 0 else (home, status.st_uid, status.st_gid)


def home_above(path: str) -> tuple[str, int, int] | None:
    """The home in which a path lies, and its user and group, if root is about to make something in it; None otherwise.

    Whose home a directory is says the password database, and that it belongs to that user: anybody can make something
    that looks like one. Every directory on the way from there has to be that user's as well. A link on the way is
    judged by who follows it. A path that leads into a home by a link from elsewhere lies in it, too.
    """
    if os.geteuid() != 0:
        return None
    return _home_above(path, os.path.normpath) or _home_above(os.path.realpath(path), os.path.realpath)


def _home_above(path: str, named: Callable[[str], str]) -> tuple[str, int, int] | None:
    """The same for a path of one spelling, which ``named`` gives a home as well."""
    user = 0
    while path not in ("", "/"):
        try:
            own, led = os.lstat(path), os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            path = os.path.dirname(path)
            continue
        except (OSError, ValueError):
            return None
        home = None if led.st_uid == 0 else _home_of(led.st_uid)
        if home is not None and named(home) == path:
            return (path, led.st_uid, led.st_gid) if user in (0, led.st_uid) else None
        if not stat.S_ISLNK(own.st_mode):
            if own.st_uid == 0 or user not in (0, own.st_uid):
                return None
            user = own.st_uid
        path = os.path.dirname(path)
    return None


def _home_of(user: int) -> str | None:
    import pwd

    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:
        return None
    return home if os.path.isabs(home) else None


def is_for_another(path: str) -> bool:
    """Whether what root makes at a path, or reaches by it, may be somebody else's: ``ownership`` says what then."""
    return home_of_another() is not None or home_above(path) is not None


def is_within(path: str, ancestor: str) -> bool:
    """Whether ``path`` is ``ancestor`` or below it, by component: ``/w/ab`` is not within ``/w/a``."""
    return path == ancestor or path.startswith(ancestor if ancestor.endswith("/") else ancestor + "/")


def related(one: str, other: str) -> bool:
    """Whether one of two paths is the other one or above it."""
    return is_within(one, other) or is_within(other, one)


def directory_state(path: str) -> DirectoryState:
    """What the system says of a directory now. May hang where a network mount is dead: never call it under a lock.

    Gone means that the system says so: missing, or no longer a directory. A permission denied, a loop of links or an
    I/O error says nothing about the directory and is unknown.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return DirectoryState.GONE
    except (OSError, ValueError):
        return DirectoryState.UNKNOWN
    return DirectoryState.PRESENT if stat.S_ISDIR(mode) else DirectoryState.GONE
