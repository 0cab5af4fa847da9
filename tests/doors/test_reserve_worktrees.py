"""The worktrees of one repository are related to each other, through every door; what only claims to be one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.mcp import call, connected, refused
from support.repositories import add_worktree, git, make_repository
from support.sandbox import Sandbox, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client


class Repository(NamedTuple):
    """A repository with worktrees beside it and inside it, and a stranger's directory that names one of them."""

    shop: Path
    web: Path
    web_fixed: Path
    inside: Path
    fake: Path
    other: Path


@pytest.fixture
def repository(sandbox: Sandbox) -> Repository:
    shop = make_repository(sandbox.work / "shop")
    web, web_fixed = (add_worktree(shop, sandbox.work / name, name) for name in ("web", "web-fixed"))
    inside = add_worktree(shop, shop / ".claude" / "worktrees" / "x", "x")
    fake = sandbox.directory("fake")
    (fake / ".git").write_text((web_fixed / ".git").read_text())
    return Repository(shop, web, web_fixed, inside, fake, make_repository(sandbox.work / "other"))


ALLOWED = ["shop", "web", "web_fixed", "inside"]
REFUSED = ["fake", "other"]


class TestTheCommandLine:
    @pytest.mark.parametrize("target", ALLOWED)
    @pytest.mark.parametrize("start", ["web", "inside"])
    def test_from_a_worktree_to_the_others(
        self, sandbox: Sandbox, repository: Repository, start: str, target: str
    ) -> None:
        here, there = getattr(repository, start), getattr(repository, target)

        done = sandbox.trop("reserve", "--path", str(there), cwd=here)

        assert (done.returncode, done.stderr) == (0, "")
        (row,) = sandbox.rows()
        assert (row[0], row[3]) == (str(there), "shop")

    @pytest.mark.parametrize("target", REFUSED)
    def test_from_a_worktree_to_what_is_none_of_them(
        self, sandbox: Sandbox, repository: Repository, target: str
    ) -> None:
        there = getattr(repository, target)

        done = sandbox.trop("reserve", "--path", str(there), cwd=repository.web)

        message, _ = error_lines(done)
        assert (done.returncode, message) == (1, f'"{there}" is neither above nor below "{repository.web}"')
        assert sandbox.rows() == []

    def test_from_what_claims_to_be_a_worktree(self, sandbox: Sandbox, repository: Repository) -> None:
        done = sandbox.trop("reserve", "--path", str(repository.web), cwd=repository.fake)

        assert done.returncode == 1

    def test_below_a_worktree_and_from_below_one(self, sandbox: Sandbox, repository: Repository) -> None:
        here, there = repository.web / "app", repository.web_fixed / "not" / "yet"
        here.mkdir()

        done = sandbox.trop("reserve", "--path", str(there), cwd=here)

        assert done.returncode == 0, done.stderr
        assert [row[0] for row in sandbox.rows()] == [str(there)]

    def test_a_link_in_a_worktree_that_leads_out_of_it(self, sandbox: Sandbox, repository: Repository) -> None:
        (repository.web_fixed / "out").symlink_to(sandbox.root / "out")

        done = sandbox.trop("reserve", "--path", str(repository.web_fixed / "out"), cwd=repository.web)

        assert done.returncode == 1

    def test_what_else_changes_something(self, sandbox: Sandbox, repository: Repository) -> None:
        sandbox.reserve(cwd=repository.web_fixed)
        (repository.web_fixed / "trop.yaml").write_text("project: shop\n")
        there = str(repository.web_fixed)

        scanned = sandbox.trop("scan", "--path", there, "--autocompact", cwd=repository.web)
        released = sandbox.trop("release", "--path", there, cwd=repository.web)
        foreign = sandbox.trop("release", "--path", str(repository.other), cwd=repository.web)

        assert scanned.returncode == 0, scanned.stderr
        assert released.returncode == 0, released.stderr
        assert foreign.returncode == 1
        assert sandbox.rows() == []

    def test_a_worktree_that_was_moved_without_git_is_no_relative_until_git_knows(
        self, sandbox: Sandbox, repository: Repository
    ) -> None:
        moved = repository.web_fixed.rename(sandbox.work / "moved")

        before = sandbox.trop("reserve", "--path", str(moved), cwd=repository.web)
        git(repository.shop, "worktree", "repair", str(moved))
        after = sandbox.trop("reserve", "--path", str(moved), cwd=repository.web)

        assert (before.returncode, after.returncode) == (1, 0)

    def test_the_inherited_variables_of_git_have_no_say(self, sandbox: Sandbox, repository: Repository) -> None:
        variables = {"GIT_DIR": str(repository.shop / ".git"), "GIT_WORK_TREE": str(repository.other)}

        done = sandbox.trop("reserve", "--path", str(repository.other), cwd=repository.web, **variables)

        assert done.returncode == 1

    def test_as_json(self, sandbox: Sandbox, repository: Repository) -> None:
        done = sandbox.trop("call", "trop.reserve", f'{{"folder": "{repository.web_fixed}"}}', cwd=repository.web)

        assert as_json(done)["reservation"]["path"] == str(repository.web_fixed)


