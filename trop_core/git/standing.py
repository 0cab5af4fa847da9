"""What a repository says to the ``.git`` that leads to it.

Anybody can write a file that leads to somebody else's repository, or a link that does. What counts is whether that
repository knows of it.
"""

from __future__ import annotations

import os

from trop_core.git import configuration, pointers
from trop_core.git.discovery import WORKTREES
from trop_core.light_types import TYPE_CHECKING, Enum
from trop_core.paths import is_within

if TYPE_CHECKING:
    from trop_core.git.discovery import Repository


class Standing(Enum):
    """How a checkout stands to the git directory that was found for it."""

    MUTUAL = "mutual"
    """The git directory lies in the checkout, or leads back to it; or the search began within the git directory."""

    MOVED = "moved"
    """It leads back to a place where nobody is any more."""

    SILENT = "silent"
    """It leads back nowhere, and nothing says that it is another's: git keeps one apart that way, if it is told to."""

    DENIED = "denied"
    """It is another's, or cannot be asked."""


def standing(repository: Repository) -> Standing:
    """How the checkout of a repository stands to its git directory. Reads only; never an error."""
    if repository.is_linked:
        return _of_linked_worktree(repository)
    checkout, git_directory = repository.checkout, repository.git_directory
    if checkout is None or git_directory == os.path.join(checkout, ".git"):
        return Standing.MUTUAL
    return _of_main_checkout(checkout, git_directory)


def _of_linked_worktree(repository: Repository) -> Standing:
    if os.path.dirname(repository.git_directory) != os.path.join(repository.main, WORKTREES):
        # It calls itself a record of that repository, and is none.
        return Standing.DENIED
    if repository.checkout is None:
        return Standing.MUTUAL
    link = pointers.pointer(repository.git_directory, "gitdir")
    return _leading_back(link, repository.checkout) if link else Standing.DENIED


def _of_main_checkout(checkout: str, git_directory: str) -> Standing:
    settings = configuration.read(git_directory)
    if settings is None:
        return Standing.DENIED
    if settings.worktree is not None:
        place = os.path.normpath(os.path.join(git_directory, settings.worktree))
        return _leading_back(os.path.join(place, ".git"), checkout)
    around, name = os.path.split(git_directory)
    if around == checkout:
        return Standing.MUTUAL
    # A name like these, or being bare, is how a git directory says that it belongs to the place where it is.
    belongs_there = settings.bare or name in (".git", ".bare")
    return Standing.DENIED if belongs_there and not is_within(git_directory, checkout) else Standing.SILENT


def _leading_back(link: str, checkout: str) -> Standing:
    """What it says of a checkout that a ``.git`` is recorded at this place."""
    place, name = os.path.split(link)
    if name == ".git" and pointers.is_same_directory(place, checkout):
        return Standing.MUTUAL
    return Standing.MOVED if pointers.is_gone(link) else Standing.DENIED
