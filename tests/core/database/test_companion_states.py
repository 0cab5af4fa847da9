"""Tables beside the file format that are newer, foreign, damaged or not there: left alone, and in nobody's way."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.companion import ROW, add, schema_of, state, write

from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.migrations.companion import tables
from trop_core.database.waiting import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.database.companion import State
    from trop_core.database.handles import StoreConnection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return stores.make_v2(tmp_path / "trop.db", [ROW])


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        pytest.param(
            ["UPDATE metadata SET value = '3' WHERE key = 'companion_version'"], "newer", id="a newer version"
        ),
        pytest.param(
            ["DROP TABLE directories", "UPDATE metadata SET value = '99' WHERE key = 'companion_version'"],
            "newer",
            id="a newer version without this table",
        ),
        pytest.param(["DELETE FROM metadata WHERE key = 'companion_version'"], "unusable", id="no version"),
        *(
            pytest.param(
                [f"UPDATE metadata SET value = {value} WHERE key = 'companion_version'"],
                "unusable",
                id=f"version {name}",
            )
            for value, name in [("'0'", "0"), ("'one'", "one"), ("'-1'", "-1"), ("CAST(X'ff' AS TEXT)", "of odd bytes")]
        ),
        pytest.param(["DROP TABLE directories"], "unusable", id="no table"),
        pytest.param(["DROP INDEX idx_directories_identity"], "unusable", id="no index"),
        pytest.param(["ALTER TABLE directories DROP COLUMN born"], "unusable", id="a column missing"),
        pytest.param(["ALTER TABLE directories ADD COLUMN more TEXT"], "unusable", id="a column more"),
        pytest.param(["CREATE UNIQUE INDEX more ON directories(inode)"], "unusable", id="a rule more"),
        pytest.param(
            ["CREATE TRIGGER t BEFORE INSERT ON directories BEGIN SELECT raise(ABORT, 'no'); END"],
            "unusable",
            id="a trigger",
        ),
        pytest.param(
            ["DROP TABLE directories", "CREATE VIEW directories AS SELECT path FROM reservations"],
            "unusable",
            id="a view in its place",
        ),
        pytest.param(
            ["DROP TABLE directories", tables.DIRECTORIES.replace("STRICT", ""), tables.INDEX],
            "unusable",
            id="a lax table",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_left_alone_and_in_nobody_s_way(
    path: Path, statements: list[str], found: State
) -> None:
    add(path)
    stores.run(path, *statements)
    schema = schema_of(path)

    assert state(path) == found
    assert not add(path)
    write(path, use_all)

    assert schema_of(path) == schema
    assert stores.rows_in(path) == [ROW]
    assert companion.warning(found) == (companion.NEWER if found == "newer" else companion.UNUSABLE)


def use_all(connection: StoreConnection) -> None:
    """Every query, none of which may fail or change what is not this program's."""
    from trop_core.database.moving import Move
    from trop_core.database.selection import Selection
    from trop_core.identity import Identity

    changes = connection.total_changes
    move = Move(Selection("/a", recursive=True), "/b")
    assert directories.find(connection, "/a") is None
    assert directories.with_identity(connection, Identity("1", "1", 1), but="/b") == []
    assert directories.in_repository(connection, "/a/.git") == []
    directories.record(connection, directories.Directory("/a"))
    directories.forget_unreserved(connection, move.source)
    directories.forget_unreserved_at(connection, ["/a"])
    directories.move(connection, move, by_itself=True)
    directories.replace(connection, move, directories.Directory("/b"))
    assert connection.total_changes == changes


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE directories (anything)",
        "CREATE TABLE Directories (path TEXT)",
        "CREATE VIEW directories AS SELECT 1",
        "CREATE INDEX idx_directories_identity ON reservations(task)",
        tables.DIRECTORIES,
    ],
)
def test_what_has_their_name_already_is_left_alone_and_in_nobody_s_way(path: Path, statement: str) -> None:
    stores.run(path, statement)
    before = stores.snapshot(path.parent)

    assert state(path) == "unusable"
    assert not add(path)
    write(path, use_all)

    assert stores.snapshot(path.parent) == before


def test_a_store_without_them_is_in_nobody_s_way(path: Path) -> None:
    before = stores.snapshot(path.parent)

    write(path, use_all)

    assert stores.snapshot(path.parent) == before
    assert companion.warning("absent") is None


def test_what_changes_between_two_transactions_is_noticed(path: Path) -> None:
    with closing(Database.connect(str(path))) as database:

        def usable() -> bool:
            with database.write(Patience(5), "try") as connection:
                return companion.is_usable(connection, companion.DIRECTORIES)

        assert not usable()
        add(path)
        assert usable()
        stores.run(path, "DROP INDEX idx_directories_identity")
        assert not usable()
        stores.run(path, tables.INDEX)
        assert usable()
        stores.run(path, "UPDATE metadata SET value = '3' WHERE key = 'companion_version'")
        assert not usable()
