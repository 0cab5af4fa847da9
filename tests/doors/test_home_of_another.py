"""Root in the home of somebody else: what it makes is theirs, and their links lead it nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.patience import PATIENCE
from support.processes import child
from support.sandbox import Sandbox, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client

USER, GROUP = 65534, 65533


@pytest.fixture
def sandbox(public_place: Path) -> Sandbox:
    """A sandbox whose home belongs to another user, who can reach it."""
    made = Sandbox(public_place)
    os.chown(made.home, USER, GROUP)
    made.work.chmod(0o755)
    return made


@pytest.fixture
def usual(sandbox: Sandbox) -> Path:
    """Where the user's store belongs."""
    return sandbox.home / ".local" / "share" / "trop"


def owners(place: Path) -> dict[str, tuple[int, int]]:
    """Whose everything below a directory is, by its name from there."""
    found = {}
    for entry in sorted(place.rglob("*")):
        status = entry.lstat()
        found[str(entry.relative_to(place))] = (status.st_uid, status.st_gid)
    return found


def modes(place: Path) -> set[int]:
    return {entry.lstat().st_mode & 0o7777 for entry in place.iterdir()}


AS_THE_USER = """
import os, sys
from trop_server.cli import main
os.chdir(sys.argv[1])
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
main.run(["reserve", "--data-dir", sys.argv[2], "--quiet"])
sys.stdout.flush()
os.dup2(out, 1)
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
sys.exit(main.run(sys.argv[3:]))
"""
"""The first run loads, as root, the modules that another user may not be able to read."""


