"""However a configuration file is spelled, its group is that of one directory."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.groups.case import GROUP
from support.repositories import add_worktree, make_repository
from support.sandbox import Sandbox, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client

PORTS = {"WEB_PORT": 5000, "API_PORT": 5001, "DB_MAIN_PORT": 5004}


@pytest.fixture
def project(sandbox: Sandbox) -> Path:
    """A directory with a group, which is reserved, and ways to it through links."""
    directory = sandbox.directory("project")
    (directory / "trop.yaml").write_text(GROUP)
    (directory / "deep" / "er").mkdir(parents=True)
    (sandbox.work / "link").symlink_to("project")
    (sandbox.work / "deep-link").symlink_to("project/deep")
    (sandbox.work / "other.yaml").symlink_to("link/trop.yaml")
    assert group(sandbox, "autoreserve", cwd=directory)["outcome"] == "created"
    return directory


def group(sandbox: Sandbox, *arguments: str, cwd: Path | None = None, **environment: str) -> Any:
    subcommand, *config = arguments
    command = {"autoreserve": "trop.autoreserve", "reserve-group": "trop.reserveGroup"}[subcommand]
    given = {"config": config[0]} if config else {}
    done = sandbox.trop("call", command, json.dumps(given), cwd=cwd, **environment)
    assert done.returncode == 0, done.stderr
    return as_json(done)


@pytest.mark.parametrize(
    "spelled",
    [
        "project/trop.yaml",
        "./project/deep/../trop.yaml",
        "project//./trop.yaml",
        "no-such/../project/trop.yaml",
        "link/trop.yaml",
        "other.yaml",
        "{work}/project/trop.yaml",
        "{work}/link/deep/../trop.yaml",
        "~/link/trop.yaml",
    ],
)
def test_a_file_has_one_group_however_it_is_spelled(sandbox: Sandbox, project: Path, spelled: str) -> None:
    (sandbox.home / "link").symlink_to(project)

    found = group(sandbox, "reserve-group", spelled.format(work=sandbox.work))

    assert (found["outcome"], found["environment"]) == ("reused", PORTS)
    assert {row[0] for row in sandbox.rows()} == {str(project)}


@pytest.mark.parametrize("place", ["project", "project/deep/er", "link", "link/deep", "deep-link"])
def test_a_project_has_one_group_from_wherever_in_it(sandbox: Sandbox, project: Path, place: str) -> None:
    """A shell keeps the links in PWD; trop asks the system where it is."""
    found = group(sandbox, "autoreserve", cwd=sandbox.work / place, PWD=str(sandbox.work / place))

    assert (found["outcome"], found["environment"]) == ("reused", PORTS)


@pytest.mark.parametrize("place", ["project/deep", "link/deep", "link"])
def test_a_path_of_the_environment_says_where_to_begin(sandbox: Sandbox, project: Path, place: str) -> None:
    found = group(sandbox, "autoreserve", TROP_PATH=str(sandbox.work / place))

    assert (found["outcome"], found["environment"]) == ("reused", PORTS)
    assert {row[0] for row in sandbox.rows()} == {str(project)}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("trop.autoreserve", {"folder": "file://{work}/link/deep"}),
        ("trop.autoreserve", {"folder": "{work}/project"}),
        ("trop.reserveGroup", {"config": "file://{work}/link/trop.yaml"}),
        ("trop.reserveGroup", {"config": "project/deep/../trop.yaml"}),
        ("trop.reserveGroup", {"config": "other.yaml"}),
    ],
)
def test_the_server_finds_the_same_group(
    client: Client, sandbox: Sandbox, project: Path, name: str, argument: dict[str, str]
) -> None:
    found = client.call(name, {key: value.format(work=sandbox.work) for key, value in argument.items()})

    assert (found["outcome"], found["environment"]) == ("reused", PORTS)
    assert {row["path"] for row in found["group"].values()} == {str(project)}


def test_the_open_folder_is_where_the_server_begins(start: Callable[..., Client], sandbox: Sandbox) -> None:
    below = sandbox.directory("project/below")
    (below.parent / "trop.yaml").write_text(GROUP)
    client = start(cwd="/")
    client.initialize(str(below))

    found = client.call("trop.autoreserve")

    assert found["environment"] == PORTS
    assert {row["path"] for row in found["group"].values()} == {str(below.parent)}


def test_worktrees_that_share_a_file_by_a_link_have_ports_of_their_own(sandbox: Sandbox) -> None:
    """Each worktree is a directory of its own, wherever its file really is."""
    main = make_repository(sandbox.work / "shop")
    (main / "trop.yaml").write_text(GROUP)
    linked = add_worktree(main, sandbox.work / "login", "login")
    (linked / "trop.yaml").symlink_to(main / "trop.yaml")

    here = group(sandbox, "autoreserve", cwd=main)
    there = group(sandbox, "autoreserve", cwd=linked)
    named = group(sandbox, "reserve-group", "trop.yaml", cwd=linked)

    assert here["environment"] == PORTS
    assert not set(here["environment"].values()) & set(there["environment"].values())
    assert {row["path"] for row in there["group"].values()} == {str(linked)}
    assert (named["outcome"], named["environment"]) == ("reused", there["environment"])
    assert {(row[3], row[4]) for row in sandbox.rows()} == {("shop", "main"), ("shop", "login")}


def test_a_file_of_another_name_in_the_same_directory_means_the_same_services(sandbox: Sandbox, project: Path) -> None:
    shutil.copy(project / "trop.yaml", project / "copy.yaml")

    found = group(sandbox, "reserve-group", "copy.yaml", cwd=project)

    assert (found["outcome"], found["environment"]) == ("reused", PORTS)


def test_a_file_that_leads_nowhere_is_no_file(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").symlink_to("nowhere.yaml")

    done = sandbox.trop("reserve-group", "trop.yaml", "--format", "json")

    assert done.returncode == 4
    message = f'"{sandbox.work}/trop.yaml" cannot be used as a path: there is no such file'
    assert error_lines(done) == (message, "Name a configuration file that exists, such as ./trop.yaml.")


def test_a_file_in_a_loop_of_links_cannot_be_looked_at(sandbox: Sandbox) -> None:
    (sandbox.work / "loop").symlink_to("loop")

    done = sandbox.trop("reserve-group", "loop/trop.yaml", "--format", "json")

    assert done.returncode == 5
    assert error_lines(done)[0].startswith(f'cannot look for "{sandbox.work}/loop/trop.yaml": ')


def test_what_is_reserved_is_what_reserve_and_list_show(sandbox: Sandbox, project: Path) -> None:
    ports = [sandbox.reserve("--tag", tag, cwd=project) for tag in ("web", "api", "db-main")]

    assert ports == list(PORTS.values())
