"""A directory that a sandbox of the same file system has mounted elsewhere has not moved: the host keeps its port."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.requirements import needs_namespaces
from support.sandbox import TROP, UNMEASURED

import trop_core

if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import CompletedProcess

    from support.sandbox import Sandbox

NEEDED = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/dev", "/proc")
"""With the installation, all that Python needs of a system."""


def bound(*binds: tuple[Path | str, Path | str]) -> list[str]:
    """The commands that mount directories at other places as well."""
    return [f"mount --rbind {shlex.quote(str(source))} {shlex.quote(str(place))}" for source, place in binds]


def among_mounts(
    sandbox: Sandbox, commands: Sequence[str], *, root: Path | None = None, **environment: str | None
) -> CompletedProcess[str]:
    """Run commands of a shell, each of which must succeed, with mounts of their own; the last one in another root."""
    *before, last = commands
    if root is not None:
        last = f"exec chroot {shlex.quote(str(root))} /bin/sh -c {shlex.quote(last)}"
    # Not everybody's PATH has where chroot(8) is.
    script = "\n".join(["set -e", "PATH=$PATH:/usr/sbin:/sbin", *before, last])
    # What measures the tests may not be there, or may not be written to.
    changes: dict[str, str | None] = {**UNMEASURED, **environment}
    done = sandbox.run("unshare", "-m", "sh", "-c", script, stdin=None, cwd=None, **changes)
    assert done.returncode == 0, done.stderr
    return done


def trop_in(place: Path | str, *arguments: str) -> str:
    return f"cd {shlex.quote(str(place))}; {shlex.join([TROP, *arguments])}"


def an_installation(root: Path) -> list[str]:
    """The commands that make a directory one in which trop runs after chroot(2)."""
    installed = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(trop_core.__file__))}
    # The system's own Python is installed in one of those that are needed anyway.
    places = [place for place in dict.fromkeys((*NEEDED, *sorted(installed))) if Path(place).is_dir()]
    for place in places:
        (root / place[1:]).mkdir(parents=True)
    return bound(*((place, root / place[1:]) for place in places))


@pytest.fixture(autouse=True)
def _with_mounts() -> None:
    needs_namespaces()


@pytest.fixture
def project(sandbox: Sandbox) -> Path:
    """A directory in somebody's home that has port 5000."""
    place = sandbox.directory("alice/project")
    assert sandbox.reserve(cwd=place) == 5000
    return place


def hidden(sandbox: Sandbox, project: Path, here: Path) -> list[str]:
    """The commands that show the project at another place only, as firejail does with a private home."""
    empty = sandbox.directory("empty")
    return bound((project, here), (empty, project.parent))


def test_a_home_that_an_empty_one_hides_keeps_its_port(sandbox: Sandbox, project: Path) -> None:
    here = sandbox.directory("here")

    inside = among_mounts(sandbox, [*hidden(sandbox, project, here), trop_in(here, "reserve")])
    again = sandbox.trop("reserve", cwd=project)

    assert inside.stdout == "5001\n"
    told = (
        f'this directory was "{project}" before, or still is under other mounts, where these ports are reserved: 5000'
    )
    line = shlex.join(["trop", "migrate", "--from", str(project), "--to", str(here), "--recursive", "--force"])
    assert f"{told}; to have them here, {line}\n" in inside.stderr
    assert (again.stdout, again.stderr) == ("5000\n", "")


def test_a_directory_in_the_place_of_one_above_it_keeps_its_port(sandbox: Sandbox, project: Path) -> None:
    inside = among_mounts(sandbox, [*bound((project, project.parent)), trop_in(project.parent, "reserve")])
    again = sandbox.trop("reserve", cwd=project)

    assert inside.stdout == "5001\n"
    assert f'this directory was "{project}" before, or still is under other mounts' in inside.stderr
    assert (again.stdout, again.stderr) == ("5000\n", "")


@pytest.mark.parametrize("is_mounted", [True, False], ids=["mounted", "not mounted"])
@pytest.mark.parametrize("root_is_mounted", [True, False], ids=["a mount", "a directory"])
def test_what_stands_in_another_root_has_not_moved_there(
    sandbox: Sandbox, root_is_mounted: bool, is_mounted: bool
) -> None:
    root = sandbox.directory("a root")
    for name in ("project", "data"):
        (root / name).mkdir()
    project = sandbox.directory("project") if is_mounted else root / "project"
    assert sandbox.reserve(cwd=project) == 5000
    mounts = bound((root, root)) if root_is_mounted else []
    mounts += [*an_installation(root), *bound((sandbox.data, root / "data"))]
    if is_mounted:
        mounts += bound((project, root / "project"))

    inside = among_mounts(
        sandbox, [*mounts, trop_in("/project", "reserve")], root=root, HOME="/", TROP_DATA_DIR="/data"
    )
    again = sandbox.trop("reserve", cwd=project)

    assert inside.stdout == "5001\n"
    assert f'this directory was "{project}" before, or still is under other mounts' in inside.stderr
    assert (again.stdout, again.stderr) == ("5000\n", "")


