"""Root at home, with a data directory in somebody else's home: what it makes there is theirs, and elsewhere root's."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.requirements import needs_namespaces
from support.sandbox import TROP, Sandbox, error_lines
from support.users import GROUP, USER

if TYPE_CHECKING:
    from subprocess import CompletedProcess

THIRD = 65532

AS_THE_USER = """
import os, sys
from trop_server.cli import main
home, other, *arguments = sys.argv[1:]
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
main.run(["reserve", "--data-dir", other, "--quiet"])
sys.stdout.flush()
os.dup2(out, 1)
os.environ["HOME"] = home
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
sys.exit(main.run(arguments))
"""
"""The first run loads, as root, the modules that another user may not be able to read."""


@pytest.fixture
def sandbox(public_place: Path) -> Sandbox:
    """A sandbox of root's that everybody can reach."""
    needs_namespaces()
    made = Sandbox(public_place)
    made.work.chmod(0o755)
    return made


@pytest.fixture
def home(sandbox: Sandbox) -> Path:
    """The home of a user whom the system knows by it."""
    return owned(sandbox.root / "ann")


@pytest.fixture
def usual(home: Path) -> Path:
    """Where the user's store belongs."""
    return home / ".local" / "share" / "trop"


def owned(place: Path, user: int = USER, group: int = GROUP) -> Path:
    """A new directory of somebody's."""
    place.mkdir()
    os.chown(place, user, group)
    return place


def owners(place: Path) -> set[tuple[int, int]]:
    return {(entry.lstat().st_uid, entry.lstat().st_gid) for entry in place.rglob("*")}


def trop(
    sandbox: Sandbox, home: Path | str, *arguments: str, data: Path | None = None, program: tuple[str, ...] = (TROP,)
) -> CompletedProcess[str]:
    """Run a program as root where the password database has the user with this home."""
    users = sandbox.root / "passwd"
    known = [line for line in Path("/etc/passwd").read_text().splitlines() if f":x:{USER}:" not in line]
    users.write_text("\n".join([*known, f"ann:x:{USER}:{GROUP}::{home}:/bin/sh", ""]))
    mount = f"mount --bind {shlex.quote(str(users))} /etc/passwd"
    script = f"{mount} && exec {shlex.join([*program, *arguments])}"
    return sandbox.run("unshare", "-m", "sh", "-c", script, TROP_DATA_DIR=None if data is None else str(data))


def as_the_user(sandbox: Sandbox, home: Path, *arguments: str) -> CompletedProcess[str]:
    other = tempfile.mkdtemp(dir=sandbox.root)
    return trop(sandbox, home, *arguments, program=(sys.executable, "-c", AS_THE_USER, str(home), other))


def test_all_that_is_made_there_is_theirs(sandbox: Sandbox, home: Path, usual: Path) -> None:
    runs = [
        trop(sandbox, home, *arguments, data=usual)
        for arguments in (["reserve"], ["exclude", "6001", "--global"], ["init", "--overwrite", "--with-config"])
    ]

    assert [run.returncode for run in runs] == [0] * 3, [run.stderr for run in runs]
    assert {"trop.db", "trop.db.bak", "config.yaml"} <= {entry.name for entry in usual.iterdir()}
    assert owners(home) == {(USER, GROUP)}
    assert as_the_user(sandbox, home, "reserve").stdout == "5000\n"


def test_a_store_that_they_have_stays_one_that_they_can_use(sandbox: Sandbox, home: Path, usual: Path) -> None:
    assert as_the_user(sandbox, home, "reserve").returncode == 0
    (usual / "config.yaml").write_text("ports: {min: 5500}\n")
    os.chown(usual / "config.yaml", USER, GROUP)

    runs = [
        trop(sandbox, home, "--data-dir", str(usual), *arguments)
        for arguments in (["reserve"], ["reserve"], ["backup"], ["init", "--with-config", "--overwrite"])
    ]

    assert [run.returncode for run in runs] == [0] * 4, [run.stderr for run in runs]
    assert owners(home) == {(USER, GROUP)}
    assert as_the_user(sandbox, home, "reserve").returncode == 0


def test_a_link_from_elsewhere_leads_into_their_home(sandbox: Sandbox, home: Path) -> None:
    (sandbox.work / "link").symlink_to(home)

    done = trop(sandbox, home, "reserve", data=sandbox.work / "link" / "data")

    assert done.returncode == 0, done.stderr
    assert owners(home) == {(USER, GROUP)}


