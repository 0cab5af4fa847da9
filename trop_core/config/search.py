"""Finding a project's files: from a directory upward, as far as they can be the project's, and of whom they are taken.

What stands above a directory may be somebody else's. The search ends at the root of the git worktree that the
directory lies in, and at the home directory, and passes over what belongs to a stranger.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from functools import lru_cache, partial

from trop_core import small_files
from trop_core.config.names import NEAR_NAMES, PROJECT_FILES
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.paths import first_there, is_strangers, is_within, names_there, real

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trop_core.errors.base import TropError

_NOT_READ = "is not read: the file has to be called "
_MOST_LISTED = 10_000
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
"""Reasons that lie with this process, and not with the file: who goes on without it gets another port."""


_WITHOUT: dict[tuple[str, tuple[str, ...]], tuple[int, int, int]] = {}
"""Directories in which none of some names was, as they were then: whoever adds one changes the directory's ctime."""
_MOST_REMEMBERED = 1_000
_SETTLED = 3.0
"""Seconds after which a change has another ctime than the one before: where clocks are coarsest, that takes two."""


class ProjectFile(NamedTuple):
    """One file, and what it holds, or why that cannot be told.

    ``quotable`` says whether a message may hold words of it: not of a file that a link elsewhere makes a project's.
    """

    path: str
    content: bytes
    quotable: bool = True
    failure: TropError | None = None


class Found(NamedTuple):
    """The files that apply to a directory, the stronger one last, and the directory that they are in, if any is.

    ``warnings`` tell of what was seen on the way and not taken.
    """

    directory: str | None
    files: tuple[ProjectFile, ...]
    warnings: tuple[str, ...]


class Ground(NamedTuple):
    """The directory that a search begins at, and where it ends: the worktree's root, and home, by their one names.

    ``real`` is the one name of the ``target``; ``safe`` are the directories in which everybody's files are taken, and
    ``around`` those in which the caller is at work.
    """

    target: str
    real: str
    root: str | None
    home: str | None
    safe: Collection[str] = ()
    around: Collection[str] = ()

    @classmethod
    def of(
        cls,
        target: str,
        *,
        home: str | None,
        safe: Collection[str] = (),
        around: Collection[str] = (),
        real: str | None = None,
    ) -> Ground:
        """The ground of an absolute path, which need not exist. Looks at the file system.

        ``real`` is its one name, for who has just asked for that.
        """
        real = real or _realpath(target)
        return cls(target, real, _root(real, safe), None if home is None else _realpath(home), safe, around)

    @property
    def horizon(self) -> str:
        """How far is looked, as a clause."""
        from trop_core.errors.spelling import quoted

        *_, last = self.directories()
        if _realpath(last) == self.home:
            return f"up to {quoted(last)}, the home directory"
        if self.root is not None:
            return f"up to {quoted(last)}, the root of its git worktree"
        return f"up to {quoted(last)}"

    def directories(self) -> Iterator[str]:
        """The directories in which files count, the nearest first."""
        for directory in _upward(self.target):
            real = directory if self.target == self.real else _realpath(directory)
            if self.root is not None and not is_within(real, self.root):
                return
            yield directory
            if real in (self.root, self.home):
                return

    def takes(self, owner: int) -> bool:
        """Whether somebody's files count here: the caller's, root's, and those of whom the place itself belongs to."""
        if owner in (os.geteuid(), 0):
            return True
        return owner in (_owner(self.target), None if self.root is None else _owner(self.root))

    def is_safe(self, directory: str) -> bool:
        """Whether the user takes everybody's files in a directory."""
        return is_called_safe(directory, self.safe)


def is_called_safe(directory: str, safe: Collection[str]) -> bool:
    """Whether one of some directories that the user calls safe is a directory or above it, as spelled or in fact."""
    if not safe:
        return False
    names, tops = ({*paths, *map(_realpath, paths)} for paths in ((directory,), safe))
    return any(is_within(name, top) for top in tops for name in names)


def find(ground: Ground) -> Found:
    """Look for the project's files of a directory. Opens none but those that count; never waits for one.

    A file that cannot be taken counts as one that is not there, with a warning; one that the system does not let us
    read is there, with its ``failure``. Raises nothing.
    """
    warnings: list[str] = []
    # One look at all names takes a third of the time of one for each directory, and as a rule there is none of them.
    if ground.target != ground.real or first_there(_within(ground.target, ground.root, ground.home)) is not None:
        for directory in ground.directories():
            found = _taken(ground, directory, warnings)
            if found:
                warnings += near_misses(directory)
                return Found(directory, found, tuple(warnings))
    for directory in dict.fromkeys((ground.target, ground.root or ground.target)):
        warnings += usual_near_misses(directory, NEAR_NAMES, PROJECT_FILES)
    return Found(None, (), tuple(warnings))


