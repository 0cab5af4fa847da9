"""Subdirectories and worktrees: whose reservation is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, make_repository

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")


@pytest.fixture
def shop(sandbox: Sandbox) -> Path:
    return make_repository(sandbox.work / "shop")


def test_a_subdirectory_gets_a_port_of_its_own_and_a_word_about_the_root(sandbox: Sandbox, shop: Path) -> None:
    (shop / "src").mkdir()
    port = sandbox.reserve(cwd=shop)

    done = sandbox.trop("reserve", cwd=shop / "src")

    assert int(done.stdout) != port
    assert str(shop) in done.stderr
    assert "--root" in done.stderr


def test_a_directory_between_counts_and_another_tag_does_not(sandbox: Sandbox, shop: Path) -> None:
    (shop / "packages" / "web").mkdir(parents=True)
    sandbox.reserve("--tag", "api", cwd=shop)
    sandbox.reserve(cwd=shop / "packages")

    done = sandbox.trop("reserve", cwd=shop / "packages" / "web")
    tagged = sandbox.trop("reserve", "--tag", "db", cwd=shop / "packages" / "web")

    assert str(shop / "packages") in done.stderr
    assert tagged.stderr == ""


def test_outside_of_a_repository_nothing_is_said(sandbox: Sandbox) -> None:
    inner = sandbox.directory("plain/inner")
    sandbox.reserve(cwd=inner.parent)

    done = sandbox.trop("reserve", cwd=inner)

    assert done.stderr == ""


@pytest.mark.parametrize("how", ["flag", "variable", "user", "project"])
def test_the_root_is_reserved_for_where_somebody_wants_it(sandbox: Sandbox, shop: Path, how: str) -> None:
    (shop / "src").mkdir()
    port = sandbox.reserve(cwd=shop)
    if how == "user":
        (sandbox.data / "config.yaml").write_text("reserve_for: root\n")
    if how == "project":
        (shop / "trop.yaml").write_text("reserve_for: root\n")

    found = sandbox.reserve(
        *(["--root"] if how == "flag" else []),
        cwd=shop / "src",
        TROP_RESERVE_FOR="root" if how == "variable" else None,
    )

    assert found == port


def test_an_explicit_path_has_no_root(sandbox: Sandbox, shop: Path) -> None:
    done = sandbox.trop("reserve", "--root", "--path", str(shop))

    assert done.returncode == 4


def test_a_path_from_the_environment_has_no_root_either(sandbox: Sandbox, shop: Path) -> None:
    done = sandbox.trop("reserve", "--root", cwd=shop, TROP_PATH=str(shop))

    assert done.returncode == 4
    assert "TROP_PATH" in done.stderr
    assert sandbox.trop("list", "--format", "csv").stdout.count("\n") == 1


def test_what_is_here_is_the_worktree_and_the_others_of_its_repository(sandbox: Sandbox, shop: Path) -> None:
    login = add_worktree(shop, sandbox.work / "elsewhere" / "login")
    (shop / "src").mkdir()
    ports = {sandbox.reserve(cwd=place) for place in (shop, login, shop / "src")}
    sandbox.reserve(cwd=sandbox.directory("other"))

    done = sandbox.trop("list", "--here", "--format", "csv", cwd=login)

    assert {int(line.split(",")[0]) for line in done.stdout.splitlines()[1:]} == ports


def test_outside_of_a_repository_what_is_here_is_the_directory(sandbox: Sandbox) -> None:
    inner = sandbox.directory("plain/inner")
    port = sandbox.reserve(cwd=inner)
    sandbox.reserve(cwd=sandbox.directory("other"))

    done = sandbox.trop("list", "--here", "--format", "csv", cwd=inner.parent)

    assert [int(line.split(",")[0]) for line in done.stdout.splitlines()[1:]] == [port]
