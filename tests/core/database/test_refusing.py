"""What cannot be upgraded, or read, is refused as a whole, and the file stays as it was."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.transactions import rehearse

from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.errors.store import DatabaseCorrupt, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NONE = {
    "duplicateKeys": 0,
    "duplicatePorts": 0,
    "emptyTags": 0,
    "portsOutOfRange": 0,
    "negativeTimestamps": 0,
    "invalidPaths": 0,
    "wrongTypes": 0,
    "unknownLayout": 0,
}

GOOD = ("/good", "web", 4000, "p", "t", 1, 2)
INVALID_UTF8 = "CAST(x'2f61ff' AS TEXT)"


def insert(path: str = "'/a'", tag: str = "NULL", port: str = "5000", created: str = "1", used: str = "2") -> str:
    return f"INSERT INTO reservations VALUES ({path}, {tag}, {port}, NULL, NULL, {created}, {used})"


def open_store(path: Path) -> None:
    Database.open(str(path), create=False).close()


WAYS = [pytest.param(open_store, id="for real"), pytest.param(rehearse, id="in a dry run")]
VIOLATIONS = [
    pytest.param([insert(port="1"), insert(port="2")], {"duplicateKeys": 1}, id="two untagged rows of one path"),
    pytest.param([insert(tag="''")], {"emptyTags": 1}, id="an empty tag"),
    pytest.param([insert(tag="''"), insert(port="1")], {"emptyTags": 1}, id="an empty tag beside an absent one"),
    pytest.param([insert(port="0")], {"portsOutOfRange": 1}, id="port 0"),
    pytest.param([insert(port="-1")], {"portsOutOfRange": 1}, id="port -1"),
    pytest.param([insert(port="65536"), insert("'/b'", port="1000000")], {"portsOutOfRange": 2}, id="ports too high"),
    pytest.param([insert(created="-1")], {"negativeTimestamps": 1}, id="created before the epoch"),
    pytest.param([insert(used="-1")], {"negativeTimestamps": 1}, id="used before the epoch"),
    pytest.param([insert(created="-1", used="-1")], {"negativeTimestamps": 1}, id="both times of one row"),
    pytest.param([insert("''")], {"invalidPaths": 1}, id="an empty path"),
    pytest.param([insert("'a/b'"), insert("'~'", port="1")], {"invalidPaths": 2}, id="relative paths"),
    pytest.param([insert("x'2f61'")], {"wrongTypes": 1}, id="a path that is a blob"),
    pytest.param([insert(tag="x'00'")], {"wrongTypes": 1}, id="a tag that is a blob"),
    pytest.param([insert(port="'abc'")], {"wrongTypes": 1}, id="a port that is a text"),
    pytest.param([insert(port="x'35'")], {"wrongTypes": 1}, id="a port that is a blob"),
    pytest.param([insert(port="5000.5")], {"wrongTypes": 1}, id="a port that is no whole number"),
    pytest.param([insert(created="1.5")], {"wrongTypes": 1}, id="a time that is no whole number"),
    pytest.param([insert(used="'2024-01-01'")], {"wrongTypes": 1}, id="a time that is a text"),
    pytest.param([insert(INVALID_UTF8)], {"wrongTypes": 1}, id="a path that is no UTF-8"),
    pytest.param([insert(tag="CAST(x'c3' AS TEXT)")], {"wrongTypes": 1}, id="a tag that is no UTF-8"),
    pytest.param([insert(tag="CAST(x'c1a1' AS TEXT)")], {"wrongTypes": 1}, id="a tag in overlong UTF-8"),
    pytest.param([insert(tag="CAST(x'eda080' AS TEXT)")], {"wrongTypes": 1}, id="a tag with half a surrogate pair"),
    pytest.param([insert(tag="CAST(x'6100ff' AS TEXT)")], {"wrongTypes": 1}, id="what is no UTF-8 after a NUL"),
    pytest.param(
        [insert(), "UPDATE reservations SET project = x'00', task = CAST(x'ff' AS TEXT)"],
        {"wrongTypes": 2},
        id="project and task of two rows",
    ),
    pytest.param(["INSERT INTO metadata VALUES ('note', x'00')"], {"wrongTypes": 1}, id="metadata that is a blob"),
    pytest.param(
        ["INSERT INTO metadata VALUES ('note', CAST(x'ff' AS TEXT))"], {"wrongTypes": 1}, id="metadata that is no UTF-8"
    ),
    pytest.param(
        [insert("x''", tag="''", port="0.5", created="-1"), insert("'b'", port="0"), insert("'b'", port="-1")],
        {
            "duplicateKeys": 1,
            "emptyTags": 1,
            "portsOutOfRange": 2,
            "negativeTimestamps": 1,
            "invalidPaths": 2,
            "wrongTypes": 1,
        },
        id="many at once",
    ),
    pytest.param(["DROP INDEX idx_reservations_port"], {"unknownLayout": 1}, id="a missing index"),
    pytest.param(["DROP TABLE reservations"], {"unknownLayout": 1}, id="a missing table"),
    pytest.param(["ALTER TABLE reservations ADD COLUMN host TEXT"], {"unknownLayout": 1}, id="an unknown column"),
    pytest.param(["ALTER TABLE reservations RENAME COLUMN task TO job"], {"unknownLayout": 1}, id="a renamed column"),
    pytest.param(
        ["CREATE UNIQUE INDEX mine ON reservations(task)"], {"unknownLayout": 1}, id="an unknown unique index"
    ),
    pytest.param(
        ["DROP INDEX idx_reservations_port", "CREATE UNIQUE INDEX idx_reservations_port ON reservations(port)"],
        {"unknownLayout": 2},
        id="a known index that is unique",
    ),
    pytest.param(
        ["DROP INDEX idx_reservations_port", "CREATE INDEX idx_reservations_port ON reservations(port) WHERE port > 9"],
        {"unknownLayout": 2},
        id="a known index that is partial",
    ),
    pytest.param(["CREATE VIEW mine AS SELECT * FROM reservations"], {"unknownLayout": 1}, id="a view"),
    pytest.param(
        ["CREATE TRIGGER mine AFTER INSERT ON reservations BEGIN DELETE FROM metadata; END"],
        {"unknownLayout": 1},
        id="a trigger",
    ),
]


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize(("statements", "violations"), VIOLATIONS)
def test_a_row_or_table_that_the_new_layout_has_no_place_for_blocks_the_migration(
    tmp_path: Path,
    statements: list[str],
    violations: dict[str, int],
    journal: str,
    attempt: Callable[[Path], None],
) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [GOOD], journal=journal)
    stores.run(path, *statements)
    before = stores.snapshot(tmp_path)

    with pytest.raises(MigrationBlocked) as refused:
        attempt(path)

    assert refused.value.details() == {"from": 1, "to": 2, "violations": {**NONE, **violations}}
    assert stores.snapshot(tmp_path) == before


def test_two_rows_with_one_port_behind_a_damaged_index_block_the_migration(tmp_path: Path) -> None:
    # The indexes over the port are made to look into empty ones while the second row is inserted.
    path = stores.make_v1(tmp_path / "trop.db", [GOOD])
    stores.run(
        path,
        "CREATE TABLE spare (port INTEGER)",
        "CREATE UNIQUE INDEX spare_unique ON spare(port)",
        "CREATE INDEX spare_plain ON spare(port)",
    )
    with closing(sqlite3.connect(path)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'index'"))
    unique, plain = "sqlite_autoindex_reservations_1", "idx_reservations_port"
    point = "UPDATE sqlite_master SET rootpage = {} WHERE name = '{}'".format
    allow = "PRAGMA writable_schema = ON"
    stores.run(path, allow, point(roots["spare_unique"], unique), point(roots["spare_plain"], plain))
    stores.run(path, insert(port="4000"))
    stores.run(path, allow, point(roots[unique], unique), point(roots[plain], plain))
    before = stores.snapshot(tmp_path)

    with pytest.raises(MigrationBlocked) as refused:
        open_store(path)

    assert refused.value.violations == {**NONE, "duplicatePorts": 1}
    assert stores.snapshot(tmp_path) == before


def test_a_table_that_lets_ports_stand_twice_is_an_unknown_layout(tmp_path: Path) -> None:
    schema = stores.V1_SCHEMA.replace("port INTEGER NOT NULL UNIQUE", "port INTEGER NOT NULL")
    path = stores.make_v1(tmp_path / "trop.db", [GOOD, ("/b", None, 4000, None, None, 1, 2)], schema=schema)
    before = stores.snapshot(tmp_path)

    with pytest.raises(MigrationBlocked) as refused:
        open_store(path)

    assert refused.value.violations == {**NONE, "duplicatePorts": 1, "unknownLayout": 1}
    assert stores.snapshot(tmp_path) == before


LOOSE = "path TEXT, tag TEXT, port INTEGER, project TEXT, task TEXT, created_at INTEGER, last_used_at INTEGER"
FAULTY = (
    "'/a', NULL, 5000, NULL, NULL, 1, 2",
    "'/a', NULL, 5000, NULL, NULL, 1, 2",
    "'/a', NULL, 'text', NULL, x'00', -1, -1",
    "'b', '', 0, CAST(x'ff' AS TEXT), NULL, 1, -2",
)
COUNTED = {
    "duplicateKeys": 1,
    "duplicatePorts": 1,
    "emptyTags": 1,
    "portsOutOfRange": 1,
    "negativeTimestamps": 2,
    "invalidPaths": 1,
    "wrongTypes": 2,
}
UNKNOWN = [
    pytest.param(LOOSE, {}, id="no constraint"),
    pytest.param(LOOSE.upper(), {}, id="other letters"),
    pytest.param(LOOSE.replace("tag TEXT", "label TEXT"), {"duplicateKeys": 0, "emptyTags": 0}, id="no tag"),
    pytest.param(LOOSE.replace("path TEXT", "place TEXT"), {"duplicateKeys": 0, "invalidPaths": 0}, id="no path"),
    pytest.param(LOOSE.replace("created_at", "made_at"), {}, id="one time of two"),
    pytest.param(LOOSE.replace("last_used_at", "used_at"), {"negativeTimestamps": 1}, id="the other time of two"),
    pytest.param(
        LOOSE.replace("port INTEGER", "number INTEGER"),
        {"duplicatePorts": 0, "portsOutOfRange": 0},
        id="no port",
    ),
    pytest.param(f"{LOOSE}, text AS (abs(task))", {}, id="a column that is made"),
    pytest.param(
        f"{LOOSE.replace('port INTEGER', 'number INTEGER')}, port AS (abs(path) + 'x')",
        {"duplicatePorts": 0, "portsOutOfRange": 0},
        id="a port that is made",
    ),
]


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize(("columns", "differences"), UNKNOWN)
def test_in_an_unknown_layout_is_counted_what_its_columns_tell(
    tmp_path: Path, columns: str, differences: dict[str, int], attempt: Callable[[Path], None]
) -> None:
    path = stores.make_v1(tmp_path / "trop.db")
    stores.run(path, "DROP TABLE reservations", f"CREATE TABLE reservations ({columns})")
    names = ", ".join(column.split()[0] for column in columns.split(", ")[:7])
    stores.run(path, *(f"INSERT INTO reservations ({names}) VALUES ({row})" for row in FAULTY))
    before = stores.snapshot(tmp_path)

    with pytest.raises(MigrationBlocked) as refused:
        attempt(path)

    counted = dict(refused.value.violations)
    assert counted.pop("unknownLayout") > 0
    assert counted == {**COUNTED, **differences}
    assert stores.snapshot(tmp_path) == before


def test_rows_are_counted_whatever_their_columns_are_compared_with(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db")
    stores.run(path, "DROP TABLE reservations", f"CREATE TABLE reservations ({LOOSE})")
    stores.run(path, *(f"INSERT INTO reservations VALUES ({row})" for row in FAULTY))
    stores.run(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql ="
        " replace(replace(sql, 'path TEXT', 'path TEXT COLLATE nobody'), 'tag TEXT', 'tag TEXT COLLATE nobody')",
    )

    with pytest.raises(MigrationBlocked) as refused:
        open_store(path)

    assert {**refused.value.violations, "unknownLayout": 0} == {**COUNTED, "unknownLayout": 0}


@pytest.mark.parametrize("kind", ["VIEW", "VIRTUAL TABLE"])
def test_what_is_no_table_is_not_counted(tmp_path: Path, kind: str) -> None:
    path = stores.make_v1(tmp_path / "trop.db")
    made = "VIEW reservations AS SELECT 1 AS port" if kind == "VIEW" else "VIRTUAL TABLE reservations USING fts5(port)"
    stores.run(path, "DROP TABLE reservations", f"CREATE {made}")

    with pytest.raises(MigrationBlocked) as refused:
        open_store(path)

    assert {**refused.value.violations, "unknownLayout": 0} == NONE


def test_a_refusal_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [GOOD])
    stores.run(path, insert(port="0"), insert("'b'"))

    with pytest.raises(MigrationBlocked) as refused:
        open_store(path)

    assert str(refused.value) == (
        f'the store "{path}" cannot go from schema version 1 to 2 as it is: portsOutOfRange 1, invalidPaths 1'
    )
    assert refused.value.hint() == (
        "Nothing was changed. Make a copy of the file, correct what is counted with the sqlite3 program (of two "
        "reservations with one key, or one port, delete the one that is not in use), and open it again."
    )


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
def test_a_newer_version_is_refused_naming_both(
    tmp_path: Path, make: Callable[..., Path], journal: str, attempt: Callable[[Path], None]
) -> None:
    path = make(tmp_path / "trop.db", [GOOD], journal=journal)
    stores.run(path, "UPDATE metadata SET value = '3'")
    before = stores.snapshot(tmp_path)

    with pytest.raises(UnsupportedSchemaVersion) as refused:
        attempt(path)

    assert refused.value.details() == {"found": 3, "supported": 2}
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize(
    "value",
    [
        "'two'",
        "''",
        "'2.0'",
        "'-1'",
        "'+2'",
        "' 2'",
        "'0'",
        "'1_0'",
        "'²'",
        "'٢'",
        "'9999999999999999999'",
        "x'32'",
        "CAST(x'ff' AS TEXT)",
    ],
)
def test_a_version_that_is_no_number_is_damage(tmp_path: Path, value: str, attempt: Callable[[Path], None]) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [GOOD])
    stores.run(path, f"UPDATE metadata SET value = {value}")
    before = stores.snapshot(tmp_path)

    with pytest.raises(DatabaseCorrupt) as refused:
        attempt(path)

    details = refused.value.details()
    assert (details["path"], details["table"], details["column"]) == (str(path), "metadata", "value")
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("DELETE FROM metadata", id="no version"),
        pytest.param("DROP TABLE metadata", id="no table of versions"),
        pytest.param("ALTER TABLE metadata RENAME COLUMN value TO val", id="no column of versions"),
    ],
)
def test_content_without_a_version_is_damage(tmp_path: Path, statement: str, attempt: Callable[[Path], None]) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [GOOD])
    stores.run(path, statement)
    before = stores.snapshot(tmp_path)

    with pytest.raises(DatabaseCorrupt) as refused:
        attempt(path)

    assert refused.value.details()["table"] == "metadata"
    assert stores.snapshot(tmp_path) == before


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def text(path: Path) -> None:
    path.write_text("{}")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(8192))


def cut_in_the_header(path: Path) -> None:
    stores.make_v1(path, stores.rows_of_the_field(500))
    os.truncate(path, 60)


def cut_in_a_page(path: Path) -> None:
    stores.make_v1(path, stores.rows_of_the_field(500))
    os.truncate(path, path.stat().st_size * 2 // 5 + 100)


@pytest.mark.parametrize("attempt", WAYS)
@pytest.mark.parametrize("damage", [noise, text, zeros, cut_in_the_header, cut_in_a_page])
def test_a_file_that_is_no_database_is_damage(
    tmp_path: Path, damage: Callable[[Path], None], attempt: Callable[[Path], None]
) -> None:
    path = tmp_path / "trop.db"
    damage(path)
    path.chmod(0o600)
    before = stores.snapshot(tmp_path)

    with pytest.raises(DatabaseCorrupt) as refused:
        attempt(path)

    assert refused.value.path == str(path)
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("keep", [2, 16, 99, 100, 511, 4095, 4096, 8192])
def test_a_store_that_was_cut_off_never_yields_anything_but_damage(tmp_path: Path, keep: int) -> None:
    path = stores.make_v2(tmp_path / "trop.db", stores.as_version_2(stores.rows_of_the_field(500)))
    os.truncate(path, keep)
    before = stores.snapshot(tmp_path)

    with pytest.raises(DatabaseCorrupt):
        open_and_count(path)

    assert stores.snapshot(tmp_path) == before


def open_and_count(path: Path) -> None:
    database = Database.open(str(path), create=False)
    try:
        with database.read(Patience(5)) as connection:
            connection.execute("SELECT count(project) FROM reservations").fetchone()
    finally:
        database.close()


@pytest.mark.parametrize("attempt", WAYS)
def test_a_directory_in_the_place_of_the_file_is_told(tmp_path: Path, attempt: Callable[[Path], None]) -> None:
    path = tmp_path / "trop.db"
    path.mkdir()

    with pytest.raises(SystemFailure, match="it is a directory"):
        attempt(path)


@pytest.mark.parametrize("attempt", WAYS)
def test_a_link_to_nothing_is_told(tmp_path: Path, attempt: Callable[[Path], None]) -> None:
    path = tmp_path / "trop.db"
    path.symlink_to("nowhere")

    with pytest.raises(SystemFailure, match="a link to a file that does not exist"):
        attempt(path)


@pytest.mark.parametrize(
    ("statement", "table", "column"),
    [
        pytest.param("DROP TABLE reservations", "reservations", None, id="table"),
        pytest.param("ALTER TABLE reservations RENAME COLUMN project TO p", "reservations", "project", id="column"),
    ],
)
def test_a_current_store_that_lacks_a_table_or_a_column_is_damaged(
    tmp_path: Path, statement: str, table: str, column: str | None
) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    stores.run(path, statement)

    with pytest.raises(DatabaseCorrupt) as refused:
        open_and_count(path)

    assert (refused.value.table, refused.value.column) == (table, column)


def test_a_current_store_that_lacks_an_index_works(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [GOOD])
    stores.run(path, "DROP INDEX idx_reservations_port", "DROP INDEX idx_reservations_project")

    open_and_count(path)


def test_no_refusal_leaks_an_error_of_sqlite(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(200))
    original = path.read_bytes()
    pages = len(original) // 4096

    for page in range(pages):
        path.write_bytes(original[: page * 4096] + b"\xa5" * 4096 + original[(page + 1) * 4096 :])
        kind = None
        try:
            open_store(path)
        except TropError as error:
            kind = error.kind
        if kind is None:
            assert stores.rows_in(path) == stores.as_version_2(stores.rows_of_the_field(200))
        assert kind in (None, "database_corrupt", "migration_blocked", "migration_failed")
        for leftover in tmp_path.iterdir():
            leftover.unlink()
