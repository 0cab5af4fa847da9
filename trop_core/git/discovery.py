"""The repository that a directory belongs to, found as git finds it.

Its files are those of gitrepository-layout(5). They are read by hand, in whatever formats its objects and references
are: nothing of that matters to a name. Who owns a repository above a directory does: a stranger may have put it there.
"""

from __future__ import annotations

import os

from trop_core import small_files
from trop_core.git import pointers
from trop_core.light_types import TYPE_CHECKING, NamedTuple, TypeAlias
from trop_core.paths import is_strangers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    IsSafe: TypeAlias = Callable[[str], bool]

WORKTREES = "worktrees"
"""Where a main git directory keeps its record of each linked worktree."""


def nowhere(_directory: str) -> bool:
    """That no directory is one whose repository counts whoever owns it."""
    return False


class Repository(NamedTuple):
    """A git directory, by its one name, and how it was found.

    ``checkout`` is the directory whose ``.git`` leads to it, None from within the git directory itself. ``main`` is the
    git directory that it shares objects and references with; for all but a linked worktree that is itself.
    """

    git_directory: str
    checkout: str | None
    main: str

    @property
    def is_linked(self) -> bool:
        """Whether it says of itself that it is the record of a linked worktree."""
        return self.main != self.git_directory


def find(path: str, is_safe: IsSafe = nowhere) -> Repository | None:
    """The repository of an absolute path, which need not exist: its nearest existing ancestor counts then.

    The first ``.git`` that is a file ends the search, wherever it leads, and so does the first repository. One that
    belongs neither to the caller, nor to root, nor to the owner of the directory says nothing, unless the user calls
    the directory that holds it safe; ``is_safe`` is asked of no other one. What such a stranger has put into a
    directory that is not the stranger's either is passed over, and so is what is no git directory, and what cannot be
    read. As git does it, the search stays within one file system. Variables such as GIT_DIR and GIT_CEILING_DIRECTORIES
    have no say. None where there is none; never an error. Reads only.
    """
    start = pointers.canonical(pointers.nearest_directory(path)) or ""
    trusted = (os.geteuid(), 0, _owner(start)) if start else ()
    for directory in upwards(start) if start else ():
        mark = os.path.join(directory, ".git")
        target = pointers.git_file(mark)
        if target is not None:
            found = _repository(target, directory) if target else None
        elif (found := _repository(mark, directory)) is None:
            mark = os.path.join(directory, "HEAD")
            if (found := _repository(directory, None)) is None:
                continue
        if counts(mark, start, is_safe):
            owners = {_owner(directory), _owner(mark)}
            return found if owners.issubset(trusted) or is_safe(directory) else None
    return None


def counts(mark: str, start: str, is_safe: IsSafe) -> bool:
    """Whether a ``.git``, or a ``HEAD``, ends the search that began at a directory below; see ``find``."""
    place = os.path.dirname(mark)
    return not is_strangers(_owner(mark), place, start) or is_safe(place)


def _owner(path: str) -> int | None:
    """Whom a file or a directory belongs to, and of a link the link itself."""
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def upwards(directory: str) -> Iterator[str]:
    """A directory and those above it, as far as they are on one file system. Looks at each of them."""
    device = _device(directory)
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory or _device(parent) != device:
            return
        directory = parent


def _device(directory: str) -> int | None:
    try:
        return os.stat(directory).st_dev
    except OSError:
        return None


def _repository(place: str, checkout: str | None) -> Repository | None:
    # Most directories are none: that they have no HEAD is found out first.
    head = small_files.read(os.path.join(place, "HEAD"), most=pointers.LARGEST_FILE)
    git_directory = pointers.canonical(place) if isinstance(head, bytes) else None
    main = _main(git_directory) if git_directory else None
    if git_directory is None or main is None:
        return None
    if not all(os.path.isdir(os.path.join(main, name)) for name in ("objects", "refs")):
        return None
    return Repository(git_directory, checkout, main)


def _main(git_directory: str) -> str | None:
    """The main git directory; None where one is named that there is not, or that cannot be read."""
    main = pointers.pointer(git_directory, "commondir")
    if main is None:
        return git_directory
    return pointers.canonical(main) if main else None
