"""Real git repositories."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = (
    "user.name=Ada",
    "user.email=ada@example.org",
    "commit.gpgsign=false",
    "init.defaultBranch=main",
    "protocol.file.allow=always",
)


def git(directory: Path, *arguments: str) -> None:
    """Run git as nobody in particular: with no configuration but the repository's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"HOME": str(directory), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    options = [part for setting in _SETTINGS for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *options, *arguments],
        cwd=directory,
        env=environment,
        check=False,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def make_repository(directory: Path, *options: str) -> Path:
    """A repository with one commit, on the branch ``main`` unless an option for ``git init`` says otherwise."""
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", *options, ".")
    git(directory, "commit", "--allow-empty", "-m", "first")
    return directory


def make_bare_clone(source: Path, directory: Path) -> Path:
    """A bare repository with the commits and branches of another."""
    git(source, "clone", "--bare", str(source), str(directory))
    return directory


def add_worktree(repository: Path, directory: Path, branch: str = "some-branch") -> Path:
    """A linked worktree of a repository, on a new branch."""
    git(repository, "worktree", "add", "-b", branch, str(directory))
    return directory