class TestTheLanguageServer:
    @pytest.mark.parametrize("field", ["folder", "path"])
    @pytest.mark.parametrize("is_open", [True, False], ids=["open folder", "working directory"])
    def test_from_a_worktree_to_another(
        self, sandbox: Sandbox, repository: Repository, start: Callable[..., Client], field: str, is_open: bool
    ) -> None:
        client = start(cwd=str(sandbox.root if is_open else repository.web))
        client.initialize(*([str(repository.web)] if is_open else []))

        answers = [client.call("trop.reserve", {field: str(getattr(repository, name))}) for name in ALLOWED]
        refusals = [client.refused("trop.reserve", {field: str(getattr(repository, name))}) for name in REFUSED]

        assert [answer["outcome"] for answer in answers] == ["created"] * 4
        assert [answer["reservation"]["project"] for answer in answers] == ["shop"] * 4
        assert [refusal.data["kind"] for refusal in refusals] == ["unrelated_path"] * 2

    def test_a_repository_of_the_whole_home_relates_nothing(
        self, sandbox: Sandbox, start: Callable[..., Client]
    ) -> None:
        git(sandbox.home, "init", "-q")
        one, other = sandbox.home / "one", sandbox.home / "other"
        one.mkdir()
        other.mkdir()
        client = start(cwd=str(one))
        client.initialize()

        assert client.call("trop.reserve", {"folder": str(one)})["outcome"] == "created"
        assert client.refused("trop.reserve", {"folder": str(other)}).data["kind"] == "unrelated_path"

    def test_home_is_no_anchor_though_it_is_a_repository(self, sandbox: Sandbox, start: Callable[..., Client]) -> None:
        make_repository(sandbox.home / "shop")
        git(sandbox.home, "init", "-q")
        client = start(cwd=str(sandbox.home))
        client.initialize()

        refusal = client.refused("trop.reserve", {"folder": str(sandbox.home / "shop")})

        assert (refusal.data["kind"], refusal.data["details"]["anchors"]) == ("unrelated_path", [])


class TestTheAgentsServer:
    @pytest.mark.parametrize("has_roots", [True, False], ids=["root", "working directory"])
    @pytest.mark.asyncio
    async def test_from_a_worktree_to_another(self, sandbox: Sandbox, repository: Repository, has_roots: bool) -> None:
        settings: dict[str, Any] = {"roots": [repository.web.as_uri()]} if has_roots else {"cwd": repository.web}

        async with connected(sandbox, **settings) as client:
            fixed = await call(client, "trop_reserve", folder=str(repository.web_fixed))
            released = await call(client, "trop_release", folder=str(repository.web_fixed))
            refusals = [
                await refused(client, "trop_reserve", folder=str(getattr(repository, name))) for name in REFUSED
            ]

        assert (fixed["reservation"]["path"], fixed["outcome"]) == (str(repository.web_fixed), "created")
        assert released["releasedCount"] == 1
        assert [told["kind"] for told in refusals] == ["unrelated_path"] * 2
