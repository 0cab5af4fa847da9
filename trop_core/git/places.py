"""The worktrees of a repository: which one a directory is in, which others there are, and where git remembers them."""

from __future__ import annotations

import os
from itertools import islice

from trop_core.git import configuration, discovery, pointers
from trop_core.git.discovery import nowhere
from trop_core.git.standing import Standing, standing
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.paths import DirectoryState, directory_state, is_within

if TYPE_CHECKING:
    from trop_core.git.discovery import IsSafe

MOST_WORKTREES = 10_000
"""How many records of one repository are read. Anybody can make more of them than anybody has worktrees."""


class Worktree(NamedTuple):
    """A linked worktree as git remembers it: its place, with links followed as far as that exists.

    ``exists`` is false only if the system says that there is no such directory. ``locked`` is git's word for one that
    is to be kept though its directory is away.
    """

    path: str
    exists: bool
    locked: bool


def is_in_repository(path: str, is_safe: IsSafe = nowhere) -> bool:
    """Whether an absolute path, or its nearest existing ancestor, lies in a git repository. As careful as ``infer``."""
    return discovery.find(path, is_safe) is not None


def worktree_root(path: str, is_safe: IsSafe = nowhere) -> str | None:
    """The root of the worktree that an absolute path, or its nearest existing ancestor, lies in; links are followed.

    The main checkout is a worktree, and a submodule is one of its own. Whether the repository knows of it does not
    matter, nor does a configuration that cannot be read. None outside of repositories, in a bare one and within a git
    directory. As careful as ``infer``.
    """
    repository = discovery.find(path, is_safe)
    if repository is None or repository.checkout is None:
        return None
    settings = None if repository.is_linked else configuration.read(repository.main)
    return None if settings is not None and settings.bare else repository.checkout


def common_directory(path: str, is_safe: IsSafe = nowhere) -> str | None:
    """The one name of the git directory that the worktree of an absolute path shares with the others of its repository.

    Only where that repository leads back to this very worktree, or lies in it. None everywhere else, so also for a
    worktree that was moved without git, until git has repaired it, and for a main checkout whose git directory is kept
    apart. As careful as ``infer``.
    """
    repository = discovery.find(path, is_safe)
    if repository is None or repository.checkout is None or standing(repository) is not Standing.MUTUAL:
        return None
    return repository.main


def linked_to(path: str, is_safe: IsSafe = nowhere) -> str | None:
    """The common git directory of the linked worktree that an absolute path lies in, as ``common_directory`` gives it.

    None for a main checkout. As careful as ``infer``.
    """
    repository = discovery.find(path, is_safe)
    return common_directory(path, is_safe) if repository is not None and repository.is_linked else None


def related(one: str, other: str, is_safe: IsSafe = nowhere) -> bool:
    """Whether two absolute paths lie in worktrees of one repository, or in one worktree. As careful as ``infer``."""
    common = common_directory(one, is_safe)
    return common is not None and common == common_directory(other, is_safe)


def worktrees(common: str) -> tuple[str, ...]:
    """The roots of all worktrees that exist of the repository with this common directory, sorted.

    With the main checkout, unless it is bare, and only those whose ``.git`` leads back to the repository. Nothing for
    what is no common directory. As careful as ``infer``.
    """
    main = pointers.canonical(common)
    if main is None:
        return ()
    places = {worktree.path for worktree in recorded_worktrees(main)}
    settings = configuration.read(main)
    if settings is None or not settings.bare:
        worktree = settings.worktree if settings else None
        places.add(pointers.followed(os.path.normpath(os.path.join(main, worktree or ".."))))
    return tuple(sorted(place for place in places if _is_root(place, main)))


def recorded_worktrees(common: str) -> tuple[Worktree, ...]:
    """The linked worktrees that the repository with this common directory remembers, in the order of their paths.

    Also those that no longer exist, or are another's by now; not the main checkout. No more than 10,000 records are
    read. As careful as ``infer``.
    """
    directory = os.path.join(common, discovery.WORKTREES)
    found = []
    for record in _entries(directory):
        link = pointers.pointer(record, "gitdir")
        if link:
            place = pointers.followed(os.path.dirname(link))
            exists = directory_state(place) is not DirectoryState.GONE
            found.append(Worktree(place, exists, os.path.lexists(os.path.join(record, "locked"))))
    return tuple(sorted(found))


def is_locked(path: str, common: str) -> bool:
    """Whether an absolute path, which need not exist, is or lies in a linked worktree that git holds as locked.

    As careful as ``infer``; reads all records of the repository.
    """
    names = (path, pointers.followed(path))
    return any(
        worktree.locked and any(is_within(name, worktree.path) for name in names)
        for worktree in recorded_worktrees(common)
    )


def former_places(path: str, is_safe: IsSafe = nowhere) -> frozenset[str]:
    """Where a directory was when git last heard of the linked worktree that it is, or lies in.

    As git spells it, and with links followed: git notes in the main repository where each linked worktree is, and hears
    nothing of one that is moved without it. Nothing for what is no linked worktree, is where git believes it to be, or
    has another worktree standing there. As careful as ``infer``.
    """
    repository = discovery.find(path, is_safe)
    if repository is None or repository.checkout is None or not repository.is_linked:
        return frozenset()
    link = pointers.pointer(repository.git_directory, "gitdir")
    start = pointers.followed(pointers.nearest_directory(path))
    if not link or not _can_be_stored(link) or standing(repository) is Standing.DENIED:
        return frozenset()
    recorded = os.path.dirname(link)
    former = os.path.normpath(os.path.join(recorded, os.path.relpath(start, repository.checkout)))
    return frozenset({former, pointers.followed(former)} - {start})


def _entries(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry in islice(entries, MOST_WORKTREES)]
    except (OSError, ValueError):
        return []


def _is_root(place: str, main: str) -> bool:
    repository = discovery.find(place)
    if repository is None or (repository.checkout, repository.main) != (place, main):
        return False
    return standing(repository) is Standing.MUTUAL


def _can_be_stored(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
