"""``assert-data-dir --validate`` knows what stands beside the file format, and what is wrong with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.operations import perform

from trop_core.cancellation import CancellationToken
from trop_core.database.migrations.companion import tables, v1
from trop_core.errors.base import Cancelled

if TYPE_CHECKING:
    from pathlib import Path

Found = tuple[str | None, str | None, str | None]

ROW = ("/a", "", 5000, None, None, 1, 2)
NOTED = "INSERT INTO directories VALUES ('/a', '1', '2', 3, '/r/.git', '/old', 'b')"
VERSION = "INSERT INTO metadata VALUES ('companion_version', '1')"


@pytest.fixture(params=[1, 2], ids="version {}".format)
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A store of either version, with the tables and a row."""
    directory = tmp_path / "data"
    directory.mkdir()
    make = stores.make_v1 if request.param == 1 else stores.make_v2
    made = make(directory / "trop.db", [ROW if request.param == 2 else ("/a", None, *ROW[2:])])
    stores.run(made, *v1.MIGRATION.up_sql, VERSION, NOTED)
    return made


def found_in(path: Path) -> tuple[dict[Found, str], list[str]]:
    """The violations, by table, column and key, and the warnings that are about these tables. Nothing changes."""
    before = stores.snapshot(path.parent)
    result = perform(path.parent, "assert_data_dir", {"validate": True})
    assert stores.snapshot(path.parent) == before
    assert result.holds == (not result.violations)
    found = {(table, column, key): message for table, column, key, message in result.violations}
    assert len(found) == len(result.violations), result.violations
    return found, [warning for warning in result.warnings if "schema version 1" not in warning]


def test_a_store_with_them_is_sound(path: Path) -> None:
    assert found_in(path) == ({}, [])


def test_rows_of_paths_at_which_nothing_is_reserved_are_no_damage(path: Path) -> None:
    stores.run(path, "DELETE FROM reservations")

    assert found_in(path) == ({}, [])


@pytest.mark.parametrize(
    ("statement", "place", "message"),
    [
        ("DROP INDEX idx_directories_identity", "file_system", "the index idx_directories_identity is missing"),
        ("DROP TABLE directories", None, "the table is missing"),
        ("ALTER TABLE directories DROP COLUMN born", "born", "the column is missing"),
        ("ALTER TABLE directories ADD COLUMN more TEXT", "more", "the column is unknown"),
        ("CREATE INDEX mine ON directories(came_from)", None, "there is an unknown index, mine"),
        (
            "CREATE TRIGGER mine AFTER INSERT ON directories BEGIN DELETE FROM metadata; END",
            None,
            "there is an unknown trigger, mine",
        ),
    ],
)
def test_a_table_that_is_other_than_it_should_be_is_named(
    path: Path, statement: str, place: str | None, message: str
) -> None:
    stores.run(path, statement)

    assert found_in(path) == ({("directories", place, None): message}, [])


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ("path = ''", ("path", ""), "the path is empty"),
        ("path = 'a/b'", ("path", "a/b"), "the path is not absolute"),
        ("path = NULL", ("path", "NULL"), "NULL is no text"),
        ("path = CAST(X'2fff' AS TEXT)", ("path", "/\\xff"), "the text is not valid UTF-8"),
        ("file_system = X'00'", ("file_system", "/a"), "b'\\x00' is no text"),
        ("inode = CAST(X'ff' AS TEXT)", ("inode", "/a"), "the text is not valid UTF-8"),
        ("born = 'long ago'", ("born", "/a"), "'long ago' is no time"),
        ("born = 1.5", ("born", "/a"), "1.5 is no time"),
        ("git_directory = X'00'", ("git_directory", "/a"), "b'\\x00' is no text"),
        ("came_from = X'00'", ("came_from", "/a"), "b'\\x00' is no text"),
        ("block_id = X'00'", ("block_id", "/a"), "b'\\x00' is no text"),
    ],
)
def test_a_value_that_cannot_stand_is_named(path: Path, change: str, place: tuple[str, str], message: str) -> None:
    lax = tables.DIRECTORIES.replace("STRICT", "").replace("NOT NULL", "")
    rewrite(path, lax)
    stores.run(path, f"UPDATE directories SET {change}")
    rewrite(path, tables.DIRECTORIES)

    assert found_in(path) == ({("directories", *place): message}, [])


