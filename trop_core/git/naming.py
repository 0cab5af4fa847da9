"""Project and task of a directory, as far as a git repository tells them."""

from __future__ import annotations

import os

from trop_core import small_files
from trop_core.errors.arguments import InvalidIdentifier
from trop_core.git import configuration, discovery, pointers
from trop_core.git.discovery import nowhere
from trop_core.git.standing import Standing, standing
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import identifier

if TYPE_CHECKING:
    from trop_core.git.discovery import IsSafe

_BRANCHES = "refs/heads/"


class GitFacts(NamedTuple):
    """What a repository says of a directory; None for what it does not say."""

    project: str | None
    task: str | None


_NOTHING = GitFacts(None, None)


def infer(path: str, is_safe: IsSafe = nowhere) -> GitFacts:
    """Project and task of an absolute path, which need not exist: its nearest existing ancestor counts then.

    The project is the name of the repository's main directory, for a linked worktree too, and ``name`` for a bare
    ``name.git``. The task is the name of a linked worktree's directory, else the current branch, with or without
    commits. Variables such as GIT_DIR have no say. No repository, a broken or unreadable one, one that does not know of
    the ``.git`` that leads to it, or a name that is no valid identifier: None, and never an error. Of a worktree that
    was moved without git, the repository still knows. ``is_safe`` says in which directories a repository counts that
    belongs to a stranger; so for all functions of this package. Reads only, takes no lock.
    """
    repository = discovery.find(path, is_safe)
    if repository is None:
        return _NOTHING
    known = standing(repository)
    settings = configuration.read(repository.main)
    if known is Standing.DENIED or settings is None:
        return _NOTHING
    checkout, main = repository.checkout, None
    # A submodule that was moved without git has the name of the directory that it is in now.
    if settings.worktree is not None and (repository.is_linked or known is not Standing.MOVED):
        named = os.path.normpath(os.path.join(repository.main, settings.worktree))
        # Anybody can write there whose directory they like: that one has to lead back.
        there = discovery.find(named, is_safe)
        main = named if there is not None and there.main == repository.main else None
    if repository.is_linked:
        task = os.path.basename(checkout) if checkout else None
        return _facts(main or _named_after(repository.main), task)
    return _facts(main or checkout or _named_after(repository.main), _branch(repository.git_directory))


def _facts(main: str, task: str | None) -> GitFacts:
    return GitFacts(_name("project", os.path.basename(main)), _name("task", task))


def _named_after(git_directory: str) -> str:
    """The path whose last component names a repository: ``name`` for ``name.git``, else what it is hidden in."""
    parent, name = os.path.split(git_directory)
    return parent if name in (".git", ".bare") else git_directory.removesuffix(".git")


def _branch(git_directory: str) -> str | None:
    """The branch that HEAD names; None where it is detached, or names something else."""
    content = small_files.read(os.path.join(git_directory, "HEAD"), most=pointers.LARGEST_FILE)
    if not isinstance(content, bytes):
        return None
    # As in a path, a byte that is not UTF-8 becomes half of a surrogate pair, which no identifier may hold.
    first = content.partition(b"\n")[0].decode("utf-8", errors="surrogateescape")
    target = first.removeprefix("ref:").strip()
    # A reftable repository keeps its HEAD elsewhere, and leaves a name here that no branch can have.
    if not target.startswith(_BRANCHES) or target == _BRANCHES + ".invalid":
        return None
    return target.removeprefix(_BRANCHES)


def _name(field: str, value: str | None) -> str | None:
    try:
        return None if value is None else identifier(field, value)
    except InvalidIdentifier:
        return None
