"""What history and undo tell a person of the reservations that were changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox


@pytest.fixture
def swapped(sandbox: Sandbox) -> tuple[Path, Path]:
    """Two directories, the second one below the first, that have exchanged their ports 5000 and 5001."""
    one, two = sandbox.directory("one"), sandbox.directory("one/two")
    for place in (one, two):
        sandbox.reserve(cwd=place)
    assert sandbox.trop("swap", str(two), cwd=one).returncode == 0
    return one, two


def commands(sandbox: Sandbox) -> list[str]:
    """The column of the table that tells what was called, the newest first."""
    _, *rows = sandbox.trop("history").stdout.splitlines()
    return [row.split("\t")[2] for row in rows]


def firsts(sandbox: Sandbox, *arguments: str) -> list[str]:
    """The column of the table that names a reservation, the newest operation first."""
    header, *rows = sandbox.trop("history", *arguments).stdout.splitlines()
    place = header.split("\t").index("FIRST")
    return [row.split("\t")[place] for row in rows]


def test_a_directory_stands_once_in_a_row_and_a_port_that_changed_with_both(
    sandbox: Sandbox, swapped: tuple[Path, Path]
) -> None:
    one, two = swapped
    sandbox.reserve("--path", str(two), "--tag", "web", cwd=one)

    assert firsts(sandbox) == [
        f"{two} (tag web): port 5002",
        f"{two}: port 5001 -> 5000",
        "port 5001",
        "port 5000",
    ]


def test_who_asks_for_a_port_is_shown_the_reservation_that_had_or_got_it(
    sandbox: Sandbox, swapped: tuple[Path, Path]
) -> None:
    one, two = swapped
    sandbox.reserve("--path", str(two), "--tag", "web", cwd=one)
    sandbox.trop("release", "--recursive", cwd=one)

    assert firsts(sandbox, "--port", "5002") == [f"{two} (tag web): port 5002"] * 2


def test_an_undo_tells_what_comes_back_in_the_place_of_what_and_what_is_given_up(
    sandbox: Sandbox, swapped: tuple[Path, Path]
) -> None:
    one, two = swapped

    back = sandbox.trop("undo", cwd=one)
    given_up = sandbox.trop("undo", cwd=two)

    assert sorted(back.stderr.splitlines()[1:]) == [
        f"  {two}: port 5001 comes back, in the place of 5000",
        f"  {one}: port 5000 comes back, in the place of 5001",
        "Undone: 2 reservations as before.",
    ]
    assert given_up.stderr.splitlines()[1:] == [f"  {two}: port 5001 is given up", "Undone: 1 reservation given up."]


@pytest.mark.usefixtures("started_whole")
def test_what_was_called_is_on_record_where_only_the_command_line_has_it(sandbox: Sandbox) -> None:
    for name, arguments in (("run", ["true"]), ("open", []), ("env", []), ("url", [])):
        sandbox.trop(name, *arguments, cwd=sandbox.directory(name), BROWSER="true")

    assert commands(sandbox) == ["trop.url", "trop.env", "trop.open", "trop.run"]
    assert "Operation 1, trop.run, " in sandbox.trop("undo", "1").stderr


def test_of_more_than_are_listed_an_undo_tells_how_many_there_were(sandbox: Sandbox) -> None:
    sandbox.fill(1001, below=str(sandbox.work / "old"))
    sandbox.trop("migrate", "--recursive", "--from", str(sandbox.work / "old"), "--to", str(sandbox.work / "new"))

    done = sandbox.trop("undo")

    assert done.returncode == 0
    assert done.stderr.splitlines()[-2:] == ["  … and more", "Undone: 1,001 reservations in all."]