def in_directory(ground: Ground) -> Found:
    """The same for the target alone, without a search."""
    warnings: list[str] = []
    found = _taken(ground, ground.target, warnings)
    return Found(ground.target, found, (*warnings, *near_misses(ground.target)))


def is_of_near_miss(warning: str) -> bool:
    """Whether a warning is about a name that is nearly the right one."""
    return _NOT_READ in warning


def told_of_near_miss(path: str) -> str | None:
    """What to tell of a file whose name is nearly that of a project's; None of any other. Looks at nothing."""
    directory, name = os.path.split(path)
    return None if name in PROJECT_FILES or _meant(name) not in PROJECT_FILES else _told_of_name(directory, name)


def is_of_project(path: str) -> bool:
    """Whether a file has the name of a project's, or nearly so. Looks at nothing."""
    return os.path.basename(path) in PROJECT_FILES or told_of_near_miss(path) is not None


def usual_near_misses(directory: str, usual: tuple[str, ...], right: Collection[str]) -> tuple[str, ...]:
    """The same as ``near_misses``, where one of the ``usual`` names is there: otherwise the directory is not read."""
    seen = _as_it_is(directory)
    if seen is not None and _WITHOUT.get((directory, usual)) == seen:
        return ()
    there = names_there(directory, usual)
    if not there:
        if seen is not None and time.time() - seen[2] / 1e9 > _SETTLED:
            if len(_WITHOUT) >= _MOST_REMEMBERED:
                _WITHOUT.clear()
            _WITHOUT[directory, usual] = seen
        return ()
    # Where letters are not told by their case, all spellings of a name are there: the directory has the one.
    return near_misses(directory, right) or tuple(
        _told_of_name(directory, name) for name in there if not _is_read(directory, name)
    )


def near_misses(directory: str, right: Collection[str] = PROJECT_FILES) -> tuple[str, ...]:
    """What to tell of files in a directory whose names are nearly the ``right`` ones. Reads the directory."""
    names = []
    try:
        with os.scandir(directory) as entries:
            for _, entry in zip(range(_MOST_LISTED), entries, strict=False):
                if entry.name not in right and _meant(entry.name) in right:
                    names.append(entry.name)
    except OSError:
        return ()
    return tuple(_told_of_name(directory, name) for name in sorted(names) if not _is_read(directory, name))


def is_quotable(path: str, around: Collection[str] = ()) -> bool:
    """Whether a message may hold words of a file: not if a link leads to it from another directory.

    Nor where a directory on the way is a link out of its repository, or out of the directories ``around``, in which the
    caller is at work: who named the file need not know of it.
    """
    directory = os.path.dirname(path)
    return _stays(path) and not any(_strays(each, around) for each in _upward(directory))


def leads_away(path: str) -> bool:
    """Whether a path leads from within a repository out of it by a link: that may be a stranger's link."""
    return any(map(_strays, _upward(path)))


def _taken(ground: Ground, directory: str, warnings: list[str]) -> tuple[ProjectFile, ...]:
    named = names_there(directory, PROJECT_FILES)
    return tuple(filter(None, (_take(ground, directory, name, warnings) for name in named))) if named else ()


def _take(ground: Ground, directory: str, name: str, warnings: list[str]) -> ProjectFile | None:
    path = _in(directory, name)
    seen = _lstat(path)
    if seen is None:
        return None
    from trop_core.errors.spelling import quoted

    safe = ground.is_safe(directory)
    is_link = stat.S_ISLNK(seen.st_mode)
    stays = not is_link or _stays(path)
    quotable = stays and is_quotable(path, ground.around)

    def takes(owner: int) -> bool:
        return safe or ground.takes(owner)

    def takes_target(owner: int) -> bool:
        return owner == os.geteuid() or (takes(owner) and (stays or _in_one_repository(path, ground.safe)))

    content: bytes | small_files.Unread = small_files.Unread("foreign", owner=seen.st_uid)
    if takes(seen.st_uid):
        content = small_files.read(
            path, most=small_files.LARGEST_CONFIGURATION, takes=takes_target if is_link else takes
        )
    if isinstance(content, bytes):
        return ProjectFile(path, content, quotable)
    if content.reason == "missing" and not os.path.islink(path):
        return None  # it was removed meanwhile
    reason = None if content.error is None else content.error.errno
    if content.error is not None and (reason in _NO_DESCRIPTOR or (stays and reason in (errno.EACCES, errno.EPERM))):
        from trop_core.config.file_text import failure

        return ProjectFile(path, b"", quotable, failure(content.error, path))
    outside = not stays and not _in_one_repository(path, ground.safe)
    warnings.append(f"{quoted(path)} is passed over: {_why(content, leads_away=outside)}")
    return None


