"""What ``trop status`` tells of a directory: what it has, who is on it, and what is odd."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.doors import JSON_DOORS, DoorName, ask
from support.repositories import add_worktree, git, make_repository
from support.requirements import needs_namespaces, needs_root
from support.sandbox import LOOKING
from support.servers import SECRET, server
from support.sockets import free_block, on_linux
from support.users import USER, as_the_user

from trop_core.catalogue import by_command
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

GROUP = "reservations: {services: {web: {}, api: {}}}\n"


def status(sandbox: Sandbox, folder: Path, **environment: str | None) -> dict[str, Any]:
    """What the command tells of a directory. The answer fits its schema."""
    done = sandbox.trop("call", "status", cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    found = by_command("trop.status")
    assert found is not None
    Draft202012Validator(output_schema(found)).validate(told)
    return told


def states(told: dict[str, Any]) -> dict[str | None, str]:
    return {entry["tag"]: entry["state"] for entry in told["entries"]}


def ports_in(directory: Path, services: str = "") -> int:
    """Give a directory a range of its own in which nothing listens; the lowest port."""
    lowest = free_block()
    (directory / "trop.yaml").write_text(f"ports: {{min: {lowest}, max: {lowest + 99}}}\n{services}")
    return lowest


def test_a_port_without_a_tag_is_not_called_what_a_service_is_started_with(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    (shop / "trop.yaml").write_text(GROUP)
    sandbox.reserve(cwd=shop)

    def variables() -> dict[str | None, str | None]:
        entries = json.loads(sandbox.trop("status", "--format", "json", cwd=shop).stdout)["entries"]
        return {entry["tag"]: entry["variable"] for entry in entries}

    assert variables()[None] == "PORT"
    sandbox.trop("autoreserve", cwd=shop)

    assert variables() == {"web": "WEB_PORT", "api": "API_PORT", None: None}
    web = next(row[2] for row in sandbox.rows() if row[1] == "web")
    assert sandbox.trop("run", "--", "sh", "-c", "echo $PORT", cwd=shop).stdout == f"{web}\n"


@pytest.mark.parametrize("door", JSON_DOORS)
def test_services_come_first_and_each_port_has_its_variable_and_address(
    sandbox: Sandbox, start: Callable[..., Client], door: DoorName
) -> None:
    shop = make_repository(sandbox.work / "shop")
    (shop / "trop.yaml").write_text(GROUP)
    for tag in ("api", "old"):
        sandbox.reserve("--tag", tag, cwd=shop)
    sandbox.reserve(cwd=shop)
    client = start()
    client.initialize(str(shop))

    told = ask(sandbox, client, door, "trop.status", {}, work=shop).data

    shared = {"path": str(shop), "occupied": None, "holder": None}
    named = {"project": "shop", "task": "main", **shared}
    assert told["entries"] == [
        {
            **shared,
            "tag": "web",
            "port": None,
            "state": "unreserved",
            "inFile": True,
            "variable": "WEB_PORT",
            "url": None,
            "project": None,
            "task": None,
        },
        {
            **named,
            "tag": "api",
            "port": 5001,
            "state": "unknown",
            "inFile": True,
            "variable": "API_PORT",
            "url": "http://localhost:5001/",
        },
        {
            **named,
            "tag": None,
            "port": 5002,
            "state": "unknown",
            "inFile": None,
            "variable": None,
            "url": "http://localhost:5002/",
        },
        {
            **named,
            "tag": "old",
            "port": 5000,
            "state": "unknown",
            "inFile": False,
            "variable": "OLD_PORT",
            "url": "http://localhost:5000/",
        },
    ]
    assert (told["path"], told["files"], told["truncated"]) == (str(shop), [str(shop / "trop.yaml")], False)
    assert told["settings"]["reservations"] == f"{shop}/trop.yaml:1:15"
    assert told["settings"]["occupancy_check.skip"] == "TROP_SKIP_OCCUPANCY_CHECK"
    [warning] = told["warnings"]
    assert "switched off (TROP_SKIP_OCCUPANCY_CHECK)" in warning


def test_who_is_on_each_port_is_told_and_a_stranger_is_odd(sandbox: Sandbox) -> None:
    shop, other, nowhere = (sandbox.directory(name) for name in ("shop", "other", "nowhere"))
    lowest = ports_in(shop)
    ports = {tag: sandbox.reserve("--tag", tag, cwd=shop) for tag in ("own", "child", "other", "lost", "idle")}
    sandbox.reserve(cwd=other)
    assert set(ports.values()) == set(range(lowest, lowest + 5))

    with (
        server(ports["own"], shop) as own,
        server(ports["child"], nowhere, started_from=shop),
        server(ports["other"], other) as others,
        server(ports["lost"], nowhere, started_from=nowhere) as lost,
    ):
        told = status(sandbox, shop, **LOOKING)

    assert states(told) == {"own": "own", "child": "own", "other": "other", "lost": "occupied", "idle": "free"}
    by_tag = {entry["tag"]: entry for entry in told["entries"]}
    assert {tag: entry["occupied"] for tag, entry in by_tag.items()} == {
        **dict.fromkeys(("own", "child", "other", "lost"), True),
        "idle": False,
    }
    assert (by_tag["own"]["holder"]["pid"], by_tag["own"]["holder"]["workingDirectory"]) == (own, str(shop))
    assert by_tag["other"]["holder"]["directory"] == str(other)
    assert SECRET in by_tag["own"]["holder"]["command"]
    assert SECRET not in json.dumps([by_tag["other"], by_tag["lost"]])
    lost_told, other_told = told["warnings"]
    assert lost_told.startswith(f"process {lost} (")
    assert lost_told.endswith(f") is on port {ports['lost']} (lost), and whose it is cannot be told")
    assert other_told.startswith(f"process {others} (")
    assert other_told.endswith(f') is on port {ports["other"]} (other), and belongs to "{other}"')


@on_linux
def test_what_listens_in_another_network_holds_no_port_here(sandbox: Sandbox) -> None:
    needs_namespaces()
    shop = sandbox.directory("shop")
    port = (ports_in(shop), sandbox.reserve(cwd=shop))[1]
    apart = ("unshare", "-n", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$0" "$@"')

    with server(port, shop, through=apart):
        told = status(sandbox, shop, **LOOKING)

    assert (states(told), told["warnings"]) == ({None: "free"}, [])


@on_linux
def test_another_users_program_is_seen_and_not_told_whose(sandbox: Sandbox, public_place: Path) -> None:
    needs_root()
    shop = public_place / "shop"
    shop.mkdir()
    lowest = free_block()
    data = public_place / "data"
    ranged = {"TROP_PORT_MIN": str(lowest), "TROP_PORT_MAX": str(lowest + 99), "TROP_DATA_DIR": str(data)}
    port = sandbox.reserve(cwd=shop, **ranged)
    for place in (data, *data.iterdir()):
        os.chown(place, USER, -1)

    with server(port, shop):
        done = as_the_user(sandbox, "call", "status", json.dumps({"path": str(shop)}), **ranged, **LOOKING)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    [entry] = told["entries"]
    assert (entry["state"], entry["occupied"], entry["holder"]) == ("occupied", True, None)
    assert told["warnings"] == [f"something is on port {port}, and whose it is cannot be told"]


def test_a_file_that_would_have_a_port_elsewhere_is_odd(sandbox: Sandbox) -> None:
    lowest = ports_in(sandbox.work, GROUP)
    sandbox.trop("autoreserve", "--shell", "bash", **LOOKING)
    ports_in(sandbox.work, f"reservations: {{services: {{web: {{preferred: {lowest + 50}}}, api: {{}}}}}}\n")

    told = status(sandbox, sandbox.work, **LOOKING)

    [warning] = told["warnings"]
    assert warning.startswith(
        f"web keeps {lowest}, and its file would have it at {lowest + 50}: autoreserve with force "
    )
    sandbox.trop("autoreserve", "--force", "--shell", "bash", **LOOKING)
    assert status(sandbox, sandbox.work, **LOOKING)["warnings"] == []


def test_below_the_file_the_group_of_its_directory_is_told_as_well(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)
    below = sandbox.directory("src")
    sandbox.trop("autoreserve", "--shell", "bash")
    sandbox.reserve("--tag", "extra")
    sandbox.reserve("--tag", "web", cwd=below)

    told = status(sandbox, below)

    assert told["path"] == str(below)
    assert [(entry["path"], entry["tag"], entry["port"], entry["inFile"]) for entry in told["entries"]] == [
        (str(sandbox.work), "web", 5000, True),
        (str(sandbox.work), "api", 5001, True),
        (str(below), "web", 5003, None),
    ]


def test_in_a_directory_that_moved_the_old_path_is_named_and_nothing_moves(sandbox: Sandbox) -> None:
    shop = sandbox.directory("shop")
    port = sandbox.reserve(cwd=shop)
    moved = shop.rename(sandbox.work / "moved")
    before = {file.name: file.read_bytes() for file in sandbox.data.iterdir()}

    told = status(sandbox, moved)

    assert told["entries"] == []
    assert told["warnings"] == [
        f'this directory was "{shop}" before, where these ports are reserved: {port}; reserving here moves them along'
    ]
    assert {file.name: file.read_bytes() for file in sandbox.data.iterdir()} == before
    assert sandbox.rows()[0][0] == str(shop)


def test_below_the_root_of_a_worktree_its_port_is_named(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    port = sandbox.reserve(cwd=shop)
    (shop / "src").mkdir()

    told = status(sandbox, shop / "src")
    as_root = status(sandbox, shop / "src", TROP_RESERVE_FOR="root")

    assert told["entries"] == []
    assert told["warnings"][0].startswith(f'"{shop}" has port {port} already; --root ')
    assert [(as_root["path"], entry["port"]) for entry in as_root["entries"]] == [(str(shop), port)]


def test_a_link_that_leads_to_a_directory_with_ports_is_told(sandbox: Sandbox) -> None:
    shop = sandbox.directory("shop")
    sandbox.reserve(cwd=shop)
    (sandbox.work / "link").symlink_to(shop)

    told = json.loads(sandbox.trop("call", "status", json.dumps({"path": str(sandbox.work / "link")})).stdout)

    assert told["entries"] == []
    assert told["warnings"] == [f"{sandbox.work}/link leads to {shop}, which has reservations"]


def test_a_broken_file_is_a_warning_and_the_ports_are_told(sandbox: Sandbox) -> None:
    port = sandbox.reserve("--tag", "web")
    (sandbox.work / "trop.yaml").write_text("ports: {min: many}\nreservations: [\n")

    told = status(sandbox, sandbox.work)

    assert [(entry["tag"], entry["port"], entry["inFile"]) for entry in told["entries"]] == [("web", port, None)]
    assert told["warnings"][0].startswith(
        "the project's configuration is wrong, and what is wrong of it does not count"
    )


def test_a_variable_that_is_refused_is_odd_and_its_port_is_told(sandbox: Sandbox) -> None:
    sandbox.reserve("--tag", "web")
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {env: LD_PRELOAD}}}\n")

    told = status(sandbox, sandbox.work)

    assert [(entry["tag"], entry["variable"]) for entry in told["entries"]] == [("web", None)]
    (refused,) = [text for text in told["warnings"] if text.startswith("reservations.services.web.env is left out: ")]
    assert "newly" not in refused


def test_as_long_as_a_variable_is_refused_nobody_is_told_to_reserve_the_services(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("reservations: {services: {web: {}, api: {env: FOO}}}\n")

    refused = sandbox.trop("status")
    file.write_text("reservations: {services: {web: {}, api: {env: FOO_PORT}}}\n")
    mended = sandbox.trop("status")

    assert "Not reserved yet: web, api.\n" in refused.stdout
    assert "; no service is reserved newly until that is right\n" in refused.stderr
    assert "Not reserved yet: web, api. trop autoreserve reserves all of them.\n" in mended.stdout
    assert mended.stderr == ""


def test_two_stores_are_odd(sandbox: Sandbox) -> None:
    for place in (sandbox.home / ".local/share/trop", sandbox.home / ".trop"):
        sandbox.reserve(TROP_DATA_DIR=str(place))

    told = status(sandbox, sandbox.work, TROP_DATA_DIR=None)

    assert str(sandbox.home / ".trop") in told["warnings"][0]


def test_it_makes_no_store_and_leaves_one_byte_for_byte_as_it_is(sandbox: Sandbox) -> None:
    assert status(sandbox, sandbox.work)["entries"] == []
    assert not sandbox.data.exists()
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login", "login")
    sandbox.reserve(cwd=login)
    git(shop, "worktree", "move", str(login), str(sandbox.work / "moved"))
    before = {file.name: file.read_bytes() for file in sandbox.data.iterdir()}

    for folder in (sandbox.work / "moved", shop, sandbox.work):
        status(sandbox, folder, **LOOKING)

    assert {file.name: file.read_bytes() for file in sandbox.data.iterdir()} == before


def test_what_is_odd_many_times_is_told_in_short(sandbox: Sandbox) -> None:
    lowest = ports_in(sandbox.work)
    for number in range(8):
        sandbox.reserve("--tag", f"t{number}")
    nowhere = sandbox.root / "nowhere"
    nowhere.mkdir()
    several = "".join(f"h{n} = socket.create_server(('127.0.0.1', {lowest + n}))\n" for n in range(7))

    with server(lowest + 7, nowhere, started_from=nowhere, before=f"import socket\n{several}"):
        told = status(sandbox, sandbox.work, **LOOKING)

    assert set(states(told).values()) == {"occupied"}
    assert len(told["warnings"]) == 6
    assert told["warnings"][-1] == "and so it is with 3 more ports"


def test_each_of_several_files_that_a_setting_comes_from_is_shown_with_a_shortened_home(sandbox: Sandbox) -> None:
    data, project = sandbox.home / "data", sandbox.home / "project"
    for directory, name in ((data, "config.yaml"), (project, "trop.yaml")):
        directory.mkdir()
        (directory / name).write_text("excluded_ports: [5000]\n")

    done = sandbox.trop("status", cwd=project, TROP_DATA_DIR=str(data))

    assert "  excluded_ports: ~/data/config.yaml:1:17, ~/project/trop.yaml:1:17\n" in done.stdout
