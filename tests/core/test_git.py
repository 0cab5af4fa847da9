"""Project and task, from real repositories that the git command made."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE
from support.repositories import add_worktree, git, make_repository
from support.requirements import needs_root

from trop_core.git import GitFacts, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOBODY, SOMEBODY = 65534, 12345
NOTHING = GitFacts(None, None)


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Give up root for a while."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_main_checkout_gives_its_directory_and_its_branch(shop: Path) -> None:
    git(shop, "switch", "-c", "feature/login")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", "feature/login")


def test_a_directory_below_counts_as_its_checkout(shop: Path) -> None:
    below = shop / "web" / "src"
    below.mkdir(parents=True)

    facts = infer(str(below))

    assert facts == GitFacts("shop", "main")


def test_an_ignored_directory_counts_as_its_checkout(shop: Path) -> None:
    (shop / ".gitignore").write_text("build/\n")
    (shop / "build").mkdir()

    facts = infer(str(shop / "build"))

    assert facts == GitFacts("shop", "main")


def test_a_path_that_does_not_exist_yet_counts_as_its_nearest_existing_ancestor(shop: Path) -> None:
    facts = infer(str(shop / "not" / "yet"))

    assert facts == GitFacts("shop", "main")


def test_a_path_below_a_file_counts_as_the_directory_of_the_file(shop: Path) -> None:
    (shop / "file").write_text("")

    facts = infer(str(shop / "file" / "below"))

    assert facts == GitFacts("shop", "main")


def test_a_link_into_a_checkout_counts_as_the_checkout(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "linked")
    for checkout in (shop, linked):
        (checkout / "web").mkdir()
        (tmp_path / f"to-{checkout.name}").symlink_to(checkout / "web")

    facts = [infer(str(tmp_path / "to-shop")), infer(str(tmp_path / "to-linked"))]

    assert facts == [GitFacts("shop", "main"), GitFacts("shop", "linked")]


def test_the_git_directory_of_a_checkout_counts_as_the_checkout(shop: Path) -> None:
    facts = infer(str(shop / ".git" / "hooks"))

    assert facts == GitFacts("shop", "main")


def test_a_git_directory_that_is_a_link_belongs_to_the_directory_of_the_link(shop: Path, tmp_path: Path) -> None:
    (shop / ".git").rename(tmp_path / "elsewhere")
    (shop / ".git").symlink_to(tmp_path / "elsewhere")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", "main")


def test_outside_of_any_repository_nothing_is_known(tmp_path: Path) -> None:
    assert infer(str(tmp_path)) == NOTHING


def test_a_nested_repository_is_one_of_its_own(shop: Path) -> None:
    nested = make_repository(shop / "vendor" / "lib", "--initial-branch=trunk")

    facts = infer(str(nested))

    assert facts == GitFacts("lib", "trunk")


def test_a_repository_nested_in_a_linked_worktree_is_one_of_its_own(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "linked")
    nested = make_repository(linked / "vendor" / "lib", "--initial-branch=trunk")

    facts = infer(str(nested))

    assert facts == GitFacts("lib", "trunk")


def test_a_detached_head_gives_no_task(shop: Path) -> None:
    git(shop, "switch", "--detach")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", None)


def test_a_branch_without_commits_gives_its_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--initial-branch=unborn", ".")

    facts = infer(str(empty))

    assert facts == GitFacts("empty", "unborn")


def test_a_head_that_names_no_branch_gives_no_task(shop: Path) -> None:
    git(shop, "symbolic-ref", "HEAD", "refs/remotes/origin/main")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", None)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--object-format=sha256",), id="sha256"),
        pytest.param((), id="sha1"),
    ],
)
def test_the_format_of_objects_does_not_matter(tmp_path: Path, options: tuple[str, ...]) -> None:
    checkout = make_repository(tmp_path / "shop", *options)

    facts = infer(str(checkout))

    assert facts == GitFacts("shop", "main")


def test_a_repository_whose_references_are_in_a_reftable_gives_its_project(shop: Path) -> None:
    # As git 2.45 writes it; an older git cannot make one.
    git(shop, "config", "core.repositoryFormatVersion", "1")
    git(shop, "config", "extensions.refStorage", "reftable")
    (shop / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", None)


def test_inherited_variables_of_git_do_not_lead_astray(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other", "--initial-branch=other")
    (shop / "web").mkdir()
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(shop))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.worktree")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(other))

    facts = [infer(str(shop / "web")), infer(str(tmp_path))]

    assert facts == [GitFacts("shop", "main"), NOTHING]


def test_a_broken_configuration_of_the_user_does_not_matter(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[broken\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    facts = infer(str(shop))

    assert facts == GitFacts("shop", "main")


@pytest.mark.parametrize("linked", [False, True], ids=["main", "linked"])
def test_a_repository_of_another_user_tells_as_much(shop: Path, tmp_path: Path, linked: bool) -> None:
    needs_root()
    import pygit2

    checkout = add_worktree(shop, tmp_path / "login") if linked else shop
    for path in (shop, checkout):
        subprocess.run(["chown", "-R", str(NOBODY), str(path)], check=True)
    with pytest.raises(pygit2.GitError, match="not owned by current user"):
        pygit2.Repository(str(checkout))

    facts = infer(str(checkout))

    assert facts == GitFacts("shop", "login" if linked else "main")
    assert pygit2.settings.owner_validation


@pytest.mark.parametrize(
    ("owners", "named"),
    [
        pytest.param((NOBODY, NOBODY, SOMEBODY), "shop", id="the-callers"),
        pytest.param((0, 0, NOBODY), "shop", id="roots"),
        pytest.param((SOMEBODY, SOMEBODY, SOMEBODY), "shop", id="of-the-owner-of-the-directory"),
        pytest.param((SOMEBODY, NOBODY, NOBODY), None, id="a-strangers-directory"),
        pytest.param((SOMEBODY, SOMEBODY, NOBODY), None, id="a-strangers-directory-and-mark"),
        pytest.param((NOBODY, SOMEBODY, NOBODY), "around", id="a-strangers-mark"),
        pytest.param((0, SOMEBODY, 0), "around", id="a-strangers-mark-in-a-directory-of-roots"),
    ],
)
@pytest.mark.parametrize("kind", ["directory", "link"])
def test_a_repository_above_counts_if_it_belongs_to_the_caller_to_root_or_to_the_owner_of_the_directory(
    public_place: Path, kind: str, owners: tuple[int, int, int], named: str | None
) -> None:
    """A stranger's mark in another's directory is as if it were not there; a stranger's whole repository is not."""
    around = make_repository(public_place / "around")
    shop = make_repository(around / "shop")
    (shop / "inside").mkdir()
    if kind == "link":
        (shop / ".git").rename(shop / "kept")
        os.chown(shop / "kept", NOBODY, NOBODY)
        (shop / ".git").symlink_to("kept")
    for path, owner in zip((shop, shop / ".git", shop / "inside"), owners, strict=True):
        os.lchown(path, owner, owner)

    with acting_as(NOBODY):
        facts = infer(str(shop / "inside"))

    assert facts == (NOTHING if named is None else GitFacts(named, "main"))


