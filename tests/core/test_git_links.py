"""Whether a repository knows of the ``.git`` that leads to it: anybody can write one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.repositories import add_worktree, git, make_repository

from trop_core.git import GitFacts, common_directory, former_places, infer, is_in_repository, related, worktree_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOTHING = GitFacts(None, None)


class Scene(NamedTuple):
    """Somebody's repository with a linked worktree, ``login``, and a directory that is a stranger's."""

    shop: Path
    login: Path
    stranger: Path

    @property
    def record(self) -> Path:
        return self.shop / ".git" / "worktrees" / "login"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    shop = make_repository(tmp_path / "shop", "--initial-branch=secret")
    login = add_worktree(shop, tmp_path / "login", "login")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    return Scene(shop, login, stranger)


def names(scene: Scene, target: Path) -> None:
    (scene.stranger / ".git").write_text(f"gitdir: {target}\n")


def claims_to_be_a_record(scene: Scene) -> None:
    """A git directory of the stranger's own that says that it belongs to the repository."""
    own = scene.stranger / "own"
    shutil.copytree(scene.record, own)
    (own / "commondir").write_text(f"{scene.shop}/.git\n")
    (own / "gitdir").write_text(f"{scene.stranger}/.git\n")
    names(scene, own)


def claims_to_be_a_record_within(scene: Scene) -> None:
    own = scene.stranger / "worktrees" / "own"
    shutil.copytree(scene.record, own)
    (own / "commondir").write_text(f"{scene.shop}/.git\n")
    (own / "gitdir").write_text(f"{scene.stranger}/.git\n")
    names(scene, own)


def git_directory_with_a_common_one(scene: Scene) -> None:
    shutil.copytree(scene.record, scene.stranger / ".git")
    (scene.stranger / ".git" / "commondir").write_text(f"{scene.shop}/.git\n")
    (scene.stranger / ".git" / "gitdir").write_text(f"{scene.stranger}/.git\n")


def bare_elsewhere(scene: Scene) -> None:
    bare = scene.shop.with_name("store.git")
    git(scene.shop, "clone", "-q", "--bare", str(scene.shop), str(bare))
    names(scene, bare)


def hidden_elsewhere(scene: Scene) -> None:
    hidden = scene.shop.with_name("store") / ".bare"
    git(scene.shop, "clone", "-q", "--bare", str(scene.shop), str(hidden))
    git(hidden, "config", "core.bare", "false")
    names(scene, hidden)


def submodule_elsewhere(scene: Scene) -> None:
    source = make_repository(scene.shop.with_name("source"))
    git(scene.shop, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(source), "lib")
    names(scene, scene.shop / ".git" / "modules" / "lib")


FAKES: dict[str, Callable[[Scene], object]] = {
    "a file that names a worktree's record": lambda scene: names(scene, scene.record),
    "a file that names the git directory": lambda scene: names(scene, scene.shop / ".git"),
    "a link to the git directory": lambda scene: (scene.stranger / ".git").symlink_to(scene.shop / ".git"),
    "a link to a worktree's record": lambda scene: (scene.stranger / ".git").symlink_to(scene.record),
    "a link to a worktree's file": lambda scene: (scene.stranger / ".git").symlink_to(scene.login / ".git"),
    "a second name of a worktree's file": lambda scene: os.link(scene.login / ".git", scene.stranger / ".git"),
    "a copy of a worktree": lambda scene: shutil.copytree(scene.login, scene.stranger, dirs_exist_ok=True),
    "a record of its own": claims_to_be_a_record,
    "a record of its own in a folder of that name": claims_to_be_a_record_within,
    "a git directory with a common one": git_directory_with_a_common_one,
    "a bare repository elsewhere": bare_elsewhere,
    "a hidden repository elsewhere": hidden_elsewhere,
    "a submodule elsewhere": submodule_elsewhere,
}


@pytest.mark.parametrize("fake", FAKES)
def test_a_stranger_gets_no_name_from_a_repository_that_does_not_know_of_it(scene: Scene, fake: str) -> None:
    FAKES[fake](scene)
    (scene.stranger / "web").mkdir()

    for path in (scene.stranger, scene.stranger / "web", scene.stranger / "not-yet"):
        assert infer(str(path)) == NOTHING
        assert common_directory(str(path)) is None
        assert not related(str(path), str(scene.shop))
        assert not related(str(scene.login), str(path))
        assert not related(str(path), str(path))
        assert former_places(str(path)) == frozenset()
    assert is_in_repository(str(scene.stranger))
    assert infer(str(scene.login)) == GitFacts("shop", "login")


def test_a_worktree_and_its_main_checkout_know_of_each_other(scene: Scene) -> None:
    (scene.login / "web").mkdir()
    common = str(scene.shop / ".git")

    assert common_directory(str(scene.shop)) == common_directory(str(scene.login / "web")) == common
    assert related(str(scene.shop / "not-yet"), str(scene.login / "web"))
    assert related(str(scene.login), str(scene.login / "web"))


