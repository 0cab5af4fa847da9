"""The user's one place for the store, whatever started the process, as it is seen through every door."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.mcp import call, connected, refused
from support.processes import child
from support.sandbox import as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are the places of Linux")

NO_HOME = (
    "there is no place for the store: this user has no home directory",
    "Set HOME to the user's home, or name a directory for the store with TROP_DATA_DIR or --data-dir.",
)


@pytest.fixture
def usual(sandbox: Sandbox) -> Path:
    """The usual place, in which there is nothing yet."""
    return sandbox.home / ".local" / "share" / "trop"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("snap/code/170/.local/share", id="snap"),
        pytest.param(".var/app/com.code/data", id="flatpak"),
        pytest.param("data", id="somewhere else"),
    ],
)
def test_a_directory_has_one_port_whatever_started_the_process(sandbox: Sandbox, usual: Path, data: str) -> None:
    place = sandbox.home / data
    place.mkdir(parents=True)

    packaged = sandbox.reserve(TROP_DATA_DIR=None, XDG_DATA_HOME=str(place))
    other = sandbox.reserve(TROP_DATA_DIR=None, cwd=sandbox.directory("other"))
    plain = sandbox.reserve(TROP_DATA_DIR=None)

    assert (packaged, other, plain) == (5000, 5001, 5000)
    assert (usual / "trop.db").exists()
    assert list(place.iterdir()) == []


def test_a_snap_that_has_another_home_uses_the_same_store(sandbox: Sandbox, usual: Path) -> None:
    inner = sandbox.home / "snap" / "code" / "170"
    inner.mkdir(parents=True)

    sandbox.reserve(TROP_DATA_DIR=None, HOME=str(inner), SNAP_REAL_HOME=str(sandbox.home))

    assert (usual / "trop.db").exists()
    assert list(inner.iterdir()) == []


def two_stores(sandbox: Sandbox, usual: Path) -> str:
    """Make two stores; returns the warning about them."""
    for place in (usual, sandbox.home / ".trop"):
        place.mkdir(parents=True)
        stores.make_v2(place / "trop.db")
    return (
        f'there are stores in "{usual}" and in "{sandbox.home}/.trop": the one in "{usual}" counts, '
        "and nothing else is read; TROP_DATA_DIR names another one"
    )


@pytest.mark.parametrize("subcommand", ["reserve", "list", "init", "show-data-dir", "autoclean"])
def test_the_command_line_warns_once_of_a_second_store(sandbox: Sandbox, usual: Path, subcommand: str) -> None:
    warning = two_stores(sandbox, usual)

    done = sandbox.trop(subcommand, TROP_DATA_DIR=None)
    named = sandbox.trop(subcommand, TROP_DATA_DIR=str(usual))

    assert done.returncode == 0
    assert done.stderr.count(f"warning: {warning}\n") == 1
    assert "there are stores" not in named.stderr


@pytest.mark.parametrize("command", ["reserve", "list", "init", "showDataDir", "assertDataDir", "listCommands"])
def test_results_warn_once_of_a_second_store(
    sandbox: Sandbox, usual: Path, start: Callable[..., Client], command: str
) -> None:
    warning = two_stores(sandbox, usual)
    client = start(TROP_DATA_DIR=None)
    client.initialize(str(sandbox.work))

    called = as_json(sandbox.trop("call", f"trop.{command}", TROP_DATA_DIR=None))
    served = client.call(f"trop.{command}")

    assert (called["warnings"], served["warnings"]) == ([warning], [warning])


@pytest.mark.asyncio
async def test_agents_are_warned_once_of_a_second_store(sandbox: Sandbox, usual: Path) -> None:
    warning = two_stores(sandbox, usual)

    async with connected(sandbox, TROP_DATA_DIR=None) as client:
        reserved = await call(client, "trop_reserve")
        shown = await call(client, "trop_show_data_dir")

    assert (reserved["warnings"], shown["warnings"]) == ([warning], [warning])
    assert len(stores.rows_in(usual / "trop.db")) == 1
    assert stores.rows_in(sandbox.home / ".trop" / "trop.db") == []


def test_a_server_uses_the_store_that_appears_in_the_place_that_counts(
    sandbox: Sandbox, usual: Path, start: Callable[..., Client]
) -> None:
    (sandbox.home / ".trop").mkdir()
    stores.make_v2(sandbox.home / ".trop" / "trop.db")
    client = start(TROP_DATA_DIR=None)
    client.initialize(str(sandbox.work))

    before = client.call("trop.showDataDir")["dataDir"]
    client.call("trop.reserve")
    usual.mkdir(parents=True)
    stores.make_v2(usual / "trop.db")
    client.call("trop.reserve")

    assert before == str(sandbox.home / ".trop")
    assert len(stores.rows_in(usual / "trop.db")) == 1


def test_without_a_home_the_command_line_says_what_to_set(sandbox: Sandbox) -> None:
    done = sandbox.trop("reserve", TROP_DATA_DIR=None, HOME="/")
    named = sandbox.trop("reserve", "--data-dir", str(sandbox.data), TROP_DATA_DIR=None, HOME="/")

    assert (done.returncode, error_lines(done)) == (3, NO_HOME)
    assert (named.returncode, named.stdout) == (0, "5000\n")


def test_without_a_home_the_server_says_what_to_set_and_creates_what_is_named(
    sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    client = start(TROP_DATA_DIR=None, HOME="/")
    client.initialize(str(sandbox.work))

    refusal = client.refused("trop.reserve")
    made = client.call("trop.init", {"dataDir": str(sandbox.data)})
    called = sandbox.trop("call", "trop.init", json.dumps({"dataDir": str(sandbox.data)}), HOME="/", TROP_DATA_DIR=None)

    assert (refusal.data["kind"], refusal.message, refusal.data["hint"]) == ("no_data_directory", *NO_HOME)
    assert [action["kind"] for action in made["actions"]] == ["createDirectory", "createDatabase"]
    assert as_json(called)["actions"] == []


@pytest.mark.asyncio
async def test_without_a_home_an_agent_is_told_what_to_set(sandbox: Sandbox) -> None:
    async with connected(sandbox, TROP_DATA_DIR=None, HOME="/") as client:
        told = await refused(client, "trop_reserve")

    assert (told["kind"], told["message"]) == ("no_data_directory", NO_HOME[0])


AS_A_USER = """
import os, pwd, sys
from trop_core.database import failures
from trop_core.errors.base import TropError
from trop_core.errors.spelling import quoted
from trop_core.paths import home_directory
from trop_core.store import data_directory
os.setgroups([])
os.setgid(65534)
os.setuid(int(sys.argv[1]))
print(home_directory())
try:
    print(*data_directory(None, {}, base="/")[:2])
