"""The git repository of a directory: project, task and relations come from it."""

from __future__ import annotations

import os

from trop_core.errors.spelling import quoted, shell_word
from trop_core.git import discovery
from trop_core.git.standing import Standing, standing
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import info, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject


def directory(subject: Subject) -> Iterator[Finding]:
    """Whether the directory that is asked about is there: a path may be named, or taken from TROP_PATH, that is not."""
    target = subject.directory
    if target is not None:
        for told in target.warnings:
            yield warning("directory", told, "Name the directory that you mean, or make it.")


def repository(subject: Subject) -> Iterator[Finding]:
    """Whether the repository that the directory lies in is found, counts, and knows of this worktree.

    One that belongs to a stranger says nothing, and one whose record of a worktree leads elsewhere does not relate it
    to the others: such a worktree is refused what its siblings may do.
    """
    target = subject.directory
    if target is None:
        return
    found = discovery.find(target.canonical, subject.context.is_safe)
    if found is None:
        yield from _outside(target.canonical)
        return
    match standing(found):
        case Standing.MOVED:
            told = f"git believes this worktree, {quoted(found.checkout or '')}, elsewhere: it was moved without git"
            yield warning("git", told, f"git -C {shell_word(found.checkout or '')} worktree repair")
        case Standing.DENIED:
            told = f"the repository {quoted(found.main)} does not know of the worktree {quoted(found.checkout or '')}"
            advice = "Project and task are taken from the directory alone. If it is a copy of a worktree, clone it."
            yield warning("git", told, advice)
        case _:
            yield ok("git", found.checkout or found.git_directory)


def _outside(directory: str) -> Iterator[Finding]:
    place = directory
    while True:
        link = os.path.join(place, ".git")
        if os.path.lexists(link):
            advice = (
                f"If it is a repository that you trust, list {quoted(place)} under safe_directories in config.yaml; "
                "else remove what is not git's."
            )
            yield warning("git", f"{quoted(link)} counts for nothing: it is broken, or another user's", advice)
            return
        parent = os.path.dirname(place)
        if parent == place:
            break
        place = parent
    told = f"{quoted(directory)} lies in no repository: nothing tells its project and its task"
    yield info("git", told, "Nothing has to be done; git init makes one, and --project names a project.")
