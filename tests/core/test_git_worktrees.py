"""Project and task of linked worktrees, bare repositories, submodules and git directories kept apart."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, git, make_bare_clone, make_repository

from trop_core.git import GitFacts, infer

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = GitFacts(None, None)


def test_a_linked_worktree_gives_its_main_repository_and_its_own_directory(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "shop-login", "feature/login")
    (linked / "web").mkdir()

    facts = [infer(str(linked)), infer(str(linked / "web")), infer(str(linked / "not" / "yet"))]

    assert facts == [GitFacts("shop", "shop-login")] * 3


def test_a_worktree_of_a_worktree_belongs_to_the_main_repository(shop: Path, tmp_path: Path) -> None:
    first = add_worktree(shop, tmp_path / "first", "one")
    second = add_worktree(first, tmp_path / "second", "two")

    facts = infer(str(second))

    assert facts == GitFacts("shop", "second")


def test_a_worktree_inside_the_main_checkout_is_a_worktree(shop: Path) -> None:
    linked = add_worktree(shop, shop / ".worktrees" / "login")

    facts = infer(str(linked))

    assert facts == GitFacts("shop", "login")


def test_a_detached_worktree_still_gives_its_directory(shop: Path, tmp_path: Path) -> None:
    git(shop, "worktree", "add", "--detach", str(tmp_path / "review"))

    facts = infer(str(tmp_path / "review"))

    assert facts == GitFacts("shop", "review")


def test_two_worktrees_whose_directories_have_one_name_both_give_that_name(shop: Path, tmp_path: Path) -> None:
    # git keeps the second one's record under the name login1.
    first = add_worktree(shop, tmp_path / "a" / "login", "one")
    second = add_worktree(shop, tmp_path / "b" / "login", "two")

    facts = [infer(str(first)), infer(str(second))]

    assert facts == [GitFacts("shop", "login")] * 2


def test_a_worktree_that_was_renamed_without_telling_git_gives_its_new_name(shop: Path, tmp_path: Path) -> None:
    add_worktree(shop, tmp_path / "old").rename(tmp_path / "new")

    facts = infer(str(tmp_path / "new"))

    assert facts == GitFacts("shop", "new")


def test_a_worktree_record_in_the_git_directory_belongs_to_no_task(shop: Path, tmp_path: Path) -> None:
    add_worktree(shop, tmp_path / "login")

    facts = infer(str(shop / ".git" / "worktrees" / "login"))

    assert facts == GitFacts("shop", None)


@pytest.mark.parametrize("what", ["deleted", "moved"])
def test_a_worktree_whose_main_repository_is_gone_gives_nothing(shop: Path, tmp_path: Path, what: str) -> None:
    linked = add_worktree(shop, tmp_path / "linked")
    shutil.rmtree(shop) if what == "deleted" else shop.rename(tmp_path / "moved")

    facts = infer(str(linked))

    assert facts == NOTHING


def test_a_worktree_that_was_pruned_is_not_taken_for_the_checkout_around_it(shop: Path) -> None:
    linked = add_worktree(shop, shop / "linked")
    shutil.rmtree(shop / ".git" / "worktrees")

    facts = infer(str(linked))

    assert facts == NOTHING


def test_a_bare_repository_gives_its_name_without_the_suffix(shop: Path, tmp_path: Path) -> None:
    bare = make_bare_clone(shop, tmp_path / "store.git")

    facts = [infer(str(bare)), infer(str(bare / "refs"))]

    assert facts == [GitFacts("store", "main")] * 2


def test_a_worktree_of_a_bare_repository_gives_the_name_of_the_bare_one(shop: Path, tmp_path: Path) -> None:
    bare = make_bare_clone(shop, tmp_path / "store.git")
    linked = add_worktree(bare, tmp_path / "login")

    facts = infer(str(linked))

    assert facts == GitFacts("store", "login")


def test_a_bare_repository_inside_a_worktree_is_one_of_its_own(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "linked")
    bare = make_bare_clone(shop, linked / "fixtures" / "sample.git")

    facts = infer(str(bare))

    assert facts == GitFacts("sample", "main")


@pytest.mark.parametrize("hidden", [".bare", ".git"])
def test_a_bare_repository_hidden_in_a_directory_is_named_after_the_directory(
    shop: Path, tmp_path: Path, hidden: str
) -> None:
    around = tmp_path / "store"
    bare = make_bare_clone(shop, around / hidden)
    if hidden != ".git":
        (around / ".git").write_text(f"gitdir: ./{hidden}\n")
    linked = add_worktree(bare, around / "login")

    facts = [infer(str(linked)), infer(str(around)), infer(str(bare))]

    assert facts == [GitFacts("store", "login"), GitFacts("store", "main"), GitFacts("store", "main")]


@pytest.fixture
def submodule(shop: Path, tmp_path: Path) -> Path:
    """A submodule in a directory whose name is not that of the repository it was cloned from."""
    source = make_repository(tmp_path / "source", "--initial-branch=trunk")
    git(shop, "submodule", "add", str(source), "libs/payment")
    return shop / "libs" / "payment"


def test_a_submodule_is_a_repository_of_its_own(submodule: Path) -> None:
    git(submodule, "switch", "-c", "fix")

    facts = infer(str(submodule))

    assert facts == GitFacts("payment", "fix")


def test_a_submodule_as_it_is_checked_out_gives_no_task(submodule: Path) -> None:
    git(submodule.parents[1], "commit", "-m", "with submodule")
    git(submodule.parents[1], "submodule", "deinit", "--force", "--all")
    git(submodule.parents[1], "submodule", "update", "--init", "--checkout")
    git(submodule, "switch", "--detach")

    facts = infer(str(submodule))

    assert facts == GitFacts("payment", None)


def test_a_submodule_whose_record_has_another_name_is_named_after_its_directory(submodule: Path) -> None:
    checkout = submodule.parents[1]
    git(checkout, "commit", "-m", "with submodule")
    git(checkout, "mv", "libs/payment", "libs/billing")

    facts = infer(str(checkout / "libs" / "billing"))

    assert facts == GitFacts("billing", "trunk")


def test_a_worktree_of_a_submodule_belongs_to_the_submodule(submodule: Path, tmp_path: Path) -> None:
    checkout = submodule.parents[1]
    git(checkout, "commit", "-m", "with submodule")
    git(checkout, "mv", "libs/payment", "libs/billing")
    linked = add_worktree(checkout / "libs" / "billing", tmp_path / "linked")

    facts = infer(str(linked))

    assert facts == GitFacts("billing", "linked")


def test_a_setting_of_the_worktree_that_git_moved_to_a_file_of_its_own_is_read(submodule: Path, tmp_path: Path) -> None:
    checkout = submodule.parents[1]
    git(checkout, "commit", "-m", "with submodule")
    git(checkout, "mv", "libs/payment", "libs/billing")
    git(checkout / "libs" / "billing", "sparse-checkout", "set", "src")
    linked = add_worktree(checkout / "libs" / "billing", tmp_path / "linked")
    assert "worktree =" not in (checkout / ".git/modules/libs/payment/config").read_text()

    facts = infer(str(linked))

    assert facts == GitFacts("billing", "linked")


def test_a_git_directory_kept_apart_is_named_after_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    checkout = make_repository(tmp_path / "shop", f"--separate-git-dir={tmp_path}/store/apart.git")

    facts = infer(str(checkout))

    assert facts == GitFacts("shop", "main")


def test_from_a_git_directory_kept_apart_the_checkout_is_unknown_and_its_own_name_counts(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    checkout = make_repository(tmp_path / "shop", f"--separate-git-dir={tmp_path}/store/apart.git")
    linked = add_worktree(checkout, tmp_path / "linked")

    facts = [infer(str(linked)), infer(str(tmp_path / "store" / "apart.git"))]

    assert facts == [GitFacts("apart", "linked"), GitFacts("apart", "main")]


@pytest.mark.parametrize("leads_back", [True, False])
def test_a_working_directory_that_is_configured_gives_its_name_if_it_leads_back(
    shop: Path, tmp_path: Path, leads_back: bool
) -> None:
    (tmp_path / "workdir").mkdir()
    git(shop, "config", "core.worktree", "../../workdir")
    if leads_back:
        (tmp_path / "workdir" / ".git").write_text(f"gitdir: {shop / '.git'}\n")

    facts = infer(str(shop))

    assert facts == GitFacts("workdir" if leads_back else "shop", "main")


def test_a_working_directory_that_is_configured_without_a_value_is_none(shop: Path) -> None:
    with (shop / ".git" / "config").open("a") as config:
        config.write("[core]\n\tworktree\n")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", "main")


def test_a_working_directory_whose_configured_name_is_not_utf8_is_no_error(shop: Path) -> None:
    with (shop / ".git" / "config").open("ab") as config:
        config.write(b"[core]\n\tworktree = ../../latin\xe9\n")

    facts = infer(str(shop))

    assert facts == NOTHING
