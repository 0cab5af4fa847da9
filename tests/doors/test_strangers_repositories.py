"""A stranger's ``.git`` in a place that everybody may write: whose directory lies below does not notice it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.repositories import git, make_repository
from support.sandbox import Sandbox, as_json
from support.users import GROUP, USER, as_the_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STRANGER = 12345


@pytest.fixture
def shared(public_place: Path) -> Path:
    """A place for everybody, in a directory in which the user has a ``trop.yaml``."""
    made = public_place / "above" / "shared"
    made.mkdir(parents=True)
    made.chmod(0o1777)
    (made.parent / "trop.yaml").write_text("project: mine\nports: {min: 6100, max: 6199}\n")
    return made


@pytest.fixture
def sandbox(shared: Path) -> Sandbox:
    """Where the user is at work: in a directory of the user's in that place."""
    made = Sandbox(shared)
    made.data.mkdir()
    return made


def give_all_to_the_user(sandbox: Sandbox) -> None:
    given = [sandbox.root.parent, sandbox.home, sandbox.data, sandbox.work]
    subprocess.run(["chown", "-R", f"{USER}:{GROUP}", *map(str, given)], check=True)


def a_repository(shared: Path) -> list[Path]:
    make_repository(shared)
    return [shared / ".git"]


def a_pipe(shared: Path) -> list[Path]:
    os.mkfifo(shared / ".git")
    return [shared / ".git"]


def an_empty_directory(shared: Path) -> list[Path]:
    (shared / ".git").mkdir()
    return [shared / ".git"]


def a_file(shared: Path) -> list[Path]:
    (shared / ".git").write_text("gitdir: /nowhere\n")
    return [shared / ".git"]


def a_link(shared: Path) -> list[Path]:
    (shared / ".git").symlink_to(shared.parent / ".git")
    return [shared / ".git"]


def a_bare_repository(shared: Path) -> list[Path]:
    (shared / "HEAD").write_text("ref: refs/heads/strange\n")
    for name in ("objects", "refs"):
        (shared / name).mkdir()
    return [shared / name for name in ("HEAD", "objects", "refs")]


PLANTS = [a_repository, a_pipe, an_empty_directory, a_file, a_link, a_bare_repository]


def give_to_the_stranger(*made: Path) -> None:
    subprocess.run(["chown", "-R", "-h", f"{STRANGER}:{STRANGER}", *map(str, made)], check=True)


@pytest.mark.parametrize("planted", PLANTS)
@pytest.mark.parametrize("has_repository", [False, True], ids=["without", "with-a-repository"])
def test_it_neither_ends_the_search_nor_keeps_from_writing_a_file(
    sandbox: Sandbox, planted: Callable[[Path], list[Path]], has_repository: bool
) -> None:
    above = sandbox.root.parent
    if has_repository:
        make_repository(above)
    made = planted(sandbox.root)
    give_all_to_the_user(sandbox)
    give_to_the_stranger(*made)

    reserved = as_the_user(sandbox, "call", "trop.reserve", '{"root": true}')
    written = as_the_user(sandbox, "env", "--write", ".env")

    found = as_json(reserved)
    assert found["warnings"] == []
    assert {name: found["reservation"][name] for name in ("port", "project", "task", "path")} == {
        "port": 6100,
        "project": "mine",
        "task": "main" if has_repository else None,
        "path": str(above if has_repository else sandbox.work),
    }
    assert (written.returncode, (sandbox.work / ".env").exists()) == (0, True), written.stderr


def test_the_name_comes_from_ones_own_repository(sandbox: Sandbox) -> None:
    above = make_repository(sandbox.root.parent)
    (above / "trop.yaml").unlink()
    made = a_repository(sandbox.root)
    give_all_to_the_user(sandbox)
    give_to_the_stranger(*made)

    reserved = as_the_user(sandbox, "reserve", "--tag", "web")

    assert reserved.returncode == 0, reserved.stderr
    assert sandbox.rows() == [(str(sandbox.work), "web", 5000, "above", "main")]


def test_what_ones_own_repository_tracks_is_tracked(sandbox: Sandbox) -> None:
    above = make_repository(sandbox.root.parent)
    (sandbox.work / ".env").touch()
    git(above, "add", "shared/work/.env")
    made = an_empty_directory(sandbox.root)
    give_all_to_the_user(sandbox)
    give_to_the_stranger(*made)

    written = as_the_user(sandbox, "env", "--write", ".env")

    assert (written.returncode, "git tracks it" in written.stderr) == (4, True), written.stderr


def test_ones_own_ends_the_search(sandbox: Sandbox) -> None:
    an_empty_directory(sandbox.root)
    give_all_to_the_user(sandbox)
    os.chown(sandbox.root / ".git", USER, GROUP)

    done = as_the_user(sandbox, "reserve")

    assert (done.returncode, done.stdout) == (0, "5000\n"), done.stderr


def test_one_in_a_directory_that_is_called_safe_ends_the_search_and_says_what_is_tracked(sandbox: Sandbox) -> None:
    (sandbox.data / "config.yaml").write_text(f"safe_directories: ['{sandbox.root}']\n")
    (sandbox.work / ".env").touch()
    make_repository(sandbox.root)
    git(sandbox.root, "add", "work/.env")
    give_all_to_the_user(sandbox)
    give_to_the_stranger(sandbox.root / ".git")

    done = as_the_user(sandbox, "reserve")
    without = as_the_user(sandbox, "autoreserve")
    written = as_the_user(sandbox, "env", "--write", ".env")

    assert (done.returncode, done.stdout) == (0, "5000\n"), done.stderr
    assert f'up to "{sandbox.root}", the root of its git worktree' in without.stderr
    assert "git tracks it" in written.stderr
