"""What git's files say of a directory: its repository, its name, and the other worktrees.

Neither git nor a library of it takes part. git runs programs that a repository's configuration names, and both wait for
a pipe that stands in the place of a file. (``tracking`` alone has a library read the index, once it is a regular file.)
"""

from trop_core.git.naming import GitFacts, infer
from trop_core.git.places import (
    Worktree,
    common_directory,
    former_places,
    is_in_repository,
    is_locked,
    linked_to,
    recorded_worktrees,
    related,
    worktree_root,
    worktrees,
)

__all__ = [
    "GitFacts",
    "Worktree",
    "common_directory",
    "former_places",
    "infer",
    "is_in_repository",
    "is_locked",
    "linked_to",
    "recorded_worktrees",
    "related",
    "worktree_root",
    "worktrees",
]