@pytest.mark.parametrize("what", [".git", ".git/HEAD", ".git/config"])
def test_a_repository_that_may_not_be_read_gives_nothing(what: str) -> None:
    needs_root()
    # Directories that pytest makes are closed to other users.
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        shop = make_repository(Path(directory) / "shop")
        infer(str(shop))

        with acting_as(NOBODY):
            before = infer(str(shop))
        (shop / what).chmod(0)
        with acting_as(NOBODY):
            after = infer(str(shop))

    assert (before, after) == (GitFacts("shop", "main"), NOTHING)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param(".git/config", "[broken\n", id="configuration"),
        pytest.param(".git/HEAD", None, id="no-head"),
        pytest.param(".git/commondir", "../nowhere\n", id="common-directory-elsewhere"),
    ],
)
def test_a_broken_repository_gives_nothing(shop: Path, file: str, content: str | None) -> None:
    (shop / file).unlink() if content is None else (shop / file).write_text(content)

    facts = infer(str(shop))

    assert facts == NOTHING


@pytest.mark.parametrize("content", ["gitdir: /nowhere/.git/worktrees/x\n", "nonsense\n", ""])
def test_a_git_file_that_leads_nowhere_ends_the_search(shop: Path, content: str) -> None:
    inner = shop / "inner"
    inner.mkdir()
    (inner / ".git").write_text(content)

    facts = infer(str(inner))

    assert facts == NOTHING


def test_an_empty_git_directory_is_passed_over(shop: Path) -> None:
    (shop / "inner" / ".git").mkdir(parents=True)

    facts = infer(str(shop / "inner"))

    assert facts == GitFacts("shop", "main")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with\x07bell", id="control-character"),
        pytest.param(
            os.fsdecode(b"latin\xe9"),
            id="not-utf-8",
            marks=pytest.mark.skipif(sys.platform == "darwin", reason="the file system takes no such name"),
        ),
    ],
)
def test_a_directory_whose_name_is_no_identifier_gives_no_project(tmp_path: Path, name: str) -> None:
    checkout = make_repository(tmp_path / name)

    facts = infer(str(checkout))

    assert facts == GitFacts(None, "main")


def test_a_worktree_whose_name_is_no_identifier_gives_no_task(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "with\x07bell")

    facts = infer(str(linked))

    assert facts == GitFacts("shop", None)


@pytest.mark.parametrize(
    "branch",
    [
        pytest.param(b"refs/heads/latin\xe9", id="not-utf-8"),
        pytest.param(b"refs/heads/" + b"x" * 256, id="too-long"),
        pytest.param(b"refs/heads/", id="empty"),
    ],
)
def test_a_branch_whose_name_is_no_identifier_gives_no_task(shop: Path, branch: bytes) -> None:
    (shop / ".git" / "HEAD").write_bytes(b"ref: " + branch + b"\n")

    facts = infer(str(shop))

    assert facts == GitFacts("shop", None)


@pytest.mark.parametrize("path", ["/", "/nowhere/at/all", "/with\0nul", "/" + "x" * 5000, "/lone\udcff"])
def test_a_path_that_leads_to_no_repository_is_no_error(path: str) -> None:
    assert infer(path) == NOTHING


def test_asking_writes_nothing(shop: Path, tmp_path: Path) -> None:
    linked = add_worktree(shop, tmp_path / "linked")

    def files() -> dict[Path, tuple[int, int]]:
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in tmp_path.rglob("*")}

    before = files()

    infer(str(shop))
    infer(str(linked))
    infer(str(shop / "not" / "yet"))

    assert files() == before


def test_asking_takes_no_library_of_git(shop: Path, tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import trop_core.git
print(trop_core.git.infer({str(shop)!r}).project, trop_core.git.former_places({str(shop)!r}))
print(*({{"pygit2", "subprocess"}} & set(sys.modules)))
"""

    # What measures coverage starts processes itself.
    measured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=PATIENCE, env=measured
    )

    assert done.stdout == "shop frozenset()\n\n"