@pytest.mark.parametrize(
    "named", [["reserve"], ["reserve", "--path", "."], ["reserve", "--tag", "web"]], ids=["plain", "by path", "again"]
)
def test_the_next_move_of_the_host_is_followed_from_where_it_was(
    sandbox: Sandbox, project: Path, named: list[str]
) -> None:
    here = sandbox.directory("here")
    if "--tag" in named:
        # The sandbox had another directory there before.
        sandbox.reserve("--tag", "api", cwd=here)
    among_mounts(sandbox, [*hidden(sandbox, project, here), trop_in(here, *named)])
    moved = project.rename(project.with_name("moved"))

    done = sandbox.trop("reserve", cwd=moved)

    assert done.stdout == "5000\n"
    assert f'this directory was "{project}" before: 1 reservation moved along' in done.stderr


def test_a_sandbox_that_had_taken_the_identity_is_told_of_no_other_directory(sandbox: Sandbox, project: Path) -> None:
    here = sandbox.directory("here")
    mounts = hidden(sandbox, project, here)
    among_mounts(sandbox, [*mounts, trop_in(here, "reserve")])
    sandbox.execute(
        "UPDATE directories SET born = (SELECT -born FROM directories WHERE path = ?) WHERE path = ?",
        [(str(project), str(here))],
    )

    done = among_mounts(sandbox, [*mounts, trop_in(here, "reserve")])

    assert (done.stdout, done.stderr) == ("5001\n", "")


def test_what_moves_nothing_names_the_place_as_well(sandbox: Sandbox, project: Path) -> None:
    here = sandbox.directory("here")

    done = among_mounts(sandbox, [*hidden(sandbox, project, here), trop_in(here, "list", "--here")])

    assert f'this directory was "{project}" before, or still is under other mounts' in done.stderr


def test_a_move_within_a_mount_is_followed(sandbox: Sandbox) -> None:
    disk, here = sandbox.directory("disk"), sandbox.directory("here")
    (disk / "old").mkdir()
    mounts = bound((disk, here))

    done = among_mounts(
        sandbox,
        [*mounts, trop_in(here / "old", "reserve"), f"mv {here}/old {here}/new", trop_in(here / "new", "reserve")],
    )

    assert done.stdout == "5000\n5000\n"
    assert "1 reservation moved along" in done.stderr


def test_a_directory_that_is_mounted_twice_has_one_port(sandbox: Sandbox, project: Path) -> None:
    here = sandbox.directory("here")

    done = among_mounts(sandbox, [*bound((project, here)), trop_in(here, "reserve")])

    assert (done.stdout, done.stderr) == ("5000\n", "")


def test_a_directory_that_is_mounted_twice_has_one_past(sandbox: Sandbox, project: Path) -> None:
    here = sandbox.directory("here")
    undone = trop_in(here, "undo", "--dry-run", "--allow-unrelated-path")

    done = among_mounts(sandbox, [*bound((project, here)), trop_in(here, "history", "--here"), undone])

    assert len(done.stdout.splitlines()) == 2
    assert f"{project}: port 5000 is given up" in done.stderr


def test_a_move_within_a_plain_root_is_followed(sandbox: Sandbox) -> None:
    root = sandbox.directory("root")
    (root / "home" / "old").mkdir(parents=True)
    moving = f"{trop_in('/home/old', 'reserve')}; mv /home/old /home/new; {trop_in('/home/new', 'reserve')}"

    done = among_mounts(sandbox, [*an_installation(root), moving], root=root, HOME="/home", TROP_DATA_DIR="/data")

    assert done.stdout == "5000\n5000\n"
    assert "1 reservation moved along" in done.stderr


@pytest.mark.parametrize("seen", ["a mount of its own", "through another mount before", "below what is mounted now"])
def test_what_is_found_where_it_lies_has_moved_whatever_is_mounted_there(sandbox: Sandbox, seen: str) -> None:
    old, new, empty = sandbox.directory("top/old"), sandbox.work / "new", sandbox.directory("empty")
    before, after = old, [*bound((new, new))]
    mounts: list[str] = []
    if seen == "through another mount before":
        before, after = sandbox.work / "view" / "old", []
        mounts = bound((old.parent, sandbox.directory("view")))
    elif seen == "below what is mounted now":
        after = bound((empty, old.parent))

    done = among_mounts(
        sandbox, [*mounts, trop_in(before, "reserve"), f"mv {old} {new}", *after, trop_in(new, "reserve")]
    )

    assert done.stdout == "5000\n5000\n"
    assert "1 reservation moved along" in done.stderr
