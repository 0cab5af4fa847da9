"""Directories that move without a word to trop: their ports come along when something is reserved there next."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from support.repositories import add_worktree, git, make_repository
from support.sandbox import TROP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sandbox import Sandbox


def mv(old: Path, new: Path) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mv", str(old), str(new)], check=True)


def rename(old: Path, new: Path) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    os.rename(old, new)


@pytest.mark.parametrize("how", [mv, rename])
@pytest.mark.parametrize(
    "destination", ["b", "deep/er/a", "a b\n'c"], ids=["renamed", "moved down", "to a name that needs quotes"]
)
def test_a_directory_that_was_moved_keeps_its_port(
    sandbox: Sandbox, reserve: Callable[..., Any], how: Callable[[Path, Path], None], destination: str
) -> None:
    old, new = sandbox.directory("a"), sandbox.work / destination
    port, _ = reserve(old)
    api, _ = reserve(old, "api")
    how(old, new)

    again, told = reserve(new)

    assert again == port
    assert "moved along" in told
    assert str(old) in told
    assert [(row[0], row[1], row[2]) for row in sandbox.rows()] == [(str(new), "", port), (str(new), "api", api)]


def test_a_worktree_that_git_moved_keeps_its_port(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "shop-login")
    port, _ = reserve(login)
    git(shop, "worktree", "move", str(login), str(sandbox.work / "shop-signin"))

    again, told = reserve(sandbox.work / "shop-signin")

    assert again == port
    assert "moved along" in told


def test_a_parent_that_was_renamed_takes_along_what_is_below_as_each_asks(
    sandbox: Sandbox, reserve: Callable[..., Any]
) -> None:
    ports = {name: reserve(sandbox.directory(f"old/{name}"))[0] for name in ("one", "two", "three")}
    rename(sandbox.work / "old", sandbox.work / "new")

    found = {name: reserve(sandbox.work / "new" / name)[0] for name in ports}

    assert found == ports
    assert {row[0] for row in sandbox.rows()} == {str(sandbox.work / "new" / name) for name in ports}


def test_a_parent_with_a_reservation_takes_everything_below_along_at_once(
    sandbox: Sandbox, reserve: Callable[..., Any]
) -> None:
    top, _ = reserve(sandbox.directory("old"))
    below = {name: reserve(sandbox.directory(f"old/{name}"))[0] for name in ("one", "two")}
    rename(sandbox.work / "old", sandbox.work / "new")

    again, told = reserve(sandbox.work / "new")

    assert again == top
    assert "3 reservations moved along" in told
    assert {row[0]: row[2] for row in sandbox.rows()} == {
        str(sandbox.work / "new"): top,
        **{str(sandbox.work / "new" / name): port for name, port in below.items()},
    }


def test_moved_again_and_back_it_is_still_the_same_port(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    place = sandbox.directory("a")
    port, _ = reserve(place)

    for name in ("b", "c", "a"):
        rename(place, sandbox.work / name)
        place = sandbox.work / name
        assert reserve(place)[0] == port


def test_a_new_directory_is_not_the_old_one_even_with_its_inode(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    shutil.rmtree(old)
    new = sandbox.directory("b")

    other, _ = reserve(new)

    assert other != port
    assert len(sandbox.rows()) == 2


def test_a_copy_is_a_directory_of_its_own(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    subprocess.run(["cp", "-a", str(old), str(sandbox.work / "b")], check=True)

    other, told = reserve(sandbox.work / "b")

    assert other != port
    assert "before" not in told


def test_where_another_directory_stands_at_the_old_place_nothing_moves(
    sandbox: Sandbox, reserve: Callable[..., Any]
) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    rename(old, sandbox.work / "b")
    sandbox.directory("a")

    other, told = reserve(sandbox.work / "b")

    assert other != port
    assert "another one stands now" in told
    assert reserve(sandbox.work / "a")[0] == port


def test_what_is_in_the_way_stops_the_move_and_the_warning_says_what_settles_it(
    sandbox: Sandbox, reserve: Callable[..., Any]
) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    inner, _ = reserve(sandbox.directory("a/sub"))
    sandbox.trop("reserve", "--path", str(sandbox.work / "b" / "sub"))
    rename(old, sandbox.work / "b")

    other, told = reserve(sandbox.work / "b")

    assert other not in (port, inner)
    line = next(part for part in told.splitlines() if "trop migrate" in part)
    command = line[line.index("trop migrate") :].partition(" replaces")[0]
    done = subprocess.run(
        command.replace("trop", TROP, 1), shell=True, cwd=sandbox.work, env=sandbox.environment(), check=False
    )
    assert done.returncode == 0
    assert reserve(sandbox.work / "b")[0] == port


def test_what_was_migrated_away_on_purpose_does_not_come_back(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    one, two = sandbox.directory("one"), sandbox.directory("two")
    port, _ = reserve(one)
    assert sandbox.trop("migrate", "--from", str(one), "--to", str(two)).returncode == 0

    other, _ = reserve(one)

    assert other != port
    assert reserve(two)[0] == port


def test_a_migrate_of_what_has_moved_along_already_is_a_success(sandbox: Sandbox, reserve: Callable[..., Any]) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    rename(old, sandbox.work / "b")
    reserve(sandbox.work / "b")

    done = sandbox.trop("migrate", "--from", str(old), "--to", str(sandbox.work / "b"))

    assert done.returncode == 0
    assert "moved along already" in done.stderr
    assert reserve(sandbox.work / "b")[0] == port


def test_following_can_be_switched_off(sandbox: Sandbox) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")

    done = sandbox.trop("reserve", cwd=sandbox.work / "b", TROP_FOLLOW_MOVES="false")

    assert int(done.stdout) != port
    assert f"trop migrate --from {old} --to {sandbox.work / 'b'} --recursive" in done.stderr


def test_a_dry_run_tells_of_the_move_and_leaves_it(sandbox: Sandbox) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")

    done = sandbox.trop("reserve", "--dry-run", cwd=sandbox.work / "b")

    assert int(done.stdout) == port
    assert "moved along" in done.stderr
    assert [row[0] for row in sandbox.rows()] == [str(old)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["release"], 0),
        (["list", "--here"], 0),
        (["assert-reservation"], 1),
        (["history", "--here"], 0),
        (["undo"], 6),
        (["swap", ".."], 6),
    ],
    ids=["release", "list", "assert", "history", "undo", "swap"],
)
def test_what_only_looks_or_releases_names_the_old_place_and_moves_nothing(
    sandbox: Sandbox, arguments: list[str], code: int
) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")

    done = sandbox.trop(*arguments, cwd=sandbox.work / "b")

    assert done.returncode == code
    assert str(old) in done.stderr
    assert str(port) in done.stderr
    assert [row[0] for row in sandbox.rows()] == [str(old)]


def move_into_the_way(sandbox: Sandbox) -> tuple[Path, str]:
    """A moved directory that cannot be followed; and what is said of it: where it was, and what settles it."""
    old, new = sandbox.directory("a"), sandbox.work / "b"
    ports = f"{sandbox.reserve(cwd=old)}, {sandbox.reserve(cwd=sandbox.directory('a/sub'))}"
    rename(old, new)
    (new / "sub").rename(new / "keep")
    sandbox.reserve(cwd=sandbox.directory("b/sub"))
    line = f"trop migrate --from {old} --to {new} --recursive --force"
    settled = f"reservations here are in its way: {line} replaces them"
    return new, f'this directory was "{old}" before, where these ports are reserved: {ports}; {settled}'


LOOKS = pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["release"], 0),
        (["list", "--here"], 0),
        (["status"], 0),
        (["assert-reservation"], 1),
        (["history", "--here"], 0),
        (["swap", ".."], 6),
    ],
    ids=["release", "list", "status", "assert", "history", "swap"],
)


@LOOKS
def test_what_only_looks_or_releases_promises_no_move_where_something_is_in_its_way(
    sandbox: Sandbox, arguments: list[str], code: int
) -> None:
    moved, told = move_into_the_way(sandbox)

    done = sandbox.trop(*arguments, cwd=moved)

    assert done.returncode == code
    assert f"{told}\n" in done.stdout + done.stderr
    assert told.partition("; ")[2] in sandbox.trop("reserve", "--dry-run", cwd=moved).stderr


@LOOKS
def test_what_only_looks_or_releases_tells_who_has_the_ports_where_another_directory_stands_at_the_old_place(
    sandbox: Sandbox, arguments: list[str], code: int
) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")
    old.mkdir()
    told = (
        f'this directory was "{old}" before, where these ports are reserved: {port}; '
        "another one stands there now, and they stay with the path"
    )

    done = sandbox.trop(*arguments, cwd=sandbox.work / "b")

    assert done.returncode == code
    assert f"{told}\n" in done.stdout + done.stderr
    assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]


def test_doctor_advises_no_reserving_where_something_is_in_the_way_of_the_move(sandbox: Sandbox) -> None:
    moved, told = move_into_the_way(sandbox)

    findings = json.loads(sandbox.trop("doctor", "--format", "json", cwd=moved).stdout)["checks"]

    (found,) = (each for each in findings if each["check"] == "moved")
    assert found["message"] == told
    assert found["advice"] == "Decide whether this directory is to have them."


@pytest.mark.usefixtures("unmeasured")
def test_forty_processes_that_find_the_same_move_agree(sandbox: Sandbox) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")

    processes = [sandbox.begin("reserve", cwd=sandbox.work / "b", TROP_BUSY_TIMEOUT="60") for _ in range(40)]
    found = {process.communicate()[0] for process in processes}

    assert found == {f"{port}\n"}
    assert [row[0] for row in sandbox.rows()] == [str(sandbox.work / "b")]


def test_a_group_that_was_moved_keeps_all_its_ports(sandbox: Sandbox) -> None:
    old = sandbox.directory("shop")
    (old / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    before = sandbox.trop("autoreserve", "--format", "json", cwd=old).stdout
    rename(old, sandbox.work / "store")

    done = sandbox.trop("autoreserve", "--format", "json", cwd=sandbox.work / "store")

    assert done.stdout == before
    assert "moved along" in done.stderr


def test_an_explicit_path_is_taken_as_it_is(sandbox: Sandbox) -> None:
    old = sandbox.directory("a")
    port = sandbox.reserve(cwd=old)
    rename(old, sandbox.work / "b")

    done = sandbox.trop("reserve", "--path", str(sandbox.work / "b"))

    assert int(done.stdout) != port
