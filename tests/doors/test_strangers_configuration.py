"""What a repository's own files bring about, through the command line and the server: nothing that is not theirs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, make_repository
from support.sandbox import as_json, error_lines
from support.somebody import as_somebody
from support.window import LOGGED, next_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

HOUR, DAY = 3600, 86_400
ONE_PORT = "ports: {min: 5000, max: 5000}\n"
CUNNING = ONE_PORT + "cleanup: {expire_after_days: 1}\n"
TYPO = "projet: shop\n"
TOLD = "the project's configuration is wrong, and what is wrong of it does not count: "


def stored(sandbox: Sandbox, count: int, *, age: int, missing: bool = False) -> list[str]:
    """Reservations of directories, last used so many seconds ago, from port 5000 on."""
    sandbox.make_store()
    paths = [f"{sandbox.root}/stored/{number}" for number in range(count)]
    then = int(time.time()) - age
    sandbox.execute(
        "INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, ?, ?)",
        [(path, 5000 + number, then, then) for number, path in enumerate(paths)],
    )
    for path in [] if missing else paths:
        os.makedirs(path)
    return paths


def paths_in(sandbox: Sandbox) -> list[str]:
    return [row[0] for row in sandbox.rows()]


def refused(sandbox: Sandbox, client: Client, door: str, command: str) -> str:
    """How a call for the working directory fails, as a full range."""
    if door == "server":
        error = client.refused(f"trop.{command}")
        assert error.data["kind"] == "port_exhausted"
        return str(error.message)
    done = sandbox.trop(command)
    assert (done.returncode, done.stdout) == (6, "")
    return error_lines(done)[0]


# Cleaning up.


@pytest.mark.parametrize("door", ["cli", "server"])
@pytest.mark.parametrize("age", [25 * HOUR, 31 * DAY], ids=["a-day-ago", "a-month-ago"])
def test_a_file_that_narrows_the_range_and_hastens_expiry_drops_nothing(
    sandbox: Sandbox, client: Client, door: str, age: int
) -> None:
    paths = stored(sandbox, 3, age=age)
    make_repository(sandbox.work)
    (sandbox.work / "trop.yaml").write_text(CUNNING)

    message = refused(sandbox, client, door, "reserve")

    assert paths_in(sandbox) == paths
    file = sandbox.work / "trop.yaml"
    assert message == (
        "no port from 5000 to 5000 is free: 1 reserved, 0 excluded, 0 avoided, 0 occupied; a cleanup found nothing "
        f"that helps: autoexpire is off, the project's file decides about the range: ports.max ({file}:1:25)"
    )


@pytest.mark.parametrize("text", [CUNNING, ONE_PORT + "reservations: {services: {web: {}}}\n"], ids=["port", "group"])
def test_an_editor_that_opens_a_folder_drops_nothing_at_all(
    sandbox: Sandbox, start: Callable[..., Client], text: str
) -> None:
    paths = stored(sandbox, 3, age=31 * DAY, missing=True)
    make_repository(sandbox.work)
    (sandbox.work / "trop.yaml").write_text(text)
    client = start()

    client.initialize(str(sandbox.work), initializationOptions={"reserveOnOpen": "git"})
    logged = next_of(client, LOGGED)["params"]["message"]

    assert "no port from 5000 to 5000 is free" in logged
    assert "; the opening of a folder cleans up nothing" in logged
    assert "disable_auto" not in logged
    assert paths_in(sandbox) == paths


def test_in_the_users_own_range_the_same_reservations_expire(sandbox: Sandbox) -> None:
    stored(sandbox, 1, age=31 * DAY)
    (sandbox.data / "config.yaml").write_text(ONE_PORT)
    (sandbox.work / "trop.yaml").write_text("project: shop\n")

    assert sandbox.reserve() == 5000
    assert paths_in(sandbox) == [str(sandbox.work)]


def test_in_a_range_that_a_file_narrows_what_is_missing_goes_all_the_same(sandbox: Sandbox) -> None:
    paths = stored(sandbox, 3, age=8 * DAY, missing=True)
    (sandbox.work / "trop.yaml").write_text(CUNNING)

    assert sandbox.reserve() == 5000
    assert paths_in(sandbox) == [*paths[1:], str(sandbox.work)]


@pytest.mark.parametrize(
    "text",
    ["excluded_ports: [5001..7000]\n", "ports: {max_offset: 0}\n", "ports: {min: 5000, max: 5000}\n"],
    ids=["by-exclusions", "by-an-offset", "by-its-ends"],
)
def test_however_a_file_leaves_one_port_nothing_expires_for_it(sandbox: Sandbox, text: str) -> None:
    paths = stored(sandbox, 1, age=31 * DAY)
    (sandbox.work / "trop.yaml").write_text(text)

    done = sandbox.trop("reserve")

    assert done.returncode == 6
    assert f"autoexpire is off, the project's file decides about the range: {text.partition(':')[0]}" in done.stderr
    assert paths_in(sandbox) == paths


@pytest.mark.parametrize("door", ["cli", "server"])
def test_for_a_group_nothing_expires(sandbox: Sandbox, client: Client, door: str) -> None:
    paths = stored(sandbox, 1, age=31 * DAY)
    (sandbox.data / "config.yaml").write_text(ONE_PORT)
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")

    message = refused(sandbox, client, door, "autoreserve")

    assert "autoexpire is off, a project's group never makes another directory's reservation expire" in message
    assert paths_in(sandbox) == paths


def test_an_exhausted_range_tells_which_half_was_switched_off_and_by_what(sandbox: Sandbox) -> None:
    stored(sandbox, 1, age=31 * DAY)
    (sandbox.data / "config.yaml").write_text(ONE_PORT + "disable_autoprune: true\n")

    done = sandbox.trop("reserve", "--disable-autoexpire")

    assert error_lines(done)[0].endswith(
        f"; cleanup is disabled: autoprune is off, disable_autoprune ({sandbox.data}/config.yaml:2:20); "
        "autoexpire is off, disable_autoexpire (argument)"
    )


@pytest.mark.parametrize("command", ["expire", "autoclean"])
@pytest.mark.parametrize(
    ("text", "stays"),
    [("cleanup: {expire_after_days: 1}\n", True), ("cleanup: {expire_after_days: 60}\n", True), ("", False)],
    ids=["sooner", "later", "without"],
)
def test_a_file_can_only_put_off_what_the_commands_of_the_cleanup_take(
    sandbox: Sandbox, command: str, text: str, stays: bool
) -> None:
    paths = stored(sandbox, 1, age=25 * HOUR if "1}" in text else 31 * DAY)
    (sandbox.work / "trop.yaml").write_text(text)

    done = sandbox.trop(command)

    assert done.returncode == 0
    assert paths_in(sandbox) == (paths if stays else [])


@pytest.mark.parametrize(
    "arguments", [["prune"], ["expire", "--days", "1"], ["autoclean", "--days", "1"]], ids=" ".join
)
def test_what_the_user_asks_of_the_cleanup_no_file_has_a_say_in(sandbox: Sandbox, arguments: list[str]) -> None:
    stored(sandbox, 1, age=8 * DAY, missing=True)
    (sandbox.work / "trop.yaml").write_text("cleanup: {expire_after_days: 60}\nnonsense: 1\n")

    done = sandbox.trop(*arguments)

    assert done.returncode == 0, done.stderr
    assert paths_in(sandbox) == []


# What is the user's to set.


def test_a_file_does_not_let_itself_touch_what_is_unrelated(sandbox: Sandbox) -> None:
    other = sandbox.directory("other")
    mine = sandbox.directory("mine")
    sandbox.reserve(cwd=other)
    (mine / "trop.yaml").write_text("allow_unrelated_path: true\n")

    done = sandbox.trop("release", "--path", str(other), cwd=mine)
    reserving = sandbox.trop("reserve", "--path", str(other), "--tag", "web", cwd=mine)

    assert (done.returncode, reserving.returncode) == (1, 1)
    assert paths_in(sandbox) == [str(other)]


def test_validate_calls_it_a_mistake_and_every_other_command_warns(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("project: shop\nfollow_moves: false\n")

    checked = sandbox.trop("validate", "trop.yaml")
    reserved = sandbox.trop("reserve")

    says = "this key belongs in config.yaml: it is the user's to set, not a project's"
    assert (checked.returncode, checked.stderr) == (1, f"{file}:2:1: follow_moves: {says}\n")
    assert (reserved.returncode, reserved.stdout) == (0, "5000\n")
    told = f"warning: {file}:2:1: follow_moves has no effect: it is the user's to set, in config.yaml\n"
    assert reserved.stderr == told


def test_validate_calls_it_a_mistake_beside_all_others(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("projct: shop\nfollow_moves: false\nreservations: {services: {web: {env: PATH}}}\n")

    told = sandbox.trop("validate", "trop.yaml").stderr.splitlines()

    assert [line.removeprefix(f"{file}:").partition(": ")[0] for line in told] == ["1:1", "2:1", "3:38"]


def test_validate_and_verbose_tell_what_is_passed_over_and_why(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("cleanup: {expire_after_days: 3}\n")
    told = f"{file}:1:30: cleanup.expire_after_days has no effect: a project's file can only raise it, and it is 30"

    checked = sandbox.trop("validate", "trop.yaml")
    verbose = sandbox.trop("reserve", "--verbose")
    plain = sandbox.trop("reserve")

    assert (checked.returncode, checked.stderr) == (0, f"warning: {told} (built-in default)\n")
    assert f"{told} (built-in default)\n" in verbose.stderr
    assert plain.stderr == ""


# What goes on where a file is wrong.


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["list", "--here"], ["port-info", "5000"], ["show-path"]],
    ids=" ".join,
)
def test_what_only_reads_goes_on_with_a_warning(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.reserve()
    right = sandbox.trop(*arguments)
    (sandbox.work / "trop.yaml").write_text(TYPO)

    done = sandbox.trop(*arguments)

    assert (done.returncode, done.stdout) == (0, right.stdout)
    place = f"{sandbox.work}/trop.yaml:1:1"
    assert f"warning: {TOLD}{place}: projet: unknown key: did you mean project?" in done.stderr.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ["list-projects"],
        ["assert-port", "5000"],
        ["assert-reservation"],
        ["assert-data-dir", "--validate"],
        ["prune"],
        ["migrate", "--from", "/a", "--to", "/b", "--recursive"],
        ["release", "--tag", "none"],
        ["exclude", "6000", "--global"],
        ["init"],
    ],
    ids=" ".join,
)
def test_what_needs_the_users_settings_alone_reads_no_file_of_a_project(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.reserve("--project", "shop")
    (sandbox.work / "trop.yaml").write_text(TYPO)

    done = sandbox.trop(*arguments)

    assert done.returncode == 0, done.stderr
    assert "trop.yaml" not in done.stderr


@pytest.mark.parametrize("door", ["cli", "server"])
def test_a_key_that_exists_is_reserved_with_a_warning_and_a_new_one_is_not(
    sandbox: Sandbox, client: Client, door: str
) -> None:
    port = sandbox.reserve()
    (sandbox.work / "trop.yaml").write_text(TYPO)

    if door == "server":
        found = client.call("trop.reserve")
        new = client.refused("trop.reserve", {"tag": "web"}).data["kind"]
        anew = client.refused("trop.reserve", {"overwrite": True}).data["kind"]
        told = found["warnings"]
        assert found["reservation"]["port"] == port
        assert (new, anew) == ("config_error", "config_error")
    else:
        done = sandbox.trop("reserve")
        told = [line.removeprefix("warning: ") for line in done.stderr.splitlines()]
        assert (done.returncode, done.stdout) == (0, f"{port}\n")
        assert sandbox.trop("reserve", "--tag", "web").returncode == 7
        assert sandbox.trop("reserve", "--overwrite").returncode == 7

    assert told == [f"{TOLD}{sandbox.work}/trop.yaml:1:1: projet: unknown key: did you mean project?"]
    assert len(sandbox.rows()) == 1


# How far a file is searched for, and whose is taken.


@pytest.mark.parametrize("door", ["cli", "server"])
def test_a_worktree_inside_of_a_repository_has_no_file_of_it(sandbox: Sandbox, client: Client, door: str) -> None:
    make_repository(sandbox.work)
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")
    inner = add_worktree(sandbox.work, sandbox.work / ".claude" / "worktrees" / "f")

    if door == "server":
        message = client.refused("trop.autoreserve", {"folder": str(inner)}).message
    else:
        done = sandbox.trop("autoreserve", cwd=inner)
        assert done.returncode == 6
        message = error_lines(done)[0]

    assert message == (
        f'there is no trop.yaml or trop.local.yaml in "{inner}" or a directory above it, up to "{inner}", the root of '
        "its git worktree"
    )
    assert sandbox.rows() == []


def test_a_file_that_is_called_nearly_right_is_named_where_none_is_found(sandbox: Sandbox) -> None:
    make_repository(sandbox.work)
    (sandbox.work / "tRop.yml").write_text("reservations: {services: {web: {}}}\n")

    done = sandbox.trop("autoreserve")

    assert f'"{sandbox.work}/tRop.yml" is not read: the file has to be called trop.yaml' in done.stderr


@pytest.mark.parametrize("text", ["ports: {min: 6000, max: 6999}\n", "nonsense: [\n"], ids=["policy", "broken"])
def test_a_strangers_file_above_ones_own_directory_is_passed_over(public_place: Path, text: str) -> None:
    shared, mine = public_place / "shared", public_place / "shared" / "mine"
    mine.mkdir(parents=True)
    shared.chmod(0o1777)
    os.chown(mine, 65534, 65534)
    file = shared / "trop.yaml"
    file.write_text(text)
    os.chown(file, 12345, 12345)

    done = as_somebody(public_place, "reserve", cwd=mine)

    assert (done.returncode, done.stdout) == (0, "5000\n"), done.stderr
    assert done.stderr.startswith(f'warning: "{file}" is passed over: it belongs to the user with the id 12345, and')


def test_a_strangers_repository_above_ones_own_directory_says_nothing(public_place: Path) -> None:
    shared = make_repository(public_place / "shared")
    mine = shared / "mine"
    mine.mkdir()
    os.chown(mine, 65534, 65534)
    own = as_somebody(public_place, "call", "trop.reserve", json.dumps({"dryRun": True, "root": True}), cwd=mine)
    subprocess.run(["chown", "-R", "12345", str(shared / ".git")], check=True)

    strange = as_somebody(public_place, "call", "trop.reserve", json.dumps({"dryRun": True, "root": True}), cwd=mine)

    assert (as_json(own)["reservation"]["project"], as_json(own)["reservation"]["path"]) == ("shared", str(shared))
    found = as_json(strange)["reservation"]
    assert (found["project"], found["task"], found["path"]) == (None, None, str(mine))


@pytest.mark.parametrize("safe", ["{place}/shared", "{place}/link", "{place}", "{place}/other"])
def test_the_user_may_call_a_strangers_repository_safe(public_place: Path, safe: str) -> None:
    shared = make_repository(public_place / "shared")
    mine = shared / "mine"
    mine.mkdir()
    os.chown(mine, 65534, 65534)
    (public_place / "link").symlink_to(shared)
    for data in (public_place / "data", public_place / "data-of-root"):
        data.mkdir()
        (data / "config.yaml").write_text(f"safe_directories: [{safe.format(place=public_place)}]\n")
    subprocess.run(["chown", "-R", "12345", str(shared / ".git")], check=True)

    done = as_somebody(public_place, "call", "trop.reserve", json.dumps({"dryRun": True, "root": True}), cwd=mine)

    found = as_json(done)["reservation"]
    counts = not safe.endswith("other")
    assert (found["project"], found["path"]) == (("shared", str(shared)) if counts else (None, str(mine)))


# What a file takes back.


@pytest.mark.parametrize("weaker", ["reservations: {services: {web: {}}}\n", "project: shop\n"])
def test_a_file_that_takes_the_services_away_is_the_one_that_is_named(sandbox: Sandbox, weaker: str) -> None:
    (sandbox.work / "trop.yaml").write_text(weaker)
    (sandbox.work / "trop.local.yaml").write_text("reservations: null\n")

    done = sandbox.trop("autoreserve")

    told = "reservations: there is nothing to reserve: it is null here"
    assert done.returncode == 7
    assert error_lines(done)[0] == f"{sandbox.work}/trop.local.yaml:1:15: {told}"
