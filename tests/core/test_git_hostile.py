"""Files of a repository that are none: nothing waits for them, and nothing is known of what they should have said."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.repositories import add_worktree, git, make_repository
from support.zoo import ZOO, little_memory, put

from trop_core import git as git_files
from trop_core.git import GitFacts, infer, is_in_repository, recorded_worktrees, worktree_root, worktrees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.timeout(60)
NOTHING = GitFacts(None, None)


class Place(NamedTuple):
    """A file below a repository ``shop`` with a linked worktree ``login``, and what is known without it of each."""

    file: str
    shop: GitFacts = NOTHING
    login: GitFacts = NOTHING
    shop_is_found: bool = True
    login_is_found: bool = True


RECORD = "shop/.git/worktrees/login"
SHOP, LOGIN = GitFacts("shop", "main"), GitFacts("shop", "login")
PLACES = [
    Place("shop/.git/HEAD", login=LOGIN, shop_is_found=False),
    Place("shop/.git/commondir", login=LOGIN, shop_is_found=False),
    Place("shop/.git/config"),
    Place("shop/.git/config.worktree"),
    Place("shop/.git/objects", shop_is_found=False, login_is_found=False),
    Place("shop/.git/refs", shop_is_found=False, login_is_found=False),
    Place("login/.git", SHOP, login_is_found=False),
    Place(f"{RECORD}/HEAD", SHOP, login_is_found=False),
    Place(f"{RECORD}/commondir", SHOP, login_is_found=False),
    Place(f"{RECORD}/gitdir", SHOP),
    Place(f"{RECORD}/locked", SHOP, LOGIN),
]


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    with little_memory():
        yield


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with a linked worktree beside it, both of which look into ``config.worktree``."""
    made = make_repository(tmp_path / "shop")
    add_worktree(made, tmp_path / "login", "login")
    git(made, "config", "extensions.worktreeConfig", "true")
    return made


def replace(animal: str, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    put(animal, path)


@pytest.mark.parametrize("animal", [animal for animal in ZOO if animal != "a directory"])
@pytest.mark.parametrize("place", [pytest.param(place, id=place.file) for place in PLACES])
def test_a_file_that_is_none_says_nothing(shop: Path, place: Place, animal: str) -> None:
    login = shop.with_name("login")
    (login / "web").mkdir()

    replace(animal, shop.parent / place.file)

    assert (infer(str(shop)), infer(str(login))) == (place.shop, place.login)
    assert infer(str(login / "web")) == place.login
    assert is_in_repository(str(shop)) is place.shop_is_found
    assert is_in_repository(str(login)) is place.login_is_found
    ask_everything(shop, login)


@pytest.mark.parametrize("place", [place.file for place in PLACES if not place.file.endswith(("objects", "refs"))])
def test_a_directory_in_the_place_of_a_file_says_nothing(shop: Path, place: str) -> None:
    put("a directory", shop.parent / place)

    expected = next(known for known in PLACES if known.file == place)
    assert (infer(str(shop)), infer(str(shop.with_name("login")))) == (expected.shop, expected.login)
    ask_everything(shop, shop.with_name("login"))


@pytest.mark.parametrize("animal", ZOO)
def test_where_a_git_file_is_none_the_search_goes_on(shop: Path, animal: str) -> None:
    (shop / "vendor" / "src").mkdir(parents=True)

    put(animal, shop / "vendor" / ".git")

    assert infer(str(shop / "vendor" / "src")) == SHOP
    assert worktree_root(str(shop / "vendor" / "src")) == str(shop)


@pytest.mark.parametrize("animal", ZOO)
def test_without_a_list_of_worktrees_there_are_no_others(shop: Path, animal: str) -> None:
    replace(animal, shop / ".git" / "worktrees")

    assert recorded_worktrees(str(shop / ".git")) == ()
    assert worktrees(str(shop / ".git")) == (str(shop),)
    assert infer(str(shop.with_name("login"))) == NOTHING


@pytest.mark.parametrize("animal", ZOO)
@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("login/.git", "gitdir: {}\n", id="git file"),
        pytest.param(f"{RECORD}/commondir", "{}\n", id="commondir"),
        pytest.param(f"{RECORD}/gitdir", "{}\n", id="gitdir"),
        pytest.param(f"{RECORD}/gitdir", "{}/.git\n", id="gitdir within"),
        pytest.param("shop/.git/config", "[core]\n\tworktree = {}\n", id="configuration"),
    ],
)
def test_a_path_to_what_is_no_file_leads_nowhere(shop: Path, animal: str, file: str, content: str) -> None:
    animals = shop.parent / "animals"
    animals.mkdir()
    put(animal, animals / "it")

    (shop.parent / file).write_text(content.format(animals / "it"))

    if not file.endswith(("gitdir", "config")):
        assert infer(str(shop.with_name("login"))) == NOTHING
    ask_everything(shop, shop.with_name("login"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"gitdir: " + b"x/" * 30_000, id="longer than a path"),
        pytest.param(b"gitdir: /a\0b\n", id="with a NUL"),
        pytest.param(b"gitdir: \xff\xfe\n", id="not UTF-8"),
        pytest.param(b"gitdir:\n", id="empty"),
        pytest.param(b"gitdir: .\n", id="itself"),
        pytest.param(b"gitdir: .git\n", id="the file itself"),
    ],
)
def test_a_git_file_without_a_use_ends_the_search(shop: Path, content: bytes) -> None:
    (shop / "vendor").mkdir()
    (shop / "vendor" / ".git").write_bytes(content)

    assert infer(str(shop / "vendor")) == NOTHING
    assert worktree_root(str(shop / "vendor")) is None