def as_the_user(sandbox: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as the user whose home it is."""
    other = tempfile.mkdtemp(dir=sandbox.root)
    return sandbox.run(sys.executable, "-c", AS_THE_USER, str(sandbox.work), other, *arguments, TROP_DATA_DIR=None)


def test_all_that_root_makes_belongs_to_whose_home_it_is(sandbox: Sandbox, usual: Path) -> None:
    port = sandbox.reserve(TROP_DATA_DIR=None)
    excluded = sandbox.trop("exclude", "6001", "--global", TROP_DATA_DIR=None)
    emptied = sandbox.trop("init", "--overwrite", "--with-config", TROP_DATA_DIR=None)

    assert (port, excluded.returncode, emptied.returncode) == (5000, 0, 0), excluded.stderr + emptied.stderr
    assert set(owners(sandbox.home).values()) == {(USER, GROUP)}
    assert {"trop.db", "trop.db.bak", "config.yaml"} <= {entry.name for entry in usual.iterdir()}
    assert (usual.stat().st_mode & 0o7777, modes(usual)) == (0o700, {0o600})
    assert as_the_user(sandbox, "reserve").stdout == "5000\n"


def test_the_files_of_an_open_store_and_the_backup_of_an_older_one_belong_to_them(
    sandbox: Sandbox, usual: Path, start: Callable[..., Client]
) -> None:
    usual.mkdir(parents=True)
    stores.make_v1(usual / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    for place in (usual, usual.parent, usual.parent.parent, usual / "trop.db"):
        os.chown(place, USER, GROUP)
    client = start(TROP_DATA_DIR=None)
    client.initialize(str(sandbox.work))

    client.call("trop.reserve")

    assert set(owners(sandbox.home).values()) == {(USER, GROUP)}
    assert {entry.name for entry in usual.iterdir()} == {"trop.db", "trop.db-wal", "trop.db-shm", "trop.db.v1.bak"}


def test_a_named_directory_in_their_home_is_theirs_and_one_elsewhere_is_roots(sandbox: Sandbox) -> None:
    inside = sandbox.home / "a" / "b"

    sandbox.reserve("--data-dir", str(inside))
    sandbox.reserve("--data-dir", str(sandbox.root / "c"))

    assert set(owners(sandbox.home).values()) == {(USER, GROUP)}
    assert set(owners(sandbox.root / "c").values()) == {(0, 0)}


def test_what_was_there_before_keeps_its_owner(sandbox: Sandbox, usual: Path) -> None:
    usual.mkdir(parents=True)

    sandbox.reserve(TROP_DATA_DIR=None)

    assert owners(sandbox.home) == {
        ".local": (0, 0),
        ".local/share": (0, 0),
        ".local/share/trop": (0, 0),
        ".local/share/trop/trop.db": (USER, GROUP),
    }


@pytest.mark.parametrize("link", [".local", ".local/share", ".local/share/trop"])
def test_a_directory_that_is_a_link_to_what_is_not_theirs_is_not_followed(sandbox: Sandbox, link: str) -> None:
    target = sandbox.directory("of-root")
    (sandbox.home / link).parent.mkdir(parents=True, exist_ok=True)
    (sandbox.home / link).symlink_to(target)

    done = sandbox.trop("reserve", TROP_DATA_DIR=None)
    rehearsed = sandbox.trop("reserve", "--dry-run", TROP_DATA_DIR=None)
    configured = sandbox.trop("init", "--with-config", TROP_DATA_DIR=None)
    excluded = sandbox.trop("exclude", "6001", "--global", TROP_DATA_DIR=None)

    assert list(target.iterdir()) == []
    assert [run.returncode for run in (done, rehearsed, configured, excluded)] == [5] * 4
    assert error_lines(done)[0].endswith("a link in another user's home leads to what is not that user's")
    assert error_lines(done) == error_lines(rehearsed)


def test_a_store_that_is_a_link_to_what_is_not_theirs_is_not_opened(sandbox: Sandbox, usual: Path) -> None:
    target = sandbox.directory("of-root") / "empty"
    target.touch()
    usual.mkdir(parents=True)
    (usual / "trop.db").symlink_to(target)

    runs = [
        sandbox.trop(*arguments, TROP_DATA_DIR=None)
        for arguments in (["reserve"], ["reserve", "--dry-run"], ["list"], ["init"], ["init", "--overwrite"])
    ]

    assert [run.returncode for run in runs] == [5] * 5
    assert target.stat().st_size == 0
    assert [entry.name for entry in target.parent.iterdir()] == ["empty"]


def test_a_second_name_of_somebody_elses_file_is_as_good_as_a_link(sandbox: Sandbox, usual: Path) -> None:
    target = sandbox.directory("of-root") / "empty"
    target.touch()
    usual.mkdir(parents=True)
    os.link(target, usual / "trop.db")

    done = sandbox.trop("reserve", TROP_DATA_DIR=None)

    assert (done.returncode, target.stat().st_size) == (5, 0)


@pytest.mark.parametrize("exists", [True, False], ids=["a file", "no file"])
def test_a_configuration_that_is_a_link_to_what_is_not_theirs_is_not_written(
    sandbox: Sandbox, usual: Path, exists: bool
) -> None:
    target = sandbox.directory("of-root") / "config"
    if exists:
        target.write_text("ports: {min: 5500}\n")
    sandbox.reserve(TROP_DATA_DIR=None)
    (usual / "config.yaml").symlink_to(target)

    done = sandbox.trop("exclude", "6001", "--global", TROP_DATA_DIR=None)

    assert done.returncode == 5
    assert target.exists() is exists
    assert not exists or target.read_text() == "ports: {min: 5500}\n"


def test_links_to_what_is_theirs_are_followed(sandbox: Sandbox) -> None:
    target = sandbox.directory("of-the-user")
    os.chown(target, USER, GROUP)
    (sandbox.home / ".local").symlink_to(target)

    sandbox.reserve(TROP_DATA_DIR=None)
    excluded = sandbox.trop("exclude", "6001", "--global", TROP_DATA_DIR=None)

    assert excluded.returncode == 0
    assert set(owners(target).values()) == {(USER, GROUP)}
    assert (target / "share" / "trop" / "config.yaml").exists()


KILLED = """
import os, sys
from trop_server.cli import main
left = int(sys.argv[1])
def count(function):
    def stop(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os._exit(0)
        return function(*arguments, **options)
    return stop
for name in ("mkdir", "fchown", "rename", "link", "replace"):
    setattr(os, name, count(getattr(os, name)))
os.environ.pop("TROP_DATA_DIR", None)
main.run(["reserve"])
print("it ended")
"""


@pytest.mark.usefixtures("unmeasured")
def test_a_crash_at_any_moment_leaves_nothing_that_is_in_the_way_of_anybody(sandbox: Sandbox, usual: Path) -> None:
    moments, ended = 0, False
    while not ended:
        with child(KILLED, moments, **sandbox.environment()) as process:
            ended = "it ended" in process.end()
        left = owners(sandbox.home)
        subprocess.run(["cp", "-a", sandbox.home, sandbox.root / "left"], check=True)
        own = as_the_user(sandbox, "reserve")
        subprocess.run(["rm", "-rf", sandbox.home], check=True)
        (sandbox.root / "left").rename(sandbox.home)
        again = sandbox.trop("reserve", TROP_DATA_DIR=None)

        assert {name for name, owner in left.items() if owner != (USER, GROUP) and not name.endswith(".tmp")} == set()
        assert (own.returncode, again.returncode) == (0, 0), own.stderr + again.stderr
        assert set(owners(sandbox.home).values()) == {(USER, GROUP)}
        assert not [name for name in owners(sandbox.home) if name.endswith(".tmp")]
        subprocess.run(["rm", "-rf", sandbox.home / ".local"], check=True)
        moments += 1

    # Three directories, each made, given away and renamed, and a file that is given away and linked.
    assert moments == 3 * 3 + 2 + 1


def test_many_at_once_make_one_store_that_is_theirs(sandbox: Sandbox) -> None:
    places = [sandbox.directory(f"p{number}") for number in range(8)]
    running = [sandbox.begin("reserve", cwd=place, TROP_DATA_DIR=None) for place in places]
    ports = [process.communicate(timeout=PATIENCE)[0] for process in running]

    listed = as_json(sandbox.trop("call", "trop.list", TROP_DATA_DIR=None))

    assert sorted(ports) == [f"{port}\n" for port in range(5000, 5008)]
    assert len(listed["reservations"]) == 8
    assert set(owners(sandbox.home).values()) == {(USER, GROUP)}