def _why(unread: small_files.Unread, *, leads_away: bool) -> str:
    match unread.reason:
        case "foreign" if leads_away:
            return f"it is a link to a file of {_name_of(unread.owner)} that lies outside of its repository"
        case "foreign":
            return (
                f"it belongs to {_name_of(unread.owner)}, and neither to you nor to the owner of this directory; "
                "safe_directories in config.yaml can allow it"
            )
        case "missing":
            return "it is a link that leads nowhere"
        case "too_large":
            return f"it is larger than {small_files.LARGEST_CONFIGURATION} bytes"
        case "failed" if unread.error is not None:
            return f"it cannot be read ({unread.error.strerror})"
        case _:
            return "it is no regular file"


def _name_of(owner: int | None) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(-1 if owner is None else owner).pw_name}"
    except (KeyError, OverflowError):
        return f"the user with the id {owner}"


def _stays(path: str) -> bool:
    """Whether what a path leads to lies in the directory that the path names, or below."""
    return is_within(_realpath(path), _realpath(os.path.dirname(path)))


def _strays(path: str, around: Collection[str] = ()) -> bool:
    """Whether a path is a link out of the repository that it lies in, or else out of the directories ``around``."""
    if not os.path.islink(path) or _stays(path) or _in_one_repository(path):
        return False
    from trop_core import git

    real, place = _realpath(path), _realpath(os.path.dirname(path))
    tops = [top for top in map(_realpath, around) if is_within(place, top)]
    return git.is_in_repository(place) or (bool(tops) and not any(is_within(real, top) for top in tops))


def _in_one_repository(path: str, safe: Collection[str] = ()) -> bool:
    from trop_core import git

    return git.related(_realpath(path), _realpath(os.path.dirname(path)), partial(is_called_safe, safe=safe))


def _meant(name: str) -> str:
    """The name that somebody may have meant."""
    meant = name.lower().removeprefix(".")
    return meant.removesuffix(".yml") + ".yaml" if meant.endswith(".yml") else meant


def _told_of_name(directory: str, name: str) -> str:
    from trop_core.errors.spelling import quoted

    return f"{quoted(os.path.join(directory, name))} {_NOT_READ}{_meant(name)}"


def _is_read(directory: str, name: str) -> bool:
    """Whether it is found under the right name too, as on a disk that does not tell letters by their case."""
    own, right = (_lstat(os.path.join(directory, each)) for each in (name, _meant(name)))
    return own is not None and right is not None and os.path.samestat(own, right)


def _root(real: str, safe: Collection[str]) -> str | None:
    """The nearest directory from an absolute one upward in which there is what git would know as a repository's.

    What belongs to a stranger is passed over, as ``trop_core.git.discovery`` does it: the search would end there for
    everybody who has a directory below.
    """
    places = _repositories(real)
    while place := first_there(places):
        seen = _lstat(place)
        if seen is not None and stat.S_IFMT(seen.st_mode) in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
            root = os.path.dirname(place)
            if not is_strangers(seen.st_uid, root, real) or is_called_safe(root, safe):
                return root
        places = places[places.index(place) + 1 :]
    return None


@lru_cache
def _repositories(directory: str) -> tuple[str, ...]:
    """Where ``.git`` may be, from an absolute directory upward."""
    return tuple(_in(each, ".git") for each in _upward(directory))


@lru_cache
def _within(directory: str, root: str | None, home: str | None) -> tuple[str, ...]:
    """Where a project's files may be: see ``Ground.directories``, for a directory that is spelled as it is called."""
    ground = Ground(directory, directory, root, home)
    return tuple(_in(each, name) for each in ground.directories() for name in PROJECT_FILES)


def _in(directory: str, name: str) -> str:
    """The path of a name in an absolute directory."""
    return f"{directory}{name}" if directory == "/" else f"{directory}/{name}"


def _upward(directory: str) -> Iterator[str]:
    """An absolute directory, and those above it. ``os.path.dirname`` would take a good part of a search."""
    yield directory
    while directory != "/":
        directory = directory.rpartition("/")[0] or "/"
        yield directory


def _as_it_is(directory: str) -> tuple[int, int, int] | None:
    """A directory's identity, and when it was last changed, in nanoseconds; None where the system does not tell."""
    try:
        seen = os.stat(directory)
    except (OSError, ValueError):
        return None
    return seen.st_dev, seen.st_ino, seen.st_ctime_ns


def _owner(directory: str) -> int | None:
    try:
        return os.stat(directory).st_uid
    except (OSError, ValueError):
        return None


def _lstat(path: str) -> os.stat_result | None:
    """None also for what may not be looked at: nobody said that it exists."""
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


def _realpath(path: str) -> str:
    try:
        return real(path)
    except (OSError, ValueError, RecursionError):
        return path  # more links than anybody can follow lead nowhere
