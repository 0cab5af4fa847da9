"""Which files the variables of a directory may be kept in, through every door."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.keeping import PATHS, SECRET, Keeping, block_of
from support.repositories import add_worktree, git, make_repository
from support.sandbox import error_lines

from trop_core.env_files.place import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sandbox import Sandbox


# What git tracks


def test_a_tracked_file_is_refused_unless_that_is_allowed(keeping: Keeping) -> None:
    make_repository(keeping.sandbox.work)
    keeping.file.write_bytes(SECRET)
    git(keeping.sandbox.work, "add", ".env")

    refused = keeping.ask()

    assert refused.code == PATHS[keeping.door]
    assert "git tracks it" in refused.message
    assert keeping.file.read_bytes() == SECRET
    assert not keeping.sandbox.rows()
    assert keeping.outcome(allowTracked=True) == "updated"
    assert keeping.ask(remove=True).code == PATHS[keeping.door]
    assert keeping.outcome(check=True) == "unchanged"


def _in_a_worktree(shop: Path) -> Path:
    (shop / ".env").write_bytes(SECRET)
    git(shop, "add", ".env")
    git(shop, "commit", "-m", "variables")
    return add_worktree(shop, shop.parent / "login")


def _in_a_submodule(shop: Path) -> Path:
    lib = make_repository(shop.parent / "lib")
    (lib / ".env").write_bytes(SECRET)
    git(lib, "add", ".env")
    git(lib, "commit", "-m", "variables")
    git(shop, "submodule", "add", str(lib), "lib")
    return shop / "lib"


def _with_a_broken_index(shop: Path) -> Path:
    (shop / ".env").write_bytes(SECRET)
    (shop / ".git" / "index").write_bytes(b"DIRC and no more")
    return shop


@pytest.mark.parametrize("make", [_in_a_worktree, _in_a_submodule, _with_a_broken_index])
def test_what_git_tracks_or_may_track_is_refused(sandbox: Sandbox, shop: Path, make: Callable[[Path], Path]) -> None:
    directory = make(shop)

    refused = sandbox.trop("env", "--write", ".env", cwd=directory)
    allowed = sandbox.trop("env", "--write", ".env", "--allow-tracked", cwd=directory)

    assert refused.returncode == 4
    message, hint = error_lines(refused)
    assert (
        message == f'"{directory}/.env" cannot be used as a path: git tracks it, or it cannot be told that git does not'
    )
    assert "--allow-tracked" in hint
    assert allowed.returncode == 0, allowed.stderr


def test_a_new_file_of_a_submodule_is_nobody_s_yet(sandbox: Sandbox, shop: Path) -> None:
    directory = _in_a_submodule(shop)

    assert sandbox.trop("env", "--write", ".env.local", cwd=directory).returncode == 0


# Which file


def test_the_target_of_a_link_is_written_and_the_link_stays(sandbox: Sandbox, shop: Path) -> None:
    (shop / "config").mkdir()
    (shop / "config" / "env").write_bytes(SECRET)
    (shop / ".env").symlink_to("config/env")

    done = sandbox.trop("env", "--write", ".env", cwd=shop)

    assert done.returncode == 0, done.stderr
    assert os.readlink(shop / ".env") == "config/env"
    assert block_of(shop / "config" / "env") == ["PORT=5000"]


def _link_to(target: str) -> Callable[[Path], str]:
    def make(directory: Path) -> str:
        (directory / "link").symlink_to(target)
        return "link"

    return make


def _linked_directory(directory: Path) -> str:
    (directory / "out").symlink_to("../elsewhere")
    return "out/.env"


def _nested(directory: Path) -> str:
    make_repository(directory / "vendor" / "lib")
    return "vendor/lib/.env"


def _fifo(directory: Path) -> str:
    os.mkfifo(directory / "fifo")
    return "fifo"


def _large(directory: Path) -> str:
    (directory / "large").write_bytes(b"#" * (LARGEST_FILE + 1))
    return "large"


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda _: "../elsewhere/.env", 4, "it lies outside of the project"),
        (lambda _: "/dev/null", 4, "it lies outside of the project"),
        (_link_to("../elsewhere/.env"), 4, "or leads there by a link"),
        (_linked_directory, 4, "or leads there by a link"),
        (_link_to("link"), 5, "Too many levels of symbolic links"),
        (lambda _: ".", 4, "it is no regular file"),
        (lambda _: ".git/config", 4, "it lies in a git directory"),
        (_link_to(".git/hooks/pre-commit"), 4, "it lies in a git directory"),
        (_nested, 4, "it lies in another repository"),
        (lambda _: "no/such/.env", 4, "its directory does not exist"),
        (lambda _: "sub", 4, "it is no regular file"),
        (_fifo, 4, "it is no regular file"),
        (_large, 7, f"larger than {LARGEST_FILE} bytes"),
    ],
    ids=[
        "outside",
        "a device",
        "a link out",
        "through a link out",
        "a loop",
        "the project itself",
        "of git",
        "a link into git",
        "a repository within",
        "no directory",
        "a directory",
        "a pipe",
        "too large",
    ],
)
def test_a_file_that_is_none_of_the_project_s_is_refused(
    sandbox: Sandbox, shop: Path, make: Callable[[Path], str], code: int, says: str
) -> None:
    sandbox.directory("elsewhere")
    (sandbox.work / "elsewhere" / ".env").write_bytes(SECRET)
    (shop / "sub").mkdir()
    name = make(shop)

    done = sandbox.trop("env", "--write", name, cwd=shop)

    assert done.returncode == code, done.stderr
    assert says in error_lines(done)[0]
    assert (sandbox.work / "elsewhere" / ".env").read_bytes() == SECRET
    assert not sandbox.rows()


def test_from_a_subdirectory_the_files_of_its_worktree_can_be_named(sandbox: Sandbox, shop: Path) -> None:
    (shop / "web").mkdir()

    done = sandbox.trop("env", "--write", "../.env.local", cwd=shop / "web")

    assert done.returncode == 0, done.stderr
    assert (shop / ".env.local").read_bytes().startswith(SECRET)
