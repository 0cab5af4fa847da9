"""Directories that are missing now and may come back: on a volume that is not mounted, or a worktree that git holds.

A look may hang where the file system does: never under a lock.
"""

from __future__ import annotations

import os

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from trop_core.light_types import TypeAlias

    CommonDirectory: TypeAlias = Callable[[str], str | None]

MOST_ASKED = 100
"""In how many places is looked for the repositories that may hold what is missing."""

_MOUNT_PLACES = {"/mnt": 1, "/Volumes": 1, "/media": 2, "/run/media": 2}
"""Where systems mount what can be taken out, and how many levels below that the mount points are: udisks makes one
directory for each user first. https://refspecs.linuxfoundation.org/FHS_3.0/fhs-3.0.html, /media and /mnt."""
_BELOW_THEM = tuple(f"{place}/" for place in _MOUNT_PLACES)


def may_pass(path: str, git_directory: str | None, links: dict[str, bool | None]) -> bool:
    """Whether a missing directory's absence may pass.

    ``git_directory`` is the common one of the repository whose worktree it was. No other repository is asked: anybody
    can write into one of their own that it has this worktree, too. Where nothing was noted, see ``locked_among``.
    ``links`` is what was found out so far, in one look at many, of directories above them: whether they lead to a
    volume that is absent, or None of those that are missing themselves.
    """
    if _is_on_absent_volume(path) or _leads_to_absent_volume(path, links):
        return True
    return git_directory is not None and _is_locked(path, git_directory)


def _leads_to_absent_volume(path: str, links: dict[str, bool | None]) -> bool:
    """The same of where a missing path leads, by a link on the way that may be one to nothing now."""
    above = os.path.dirname(path)
    if above not in links:
        ancestor = _nearest_existing(above)
        real = os.path.realpath(ancestor)
        is_absent = real != ancestor and _is_on_absent_volume(real)
        links[above] = is_absent if is_absent or ancestor == above else None
    if links[above] is False and os.path.islink(path):
        return _is_on_absent_volume(os.path.realpath(path))
    return bool(links[above])


def _nearest_existing(path: str) -> str:
    while not os.path.lexists(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path


def _is_on_absent_volume(path: str) -> bool:
    """Whether the nearest existing ancestor is where volumes are mounted, or a mount point with nothing on it."""
    # An ancestor can only be there if the path is below: most are not, and need no look.
    if not path.startswith(_BELOW_THEM) and path not in _MOUNT_PLACES:
        return False
    ancestor = _nearest_existing(path)
    if ancestor in _MOUNT_PLACES:
        return True
    for place, levels in _MOUNT_PLACES.items():
        below = ancestor.removeprefix(f"{place}/")
        if below != ancestor and below.count("/") < levels:
            return not os.path.ismount(ancestor) and (_is_empty_directory(ancestor) or _has_volumes(ancestor))
    return False


def locked_among(
    missing: Collection[str], anchors: Iterable[str], present: Iterable[str], common_directory: CommonDirectory
) -> frozenset[str]:
    """Those of some missing directories that a repository holds as locked worktrees, for which nothing tells whose.

    Asked are the repositories of the caller's ``anchors``, of the directories above the missing ones, and of others
    that are ``present``, those beside the missing ones first: a hundred places, as far as the system tells in time.
    That one of them may claim what is not its own keeps a reservation, and takes none.
    """
    from trop_core import git, looks
    from trop_core.git.pointers import followed

    above = dict.fromkeys(map(os.path.dirname, missing))
    beside_first = sorted(present, key=lambda path: os.path.dirname(path) not in above)
    places = list(dict.fromkeys((*anchors, *above, *beside_first)))[:MOST_ASKED]
    asked = looks.at_each(places, common_directory)
    found = looks.at_each({common for common in asked.values() if common is not None}, git.recorded_worktrees)
    held = {worktree.path for worktrees in found.values() for worktree in worktrees if worktree.locked}
    return frozenset(path for path in missing if held and not held.isdisjoint(_upward(path, followed(path))))


def _upward(*paths: str) -> set[str]:
    """Some absolute paths, and all that is above them."""
    found = set(paths)
    for path in paths:
        while (parent := os.path.dirname(path)) != path:
            found.add(path := parent)
    return found


def _is_empty_directory(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        # What cannot be looked into may well be a volume.
        return os.path.isdir(path)


def _has_volumes(path: str) -> bool:
    """Whether a directory is one for mount points: the one that is missing may have been another of them."""
    try:
        with os.scandir(path) as entries:
            return any(os.path.ismount(entry.path) for entry in entries)
    except OSError:
        return False


def _is_locked(path: str, git_directory: str) -> bool:
    from trop_core import git

    return git.is_locked(path, git_directory)
