"""``trop.reserve``: every outcome, as a client sees it."""

from __future__ import annotations

import datetime as dt
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from support.repositories import add_worktree, make_repository

from trop_core.catalogue import by_command
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox


def check(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The result itself, once its schema has been held against it."""
    operation = by_command(name)
    assert operation is not None
    Draft202012Validator(output_schema(operation), format_checker=FormatChecker()).validate(answer)
    return answer


def reserve(client: Client, **argument: object) -> dict[str, Any]:
    return check("trop.reserve", client.call("trop.reserve", argument))


def test_a_new_key_is_created(client: Client, sandbox: Sandbox) -> None:
    answer = reserve(client, tag="web", project="shop", task="login")

    reservation = answer["reservation"]
    times = (reservation.pop("createdAt"), reservation.pop("lastUsedAt"))
    assert answer == {"reservation": reservation, "outcome": "created", "dryRun": False, "warnings": []}
    assert reservation == {
        "port": 5000,
        "path": str(sandbox.work),
        "tag": "web",
        "project": "shop",
        "task": "login",
    }
    for time in times:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(time)
        assert dt.timedelta(seconds=-1) < age < dt.timedelta(minutes=1)
    assert sandbox.rows() == [(str(sandbox.work), "web", 5000, "shop", "login")]


def test_an_existing_key_is_reused_and_refreshed(client: Client, sandbox: Sandbox) -> None:
    created = reserve(client)["reservation"]
    sandbox.execute("UPDATE reservations SET created_at = 1000, last_used_at = 1000")

    answer = reserve(client, min=6100, max=6101)

    assert answer["outcome"] == "reused"
    assert answer["reservation"]["port"] == created["port"]
    assert answer["reservation"]["createdAt"] == "1970-01-01T00:16:40Z"
    assert answer["reservation"]["lastUsedAt"] > "2020"


def test_another_port_for_an_existing_key_takes_overwrite(client: Client) -> None:
    reserve(client)

    kept = reserve(client, port=6500)
    moved = reserve(client, port=6500, overwrite=True)
    again = reserve(client, overwrite=True)
    lowest = reserve(client, overwrite=True, max=6100)

    assert (kept["outcome"], kept["reservation"]["port"]) == ("reused", 5000)
    assert len(kept["warnings"]) == 1
    assert (moved["outcome"], moved["reservation"]["port"]) == ("reallocated", 6500)
    assert (again["outcome"], again["reservation"]["port"]) == ("reused", 6500)
    assert (lowest["outcome"], lowest["reservation"]["port"]) == ("reallocated", 5000)


def test_a_changed_project_takes_a_permission(client: Client, sandbox: Sandbox) -> None:
    reserve(client, project="shop")

    refusal = client.refused("trop.reserve", {"project": "mall"})
    changed = reserve(client, project="mall", allowChangeProject=True)
    cleared = reserve(client, clearProject=True, force=True)

    assert (refusal.code, refusal.data["kind"]) == (-32803, "sticky_field")
    assert refusal.data["details"] == {"field": "project", "stored": "shop", "requested": "mall"}
    assert "allowChangeProject" in refusal.data["hint"]
    assert (changed["outcome"], changed["reservation"]["project"]) == ("updated", "mall")
    assert (cleared["outcome"], cleared["reservation"]["project"]) == ("updated", None)


def test_a_dry_run_says_the_same_and_stores_nothing(client: Client, sandbox: Sandbox) -> None:
    planned = reserve(client, dryRun=True)
    rows_then = sandbox.database.exists()
    real = reserve(client)
    replanned = reserve(client, overwrite=True, port=6500, dryRun=True)

    assert planned["dryRun"] is True
    assert rows_then is False
    assert planned["reservation"]["port"] == real["reservation"]["port"]
    assert (replanned["outcome"], replanned["reservation"]["port"]) == ("reallocated", 6500)
    assert sandbox.rows() == [(str(sandbox.work), "", 5000, None, None)]


def test_a_preferred_port_that_is_taken_falls_back_with_a_warning(client: Client) -> None:
    reserve(client, tag="other", port=6500)

    answer = reserve(client, port=6500)

    assert answer["reservation"]["port"] == 5000
    assert len(answer["warnings"]) == 1
    assert "6500" in answer["warnings"][0]


def test_an_occupied_port_is_passed_over_and_can_be_taken_on_purpose(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    client = start(TROP_SKIP_OCCUPANCY_CHECK=None)
    client.initialize(str(sandbox.work))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        passed_over = reserve(client, tag="a", port=port)
        taken = reserve(client, tag="b", port=port, ignoreOccupied=True)
        [seen] = check("trop.list", client.call("trop.list", {"tag": "b", "includeOccupancy": True}))["reservations"]

    assert passed_over["reservation"]["port"] != port
    assert "occupied" in passed_over["warnings"][0]
    assert taken["reservation"]["port"] == port
    assert (seen["port"], seen["occupied"]) == (port, True)


def test_a_full_range_is_exhausted_and_cleanup_is_rolled_back(client: Client, sandbox: Sandbox) -> None:
    one = sandbox.directory("one")
    reserve(client, path=str(one), port=6100)
    reserve(client, tag="web", port=6101)

    refusal = client.refused("trop.reserve", {"tag": "new", "min": 6100, "max": 6101})

    assert (refusal.code, refusal.data["kind"]) == (-32803, "port_exhausted")
    assert refusal.data["details"] == {
        "min": 6100,
        "max": 6101,
        "reserved": 2,
        "excluded": 0,
        "avoided": 0,
        "occupied": 0,
        "cleanup": True,
    }
    assert len(sandbox.rows()) == 2


def test_a_full_range_gives_away_what_nobody_uses(client: Client, sandbox: Sandbox) -> None:
    reserve(client, path=str(sandbox.work / "gone"), port=6100)

    refusal = client.refused("trop.reserve", {"min": 6100, "max": 6100, "disableAutoprune": True})
    answer = reserve(client, min=6100, max=6100)

    assert refusal.data["kind"] == "port_exhausted"
    assert (answer["outcome"], answer["reservation"]["port"]) == ("created", 6100)
    assert len(answer["warnings"]) == 1
    assert [row[0] for row in sandbox.rows()] == [str(sandbox.work)]


def test_project_and_task_come_from_the_worktree(start: Callable[..., Client], sandbox: Sandbox) -> None:
    repository = make_repository(sandbox.work / "shop")
    worktree = add_worktree(repository, sandbox.work / "shop-login", "login-form")
    client = start()
    client.initialize(str(worktree))

    answer = reserve(client)

    assert answer["reservation"]["project"] == "shop"
    assert answer["reservation"]["task"] == "shop-login"


def test_a_path_that_does_not_exist_is_accepted_with_a_warning(client: Client, sandbox: Sandbox) -> None:
    answer = reserve(client, path=str(sandbox.work / "later"))

    assert answer["outcome"] == "created"
    assert answer["warnings"] == [f"{sandbox.work / 'later'} is not an existing directory"]


def test_an_explicit_path_is_kept_as_spelled_and_a_folder_is_not(client: Client, sandbox: Sandbox) -> None:
    project, link = sandbox.directory("project"), sandbox.work / "link"
    link.symlink_to(project)

    by_path = reserve(client, path=str(link))
    by_folder = reserve(client, folder=str(link))

    assert by_path["reservation"]["path"] == str(link)
    assert by_folder["reservation"]["path"] == str(project)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/w/../{work}", True),
        ("{work}/sub/deeper", True),
        ("{parent}", True),
        ("/", True),
        ("{work}b", False),
        ("{parent}/sibling", False),
    ],
)
def test_the_relation_guard_goes_by_component(
    shared: Client, shared_sandbox: Sandbox, path: str, allowed: bool
) -> None:
    work = shared_sandbox.work
    argument = {"path": path.format(work=work, parent=shared_sandbox.root), "dryRun": True}

    if allowed:
        assert shared.call("trop.reserve", argument)["outcome"] == "created"
        return
    refusal = shared.refused("trop.reserve", argument)
    permitted = shared.call("trop.reserve", {**argument, "allowUnrelatedPath": True})

    assert (refusal.code, refusal.data["kind"]) == (-32803, "unrelated_path")
    assert refusal.data["details"] == {"path": argument["path"], "anchors": [str(work)]}
    assert permitted["outcome"] == "created"


def test_any_open_folder_is_an_anchor(start: Callable[..., Client], sandbox: Sandbox) -> None:
    one, other = sandbox.directory("one"), sandbox.directory("other")
    client = start()
    client.initialize(str(one), str(other))

    assert reserve(client, path=str(other / "sub"))["outcome"] == "created"
    assert client.refused("trop.reserve", {"path": str(sandbox.work / "third")}).data["kind"] == "unrelated_path"


def test_a_link_to_an_anchor_counts(start: Callable[..., Client], sandbox: Sandbox) -> None:
    project, link = sandbox.directory("project"), sandbox.root / "link"
    link.symlink_to(project)
    client = start()
    client.initialize(str(project))

    assert reserve(client, path=str(link / "sub"))["reservation"]["path"] == str(link / "sub")


def test_a_broken_configuration_is_told_with_its_place(client: Client, sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("ports:\n  min: many\n")

    refusal = client.refused("trop.reserve")

    assert (refusal.code, refusal.data["kind"]) == (-32803, "config_error")
    [problem] = refusal.data["details"]["problems"]
    assert (problem["file"], problem["line"], problem["key"]) == (str(sandbox.work / "trop.yaml"), 2, "ports.min")


def test_without_the_permission_to_create_a_missing_store_is_an_error(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    client = start(TROP_DISABLE_AUTOINIT="1")
    client.initialize(str(sandbox.work))

    for name in ("trop.reserve", "trop.list"):
        refusal = client.refused(name)
        assert (refusal.code, refusal.data["kind"]) == (-32803, "no_data_directory")
        assert refusal.data["details"] == {"path": str(sandbox.database)}
    assert not sandbox.data.exists()