def test_a_relative_record_leads_back_as_well(scene: Scene) -> None:
    # As git 2.48 writes them with worktree.useRelativePaths.
    (scene.login / ".git").write_text("gitdir: ../shop/.git/worktrees/login\n")
    (scene.record / "gitdir").write_text("../../../../login/.git\n")

    assert infer(str(scene.login)) == GitFacts("shop", "login")
    assert related(str(scene.shop), str(scene.login))


def test_a_record_through_a_link_to_the_same_place_leads_back(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (scene.record / "gitdir").write_text(f"{tmp_path}/link/login/.git\n")

    assert related(str(tmp_path / "link" / "shop"), str(tmp_path / "link" / "login"))


def test_a_worktree_that_git_moved_is_still_known(scene: Scene, tmp_path: Path) -> None:
    git(scene.shop, "worktree", "move", str(scene.login), str(tmp_path / "signup"))

    assert infer(str(tmp_path / "signup")) == GitFacts("shop", "signup")
    assert related(str(tmp_path / "signup"), str(scene.shop))
    assert former_places(str(tmp_path / "signup")) == frozenset()


def test_a_worktree_that_was_moved_without_git_has_its_name_and_no_relatives_until_it_is_repaired(
    scene: Scene, tmp_path: Path
) -> None:
    moved = scene.login.rename(tmp_path / "signup")

    before = infer(str(moved)), related(str(moved), str(scene.shop)), former_places(str(moved))
    git(scene.shop, "worktree", "repair", str(moved))
    after = infer(str(moved)), related(str(moved), str(scene.shop)), former_places(str(moved))

    assert before == (GitFacts("shop", "signup"), False, frozenset({str(scene.login)}))
    assert after == (GitFacts("shop", "signup"), True, frozenset())


@pytest.mark.parametrize(
    ("put_there", "known"),
    [
        pytest.param(lambda place: place.mkdir(), True, id="a directory without a repository"),
        pytest.param(make_repository, False, id="another repository"),
        pytest.param(lambda place: (place.mkdir(), (place / ".git").symlink_to("nowhere")), False, id="a dead link"),
        pytest.param(lambda place: place.symlink_to(place), False, id="nobody knows what"),
    ],
)
def test_a_moved_worktree_is_known_while_nobody_else_stands_where_it_was(
    scene: Scene, tmp_path: Path, put_there: Callable[[Path], object], known: bool
) -> None:
    moved = scene.login.rename(tmp_path / "signup")
    put_there(scene.login)

    assert infer(str(moved)) == (GitFacts("shop", "signup") if known else NOTHING)
    assert former_places(str(moved)) == ({str(scene.login)} if known else frozenset())
    assert worktree_root(str(moved)) == str(moved)


def test_a_file_of_another_name_in_the_record_does_not_lead_back(scene: Scene) -> None:
    (scene.login / "other").write_text("")
    (scene.record / "gitdir").write_text(f"{scene.login}/other\n")

    assert infer(str(scene.login)) == NOTHING


def test_a_submodule_knows_of_its_checkout(scene: Scene, tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source")
    git(scene.shop, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(source), "libs/pay")
    submodule = scene.shop / "libs" / "pay"

    assert common_directory(str(submodule)) == str(scene.shop / ".git" / "modules" / "libs" / "pay")
    assert not related(str(submodule), str(scene.shop))

    moved = submodule.rename(scene.shop / "libs" / "bill")

    assert infer(str(moved)) == GitFacts("bill", "main")
    assert common_directory(str(moved)) is None


def test_a_git_directory_kept_apart_gives_its_branch_and_no_relatives(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    git(tmp_path / "checkout", "init", "-q", "-b", "trunk", f"--separate-git-dir={tmp_path}/apart.git")

    assert infer(str(tmp_path / "checkout")) == GitFacts("checkout", "trunk")
    assert common_directory(str(tmp_path / "checkout")) is None


def test_a_git_directory_kept_apart_within_the_checkout_is_no_other_ones(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "checkout" / "store").mkdir(parents=True)
    git(tmp_path / "checkout", "init", "-q", "-b", "trunk", f"--separate-git-dir={tmp_path}/checkout/store/.git")

    assert infer(str(tmp_path / "checkout")) == GitFacts("checkout", "trunk")


def test_a_hidden_repository_and_its_worktrees_know_of_each_other(scene: Scene, tmp_path: Path) -> None:
    store = tmp_path / "store"
    git(tmp_path, "clone", "-q", "--bare", str(scene.shop), str(store / ".bare"))
    (store / ".git").write_text("gitdir: ./.bare\n")
    one, other = (add_worktree(store, place, place.name) for place in (store / "one", tmp_path / "other"))

    assert {common_directory(str(path)) for path in (store, one, other)} == {str(store / ".bare")}
    assert worktree_root(str(store)) is None
    assert related(str(one), str(other))
