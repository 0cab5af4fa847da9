"""Whether git tracks a file: what it writes down of the next commit, its index, says so."""

from __future__ import annotations

import os
import stat

from trop_core.git import discovery, pointers
from trop_core.git.discovery import nowhere
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.git.discovery import IsSafe

_LARGEST_INDEX = 1024 * 1024 * 1024


def is_tracked(path: str, is_safe: IsSafe = nowhere) -> bool:
    """Whether git tracks the file with this absolute path, which need not exist; where that cannot be told, it does.

    So for a repository that belongs to a stranger or is broken, within a git directory, and for an index of a kind that
    is not understood; not for what ``discovery.find`` passes over. Links are followed. pygit2 reads the index and
    nothing else: a repository's configuration may name whatever it likes. Reads only, takes no lock, starts nothing.
    """
    real = pointers.followed(path)
    repository = discovery.find(os.path.dirname(real), is_safe)
    if repository is None:
        return _is_near_git(real, is_safe)
    if repository.checkout is None or os.path.basename(real) == ".git":
        return True
    index = os.path.join(repository.git_directory, "index")
    try:
        status = os.stat(index)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_INDEX:
        return True
    import pygit2

    try:
        return os.path.relpath(real, repository.checkout) in pygit2.Index(index)
    except (pygit2.GitError, OSError, ValueError, TypeError):
        return True


def _is_near_git(path: str, is_safe: IsSafe) -> bool:
    """Whether something above a path calls itself a repository, though it was not taken for one."""
    directory = path
    while (parent := os.path.dirname(directory)) != directory:
        directory = parent
        mark = os.path.join(directory, ".git")
        if os.path.lexists(mark) and discovery.counts(mark, os.path.dirname(path), is_safe):
            return True
    return False
