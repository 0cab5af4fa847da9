"""Words of a file that a link leads to: it may be a stranger's link, and no message holds any of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, make_repository

if TYPE_CHECKING:
    from support.client import Client
    from support.sandbox import Sandbox

SECRET = "https://ann:hunter2@example.org\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["reserve"],
        ["autoreserve"],
        ["list"],
        ["exclude", "6000"],
        ["scan"],
        ["validate", "trop.yaml"],
        ["validate", "other.yaml"],
        ["reserve-group", "trop.yaml"],
        ["reserve-group", "other.yaml"],
        ["--verbose", "reserve"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("content", [SECRET, "hunter2: [hunter2\n", "excluded_ports: [hunter2]\n"])
def test_a_file_that_a_link_leads_to_is_told_of_without_a_word_of_it(
    sandbox: Sandbox, arguments: list[str], content: str
) -> None:
    (sandbox.home / ".git-credentials").write_text(content)
    for name in ("trop.yaml", "other.yaml"):
        (sandbox.work / name).symlink_to(sandbox.home / ".git-credentials")

    done = sandbox.trop(*arguments)

    assert "hunter2" not in done.stdout + done.stderr
    assert "ann" not in done.stdout + done.stderr
    name = "other.yaml" if "other.yaml" in arguments else "trop.yaml"
    assert f"{sandbox.work}/{name}:" in done.stderr
    assert "this is no configuration that can be used; what is wrong is not shown" in done.stderr


@pytest.mark.parametrize("in_repository", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "d/trop.yaml"],
        ["validate", "d/in/other.yaml"],
        ["reserve-group", "d/trop.yaml"],
        ["reserve-group", "d/in/other.yaml"],
        ["reserve", "--path", "d"],
        ["--verbose", "reserve", "--path", "d/in/below"],
        ["compact-exclusions", "d/in/other.yaml"],
    ],
    ids=" ".join,
)
def test_a_directory_that_a_link_leads_to_is_no_way_around_it(
    sandbox: Sandbox, arguments: list[str], in_repository: bool
) -> None:
    (sandbox.home / "in").mkdir()
    for name in ("trop.yaml", "in/trop.yaml", "in/other.yaml"):
        (sandbox.home / name).write_text("excluded_ports: [hunter2]\n")
    (sandbox.work / "d").symlink_to(sandbox.home)
    if in_repository:
        make_repository(sandbox.work)

    done = sandbox.trop(*arguments)

    assert done.returncode != 0
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("link", ["within", "beside", "above"])
def test_a_link_that_leads_nowhere_else_takes_no_word_away(sandbox: Sandbox, link: str) -> None:
    shop = make_repository(sandbox.work / "shop")
    (shop / "conf").mkdir()
    (shop / "conf" / "other.yaml").write_text("excluded_ports: [hunter2]\n")
    if link == "within":
        (shop / "d").symlink_to("conf")
        named = "d/other.yaml"
    elif link == "beside":
        login = add_worktree(shop, shop / "login")
        (login / "d").symlink_to(shop / "conf")
        named = "login/d/other.yaml"
    else:
        (sandbox.root / "d").symlink_to(shop)
        named = f"{sandbox.root}/d/conf/other.yaml"

    done = sandbox.trop("validate", named, cwd=shop)

    assert "hunter2" in done.stderr


def test_within_the_directory_in_which_one_works_a_link_takes_no_word_away(sandbox: Sandbox) -> None:
    conf, below = sandbox.directory("conf"), sandbox.directory("below")
    (conf / "other.yaml").write_text("excluded_ports: [hunter2]\n")
    (below / "d").symlink_to(conf)

    beside = sandbox.trop("validate", "below/d/other.yaml")
    from_below = sandbox.trop("validate", "d/other.yaml", cwd=below)

    assert "hunter2" in beside.stderr
    assert "hunter2" not in from_below.stderr


@pytest.mark.parametrize("arguments", [["compact-exclusions", "trop.yaml"], ["exclude", "6000"]], ids=" ".join)
def test_changing_a_shared_file_tells_no_word_of_it_either(sandbox: Sandbox, arguments: list[str]) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login")
    (shop / "notes").write_text("hunter2: [hunter2\n")
    (login / "trop.yaml").symlink_to(shop / "notes")

    done = sandbox.trop("--verbose", *arguments, cwd=login)

    assert done.returncode == 7
    assert "hunter2" not in done.stderr


def test_the_server_tells_no_word_of_it_either(sandbox: Sandbox, client: Client) -> None:
    (sandbox.home / ".git-credentials").write_text(SECRET)
    (sandbox.work / "trop.yaml").symlink_to(sandbox.home / ".git-credentials")

    error = client.refused("trop.reserve")
    checked = client.call("trop.validate", {"config": str(sandbox.work / "trop.yaml")})

    assert error.data["kind"] == "config_error"
    assert not checked["valid"]
    assert "hunter2" not in json.dumps([error.message, error.data, checked])
    assert error.data["details"]["problems"][0]["line"] == 1


@pytest.mark.parametrize("arguments", [["exclude", "6000"], ["compact-exclusions", "trop.yaml"]], ids=" ".join)
def test_nothing_is_written_where_a_link_leads_out_of_a_repository(sandbox: Sandbox, arguments: list[str]) -> None:
    """What somebody else's link leads to need not be a configuration: an empty file could be read as one."""
    profile = sandbox.home / ".profile"
    profile.write_text("# excluded_ports:\nexcluded_ports: [5002, 5001]\n")
    make_repository(sandbox.work)
    (sandbox.work / "trop.yaml").symlink_to(profile)

    done = sandbox.trop(*arguments)

    assert done.returncode == 4
    assert f'"{sandbox.work}/trop.yaml" ' in done.stderr
    assert profile.read_text() == "# excluded_ports:\nexcluded_ports: [5002, 5001]\n"


def test_nothing_is_written_where_a_directory_is_a_link_out_of_a_repository(sandbox: Sandbox) -> None:
    other = sandbox.home / "other.yaml"
    other.write_text("excluded_ports: [5002, 5001]\n")
    make_repository(sandbox.work)
    (sandbox.work / "d").symlink_to(sandbox.home)

    done = sandbox.trop("compact-exclusions", "d/other.yaml")

    assert done.returncode == 4
    assert other.read_text() == "excluded_ports: [5002, 5001]\n"


def test_outside_of_repositories_a_link_is_ones_own_and_is_written_through(sandbox: Sandbox) -> None:
    other = sandbox.home / "other.yaml"
    other.write_text("excluded_ports: [5002, 5001]\n")
    (sandbox.work / "trop.yaml").symlink_to(other)

    done = sandbox.trop("compact-exclusions", "trop.yaml")

    assert done.returncode == 0, done.stderr
    assert other.read_text() == "excluded_ports: [5001..5002]\n"


def test_a_file_that_worktrees_share_is_written_through_its_link(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login")
    (shop / "trop.yaml").write_text("")
    (login / "trop.yaml").symlink_to(shop / "trop.yaml")

    done = sandbox.trop("exclude", "6000", cwd=login)

    assert done.returncode == 0, done.stderr
    assert (shop / "trop.yaml").read_text() == "excluded_ports: [6000]\n"