except TropError as error:
    print(error.kind, error.message())
"""


def test_a_user_whom_the_system_does_not_know_has_no_home_but_a_set_one(public_place: Path) -> None:
    with child(AS_A_USER, 54321, HOME="") as process:
        unknown = process.end()
    with child(AS_A_USER, 54321, HOME=str(public_place)) as process:
        told = process.end()

    assert unknown == f"None\nno_data_directory {NO_HOME[0]}\n"
    assert told == f"{public_place}\n{public_place}/.local/share/trop ()\n"


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        (".local", 'permission_denied cannot look for the store at "{}/.local/share/trop/trop.db": Permission denied'),
        (".trop", 'permission_denied cannot look for the store at "{}/.trop/trop.db": Permission denied'),
    ],
)
def test_a_place_that_may_not_be_looked_at_is_no_reason_to_make_a_second_store(
    public_place: Path, closed: str, expected: str
) -> None:
    (public_place / closed).mkdir(mode=0o700)

    with child(AS_A_USER, 65534, HOME=str(public_place)) as process:
        told = process.end()

    assert told.splitlines()[1] == expected.format(public_place)


def test_the_search_for_a_projects_files_ends_at_the_same_home(sandbox: Sandbox) -> None:
    (sandbox.root / "trop.yaml").write_text("ports: {min: 6001, max: 6999}\n")
    below = sandbox.home / "project"
    below.mkdir()
    inner = {"HOME": str(sandbox.home / "snap" / "code"), "SNAP_REAL_HOME": str(sandbox.home)}

    in_the_snap = sandbox.reserve(cwd=below, **inner)
    elsewhere = sandbox.reserve("--tag", "x", cwd=below, HOME=str(sandbox.home / "other"))

    assert (in_the_snap, elsewhere) == (5000, 6001)
