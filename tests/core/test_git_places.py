"""Where git remembers a linked worktree to be, and whether there is a repository at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, git

from trop_core.git import former_places, is_in_repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def moved(tmp_path: Path, shop: Path) -> Path:
    """A linked worktree that was at ``login`` and is at ``signup``."""
    return add_worktree(shop, tmp_path / "login", "login").rename(tmp_path / "signup")


def test_a_worktree_that_was_moved_without_git_was_where_git_says(tmp_path: Path, moved: Path) -> None:
    (moved / "web").mkdir()

    assert former_places(str(moved)) == {str(tmp_path / "login")}
    assert former_places(str(moved / "web")) == {str(tmp_path / "login" / "web")}


def test_a_relative_record_is_found(tmp_path: Path, shop: Path, moved: Path) -> None:
    (shop / ".git" / "worktrees" / "login" / "gitdir").write_text("../../../../login/.git\n")

    assert former_places(str(moved)) == {str(tmp_path / "login")}


def test_both_names_of_a_place_count(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    worktree = add_worktree(shop, tmp_path / "real" / "login", "login")
    (shop / ".git" / "worktrees" / "login" / "gitdir").write_text(f"{tmp_path}/link/login/.git\n")
    moved = worktree.rename(tmp_path / "signup")

    assert former_places(str(moved)) == {str(tmp_path / "link" / "login"), str(tmp_path / "real" / "login")}


def test_a_worktree_that_is_where_git_believes_it_to_be_was_nowhere_else(shop: Path, moved: Path) -> None:
    git(shop, "worktree", "repair", str(moved))

    assert former_places(str(moved)) == frozenset()


@pytest.mark.parametrize("record", [b"/w/\xff/.git\n", b"/w/\0/.git\n", None], ids=["no UTF-8", "a NUL", "missing"])
def test_a_record_that_cannot_be_used_says_nothing(shop: Path, moved: Path, record: bytes | None) -> None:
    file = shop / ".git" / "worktrees" / "login" / "gitdir"
    file.unlink()
    if record is not None:
        file.write_bytes(record)

    assert former_places(str(moved)) == frozenset()


def test_a_worktree_without_its_repository_says_nothing(shop: Path, moved: Path) -> None:
    shutil.rmtree(shop)

    assert former_places(str(moved)) == frozenset()
    assert not is_in_repository(str(moved))


def test_a_plain_clone_and_the_inside_of_a_git_directory_have_no_other_place(shop: Path) -> None:
    moved = shop.rename(shop.with_name("store"))

    assert former_places(str(moved)) == former_places(str(moved / ".git")) == frozenset()


def test_what_lies_in_a_repository(tmp_path: Path, shop: Path, moved: Path) -> None:
    (shop / "web").mkdir()

    found = {path: is_in_repository(str(path)) for path in (shop, shop / "web", shop / "not-yet", moved, tmp_path)}

    assert found == {shop: True, shop / "web": True, shop / "not-yet": True, moved: True, tmp_path: False}
