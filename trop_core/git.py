"""Project and task of a directory, as far as a git repository tells them.

The repository is found by libgit2, but not opened by it. Opening refuses what reading a name need not fear (another
user's repository, object and reference formats that libgit2 does not know), and the switch that would allow it is one
for the whole process. What is read instead is described in gitrepository-layout(5).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from trop_core.errors.arguments import InvalidIdentifier
from trop_core.models import identifier

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True)
class GitFacts:
    """What a repository says of a directory; None for what it does not say."""

    project: str | None
    task: str | None


_NOTHING = GitFacts(None, None)


_OWED: list[None] = []
"""pygit2 1.21 hands out None without a reference of its own: after thousands of directories that are in no repository,
Python would abort. Each None in here gives one back."""


def infer(path: str) -> GitFacts:
    """Project and task of an absolute path, which need not exist: its nearest existing ancestor counts then.

    The project is the name of the repository's main directory, for a linked worktree too, and ``name`` for a bare
    ``name.git``. The task is the name of a linked worktree's directory, else the current branch, with or without
    commits. Variables such as GIT_DIR have no say. No repository, a broken or unreadable one, no libgit2, or a name
    that is no valid identifier: None, and never an error. Reads only, takes no lock; imports pygit2.
    """
    return _ask(path, _facts) or _NOTHING


def is_in_repository(path: str) -> bool:
    """Whether an absolute path, or its nearest existing ancestor, lies in a git repository. As careful as ``infer``."""
    return _ask(path, lambda start, git_directory: True) or False


def former_places(path: str) -> frozenset[str]:
    """Where a directory was when git last heard of the linked worktree that it is, or lies in.

    As git spells it, and with links followed: git notes in the main repository where each linked worktree is, and hears
    nothing of one that is moved without it. Nothing for what is no linked worktree, or is where git believes it to be.
    As careful as ``infer``.
    """
    return _ask(path, _former_places) or frozenset()


def _ask(path: str, question: Callable[[str, str], T]) -> T | None:
    """What a repository says to a question, which gets the directory that is asked about and its git directory.

    None where there is no repository or no libgit2, or where the repository cannot be read.
    """
    try:
        import pygit2
    except ImportError:
        return None
    try:
        start = os.path.realpath(_nearest_directory(path))
        found = pygit2.discover_repository(start)
        if found is None:
            _OWED.append(found)
            return None
        return question(start, os.path.normpath(found))
    except (pygit2.GitError, OSError, ValueError):
        return None


def _nearest_directory(path: str) -> str:
    while not os.path.isdir(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path


def _facts(start: str, git_directory: str) -> GitFacts:
    checkout = _checkout(start, git_directory)
    common = _common_directory(git_directory)
    if common is None:
        main = _configured_checkout(git_directory) or checkout or _named_after(git_directory)
        task = _branch(git_directory)
    else:
        main = _configured_checkout(common) or _named_after(common)
        task = os.path.basename(checkout) if checkout else None
    return GitFacts(_name("project", os.path.basename(main)), _name("task", task))


def _checkout(start: str, git_directory: str) -> str | None:
    """The directory at or above ``start`` whose ``.git`` leads to ``git_directory``; None from within that itself.

    Its name is the one that the user sees: a worktree's own record is out of date once the directory is renamed.
    """
    directory = start
    while directory != "/" and not os.path.samefile(directory, git_directory):
        link = os.path.join(directory, ".git")
        # The first file of that name is the one that libgit2 followed: it stops at one that leads nowhere.
        if os.path.isfile(link) or (os.path.isdir(link) and os.path.samefile(link, git_directory)):
            return directory
        directory = os.path.dirname(directory)
    return None


def _common_directory(git_directory: str) -> str | None:
    """The main repository's git directory, from that of a linked worktree; None where it is no linked one."""
    try:
        with open(os.path.join(git_directory, "commondir"), "rb") as file:
            common = os.fsdecode(file.read().rstrip(b"\r\n"))
    except FileNotFoundError:
        return None
    return os.path.normpath(os.path.join(git_directory, common))


def _configured_checkout(git_directory: str) -> str | None:
    """The working directory that ``core.worktree`` names: submodules have one. None where it is not set."""
    import pygit2

    # With extensions.worktreeConfig git moves the setting to the first of the two.
    for name in ("config.worktree", "config"):
        config = pygit2.Config(os.path.join(git_directory, name))
        if "core.worktree" in config and (checkout := config["core.worktree"]):
            return os.path.normpath(os.path.join(git_directory, checkout))
    return None


def _named_after(git_directory: str) -> str:
    """The path whose last component names a repository: ``name`` for ``name.git``, else what it is hidden in."""
    parent, name = os.path.split(git_directory)
    return parent if name in (".git", ".bare") else git_directory.removesuffix(".git")


def _former_places(start: str, git_directory: str) -> frozenset[str]:
    checkout = _checkout(start, git_directory)
    if checkout is None:
        return frozenset()
    try:
        with open(os.path.join(git_directory, "gitdir"), "rb") as file:
            link = file.read().rstrip(b"\r\n").decode("utf-8")
    except FileNotFoundError:
        return frozenset()
    recorded = os.path.dirname(os.path.normpath(os.path.join(git_directory, link)))
    former = os.path.normpath(os.path.join(recorded, os.path.relpath(start, checkout)))
    return frozenset({former, os.path.realpath(former)} - {start})


def _branch(git_directory: str) -> str | None:
    """The branch that HEAD names; None where it is detached, or names something else."""
    # As in a path, a byte that is not UTF-8 becomes half of a surrogate pair, which no identifier may hold.
    with open(os.path.join(git_directory, "HEAD"), encoding="utf-8", errors="surrogateescape") as file:
        target = file.readline(4096).removeprefix("ref:").strip()
    # A reftable repository keeps its HEAD elsewhere, and leaves a name here that no branch can have.
    if not target.startswith(_BRANCHES) or target == _BRANCHES + ".invalid":
        return None
    return target.removeprefix(_BRANCHES)


def _name(field: str, value: str | None) -> str | None:
    try:
        return None if value is None else identifier(field, value)
    except InvalidIdentifier:
        return None
