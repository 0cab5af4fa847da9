"""Moves that meet what is in their way: a full range, a conflict, a second spelling, a switch that is off."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.repositories import add_worktree, git, make_repository
from support.requirements import needs_namespaces
from support.sandbox import TROP

if TYPE_CHECKING:
    import subprocess as processes
    from pathlib import Path

    from support.sandbox import Sandbox


def run_line(sandbox: Sandbox, told: str) -> processes.CompletedProcess[str]:
    """Run the command that a warning names."""
    words = shlex.split(told[told.index("trop migrate") :])
    end = words.index("--force") + 1
    return sandbox.run(TROP, *words[1:end])


@pytest.mark.parametrize("group", [False, True])
def test_in_a_full_range_what_moves_along_is_not_dropped_for_room(sandbox: Sandbox, group: bool) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    (old / "trop.yaml").write_text("ports: {min: 5001, max: 5002}\nreservations: {services: {x: {}, y: {}, z: {}}}\n")
    ports = [sandbox.reserve("--tag", tag, cwd=old) for tag in ("x", "y")]
    sandbox.execute("UPDATE reservations SET last_used_at = 1000, created_at = 1000")
    os.rename(old, new)

    done = sandbox.trop(*(["autoreserve"] if group else ["reserve", "--tag", "z"]), cwd=new)

    assert done.returncode == 6
    assert "no port from 5001 to 5002 is free: 2 reserved" in done.stderr
    assert [(row[0], row[2]) for row in sandbox.rows()] == [(str(old), port) for port in ports]
    assert sandbox.reserve("--tag", "x", cwd=new) == ports[0]


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_path_that_somebody_names_moves_nothing_and_says_how(sandbox: Sandbox, by: str) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=old)
    os.rename(old, new)

    done = (
        sandbox.trop("reserve", "--path", str(new))
        if by == "argument"
        else sandbox.trop("reserve", cwd=new, TROP_PATH=str(new))
    )
    pasted = run_line(sandbox, done.stderr)

    assert int(done.stdout) != port
    assert pasted.returncode == 0, pasted.stderr
    assert [(row[0], row[2]) for row in sandbox.rows()] == [(str(new), port)]


def test_a_path_that_somebody_names_is_told_nothing_where_another_directory_stands_at_the_old_place(
    sandbox: Sandbox,
) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=old)
    os.rename(old, new)
    old.mkdir()

    done = sandbox.trop("reserve", "--path", str(new))

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) != port


def test_where_a_path_below_would_become_too_long_nothing_moves(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "longer"
    port = sandbox.reserve(cwd=old)
    longest = f"{old}/".ljust(4096, "x")
    sandbox.execute("INSERT INTO reservations VALUES (?, '', 5500, NULL, NULL, 1, 1)", [(longest,)])
    os.rename(old, new)

    done = sandbox.trop("reserve", cwd=new)

    assert "a path below it would become too long to be stored" in done.stderr
    assert int(done.stdout) != port
    assert {row[0] for row in sandbox.rows()} == {str(old), longest, str(new)}


def test_after_a_warning_a_later_move_is_followed_from_where_it_reserved_last(sandbox: Sandbox) -> None:
    place = sandbox.directory("a")
    sandbox.reserve(cwd=place)
    os.rename(place, sandbox.work / "b")
    port = sandbox.reserve(cwd=sandbox.work / "b", TROP_FOLLOW_MOVES="no")
    os.rename(sandbox.work / "b", sandbox.work / "c")

    assert sandbox.reserve(cwd=sandbox.work / "c") == port


def test_moved_onto_a_path_with_reservations_the_warning_settles_it(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a b"), sandbox.directory("c")
    port = sandbox.reserve(cwd=old)
    sandbox.reserve("--tag", "w", cwd=new)
    new.rmdir()
    os.rename(old, new)

    done = sandbox.trop("reserve", cwd=new)

    assert int(done.stdout) != port
    assert run_line(sandbox, done.stderr).returncode == 0
    assert sandbox.reserve(cwd=new) == port


def test_what_is_printed_where_moves_are_not_followed_does_it(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=old)
    os.rename(old, new)

    done = sandbox.trop("reserve", cwd=new, TROP_FOLLOW_MOVES="no")

    assert run_line(sandbox, done.stderr).returncode == 0
    assert sandbox.reserve(cwd=new) == port


def test_a_link_that_is_left_behind_is_no_move(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=old)
    os.rename(old, new)
    old.symlink_to(new)

    done = sandbox.trop("reserve", cwd=new)

    assert int(done.stdout) != port
    assert run_line(sandbox, done.stderr).returncode == 0
    assert sandbox.reserve(cwd=new) == port


@pytest.mark.parametrize("kind", ["untagged", "tagged"])
def test_a_parent_that_leaves_a_link_behind_has_not_moved_what_is_below_it(sandbox: Sandbox, kind: str) -> None:
    tag = ["--tag", "web"] if kind == "tagged" else []
    old, new = sandbox.directory("top/a"), sandbox.work / "new" / "a"
    port = sandbox.reserve(*tag, cwd=old)
    os.rename(sandbox.work / "top", sandbox.work / "new")
    (sandbox.work / "top").symlink_to("new")

    again = sandbox.trop("reserve", *tag, cwd=new)
    asserted = sandbox.trop("assert-reservation", *tag, cwd=new)
    listed = sandbox.trop("list", "--here", "--format", "csv", cwd=new)

    assert (again.stdout, again.stderr) == (f"{port}\n", "")
    assert asserted.stdout == f"{port}\n"
    assert f"{port}," in listed.stdout
    assert [row[0] for row in sandbox.rows()] == [str(old)]


def test_what_was_reserved_by_a_name_below_a_link_is_the_directorys(sandbox: Sandbox) -> None:
    place, named = sandbox.directory("real/a"), sandbox.work / "link" / "a"
    (sandbox.work / "link").symlink_to("real")
    port = sandbox.reserve("--path", str(named))

    again = sandbox.trop("reserve", cwd=place)
    through = sandbox.trop("reserve", cwd=named)
    released = sandbox.trop("release", cwd=place)

    assert (again.stdout, again.stderr) == (through.stdout, through.stderr) == (f"{port}\n", "")
    assert (released.returncode, sandbox.rows()) == (0, [])


def test_a_directory_that_used_a_name_below_a_link_keeps_its_port_without_the_link(sandbox: Sandbox) -> None:
    place, link = sandbox.directory("real/a"), sandbox.work / "link"
    link.symlink_to("real")
    port = sandbox.reserve("--path", str(link / "a"))
    sandbox.reserve(cwd=place)
    link.unlink()

    done = sandbox.trop("reserve", cwd=place)

    assert done.stdout == f"{port}\n"
    assert f'this directory was "{link / "a"}" before: 1 reservation moved along' in done.stderr
    assert [row[0] for row in sandbox.rows()] == [str(place)]


@pytest.mark.parametrize("after", ["link gone", "link elsewhere", "a link itself", "two names"])
def test_a_name_below_a_link_says_nothing_once_it_is_not_the_one_that_leads_there(sandbox: Sandbox, after: str) -> None:
    place, link = sandbox.directory("real/a"), sandbox.work / "link"
    sandbox.directory("other/a")
    link.symlink_to("real")
    port = sandbox.reserve("--path", str(link / "a"))
    if after == "two names":
        (sandbox.work / "second").symlink_to("real")
        sandbox.reserve("--path", str(sandbox.work / "second" / "a"))
    else:
        link.unlink()
    if after == "link elsewhere":
        link.symlink_to("other")
    elif after == "a link itself":
        link.mkdir()
        (link / "a").symlink_to(place)

    done = sandbox.trop("reserve", cwd=place)

    assert done.stderr == ""
    assert int(done.stdout) != port
    assert sandbox.rows()[0][0] == str(link / "a")


@pytest.mark.parametrize("in_the_way", ["the place", "the place above"])
def test_an_old_place_that_cannot_be_looked_at_is_told_of(sandbox: Sandbox, in_the_way: str) -> None:
    old, new = sandbox.directory("top/a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=old)
    web = sandbox.reserve("--tag", "web", cwd=old)
    os.rename(old, new)
    loop = old if in_the_way == "the place" else old.parent
    if loop != old:
        loop.rmdir()
    loop.symlink_to(loop)

    asserted = sandbox.trop("assert-reservation", cwd=new)
    done = sandbox.trop("reserve", cwd=new)
    rows = {row[0] for row in sandbox.rows()}
    pasted = run_line(sandbox, done.stderr)

    for told in (asserted.stderr, done.stderr):
        assert f'this directory was "{old}" before, which cannot be looked at now' in told
        assert f"these ports are reserved: {port}, {web} (tag web)" in told
    assert int(done.stdout) != port
    assert rows == {str(old), str(new)}
    assert pasted.returncode == 0, pasted.stderr
    assert sandbox.reserve(cwd=new) == port


def test_a_directory_that_comes_back_to_where_it_was_is_followed_from_there(sandbox: Sandbox) -> None:
    """It reserved elsewhere meanwhile, while another directory stood in its place."""
    place, other = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=place)
    os.rename(place, other)
    place.mkdir()
    sandbox.reserve(cwd=other)
    place.rmdir()
    os.rename(other, place)

    back = sandbox.trop("reserve", cwd=place)
    os.rename(place, sandbox.work / "c")
    again = sandbox.trop("reserve", cwd=sandbox.work / "c")

    assert (back.stdout, again.stdout) == (f"{port}\n", f"{port}\n")
    assert shlex.join(["trop", "migrate", "--from", str(other), "--to", str(place), "--recursive"]) in back.stderr
    assert f'this directory was "{place}" before: 1 reservation moved along' in again.stderr


def test_a_directory_that_comes_back_and_has_left_nothing_behind_is_no_other_directory(sandbox: Sandbox) -> None:
    place, other = sandbox.directory("a"), sandbox.work / "b"
    port = sandbox.reserve(cwd=place)
    os.rename(place, other)
    place.mkdir()
    sandbox.reserve(cwd=other)
    sandbox.trop("release", cwd=other)
    place.rmdir()
    os.rename(other, place)

    back = sandbox.trop("reserve", cwd=place)

    assert (back.stdout, back.stderr) == (f"{port}\n", "")


@pytest.mark.skipif(os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root can mount")
def test_a_directory_that_is_bound_to_two_places_has_one_reservation(sandbox: Sandbox) -> None:
    one, two = sandbox.directory("one"), sandbox.directory("two")
    port = sandbox.reserve("--tag", "web", cwd=one)
    subprocess.run(["mount", "--bind", str(one), str(two)], check=True)
    try:
        again = sandbox.reserve("--tag", "web", cwd=two)
        asserted = sandbox.trop("assert-reservation", "--tag", "web", cwd=two)
        listed = sandbox.trop("list", "--here", "--format", "csv", cwd=two)
        released = sandbox.trop("release", "--tag", "web", cwd=two)
    finally:
        subprocess.run(["umount", str(two)], check=True)

    assert again == port
    assert asserted.stdout == f"{port}\n"
    assert f"{port}," in listed.stdout
    assert (released.returncode, sandbox.rows()) == (0, [])


def test_a_locked_worktree_that_is_away_keeps_its_port_and_is_counted(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login")
    port = sandbox.reserve(cwd=login)
    git(shop, "worktree", "lock", str(login))
    os.rename(login, sandbox.work / "away")

    kept = [sandbox.trop(name, cwd=shop).stderr for name in ("prune", "autoclean")]
    quiet = sandbox.trop("prune", "--quiet", cwd=shop).stdout
    rows = sandbox.rows()
    forced = sandbox.trop("prune", "--force", cwd=shop)

    assert all("Kept 1 reservation" in told for told in kept)
    assert quiet == "0\n"
    assert [row[2] for row in rows] == [port]
    assert forced.returncode == 0
    assert sandbox.rows() == []


def test_a_locked_worktree_keeps_what_was_migrated_to_it(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login")
    port = sandbox.reserve(cwd=sandbox.directory("old"))
    sandbox.trop("migrate", "--from", "old", "--to", "login")
    git(shop, "worktree", "lock", str(login))
    os.rename(login, sandbox.work / "away")

    kept = sandbox.trop("prune", cwd=shop).stderr

    assert "Kept 1 reservation" in kept
    assert [row[2] for row in sandbox.rows()] == [port]


@pytest.mark.parametrize("by", ["the caller's own repository", "that of another reservation", "one around it"])
@pytest.mark.parametrize("command", ["prune", "autoclean"])
def test_a_locked_worktree_of_which_nothing_was_noted_keeps_its_port(sandbox: Sandbox, by: str, command: str) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, (shop if by == "one around it" else sandbox.work) / "login")
    git(shop, "worktree", "lock", str(login))
    port = sandbox.reserve(cwd=login)
    if by == "that of another reservation":
        sandbox.reserve(cwd=shop)
    sandbox.execute("DELETE FROM directories")
    shutil.rmtree(login)
    elsewhere = sandbox.directory("elsewhere")

    kept = sandbox.trop(command, cwd=shop if by == "the caller's own repository" else elsewhere)
    checked = sandbox.trop("doctor", cwd=shop if by == "the caller's own repository" else elsewhere)
    rows = sandbox.rows()
    git(shop, "worktree", "unlock", str(login))
    sandbox.trop(command, cwd=shop if by == "the caller's own repository" else elsewhere)

    assert "Kept 1 reservation" in kept.stderr
    assert "may come back" in checked.stdout
    assert (str(login), "", port) in [row[:3] for row in rows]
    assert str(login) not in [row[0] for row in sandbox.rows()]


def test_in_a_full_range_a_locked_worktree_of_which_nothing_was_noted_keeps_its_port(sandbox: Sandbox) -> None:
    shop = make_repository(sandbox.work / "shop")
    login = add_worktree(shop, sandbox.work / "login")
    git(shop, "worktree", "lock", str(login))
    port = sandbox.reserve(cwd=login)
    sandbox.execute("DELETE FROM directories")
    shutil.rmtree(login)

    done = sandbox.trop("reserve", "--min", str(port), "--max", str(port), cwd=shop)

    assert done.returncode == 6
    assert [row[:3] for row in sandbox.rows()] == [(str(login), "", port)]


def test_another_repository_cannot_hold_a_reservation_back(sandbox: Sandbox) -> None:
    gone = sandbox.directory("gone")
    sandbox.reserve(cwd=gone)
    gone.rmdir()
    evil = make_repository(sandbox.work / "evil")
    record = evil / ".git" / "worktrees" / "v"
    record.mkdir(parents=True)
    (record / "gitdir").write_text(f"{gone}/.git\n")
    (record / "commondir").write_text("../..\n")
    (record / "HEAD").write_text("ref: refs/heads/main\n")
    (record / "locked").write_text("")

    sandbox.trop("prune", cwd=evil)

    assert sandbox.rows() == []


@pytest.mark.skipif(os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root can mount")
def test_a_directory_whose_old_place_is_on_a_volume_that_is_not_there_has_not_moved(sandbox: Sandbox) -> None:
    """As in a sandbox that has the directory mounted elsewhere."""
    volume, here = sandbox.directory("volume"), sandbox.directory("here")
    place = sandbox.directory("volume/a")
    port = sandbox.reserve(cwd=place)
    subprocess.run(["mount", "--bind", str(place), str(here)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(volume)], check=True)
    try:
        elsewhere = sandbox.reserve(cwd=here)
    finally:
        subprocess.run(["umount", str(volume)], check=True)
        subprocess.run(["umount", str(here)], check=True)

    assert elsewhere != port
    assert sandbox.reserve(cwd=place) == port


def test_what_is_on_a_volume_that_is_not_mounted_keeps_its_port(sandbox: Sandbox) -> None:
    sandbox.make_store()
    missing = f"/mnt/trop-{os.getpid()}-not-mounted/project"
    sandbox.execute("INSERT INTO reservations VALUES (?, '', 5500, NULL, NULL, 1, 1)", [(missing,)])

    done = sandbox.trop("prune")

    assert "Kept 1 reservation" in done.stderr
    assert [row[0] for row in sandbox.rows()] == [missing]


@pytest.mark.parametrize("below", ["volume/project", "project"])
def test_so_does_what_a_link_leads_there(sandbox: Sandbox, below: str) -> None:
    sandbox.make_store()
    volume = f"/mnt/trop-{os.getpid()}-not-mounted"
    (sandbox.work / "volume").symlink_to(volume)
    (sandbox.work / "project").symlink_to(f"{volume}/project")
    (sandbox.work / "elsewhere").symlink_to("nowhere")
    rows = [(f"{sandbox.work}/{below}", 5500), (f"{sandbox.work}/elsewhere/project", 5501)]
    sandbox.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 1, 1)", rows)

    done = sandbox.trop("prune")

    assert "Kept 1 reservation" in done.stderr
    assert [row[0] for row in sandbox.rows()] == [f"{sandbox.work}/{below}"]


def test_so_does_what_was_beside_a_volume_that_is_mounted(sandbox: Sandbox) -> None:
    needs_namespaces()
    sandbox.make_store()
    rows = [("/run/media/ann/away/project", 5500), ("/run/media/ann/here/project", 5501)]
    sandbox.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 1, 1)", rows)
    script = (
        "mount -t tmpfs none /run && mkdir -p /run/media/ann/here && mount -t tmpfs none /run/media/ann/here"
        f" && exec {TROP} prune"
    )

    done = sandbox.run("unshare", "-m", "sh", "-c", script)

    assert "Kept 1 reservation" in done.stderr
    assert [row[0] for row in sandbox.rows()] == ["/run/media/ann/away/project"]


def test_a_tag_that_is_not_there_is_named_with_those_that_are(sandbox: Sandbox) -> None:
    sandbox.reserve("--tag", "web")

    done = sandbox.trop("release", "--tag", "nope")

    assert 'nothing with the tag "nope" is reserved' in done.stderr
    assert "reserved is: web" in done.stderr


def test_a_subdirectory_is_told_of_each_tag_that_the_root_has(sandbox: Sandbox) -> None:
    shop: Path = make_repository(sandbox.work / "shop")
    for tag in ("web", "api"):
        sandbox.reserve("--tag", tag, cwd=shop)
    (shop / "src").mkdir()

    told = [sandbox.trop("reserve", "--tag", tag, cwd=shop / "src").stderr for tag in ("web", "api")]

    assert all("--root" in text and str(shop) in text for text in told)


def test_of_two_places_at_which_a_directory_was_seen_neither_is_followed(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a"), sandbox.work / "b"
    sandbox.reserve(cwd=old)
    sandbox.reserve(cwd=sandbox.directory("c"))
    sandbox.execute(
        "UPDATE directories SET (file_system, inode, born) ="
        " (SELECT file_system, inode, born FROM directories WHERE path = ?) WHERE path = ?",
        [[str(old), str(sandbox.work / "c")]],
    )
    (sandbox.work / "c").rmdir()
    os.rename(old, new)

    done = sandbox.trop("reserve", cwd=new)

    assert done.stdout == "5002\n"
    assert {row[0] for row in sandbox.rows()} == {str(old), str(sandbox.work / "c"), str(new)}
