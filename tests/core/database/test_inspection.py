"""``assert-data-dir --validate``: every kind of damage is found and named, and the store stays as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.validation import ROWS, V1_ROWS, Found, forge, found_in, validate

from trop_core.errors.store import UnsupportedSchemaVersion

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_sound_store_is_sound(path: Path, version: int, journal: str) -> None:
    if version == 1:
        stores.make_v1(path, stores.rows_of_the_field(200), journal=journal)
    else:
        stores.make_v2(path, stores.as_version_2(stores.rows_of_the_field(200)), journal=journal)

    assert found_in(path) == {}
    upgrade = "the store has schema version 1: the next command that opens it brings it to 2"
    assert validate(path).warnings == ((upgrade,) if version == 1 else ())
    assert stores.version_of(path) == str(version)


def test_an_empty_file_is_sound_and_stays_empty(path: Path) -> None:
    path.touch()

    assert found_in(path) == {}
    assert validate(path).warnings == (f'"{path}" is an empty file: the next command that opens it makes it a store',)


# Rows


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ("port = 70000", ("port", "/b"), "70000 is no port"),
        ("port = 0", ("port", "/b"), "0 is no port"),
        ("port = -1", ("port", "/b"), "-1 is no port"),
        ("port = 'many'", ("port", "/b"), "'many' is no port"),
        ("port = 5002.5", ("port", "/b"), "5002.5 is no port"),
        ("port = NULL", ("port", "/b"), "NULL is no port"),
        ("created_at = -1", ("created_at", "/b"), "-1 is no time"),
        ("created_at = 'x'", ("created_at", "/b"), "'x' is no time"),
        ("last_used_at = -5", ("last_used_at", "/b"), "-5 is no time"),
        ("last_used_at = NULL", ("last_used_at", "/b"), "NULL is no time"),
        ("path = ''", ("path", ""), "the path is empty"),
        ("path = 'b/c'", ("path", "b/c"), "the path is not absolute"),
        ("path = X'2f62'", ("path", "b'/b'"), "b'/b' is no text"),
        ("path = CAST(X'2fff' AS TEXT)", ("path", "/\\xff"), "the text is not valid UTF-8"),
        ("path = NULL", ("path", "NULL"), "NULL is no text"),
        ("tag = X'00'", ("tag", "/b (tag b'\\x00')"), "b'\\x00' is no text"),
        ("tag = CAST(X'ff' AS TEXT)", ("tag", "/b (tag \\xff)"), "the text is not valid UTF-8"),
        ("project = X'00'", ("project", "/b"), "b'\\x00' is no text"),
        ("project = CAST(X'ff' AS TEXT)", ("project", "/b"), "the text is not valid UTF-8"),
        ("task = X'00'", ("task", "/b"), "b'\\x00' is no text"),
        ("task = CAST(X'c328' AS TEXT)", ("task", "/b"), "the text is not valid UTF-8"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_value_that_cannot_stand_is_named(
    path: Path, version: int, change: str, place: tuple[str, str], message: str
) -> None:
    if version == 1:
        stores.make_v1(path, V1_ROWS)
    else:
        stores.make_v2(path, ROWS)
    forge(path, f"UPDATE reservations SET {change} WHERE path = '/b'")

    assert found_in(path) == {("reservations", *place): message}


def test_an_absent_tag_is_no_text_in_version_2_and_an_empty_one_has_no_place_in_version_1(tmp_path: Path) -> None:
    for name in "12":
        (tmp_path / name).mkdir()
    one, two = stores.make_v1(tmp_path / "1" / "trop.db", V1_ROWS), stores.make_v2(tmp_path / "2" / "trop.db", ROWS)
    stores.run(one, "UPDATE reservations SET tag = '' WHERE path = '/b'")
    forge(two, "UPDATE reservations SET tag = NULL WHERE path = '/b'")

    assert found_in(one) == {("reservations", "tag", "/b"): "the tag is empty: in version 1, an absent one is NULL"}
    assert found_in(two) == {("reservations", "tag", "/b"): "NULL is no text"}


def test_all_that_is_wrong_with_a_row_and_with_all_rows_is_told(path: Path) -> None:
    stores.make_v2(path, ROWS)
    forge(path, "UPDATE reservations SET port = port + 70000, created_at = -1 WHERE path = '/a'")

    assert found_in(path) == {
        ("reservations", "port", "/a"): "75000 is no port",
        ("reservations", "created_at", "/a"): "-1 is no time",
        ("reservations", "port", "/a (tag web)"): "75001 is no port",
        ("reservations", "created_at", "/a (tag web)"): "-1 is no time",
    }


def test_two_untagged_rows_of_one_path_are_told_of_in_version_1(path: Path) -> None:
    stores.make_v1(path, [*V1_ROWS, ("/b", None, 5003, None, None, 1, 2)])

    assert found_in(path) == {("reservations", "tag", "/b"): "another row has the same path and tag"}


def test_duplicates_are_told_of_where_nothing_prevents_them(path: Path) -> None:
    schema = stores.V2_SCHEMA.replace("NOT NULL UNIQUE", "NOT NULL").replace(",\n  PRIMARY KEY (path, tag)", "")
    stores.make_v2(
        path, [*ROWS, ("/a", "web", 5003, None, None, 1, 2), ("/c", "", 5000, None, None, 1, 2)], schema=schema
    )

    found = found_in(path)

    assert found["reservations", "tag", "/a (tag web)"] == "another row has the same path and tag"
    assert found["reservations", "port", "/c"] == "another row has the port 5000, too"
    assert found["reservations", None, None] == "nothing keeps path and tag unique"
    assert found["reservations", "port", None] == "nothing keeps port unique"
    assert (
        found["reservations", "path", None]
        == "the column is TEXT, NOT NULL, not TEXT, NOT NULL, part 1 of the primary key"
    )


def test_more_violations_than_an_answer_holds_are_all_counted(path: Path) -> None:
    stores.make_v2(path, [(f"/{n}", "", 1 + n, None, None, 1, 2) for n in range(1500)])
    forge(path, "UPDATE reservations SET created_at = -1")

    assert len(found_in(path)) == 1500


# Layout


@pytest.mark.parametrize(
    ("statement", "place", "message"),
    [
        ("DROP TABLE reservations", ("reservations", None), "the table is missing"),
        ("ALTER TABLE reservations DROP COLUMN task", ("reservations", "task"), "the column is missing"),
        ("ALTER TABLE reservations ADD COLUMN x TEXT", ("reservations", "x"), "the column is unknown"),
        ("DROP INDEX idx_reservations_port", ("reservations", "port"), "the index idx_reservations_port is missing"),
        (
            "CREATE INDEX mine ON reservations (task)",
            ("reservations", None),
            "there is an unknown index, mine",
        ),
        (
            "CREATE UNIQUE INDEX mine ON metadata (value)",
            ("metadata", None),
            "there is an unknown index, mine",
        ),
        ("CREATE VIEW mine AS SELECT * FROM metadata", ("mine", None), "there is an unknown view, mine"),
        (
            "CREATE TRIGGER mine AFTER INSERT ON reservations BEGIN DELETE FROM metadata; END",
            ("reservations", None),
            "there is an unknown trigger, mine",
        ),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_tables_that_are_other_than_they_should_be_are_named(
    path: Path, version: int, statement: str, place: tuple[str, str | None], message: str
) -> None:
    stores.make(path, stores.V1_SCHEMA if version == 1 else stores.V2_SCHEMA, [], journal="wal")
    stores.run(path, statement)

    assert found_in(path) == {(*place, None): message}


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("NOT NULL) STRICT", "NOT NULL)", ("metadata", None), "the table is not STRICT"),
        (
            "CHECK (port BETWEEN 1 AND 65535)",
            "CHECK (port < 65536)",
            ("reservations", "port"),
            "the rule valid_port, CHECK (port between 1 and 65535), is missing",
        ),
        (
            " CONSTRAINT valid_created_at CHECK (created_at >= 0)",
            "",
            ("reservations", "created_at"),
            "the rule valid_created_at, CHECK (created_at >= 0), is missing",
        ),
        ("project TEXT", "project ANY", ("reservations", "project"), "the column is ANY, not TEXT"),
        ("task TEXT", "task TEXT NOT NULL", ("reservations", "task"), "the column is TEXT, NOT NULL, not TEXT"),
        ("task TEXT", "task TEXT UNIQUE", ("reservations", None), "task should not have to be unique"),
        (
            "project TEXT, task TEXT",
            "task TEXT, project TEXT",
            ("reservations", None),
            "the columns stand in another order: path, tag, port, task, project, created_at, last_used_at",
        ),
        (
            "reservations(last_used_at)",
            "reservations(created_at)",
            ("reservations", "last_used_at"),
            "the index idx_reservations_last_used is one of created_at",
        ),
    ],
)
def test_a_table_that_was_made_otherwise_is_told_of(
    path: Path, old: str, new: str, place: tuple[str, str | None], message: str
) -> None:
    assert old in stores.V2_SCHEMA
    stores.make_v2(path, [], schema=stores.V2_SCHEMA.replace(old, new))

    assert found_in(path) == {(*place, None): message}


def test_a_view_in_the_place_of_the_table_is_no_table(path: Path) -> None:
    stores.make_v2(path)
    stores.run(path, "DROP TABLE reservations", "CREATE VIEW reservations AS SELECT 1 AS path")

    assert [violation.message for violation in validate(path).violations] == [
        "the table is missing",
        "there is an unknown view, reservations",
    ]


def test_a_missing_column_does_not_hide_what_is_wrong_with_the_others(path: Path) -> None:
    stores.make_v2(path, ROWS)
    forge(path, "UPDATE reservations SET created_at = -1 WHERE path = '/b'")
    stores.run(
        path,
        "PRAGMA ignore_check_constraints = ON",
        "DROP INDEX idx_reservations_project",
        "ALTER TABLE reservations DROP COLUMN project",
    )

    assert [tuple(violation) for violation in validate(path).violations] == [
        ("reservations", "project", None, "the column is missing"),
        ("reservations", "project", None, "the index idx_reservations_project is missing"),
        ("reservations", "created_at", "/b", "-1 is no time"),
    ]


def test_a_table_of_somebody_else_s_is_left_alone_and_told_of(path: Path) -> None:
    stores.make_v2(path, ROWS)
    stores.run(path, "CREATE TABLE theirs (anything)", "INSERT INTO theirs VALUES (X'ff')")

    assert found_in(path) == {}
    assert validate(path).warnings == ('the table "theirs" is none of trop\'s, and was not looked at',)


# The version, and what else is in the metadata


@pytest.mark.parametrize(
    ("statement", "place", "message"),
    [
        ("DELETE FROM metadata", ("metadata", "value", "schema_version"), "the version is missing"),
        ("UPDATE metadata SET value = 'x'", ("metadata", "value", "schema_version"), "'x' is no version"),
        (
            "UPDATE metadata SET value = '0'",
            ("metadata", "value", "schema_version"),
            "version 0 is that of an empty file",
        ),
        (
            "INSERT INTO metadata VALUES ('more', CAST(X'ff' AS TEXT))",
            ("metadata", "value", "more"),
            "the text is not valid UTF-8",
        ),
        (
            "INSERT INTO metadata VALUES (CAST(X'ff' AS TEXT), 'more')",
            ("metadata", "key", "\\xff"),
            "the text is not valid UTF-8",
        ),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_metadata_that_cannot_be_read_are_named(
    path: Path, version: int, statement: str, place: Found, message: str
) -> None:
    stores.make(path, stores.V1_SCHEMA if version == 1 else stores.V2_SCHEMA, [], journal="wal")
    stores.run(path, statement)

    assert found_in(path) == {place: message}


def test_without_a_version_the_rest_is_looked_at_all_the_same(path: Path) -> None:
    stores.make_v2(path, ROWS)
    forge(path, "UPDATE reservations SET port = 0 WHERE path = '/b'", "DROP TABLE metadata")

    assert [tuple(violation) for violation in validate(path).violations] == [
        ("metadata", None, None, "it has content, but no readable version"),
        ("metadata", None, None, "the table is missing"),
        ("reservations", "port", "/b", "0 is no port"),
    ]


def test_a_database_of_another_program_is_no_store(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (anything)")

    messages = [(violation.table, violation.message) for violation in validate(path).violations]

    assert messages == [
        ("metadata", "it has content, but no readable version"),
        ("metadata", "the table is missing"),
        ("reservations", "the table is missing"),
    ]


@pytest.mark.parametrize("negated", [False, True])
def test_a_newer_store_is_unsupported_and_not_damaged(path: Path, negated: bool) -> None:
    stores.make_v2(path, ROWS)
    stores.run(path, "UPDATE metadata SET value = '99'")
    before = stores.snapshot(path.parent)

    with pytest.raises(UnsupportedSchemaVersion):
        validate(path, negated=negated)

    assert stores.snapshot(path.parent) == before