def rewrite(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'directories'", (sql,))


@pytest.mark.parametrize(
    ("value", "message"),
    [("0", "version 0 is that of a file without these tables"), ("many", "'many' is no version")],
)
def test_a_version_that_cannot_be_read_is_named(path: Path, value: str, message: str) -> None:
    stores.run(path, f"UPDATE metadata SET value = '{value}' WHERE key = 'companion_version'")

    assert found_in(path) == ({("metadata", "value", "companion_version"): message}, [])


def test_what_a_newer_trop_keeps_is_no_damage_and_not_looked_at(path: Path) -> None:
    stores.run(
        path,
        "UPDATE metadata SET value = '7' WHERE key = 'companion_version'",
        "ALTER TABLE directories ADD COLUMN more TEXT",
        "CREATE TABLE notes (text TEXT)",
    )

    warning = (
        "what trop keeps beside the reservations has version 7, and this trop knows 2: it was not looked at, and "
        "directories that were moved are not followed"
    )
    assert found_in(path) == ({}, [warning])


def test_a_table_of_somebody_else_s_with_that_name_is_told_of(path: Path) -> None:
    stores.run(path, "DELETE FROM metadata WHERE key = 'companion_version'")

    warning = (
        "something that is none of trop's has the name of a table that trop keeps beside the reservations: "
        "directories that were moved are not followed"
    )
    assert found_in(path) == ({}, [warning, 'the table "directories" is none of trop\'s, and was not looked at'])


def test_a_row_that_its_index_has_lost_is_told_of_with_the_table(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        index = connection.execute("SELECT * FROM sqlite_master WHERE name = 'idx_directories_identity'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'idx_directories_identity'")
    stores.run(path, "INSERT INTO directories (path, inode) VALUES ('/b', '1')")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)

    result = perform(path.parent, "assert_data_dir", {"validate": True})

    found = {(table, message) for table, _, _, message in result.violations}
    assert ("directories", "row 2 missing from index idx_directories_identity") in found


def test_taken_back_it_ends_among_them_as_well(path: Path) -> None:
    stores.run(
        path,
        "INSERT INTO directories (path) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
        " SELECT '/' || i FROM n",
        # Where one is odd, each is looked at.
        "INSERT INTO directories (path) VALUES ('odd')",
    )

    class Late(CancellationToken):
        def check(self) -> None:
            checks.append(1)
            if len(checks) > 4:
                self.cancel()
            super().check()

    checks: list[int] = []
    with pytest.raises(Cancelled):
        perform(path.parent, "assert_data_dir", {"validate": True}, token=Late())


@pytest.mark.parametrize("half", ["", "new_"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("path", "'a'"),
        ("path", "CAST(x'2fff' AS TEXT)"),
        ("tag", "NULL"),
        ("tag", "CAST(x'ff' AS TEXT)"),
        ("port", "NULL"),
        ("port", "0"),
        ("port", "70000"),
        ("project", "CAST(x'c3' AS TEXT)"),
        ("task", "CAST(x'c3' AS TEXT)"),
        ("created_at", "NULL"),
        ("created_at", "-1"),
        ("last_used_at", "NULL"),
        ("last_used_at", "-1"),
    ],
)
def test_what_cannot_have_been_a_reservation_is_found_in_the_record(
    path: Path, half: str, column: str, value: str
) -> None:
    with_a_record(path)
    assert found_in(path) == ({}, [])

    stores.run(path, f"UPDATE changes SET {half}{column} = {value}")

    assert list(found_in(path)[0]) == [("changes", half + column, "operation 1")]


def with_a_record(path: Path) -> None:
    """Have a store keep record of one operation with one change."""
    stores.run(path, "DROP TABLE directories", "DELETE FROM metadata WHERE key = 'companion_version'")
    stores.run(path, *tables.MADE[2], "INSERT INTO metadata VALUES ('companion_version', '2')")
    values = "1, 1, '/a', '', 5000, NULL, NULL, 1, 2, '/\u00e9', 'web', 5000, 'shop', 'a task', 1, 2"
    operation = "1, 5, 'trop.migrate', 'cli', 7, '/\u00e9', '1 moved', NULL, NULL, 1"
    stores.run(path, f"INSERT INTO operations VALUES ({operation})", f"INSERT INTO changes VALUES ({values})")


def test_a_change_of_nothing_is_found_in_the_record(path: Path) -> None:
    with_a_record(path)
    stores.run(path, "UPDATE changes SET path = NULL, new_path = NULL")

    told = "there is no reservation, neither before nor after"
    assert found_in(path) == ({("changes", "path", "operation 1"): told}, [])


def test_changes_without_their_operation_are_found_in_the_record(path: Path) -> None:
    with_a_record(path)
    stores.run(path, "DELETE FROM operations", "UPDATE changes SET operation = 8")

    assert found_in(path) == ({("changes", "operation", "operation 8"): "there is no such operation"}, [])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        *(
            (column, "CAST(x'2fff' AS TEXT)", "the text is not valid UTF-8")
            for column in ("command", "door", "directory")
        ),
        *((column, "CAST(x'ff' AS TEXT)", "the text is not valid UTF-8") for column in ("summary", "plan")),
        ("time", "-1", "-1 is no time"),
    ],
)
def test_what_cannot_be_an_operation_is_found_in_the_record(path: Path, column: str, value: str, message: str) -> None:
    with_a_record(path)
    stores.run(path, f"UPDATE operations SET {column} = {value}")

    assert found_in(path) == ({("operations", column, "operation 1"): message}, [])
