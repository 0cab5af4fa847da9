"""The tools for whoever writes a migration, tried on the product's own ones and on wrong ones."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import stores

from trop_core.database.migrations import v1, v2
from trop_core.database.migrations.registry import MigrationRegistry
from trop_core.database.migrations.test_util import (
    check_migration_roundtrip,
    contents,
    create_test_db_at_version,
)
from trop_core.database.migrations.version import read_version
from trop_core.errors.schema_migrations import MigrationBlocked, MigrationFailed

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
MAYBE_TEXT = st.none() | TEXT
TIME = st.integers(0, 2**63 - 1)
ROWS = st.lists(
    st.tuples(
        TEXT.map("/{}".format), st.none() | TEXT.filter(bool), st.integers(1, 65535), MAYBE_TEXT, MAYBE_TEXT, TIME, TIME
    ),
    unique_by=(lambda row: (row[0], row[1]), lambda row: row[2]),
    max_size=20,
)


def fill(connection: sqlite3.Connection) -> None:
    connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", stores.rows_of_the_field(300))


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_database_of_any_version_can_be_made(tmp_path: Path, version: int) -> None:
    with closing(create_test_db_at_version(version)) as connection:
        assert read_version(connection, ":memory:") == version

    with closing(create_test_db_at_version(version, str(tmp_path / "trop.db"))) as connection:
        assert read_version(connection, "trop.db") == version
    assert stores.snapshot(tmp_path)["trop.db"].mode == 0o600


def test_a_database_is_not_made_over_a_file_that_exists(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db")
    before = stores.snapshot(tmp_path)

    with pytest.raises(FileExistsError):
        create_test_db_at_version(1, str(path))

    assert stores.snapshot(tmp_path) == before


def test_there_is_no_database_of_a_version_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no way from schema version"):
        create_test_db_at_version(MigrationRegistry().latest + 1)


def test_version_1_goes_up_and_down() -> None:
    check_migration_roundtrip(v1.MIGRATION)


def test_version_2_goes_up_and_down_with_rows_of_the_field() -> None:
    check_migration_roundtrip(v2.MIGRATION, fill=fill)


@given(ROWS)
def test_version_2_goes_up_and_down_with_whatever_the_field_may_hold(rows: list[stores.Row]) -> None:
    check_migration_roundtrip(
        v2.MIGRATION,
        fill=lambda connection: connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", rows),
    )


def test_a_migration_without_a_way_down_is_tried_upwards() -> None:
    check_migration_roundtrip(replace(v2.MIGRATION, down_sql=None), fill=fill)


@pytest.mark.parametrize(
    "down_sql",
    [
        pytest.param((*(v2.MIGRATION.down_sql or ()), "UPDATE reservations SET tag = ''"), id="a changed row"),
        pytest.param((*(v2.MIGRATION.down_sql or ()), "DELETE FROM reservations"), id="lost rows"),
        pytest.param((*(v2.MIGRATION.down_sql or ()), "DROP INDEX idx_reservations_port"), id="a lost index"),
        pytest.param((), id="nothing at all"),
    ],
)
def test_a_way_down_that_leads_elsewhere_is_noticed(down_sql: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match="the database after the way up and down"):
        check_migration_roundtrip(replace(v2.MIGRATION, down_sql=down_sql), fill=fill)


def test_a_way_up_that_fails_or_is_refused_is_the_executors_error() -> None:
    with pytest.raises(MigrationFailed):
        check_migration_roundtrip(replace(v2.MIGRATION, up_sql=("nonsense",)))
    with pytest.raises(MigrationBlocked):
        check_migration_roundtrip(
            v2.MIGRATION,
            fill=lambda connection: connection.execute("INSERT INTO reservations VALUES ('a', '', 0, 0, 0, 0, 0)"),
        )


def test_contents_tell_schema_and_rows_apart() -> None:
    with closing(create_test_db_at_version(2)) as connection:
        empty = contents(connection)
        connection.execute("INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)")
        filled = contents(connection)

    assert {name for name in empty if empty[name] != filled[name]} == {"rows of reservations"}
    assert "index idx_reservations_port" in empty
