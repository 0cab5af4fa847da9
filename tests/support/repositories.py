"""Real git repositories."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from support.sandbox import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path


def git(*arguments: str, cwd: Path) -> None:
    """Run git, as somebody who has never configured it."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, timeout=PATIENCE)


def make_repository(path: Path, branch: str = "main") -> Path:
    """A repository with one commit."""
    path.mkdir(parents=True)
    git("init", "-q", "-b", branch, cwd=path)
    git("commit", "-q", "--allow-empty", "-m", "begin", cwd=path)
    return path


def add_worktree(repository: Path, path: Path, branch: str) -> Path:
    """A linked worktree of a repository, on a new branch."""
    git("worktree", "add", "-q", "-b", branch, str(path), cwd=repository)
    return path