def test_a_home_that_is_a_link_is_one(sandbox: Sandbox, home: Path) -> None:
    (sandbox.root / "home-of-ann").symlink_to(home)

    by_name = trop(sandbox, sandbox.root / "home-of-ann", "reserve", data=sandbox.root / "home-of-ann" / "a" / "b")
    by_place = trop(sandbox, sandbox.root / "home-of-ann", "reserve", data=home / "c" / "d")

    assert (by_name.returncode, by_place.returncode) == (0, 0), by_name.stderr + by_place.stderr
    assert owners(home) == {(USER, GROUP)}


@pytest.mark.parametrize("named", ["/nonexistent", "", "work", "/"])
def test_a_directory_that_only_looks_like_a_home_is_none(sandbox: Sandbox, named: str) -> None:
    """What somebody has made in a directory of all is their home only if the system says so."""
    shared = sandbox.root / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    planted = owned(shared / "ann")

    done = trop(sandbox, named, "init", "--with-config", data=planted / ".local" / "share" / "trop")

    assert done.returncode == 0, done.stderr
    assert owners(planted) == {(0, 0)}


@pytest.mark.parametrize("whose", [0, THIRD], ids=["root", "a third user"])
def test_below_a_directory_that_is_not_theirs_nothing_is(sandbox: Sandbox, home: Path, whose: int) -> None:
    place = owned(home / "not-theirs", whose, whose)

    done = trop(sandbox, home, "init", "--with-config", data=place / "a" / "trop")

    assert done.returncode == 0, done.stderr
    assert owners(place) == {(0, 0)}
    assert place.stat().st_uid == whose


def test_what_a_third_user_has_between_takes_nothing_from_their_home(sandbox: Sandbox, home: Path) -> None:
    place = owned(owned(home / "third", THIRD, THIRD) / "theirs")

    done = trop(sandbox, home, "init", "--with-config", data=place / "trop")

    assert done.returncode == 0, done.stderr
    assert owners(place) == {(0, 0)}


@pytest.mark.parametrize("link", [".local", ".local/share", ".local/share/trop"])
def test_a_link_to_what_is_not_theirs_is_not_followed(sandbox: Sandbox, home: Path, usual: Path, link: str) -> None:
    target = sandbox.directory("of-root")
    for above in reversed(list(Path(link).parents)[:-1]):
        owned(home / above)
    (home / link).symlink_to(target)

    runs = [
        trop(sandbox, home, *arguments, data=usual)
        for arguments in (["reserve"], ["reserve", "--dry-run"], ["init", "--with-config"])
    ]

    assert [run.returncode for run in runs] == [5] * 3
    assert list(target.iterdir()) == []
    assert error_lines(runs[0])[0].endswith("a link in another user's home leads to what is not that user's")


def test_a_link_to_what_is_theirs_is_followed(sandbox: Sandbox, home: Path, usual: Path) -> None:
    target = owned(sandbox.root / "disk")
    (home / ".local").symlink_to(target)

    runs = [trop(sandbox, home, *arguments, data=usual) for arguments in (["reserve"], ["exclude", "6001", "--global"])]

    assert [run.returncode for run in runs] == [0] * 2, [run.stderr for run in runs]
    assert (target / "share" / "trop" / "config.yaml").exists()
    assert owners(target) == {(USER, GROUP)}


def test_a_store_with_a_second_name_that_is_not_theirs_is_not_opened(sandbox: Sandbox, home: Path, usual: Path) -> None:
    sandbox.reserve()
    before = sandbox.database.read_bytes()
    for name in (".local", ".local/share", ".local/share/trop"):
        owned(home / name)
    os.link(sandbox.database, usual / "trop.db")

    # The express lane takes no variable of trop's but the one that names the directory.
    programs = [(TROP,), ("env", "-u", "TROP_SKIP_OCCUPANCY_CHECK", TROP)]

    runs = [trop(sandbox, home, "reserve", data=usual, program=program) for program in programs]

    assert [run.returncode for run in runs] == [5, 5]
    assert sandbox.database.read_bytes() == before


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_configuration_that_is_replaced_elsewhere_keeps_its_owner(sandbox: Sandbox, kind: str) -> None:
    sandbox.reserve()
    sandbox.data.chmod(0o1777)
    configuration = sandbox.data / "config.yaml"
    if kind == "link":
        configuration.symlink_to(sandbox.root / "nothing")
    else:
        configuration.write_text("ports: {min: 5500}\n")
    os.chown(configuration, USER, GROUP, follow_symlinks=False)

    done = sandbox.trop("init", "--with-config", "--overwrite")

    assert done.returncode == 0, done.stderr
    found = configuration.lstat()
    assert (found.st_uid, found.st_gid) == ((USER, GROUP) if kind == "file" else (0, 0))
    assert found.st_mode & 0o7777 == 0o600
    assert "5500" not in configuration.read_text()
