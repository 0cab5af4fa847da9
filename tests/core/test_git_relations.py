"""The worktrees of a repository, as the git command itself tells of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE
from support.repositories import add_worktree, git, make_repository
from support.requirements import missing

from trop_core.git import (
    Worktree,
    common_directory,
    infer,
    is_locked,
    recorded_worktrees,
    related,
    worktree_root,
    worktrees,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def told(directory: Path, *arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout.rstrip("\n")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


def bare(tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", "--bare", str(tmp_path / "shop"), str(tmp_path / "store.git"))
    return tmp_path / "store.git"


def submodule(tmp_path: Path) -> Path:
    make_repository(tmp_path / "source", "--initial-branch=trunk")
    arguments = ("submodule", "add", "-q", str(tmp_path / "source"), "libs/pay")
    git(tmp_path / "shop", "-c", "protocol.file.allow=always", *arguments)
    return tmp_path / "shop" / "libs" / "pay"


def below(directory: Path) -> Path:
    (directory / "web" / "src").mkdir(parents=True)
    return directory / "web" / "src"


def separate(tmp_path: Path) -> Path:
    (tmp_path / "checkout").mkdir()
    git(tmp_path / "checkout", "init", "-q", f"--separate-git-dir={tmp_path}/apart.git")
    return tmp_path / "checkout"


def linked(tmp_path: Path, place: str = "login") -> Path:
    return add_worktree(tmp_path / "shop", tmp_path / place, "feature/login")


def with_a_configuration_of_its_own(tmp_path: Path) -> Path:
    made = linked(tmp_path)
    git(made, "sparse-checkout", "set", "src")
    return made


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "main checkout": lambda tmp: tmp / "shop",
    "below a main checkout": lambda tmp: below(tmp / "shop"),
    "linked worktree": linked,
    "below a linked worktree": lambda tmp: below(linked(tmp)),
    "linked worktree inside": lambda tmp: linked(tmp, "shop/.claude/worktrees/x"),
    "worktree of a worktree": lambda tmp: add_worktree(linked(tmp), tmp / "second", "second"),
    "worktree of a bare repository": lambda tmp: add_worktree(bare(tmp), tmp / "login", "login"),
    "worktree with a configuration of its own": with_a_configuration_of_its_own,
    "submodule": submodule,
    "worktree of a submodule": lambda tmp: add_worktree(submodule(tmp), tmp / "pay-login", "login"),
    "repository inside": lambda tmp: make_repository(tmp / "shop" / "vendor" / "lib", "--initial-branch=trunk"),
    "git directory kept apart": separate,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_found_is_what_git_says(tmp_path: Path, shop: Path, layout: str) -> None:
    path = LAYOUTS[layout](tmp_path)

    root = told(path, "rev-parse", "--show-toplevel")
    common = os.path.realpath(path / told(path, "rev-parse", "--git-common-dir"))
    is_main = os.path.realpath(path / told(path, "rev-parse", "--git-dir")) == common
    assert worktree_root(str(path)) == root
    assert common_directory(str(path)) == (None if layout == "git directory kept apart" else common)
    assert infer(str(path)).task == (
        told(path, "symbolic-ref", "--short", "HEAD") if is_main else os.path.basename(root)
    )
    # The first that git lists is the main one, by its checkout where it has one.
    main = told(path, "worktree", "list", "--porcelain").splitlines()[0].removeprefix("worktree ")
    known = os.path.basename(root if is_main else main).removesuffix(".git")
    assert infer(str(path)).project == {"worktree of a submodule": "pay"}.get(layout, known)


@pytest.mark.parametrize("path", ["shop/.git", "shop/.git/hooks", "store.git", "store.git/refs", "", "nowhere/at/all"])
def test_outside_of_worktrees_there_is_no_root(tmp_path: Path, shop: Path, path: str) -> None:
    bare(tmp_path)

    assert worktree_root(str(tmp_path / path)) is None
    assert common_directory(str(tmp_path / path)) is None


def test_a_path_that_does_not_exist_yet_lies_in_the_worktree_around_it(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "link").symlink_to(shop)

    assert worktree_root(str(shop / "not" / "yet")) == str(shop)
    assert worktree_root(str(tmp_path / "link" / "not" / "yet")) == str(shop)


def test_a_configuration_that_cannot_be_read_does_not_hide_the_root(shop: Path) -> None:
    (shop / ".git" / "config").write_text("[broken\n")

    assert worktree_root(str(shop)) == str(shop)
    assert common_directory(str(shop)) == str(shop / ".git")


def test_all_worktrees_are_listed_as_git_lists_them(tmp_path: Path, shop: Path) -> None:
    for name in ("b", "a", "shop/.claude/worktrees/x"):
        add_worktree(shop, tmp_path / name, os.path.basename(name))

    found = worktrees(str(shop / ".git"))

    listed = told(shop, "worktree", "list", "--porcelain").splitlines()
    assert found == tuple(sorted(line.removeprefix("worktree ") for line in listed if line.startswith("worktree ")))
    assert len(found) == 4
    assert all(common_directory(root) == str(shop / ".git") for root in found)


def test_a_bare_repository_has_no_main_checkout(tmp_path: Path, shop: Path) -> None:
    store = bare(tmp_path)
    login = add_worktree(store, tmp_path / "login", "login")

    assert worktrees(str(store)) == (str(login),)


def test_a_submodule_has_its_checkout_and_its_own_worktrees(tmp_path: Path, shop: Path) -> None:
    main = submodule(tmp_path)
    other = add_worktree(main, tmp_path / "other", "other")

    assert worktrees(str(shop / ".git" / "modules" / "libs" / "pay")) == tuple(sorted((str(main), str(other))))
    assert worktrees(str(shop / ".git")) == (str(shop),)


def test_a_worktree_that_is_gone_moved_or_replaced_is_remembered_and_not_listed(tmp_path: Path, shop: Path) -> None:
    for name in ("deleted", "moved", "replaced", "there"):
        add_worktree(shop, tmp_path / name, name)
    shutil.rmtree(tmp_path / "deleted")
    (tmp_path / "moved").rename(tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "replaced")
    make_repository(tmp_path / "replaced")

    assert worktrees(str(shop / ".git")) == (str(shop), str(tmp_path / "there"))
    assert recorded_worktrees(str(shop / ".git")) == (
        Worktree(str(tmp_path / "deleted"), exists=False, locked=False),
        Worktree(str(tmp_path / "moved"), exists=False, locked=False),
        Worktree(str(tmp_path / "replaced"), exists=True, locked=False),
        Worktree(str(tmp_path / "there"), exists=True, locked=False),
    )


@pytest.mark.parametrize("common", ["nowhere", "shop", "file", "with\0nul"])
def test_what_is_no_common_directory_has_no_worktrees(tmp_path: Path, shop: Path, common: str) -> None:
    (tmp_path / "file").write_text("")

    assert worktrees(f"{tmp_path}/{common}") == ()
    assert recorded_worktrees(f"{tmp_path}/{common}") == ()
    assert not is_locked(str(shop), f"{tmp_path}/{common}")


@pytest.mark.parametrize("reason", [(), ("--reason", "on a stick")])
def test_a_locked_worktree_is_kept_with_all_that_lies_in_it(
    tmp_path: Path, shop: Path, reason: tuple[str, ...]
) -> None:
    common = str(shop / ".git")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("stick", "other"):
        add_worktree(shop, tmp_path / name, name)
    git(shop, "worktree", "lock", *reason, str(tmp_path / "stick"))

    for _ in ("there", "away"):
        locked = ("stick", "stick/web", "link/stick", "link/stick/not/yet")
        assert [is_locked(str(tmp_path / path), common) for path in locked] == [True] * 4
        free = ("other", "sticky", "", "shop", "shop/stick")
        assert [is_locked(str(tmp_path / path), common) for path in free] == [False] * 5
        shutil.rmtree(tmp_path / "stick", ignore_errors=True)
    assert Worktree(str(tmp_path / "stick"), exists=False, locked=True) in recorded_worktrees(common)

    git(shop, "worktree", "unlock", str(tmp_path / "stick"))

    assert not is_locked(str(tmp_path / "stick"), common)


def test_worktrees_of_two_repositories_are_not_related(tmp_path: Path, shop: Path) -> None:
    other = make_repository(tmp_path / "other")
    one, two = add_worktree(shop, tmp_path / "one", "one"), add_worktree(other, tmp_path / "two", "two")

    assert not related(str(one), str(two))
    assert not related(str(tmp_path), str(tmp_path))


AS_NOBODY = """
import os, sys
import trop_core.git as git
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
shop, login = sys.argv[1:]
print(git.infer(login), git.common_directory(login), git.worktree_root(login), git.worktrees(shop + "/.git"))
"""


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        pytest.param(None, "GitFacts(project='shop', task='login') {shop}/.git {login} ('{login}', '{shop}')", id="no"),
        pytest.param("shop/.git/worktrees/login/gitdir", "GitFacts(project=None, task=None) None {login} ('{shop}',)"),
        pytest.param("shop/.git/worktrees", "GitFacts(project=None, task=None) None None ('{shop}',)"),
        pytest.param("shop/.git", "GitFacts(project=None, task=None) None None ()"),
        pytest.param("login", "GitFacts(project=None, task=None) None None ('{shop}',)"),
    ],
)
def test_what_may_not_be_read_is_not_known(public_place: Path, closed: str | None, expected: str) -> None:
    shop = make_repository(public_place / "shop")
    login = add_worktree(shop, public_place / "login", "login")
    if closed is not None:
        (public_place / closed).chmod(0)

    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(shop), str(login)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert done.stdout.strip() == expected.format(shop=shop, login=login)


IN_A_NAMESPACE = """
import subprocess, sys
from trop_core.git import infer, worktree_root
mounted = subprocess.run(["mount", "-t", "tmpfs", "none", sys.argv[1] + "/volume"]).returncode == 0
print(mounted, worktree_root(sys.argv[1] + "/volume"), worktree_root(sys.argv[1] + "/other"))
"""


def test_the_search_stays_on_its_file_system(shop: Path) -> None:
    (shop / "volume").mkdir()
    (shop / "other").mkdir()
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        missing("this user may not mount anything")

    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", IN_A_NAMESPACE, str(shop)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert done.stdout == f"True None {shop}\n"