def test_a_git_file_without_a_use_does_not_lead_to_where_this_process_is(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / ".git").write_text("gitdir:\n")
    monkeypatch.chdir(shop / ".git")

    assert infer(str(tmp_path / "vendor")) == NOTHING


def test_no_more_records_are_read_than_anybody_has(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trop_core.git.places.MOST_WORKTREES", 50)
    for number in range(100):
        record = shop / ".git" / "worktrees" / f"other-{number}"
        record.mkdir()
        (record / "gitdir").write_text(f"{tmp_path}/other-{number}/.git\n")

    assert len(recorded_worktrees(str(shop / ".git"))) == 50


def test_a_configuration_as_large_as_may_be_is_read_and_a_larger_one_is_none(shop: Path) -> None:
    config = shop / ".git" / "config"
    content = config.read_bytes()

    config.write_bytes(content + b"#" * (1024 * 1024 - len(content)))
    largest = infer(str(shop))
    config.write_bytes(content + b"#" * (1024 * 1024 - len(content) + 1))
    larger = infer(str(shop))

    assert (largest, larger) == (SHOP, NOTHING)


@pytest.mark.parametrize("animal", ["a pipe", "a device without an end"])
@pytest.mark.parametrize("file", ["commondir", "config"])
def test_a_port_is_reserved_without_a_project(sandbox: Sandbox, animal: str, file: str) -> None:
    git(sandbox.work, "init", "-q")
    put(animal, sandbox.work / ".git" / file)

    port = sandbox.reserve()

    assert sandbox.rows() == [(str(sandbox.work), "", port, None, None)]


def test_a_server_reserves_beside_a_repository_that_has_a_pipe(client: Client, sandbox: Sandbox) -> None:
    git(sandbox.work, "init", "-q")
    put("a pipe", sandbox.work / ".git" / "commondir")

    answer = client.call("trop.reserve", {})

    assert (answer["reservation"]["path"], answer["reservation"]["project"]) == (str(sandbox.work), None)


def ask_everything(*paths: Path) -> None:
    """Ask each question about each path, and each repository. None may fail; what it answers is for others to say."""
    for path in map(str, paths):
        infer(path)
        is_in_repository(path)
        git_files.former_places(path)
        git_files.common_directory(path)
        worktree_root(path)
        git_files.related(path, str(paths[0]))
        for common in (path, os.path.join(path, ".git")):
            worktrees(common)
            recorded_worktrees(common)
            git_files.is_locked(path, common)
