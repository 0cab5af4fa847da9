"""The tables beside the file format: added by who writes, left alone by who reads, and brought to the next version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.companion import ROW, add, schema_of, state, write
from support.operations import perform

from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.migrations.companion import v1, v2
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import COMPANION, MigrationRegistry
from trop_core.database.migrations.test_util import check_migration_roundtrip, create_test_db_at_version
from trop_core.database.migrations.types import Migration
from trop_core.database.waiting import Patience

if TYPE_CHECKING:
    from pathlib import Path


V3 = Migration(
    version=3,
    description="keep notes",
    up_sql=("CREATE TABLE notes (text TEXT) STRICT", "CREATE INDEX idx_notes ON notes(text)"),
    down_sql=("DROP TABLE notes",),
    preflight=lambda connection: {
        "takenNames": connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notes'").fetchone()[0]
    },
    validate=v2.MIGRATION.validate,
)
OWN = MigrationRegistry(chain=COMPANION)
WITH_V3 = MigrationRegistry((*OWN.migrations, V3), chain=COMPANION)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return stores.make_v2(tmp_path / "trop.db", [ROW])


# Adding


def test_the_tables_are_added_beside_a_format_that_stays_letter_for_letter(path: Path) -> None:
    before = schema_of(path)
    assert state(path) == "absent"

    assert add(path)

    after = schema_of(path)
    assert {name: sql for name, sql in after.items() if name in before} == before
    assert after.keys() - before.keys() == {
        "directories",
        "idx_directories_identity",
        "sqlite_autoindex_directories_1",
        "operations",
        "changes",
    }
    assert state(path) == "present"
    assert stores.rows_in(path, "metadata") == [("companion_version", "2"), ("schema_version", "2")]
    assert stores.rows_in(path) == [ROW]
    assert stores.backups_in(path.parent) == []


def test_the_second_time_nothing_is_added(path: Path) -> None:
    add(path)
    before = stores.rows_in(path, "sqlite_master")

    assert add(path)

    assert stores.rows_in(path, "sqlite_master") == before


def test_what_was_added_goes_with_the_transaction(path: Path) -> None:
    with closing(Database.connect(str(path))) as database:
        with database.rehearse(Patience(5), "try") as connection:
            assert companion.ensure(connection)
            directories.record(connection, directories.Directory("/a"))
            assert directories.find(connection, "/a") == directories.Directory("/a")

        with database.write(Patience(5), "try") as connection:
            assert companion.state(connection) == "absent"
            assert directories.find(connection, "/a") is None

    assert state(path) == "absent"
    assert stores.rows_in(path, "metadata") == [("schema_version", "2")]


def test_a_schema_that_was_rolled_back_is_not_taken_for_the_next_one_of_its_number(path: Path) -> None:
    with closing(Database.connect(str(path))) as database:
        with database.rehearse(Patience(5), "try") as connection:
            companion.ensure(connection)
            assert companion.is_usable(connection, companion.DIRECTORIES)
            (number,) = connection.execute("PRAGMA schema_version").fetchone()
        stores.run(
            path,
            "CREATE TABLE directories (anything)",
            "CREATE INDEX theirs ON directories(anything)",
            "CREATE TABLE theirs_as_well (anything)",
            "CREATE INDEX theirs_too ON theirs_as_well(anything)",
            "INSERT INTO metadata VALUES ('companion_version', '1')",
        )

        with database.write(Patience(5), "try") as connection:
            assert connection.execute("PRAGMA schema_version").fetchone()[0] == number
            assert not companion.is_usable(connection, companion.DIRECTORIES)
            assert not companion.ensure(connection)


def test_a_store_in_memory_takes_them_as_well() -> None:
    with closing(Database.in_memory()) as database, database.write(Patience(5), "try") as connection:
        assert companion.ensure(connection)
        assert companion.state(connection) == "present"


def test_the_transaction_of_somebody_who_upgrades_the_format_adds_them(tmp_path: Path) -> None:
    rows = stores.rows_of_the_field(20)
    path = stores.make_v1(tmp_path / "trop.db", rows)

    assert add(path)

    assert stores.version_of(path) == "2"
    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert state(path) == "present"


def test_a_store_of_the_first_version_that_has_them_is_upgraded_with_them(tmp_path: Path) -> None:
    rows = stores.rows_of_the_field(20)
    path = stores.make_v1(tmp_path / "trop.db", rows)
    stores.run(
        path,
        *v1.MIGRATION.up_sql,
        "INSERT INTO metadata VALUES ('companion_version', '1')",
        "INSERT INTO directories (path, inode) VALUES ('/home/someone/app/0', '7')",
    )

    assert state(path) == "older"

    assert stores.version_of(path) == "2"
    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert stores.rows_in(path, "directories") == [("/home/someone/app/0", None, "7", None, None, None, None)]
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]
    assert "directories" in schema_of(tmp_path / "trop.db.v1.bak")


def test_starting_anew_empties_them_with_the_rows(path: Path) -> None:
    add(path)
    write(path, lambda connection: directories.record(connection, directories.Directory("/a")))

    perform(path.parent, "init", {"overwrite": True})

    assert (stores.rows_in(path), stores.rows_in(path, "directories"), state(path)) == ([], [], "present")
    assert stores.rows_in(path.parent / "trop.db.bak", "directories") == [("/a", *[None] * 6)]


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("tables", ["without", "with"])
def test_a_read_leaves_every_byte_as_it_is(tmp_path: Path, journal: str, tables: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal=journal)
    if tables == "with":
        add(path)
    before = stores.snapshot(tmp_path)

    with closing(Database.connect(str(path))) as database, database.read(Patience(5)) as connection:
        companion.state(connection)
        directories.find(connection, "/a")
        directories.in_repository(connection, "/a/.git")

    assert stores.snapshot(tmp_path) == before


# The next version


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_a_third_version_is_added_by_handing_in_a_registry(path: Path, version: int) -> None:
    before = schema_of(path)
    if version:
        assert add(path, MigrationRegistry(WITH_V3.migrations[:version], chain=COMPANION))
    assert state(path, WITH_V3) == ("absent", "older", "older", "present")[version]

    assert add(path, WITH_V3)

    assert state(path, WITH_V3) == "present"
    assert state(path) == "newer"
    assert schema_of(path).keys() >= {"directories", "notes", "idx_notes"}
    assert before.items() <= schema_of(path).items()
    assert ("companion_version", "3") in stores.rows_in(path, "metadata")


def test_what_is_in_the_way_of_a_third_version_stops_only_that(path: Path) -> None:
    stores.run(path, "CREATE TABLE notes (theirs)")

    assert not add(path, WITH_V3)

    assert state(path, WITH_V3) == "unusable"
    assert state(path) == "present"


def test_a_damaged_table_of_an_older_version_is_not_built_upon(path: Path) -> None:
    add(path)
    stores.run(path, "DROP INDEX idx_directories_identity")

    assert state(path, WITH_V3) == "unusable"
    assert not add(path, WITH_V3)


def test_each_version_goes_up_and_down() -> None:
    below = MigrationRegistry((), chain=COMPANION)

    check_migration_roundtrip(v1.MIGRATION, below=below)
    check_migration_roundtrip(
        v2.MIGRATION,
        below=MigrationRegistry(OWN.migrations[:1], chain=COMPANION),
        fill=lambda connection: connection.execute("INSERT INTO directories (path, inode) VALUES ('/a', '1')"),
    )
    check_migration_roundtrip(
        V3,
        below=OWN,
        fill=lambda connection: connection.execute("INSERT INTO directories (path, inode) VALUES ('/a', '1')"),
    )


def test_a_database_of_each_version_can_be_made(tmp_path: Path) -> None:
    for version in (0, 1, 2):
        directory = tmp_path / str(version)
        directory.mkdir()
        create_test_db_at_version(version, str(directory / "trop.db"), registry=OWN).close()

        assert state(directory / "trop.db") == ("absent", "older", "present")[version]
        assert stores.version_of(directory / "trop.db") == "2"


def test_a_refused_plan_of_theirs_names_what_is_in_the_way(path: Path) -> None:
    stores.run(path, "CREATE TABLE directories (anything)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, OWN, path=str(path))

        assert v1.preflight(connection) == {"takenNames": 1}
        assert executor.plan().migrations == OWN.migrations
