"""What is known of a directory is kept while something is reserved for it, and is what stands there."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.operations import UNLOOKING, perform
from support.rows import fill, row, rows_of

from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.directories import Directory
from trop_core.database.waiting import Patience
from trop_core.errors.reservations import NotFound, ReservationConflict
from trop_core.identity import Identity, identify

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400
NOW = 2_000_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "w").mkdir()
    return (tmp_path / "w").resolve()


def note(data: Path, *noted: Directory) -> None:
    """Put what is known of directories into a store, and add the tables if there are none."""
    with (
        closing(Database.open(str(data / "trop.db"))) as database,
        database.write(Patience(5), "note") as connection,
    ):
        assert companion.ensure(connection)
        for directory in noted:
            directories.record(connection, directory)


def noted_in(data: Path) -> dict[str, Directory]:
    return {row[0]: Directory(*row) for row in stores.rows_in(data / "trop.db", "directories")}


def seen(path: Path, **values: Any) -> Directory:
    """A directory as it is seen now."""
    found = identify(str(path))
    assert found is not None
    return Directory(str(path), *found, **values)


def migrate(data: Path, source: Path, destination: Path, **values: Any) -> Any:
    return perform(data, "migrate", {"from": str(source), "to": str(destination), **values})


# Released and cleaned up


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, ["/w/a/x", "/w/b"]),
        ({"tag": "web"}, ["/w/a", "/w/a/x", "/w/b"]),
        ({"untaggedOnly": True}, ["/w/a", "/w/a/x", "/w/b"]),
        ({"recursive": True}, ["/w/b"]),
        ({"recursive": True, "tag": "web"}, ["/w/a", "/w/b"]),
        ({"dryRun": True}, ["/w/a", "/w/a/x", "/w/b"]),
    ],
)
def test_release_forgets_the_directories_that_have_nothing_left(
    data: Path, values: dict[str, object], kept: list[str]
) -> None:
    fill(data, [row("/w/a", 5000), row("/w/a", 5001, "web"), row("/w/a/x", 5002, "web"), row("/w/b", 5003)])
    note(data, *map(Directory, ("/w/a", "/w/a/x", "/w/b")))

    perform(data, "release", {"path": "/w/a", "force": True, **values})

    assert sorted(noted_in(data)) == kept


@pytest.mark.parametrize(("name", "kept"), [("prune", ["/old"]), ("expire", ["/gone"]), ("autoclean", [])])
def test_a_cleanup_forgets_the_directories_that_have_nothing_left(
    data: Path, place: Path, name: str, kept: list[str]
) -> None:
    (place / "old").mkdir()
    (place / "both").mkdir()
    fill(
        data,
        [
            (f"{place}/gone", "", 5000, None, None, 1, NOW),
            (f"{place}/old", "", 5001, None, None, 1, 1),
            (f"{place}/both", "", 5002, None, None, 1, 1),
            (f"{place}/both", "web", 5003, None, None, 1, NOW),
        ],
    )
    note(data, *(Directory(f"{place}/{found}") for found in ("gone", "old", "both")))

    perform(data, name, now=lambda: NOW)

    assert sorted(noted_in(data)) == sorted(f"{place}{path}" for path in ["/both", *kept])


def test_a_cleanup_of_many_forgets_them_batch_by_batch(data: Path) -> None:
    fill(data, [(f"/gone/{number}", "", 1 + number, None, None, 1, 1) for number in range(2500)])
    note(data, *(Directory(f"/gone/{number}") for number in range(2500)), Directory("/stale"))

    perform(data, "expire", now=lambda: NOW)

    assert (rows_of(data), sorted(noted_in(data))) == ([], ["/stale"])


@pytest.mark.parametrize("group", [False, True])
def test_making_room_forgets_the_directories_of_what_was_dropped(data: Path, place: Path, group: bool) -> None:
    (place / "trop.yaml").write_text("reservations:\n  services:\n    web: {}\n")
    fill(data, [row(f"{place}/gone", 5000), (f"{place}", "old", 5001, None, None, 1, 1)])
    note(data, Directory(f"{place}/gone"), Directory(str(place)))
    environment = {**UNLOOKING, "TROP_PATH": str(place)}
    arguments = {"arguments": {"ports.min": 5000, "ports.max": 5001}, "environment": environment}

    if group:
        perform(data, "reserve_group", {"config": f"{place}/trop.yaml", "force": True}, **arguments)
    else:
        perform(data, "reserve", {"tag": "web", "min": 5000, "max": 5001, "force": True}, **arguments)

    assert [found[:3] for found in rows_of(data)] == [(str(place), "old", 5001), (str(place), "web", 5000)]
    assert sorted(noted_in(data)) == [str(place)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("release", {"path": "/w/nothing", "force": True}),
        ("expire", {}),
        ("migrate", {"from": "/w/nothing", "to": "/w/b", "recursive": True}),
    ],
)
def test_no_tables_are_added_for_what_changes_nothing(data: Path, name: str, values: dict[str, object]) -> None:
    fill(data, [(*row("/w/a", 5000)[:6], NOW)])

    perform(data, name, values, now=lambda: NOW)

    assert stores.rows_in(data / "trop.db", "metadata") == [("schema_version", "2")]


# Migrated


def test_a_directory_that_was_moved_already_takes_along_what_is_known_of_it_and_of_those_below(
    data: Path, place: Path
) -> None:
    (place / "a" / "x").mkdir(parents=True)
    fill(data, [row(f"{place}/a", 5000), row(f"{place}/a/x", 5001), row(f"{place}/ab", 5002)])
    known = seen(place / "a", git_directory="/r/.git", came_from="/before", block_id="b")
    below = seen(place / "a" / "x")
    note(data, known, below, Directory(f"{place}/ab"), Directory(f"{place}/a/stale"))
    (place / "a").rename(place / "z")

    migrate(data, place / "a", place / "z", recursive=True)

    assert noted_in(data) == {
        f"{place}/z": known._replace(path=f"{place}/z", came_from=None),
        f"{place}/z/x": below._replace(path=f"{place}/z/x"),
        f"{place}/ab": Directory(f"{place}/ab"),
    }
    assert [found[0] for found in rows_of(data)] == [f"{place}/ab", f"{place}/z", f"{place}/z/x"]


def test_without_recursive_what_lies_below_stays(data: Path, place: Path) -> None:
    (place / "a" / "x").mkdir(parents=True)
    fill(data, [row(f"{place}/a", 5000), row(f"{place}/a/x", 5001)])
    known, below = seen(place / "a"), seen(place / "a" / "x")
    note(data, known, below)
    (place / "a").rename(place / "z")

    migrate(data, place / "a", place / "z")

    assert noted_in(data) == {f"{place}/z": known._replace(path=f"{place}/z"), f"{place}/a/x": below}


def test_a_directory_that_moved_up_into_the_place_of_its_parent_takes_along_what_is_known(
    data: Path, place: Path
) -> None:
    (place / "a" / "a" / "a").mkdir(parents=True)
    paths = [place / "a", place / "a" / "a", place / "a" / "a" / "a"]
    fill(data, [row(str(path), 5000 + number) for number, path in enumerate(paths[1:])])
    known, below = map(seen, paths[1:])
    note(data, known, below)
    (place / "a").rename(place / "aside")
    (place / "aside" / "a").rename(place / "a")

    migrate(data, paths[1], paths[0], recursive=True)

    assert noted_in(data) == {
        str(paths[0]): known._replace(path=str(paths[0])),
        str(paths[1]): below._replace(path=str(paths[1])),
    }


@pytest.mark.parametrize("recursive", [False, True])
def test_a_destination_that_is_another_directory_is_noted_as_what_it_is(
    data: Path, place: Path, recursive: bool
) -> None:
    for name in ("a/x", "z/x"):
        (place / name).mkdir(parents=True)
    fill(data, [row(f"{place}/a", 5000), row(f"{place}/a/x", 5001)])
    note(data, seen(place / "a", block_id="b"), seen(place / "a" / "x"), Directory(f"{place}/z/x", inode="stale"))

    migrate(data, place / "a", place / "z", recursive=recursive)

    stays = [] if recursive else [seen(place / "a" / "x"), Directory(f"{place}/z/x", inode="stale")]
    assert noted_in(data) == {found.path: found for found in [seen(place / "z", block_id="b"), *stays]}


def test_a_destination_that_was_known_already_keeps_what_was_known(data: Path, place: Path) -> None:
    for name in ("a", "z/x"):
        (place / name).mkdir(parents=True)
    fill(data, [row(f"{place}/a", 5000, "web"), row(f"{place}/z", 5001), row(f"{place}/z/x", 5002)])
    known = [seen(place / "z", git_directory="/r/.git", came_from="/old", block_id="b"), seen(place / "z" / "x")]
    note(data, seen(place / "a"), *known)

    migrate(data, place / "a", place / "z", recursive=True)

    assert noted_in(data) == {found.path: found for found in known}


@pytest.mark.parametrize("kind", ["missing", "link", "file", "without a time of birth"])
def test_of_a_destination_that_cannot_be_told_nothing_is_noted(data: Path, place: Path, kind: str) -> None:
    (place / "a").mkdir()
    if kind == "link":
        (place / "z").symlink_to(place / "a")
    elif kind == "file":
        (place / "z").touch()
    elif kind == "without a time of birth":
        (place / "z").mkdir()
    fill(data, [row(f"{place}/a", 5000), row(f"{place}/z", 5001, "web")])
    note(data, seen(place / "a"), Directory(f"{place}/z", "1", "2", 3))
    context = {"identify": lambda path: None} if kind == "without a time of birth" else {}

    perform(data, "migrate", {"from": f"{place}/a", "to": f"{place}/z"}, **context)

    assert noted_in(data) == {}


def test_a_destination_at_which_nothing_is_reserved_exactly_is_not_noted(data: Path, place: Path) -> None:
    (place / "z" / "x").mkdir(parents=True)
    fill(data, [row(f"{place}/a/x", 5000)])
    note(data, Directory(f"{place}/a/x", "1", "2", 3))

    migrate(data, place / "a", place / "z", recursive=True)

    assert (noted_in(data), [found[0] for found in rows_of(data)]) == ({}, [f"{place}/z/x"])


def test_what_was_overwritten_leaves_nothing_behind(data: Path, place: Path) -> None:
    (place / "a").mkdir()
    fill(data, [row(f"{place}/a", 5000), row(f"{place}/z", 5001)])
    known = seen(place / "a")
    note(data, known, Directory(f"{place}/z", "1", "2", 3, block_id="theirs"))
    (place / "a").rename(place / "z")

    with pytest.raises(ReservationConflict):
        migrate(data, place / "a", place / "z")
    assert sorted(noted_in(data)) == [f"{place}/a", f"{place}/z"]
    migrate(data, place / "a", place / "z", force=True)

    assert noted_in(data) == {f"{place}/z": known._replace(path=f"{place}/z")}


def test_where_nothing_moves_nothing_is_forgotten(data: Path, place: Path) -> None:
    (place / "z").mkdir()
    fill(data, [row(f"{place}/z", 5000)])
    known = Directory(f"{place}/z", "1", "2", 3)
    note(data, known)

    migrate(data, place / "a", place / "z", recursive=True)
    assert noted_in(data) == {known.path: known}

    (place / "a").mkdir()
    fill(data, [row(f"{place}/a", 5001, "web")])
    migrate(data, place / "a", place / "z", dryRun=True)
    assert noted_in(data) == {known.path: known}


# Moved along already


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_has_moved_along_by_itself_is_a_success_that_says_so(data: Path, recursive: bool, dry_run: bool) -> None:
    fill(data, [row("/w/z", 5000)])
    note(data, Directory("/w/z", "1", "2", 3, came_from="/w/a"))
    before = rows_of(data), noted_in(data)

    result = perform(data, "migrate", {"from": "/w/a", "to": "/w/z", "recursive": recursive, "dryRun": dry_run})

    assert (result.migrated_count, result.migrated, result.overwritten_count) == (0, (), 0)
    assert result.warnings == (
        "the destination /w/z is not an existing directory (yet)",
        "these reservations have moved along already, with the directory, from /w/a to /w/z",
    )
    assert (rows_of(data), noted_in(data)) == before


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        pytest.param("/w/other", "/w/z", id="from elsewhere"),
        pytest.param("/w/a", "/w/y", id="to elsewhere"),
        pytest.param("/w/b", "/w/stale", id="released since"),
    ],
)
def test_any_other_move_of_nothing_is_not_found(data: Path, source: str, destination: str) -> None:
    fill(data, [row("/w/z", 5000)])
    note(data, Directory("/w/z", came_from="/w/a"), Directory("/w/stale", came_from="/w/b"))

    with pytest.raises(NotFound):
        perform(data, "migrate", {"from": source, "to": destination})


def test_what_was_reserved_there_again_moves_as_ever(data: Path) -> None:
    fill(data, [row("/w/a", 5001, "web"), row("/w/z", 5000)])
    note(data, Directory("/w/z", came_from="/w/a"))

    assert perform(data, "migrate", {"from": "/w/a", "to": "/w/z"}).migrated_count == 1


def test_a_store_whose_tables_are_newer_or_damaged_is_migrated_and_released_as_ever(data: Path) -> None:
    for statement in ("UPDATE metadata SET value = '9' WHERE key = 'companion_version'", "DROP TABLE directories"):
        fill(data, [row("/w/a", 5000)])
        note(data)
        stores.run(data / "trop.db", statement)

        assert perform(data, "migrate", {"from": "/w/a", "to": "/w/z"}).migrated_count == 1
        assert perform(data, "release", {"path": "/w/z", "force": True}).released_count == 1
        os.remove(data / "trop.db")


def test_the_identity_is_what_the_context_tells(data: Path) -> None:
    fill(data, [row("/w/a", 5000)])
    note(data, Directory("/w/a"))
    asked: list[str] = []

    def identity_of(path: str) -> Identity:
        asked.append(path)
        return Identity("1", "2", 3)

    perform(data, "migrate", {"from": "/w/a", "to": "/w/z"}, identify=identity_of)

    assert asked == ["/w/z"]
    assert noted_in(data) == {"/w/z": Directory("/w/z", "1", "2", 3)}
