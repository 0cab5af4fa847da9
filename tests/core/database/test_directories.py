"""Which directory it was that something is reserved for: what is noted, found, moved along and forgotten."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.directories import Directory
from trop_core.database.moving import Move
from trop_core.database.selection import Selection
from trop_core.database.waiting import Patience
from trop_core.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.handles import StoreConnection

IDENTITY = Identity("8123456789012345678", "18446744073709551615", 1_700_000_000_123_456_789)


@contextmanager
def store() -> Iterator[StoreConnection]:
    """An empty store with the tables, inside a transaction that is never committed."""
    with closing(Database.in_memory()) as database, database.rehearse(Patience(5), "try") as connection:
        assert companion.ensure(connection)
        yield connection


def reserve(connection: StoreConnection, *paths: str, tag: str = "") -> None:
    (number,) = connection.execute("SELECT count(*) FROM reservations").fetchone()
    connection.executemany(
        "INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 1, 2)",
        ((path, tag, 1 + number + index) for index, path in enumerate(paths)),
    )


def note(connection: StoreConnection, *paths: str, **values: object) -> None:
    for path in paths:
        directories.record(connection, Directory(path, **values))  # type: ignore[arg-type]


def rows_of(connection: StoreConnection) -> list[Directory]:
    return [Directory(*row) for row in connection.execute("SELECT * FROM directories ORDER BY path")]


def paths_of(connection: StoreConnection) -> list[str]:
    return [found.path for found in rows_of(connection)]


def test_what_is_noted_is_found_again_whole() -> None:
    noted = Directory("/w/größe 🚢", *IDENTITY, git_directory="/w/.git", came_from="/w/old", block_id="b1")
    with store() as connection:
        directories.record(connection, noted)

        found = directories.find(connection, noted.path)

        assert found == noted
        assert found.identity == IDENTITY
        assert directories.find(connection, "/w") is None


def test_what_is_noted_later_stands_in_place_of_what_was_noted_before_but_for_the_block() -> None:
    with store() as connection:
        directories.record(connection, Directory("/a", *IDENTITY, came_from="/old", block_id="b"))

        directories.record(connection, Directory("/a", "1", "2"))

        assert rows_of(connection) == [Directory("/a", "1", "2", block_id="b")]


@pytest.mark.parametrize("missing", ["file_system", "inode", "born"])
def test_a_part_of_an_identity_is_none(missing: str) -> None:
    assert Directory("/a", *IDENTITY)._replace(**{missing: None}).identity is None  # type: ignore[arg-type]


def test_the_paths_with_an_identity_are_those_with_all_of_it_and_with_reservations() -> None:
    with store() as connection:
        reserve(connection, "/old", "/self", "/inode", "/born", "/system", "/none")
        for path in ("/old", "/self", "/stale"):
            directories.record(connection, Directory(path, *IDENTITY))
        directories.record(connection, Directory("/inode", *IDENTITY._replace(inode="1")))
        directories.record(connection, Directory("/born", *IDENTITY._replace(born=1)))
        directories.record(connection, Directory("/system", *IDENTITY._replace(file_system="1")))
        directories.record(connection, Directory("/none", IDENTITY.file_system, IDENTITY.inode))

        found = directories.with_identity(connection, IDENTITY, but="/self")

        assert found == [Directory("/old", *IDENTITY)]


def test_a_directory_that_reserves_at_another_path_is_found_by_that_alone_and_known_at_both() -> None:
    with store() as connection:
        reserve(connection, "/w/a", "/w/b", "/w/c")
        note(connection, "/w/a", "/w/b", **IDENTITY._asdict())

        directories.disown(connection, Directory("/w/b", *IDENTITY))
        directories.disown(connection, Directory("/w/b", *IDENTITY))

        left = directories.find(connection, "/w/a")
        assert left == Directory("/w/a", IDENTITY.file_system, IDENTITY.inode, -IDENTITY.born)
        assert (left.identity, left.has_left) == (None, True)
        assert [found.path for found in directories.with_identity(connection, IDENTITY, but="/w/c")] == ["/w/b"]


def test_of_many_paths_with_an_identity_the_first_three_are_told() -> None:
    with store() as connection:
        paths = [f"/{number}" for number in range(9)]
        reserve(connection, *paths)
        for path in paths:
            directories.record(connection, Directory(path, *IDENTITY))

        found = directories.with_identity(connection, IDENTITY, but="/1")

        assert [directory.path for directory in found] == ["/0", "/2", "/3"]


def test_the_worktrees_of_a_repository_are_those_with_reservations() -> None:
    with store() as connection:
        reserve(connection, "/b", "/a", "/other", "/none")
        note(connection, "/b", "/a", "/stale", git_directory="/r/.git")
        note(connection, "/other", git_directory="/r/.git2")
        note(connection, "/none")

        assert directories.in_repository(connection, "/r/.git") == ["/a", "/b"]


def test_a_text_that_is_no_utf_8_tells_of_no_directory() -> None:
    with store() as connection:
        reserve(connection, "/a")
        directories.record(connection, Directory("/a", *IDENTITY, git_directory="/r/.git"))
        connection.execute("UPDATE directories SET block_id = CAST(X'ff' AS TEXT)")

        assert directories.find(connection, "/a") is None
        assert directories.with_identity(connection, IDENTITY, but="/b") == []
        assert directories.in_repository(connection, "/r/.git") == []


def test_a_table_that_is_not_as_it_should_be_is_asked_for_one_path_alone() -> None:
    with store() as connection:
        reserve(connection, "/a")
        directories.record(connection, Directory("/a", *IDENTITY, git_directory="/r/.git"))
        connection.execute("DROP INDEX idx_directories_identity")

        assert directories.find(connection, "/a") == Directory("/a", *IDENTITY, git_directory="/r/.git")
        assert directories.with_identity(connection, IDENTITY, but="/b") == []
        assert directories.in_repository(connection, "/r/.git") == []


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection("/w/a"), ["/w/a/x", "/w/a/y", "/w/ab"]),
        (Selection("/w/a", recursive=True), ["/w/a/y", "/w/ab"]),
        (Selection("/w/a", recursive=True, tag="web"), ["/w/a/y", "/w/ab"]),
        (Selection("/", recursive=True), ["/w/a/y"]),
        (Selection("/w/a/y"), ["/w/a", "/w/a/x", "/w/a/y", "/w/ab"]),
    ],
)
def test_the_directories_of_a_set_are_forgotten_where_nothing_is_reserved(
    selection: Selection, kept: list[str]
) -> None:
    with store() as connection:
        reserve(connection, "/w/a/y", tag="api")
        note(connection, "/w/a", "/w/a/x", "/w/a/y", "/w/ab")

        directories.forget_unreserved(connection, selection)

        assert paths_of(connection) == kept


def test_the_directories_at_paths_are_forgotten_where_nothing_is_reserved() -> None:
    with store() as connection:
        reserve(connection, "/b")
        note(connection, "/a", "/b", "/c", "/d")

        directories.forget_unreserved_at(connection, ["/a", "/b", "/a", "/d", "/nowhere"])

        assert paths_of(connection) == ["/b", "/c"]


# Moving

COMPONENT = st.sampled_from(["a", "b", "ab", "a%", "ü", "-", "0"])
PATH = st.lists(COMPONENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@st.composite
def moves(draw: st.DrawFn) -> Move:
    source = draw(PATH)
    destination = draw(PATH.filter(lambda path: path != source and not path.startswith(f"{source}/")))
    return Move(Selection(source, recursive=draw(st.booleans())), destination)


def is_in(path: str, selection: Selection) -> bool:
    return path == selection.path or (selection.recursive and path.startswith(f"{selection.path}/"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(moves(), st.sets(PATH, max_size=12), st.booleans())
def test_what_is_noted_moves_with_the_rows_and_nothing_else_does(move: Move, paths: set[str], by_itself: bool) -> None:
    with store() as connection:
        for number, path in enumerate(sorted(paths)):
            directories.record(connection, Directory(path, "1", str(number), number, came_from="/before"))
        before = {found.path: found for found in rows_of(connection)}
        expected = {path: found for path, found in before.items() if not is_in(path, move.source)}
        for path, found in before.items():
            if is_in(path, move.source):
                there = move.destination_of(path)
                expected[there] = found._replace(path=there, came_from=path if by_itself else None)

        directories.move(connection, move, by_itself=by_itself)

        assert {found.path: found for found in rows_of(connection)} == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sets(PATH, max_size=12))
def test_there_and_back_is_where_it_was(paths: set[str]) -> None:
    with store() as connection:
        note(connection, *sorted(paths), inode="1")
        before = rows_of(connection)

        directories.move(connection, Move(Selection("/a", recursive=True), "/new"), by_itself=False)
        directories.move(connection, Move(Selection("/new", recursive=True), "/a"), by_itself=False)

        assert rows_of(connection) == before


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(moves(), st.sets(PATH, max_size=8), st.sets(PATH, max_size=8))
def test_where_another_directory_stands_nothing_is_left_of_what_was_seen_at_the_paths_that_moved(
    move: Move, reserved: set[str], stale: set[str]
) -> None:
    with store() as connection:
        reserve(connection, *sorted(reserved))
        note(connection, *sorted(reserved | stale), inode="1")
        arrivals = {move.destination_of(path) for path in reserved if is_in(path, move.source)}
        kept = {
            path
            for path in reserved | stale
            if not is_in(path, move.source)
            and path != move.destination
            and not (path in arrivals and path not in reserved)
        }

        directories.replace(connection, move, Directory(move.destination, *IDENTITY))

        assert set(paths_of(connection)) == kept | {move.destination}
        assert directories.find(connection, move.destination) == Directory(move.destination, *IDENTITY)

        directories.replace(connection, move, None)

        assert set(paths_of(connection)) == kept


@pytest.mark.parametrize("rows", [1_000, 20_000])
@pytest.mark.parametrize("way", ["move", "replace", "forget"])
def test_a_move_reads_only_what_moves(way: str, rows: int) -> None:
    """Counted in SQLite's own steps, so that a busy machine does not matter."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 100

    with store() as connection:
        paths = [f"/other/{number}" for number in range(rows)]
        reserve(connection, *paths, *(f"/w/a/{number}" for number in range(20)))
        connection.execute("INSERT INTO directories (path, inode) SELECT path, '1' FROM reservations")
        move = Move(Selection("/w/a", recursive=True), "/w/b")
        connection.set_progress_handler(count, 100)

        if way == "move":
            directories.move(connection, move, by_itself=True)
        elif way == "replace":
            directories.replace(connection, move, None)
        else:
            directories.forget_unreserved(connection, move.source)

        connection.set_progress_handler(None, 0)
    assert steps < 6_000
