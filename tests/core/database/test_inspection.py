"""``assert-data-dir --validate``: every kind of damage is found and named, and the store stays as it is."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.operations import perform
from support.processes import Child, child
from support.rows import fill, row

from trop_core.cancellation import CancellationToken
from trop_core.database import read_only
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.errors.store import LockTimeout, NoDataDirectory, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from pathlib import Path

    from support.stores import Row

Found = tuple[str | None, str | None, str | None]

ROWS: list[Row] = [
    ("/a", "", 5000, "shop", None, 1, 2),
    ("/a", "web", 5001, None, "login", 1, 2),
    ("/b", "", 5002, None, None, 1, 2),
]
V1_ROWS: list[Row] = [(path, tag or None, *rest) for path, tag, *rest in ROWS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    return directory / "trop.db"


def validate(path: Path, *, negated: bool = False, **context: Any) -> Any:
    return perform(path.parent, "assert_data_dir", {"validate": True, "not": negated}, **context)


def found_in(path: Path) -> dict[Found, str]:
    """The violations, by table, column and key. Neither the assertion nor its opposite holds with any; nothing changes.

    Two with the same place fail the test.
    """
    before = stores.snapshot(path.parent)
    result, opposite = validate(path), validate(path, negated=True)
    assert stores.snapshot(path.parent) == before
    assert opposite.violations == result.violations
    assert (result.holds, opposite.holds) == (not result.violations, False)
    found = {(table, column, key): message for table, column, key, message in result.violations}
    assert len(found) == len(result.violations), result.violations
    return found


def forge(path: Path, *statements: str) -> None:
    """Change what the layout's rules forbid, and put the rules back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'reservations'").fetchone()[0]
    lax = re.sub(r"CONSTRAINT \w+ CHECK \([^()]*\)|NOT NULL|STRICT", "", schema)
    _rewrite(path, lax)
    stores.run(path, *statements)
    _rewrite(path, schema)


def _rewrite(path: Path, schema: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'reservations'", (schema,))


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


# Pages


def test_a_file_that_is_no_database_is_told_of(path: Path) -> None:
    path.write_bytes(b"never a database " * 300)

    assert found_in(path) == {(None, None, None): "file is not a database"}


def test_a_file_that_was_cut_off_is_told_of(path: Path) -> None:
    stores.make_v2(path, [(f"/{n:05}", "", 1 + n, None, None, 1, 2) for n in range(5000)])
    os.truncate(path, path.stat().st_size // 2)

    assert found_in(path) == {(None, None, None): "database disk image is malformed"}


def _pages_of(path: Path, name: str) -> tuple[int, int]:
    """The size of a page, and the number of the page that a table or an index begins with."""
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return size, page


@pytest.mark.parametrize(
    "name", ["reservations", "metadata", "idx_reservations_project", "sqlite_autoindex_reservations_2"]
)
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_page_that_was_overwritten_is_told_of_whichever_it_is(path: Path, name: str, journal: str) -> None:
    rows = [(f"/{n:05}", "", 1 + n, f"p{n}", None, 1, 2) for n in range(2000)]
    stores.make_v2(path, rows, journal=journal)
    size, page = _pages_of(path, name)
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)

    before = stores.snapshot(path.parent)
    result = validate(path)

    assert not result.holds
    assert result.violations
    assert stores.snapshot(path.parent) == before


def test_a_row_that_an_index_has_lost_is_told_of_with_its_table(path: Path) -> None:
    stores.make_v2(path, ROWS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        index = connection.execute("SELECT * FROM sqlite_master WHERE name = 'idx_reservations_project'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'idx_reservations_project'")
    stores.run(path, "INSERT INTO reservations VALUES ('/c', '', 5003, 'p', NULL, 1, 2)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)

    found = {(table, message) for table, _, _, message in validate(path).violations}

    assert ("reservations", "row 4 missing from index idx_reservations_project") in found
    assert {table for table, _ in found} == {"reservations"}


# What nobody has opened, what others have open, and what they left behind

LEAVE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA ignore_check_constraints = ON")
connection.execute(sys.argv[2])
print("written", flush=True)
sys.stdin.readline()
os._exit(0)
"""
"""A process that writes, and then ends without closing the file: what it wrote stays in the -wal."""

BAD = "UPDATE reservations SET port = 70000 WHERE path = '/b'"
BAD_PORT = {("reservations", "port", "/b"): "70000 is no port"}


@pytest.mark.parametrize("lost", [(), ("-shm",)], ids=["as it was left", "without its -shm"])
def test_what_is_in_the_wal_of_a_process_that_crashed_is_seen(path: Path, lost: tuple[str, ...]) -> None:
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    for suffix in lost:
        os.unlink(f"{path}{suffix}")
    before = stores.snapshot(path.parent, without=["trop.db-shm"])

    found = {tuple(violation[:3]): violation.message for violation in validate(path).violations}

    assert found == BAD_PORT
    assert stores.snapshot(path.parent, without=["trop.db-shm"]) == before
    assert set(os.listdir(path.parent)) == {"trop.db", "trop.db-wal"} | ({"trop.db-shm"} if not lost else set())


def test_what_is_in_the_wal_of_a_process_that_is_alive_is_seen(path: Path) -> None:
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        found = {tuple(violation[:3]): violation.message for violation in validate(path).violations}

    assert found == BAD_PORT


def test_a_wal_without_its_end_is_read_as_sqlite_would(path: Path) -> None:
    """The last transaction was not written wholly: it never was."""
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    os.unlink(f"{path}-shm")
    os.truncate(f"{path}-wal", os.stat(f"{path}-wal").st_size - 100)

    assert found_in(path) == {}


WRITE = """
import sqlite3, sys
print("writing", flush=True)
number = 0
while True:
    # Opened and closed each time: the -wal and the -shm come and go.
    connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
    for _ in range(20):
        number += 1
        connection.execute("UPDATE reservations SET last_used_at = ?, project = ?", (number, "p" * (number % 500)))
    connection.close()
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_store_that_others_write_to_all_the_time_is_sound(path: Path, journal: str) -> None:
    stores.make_v2(path, [(f"/{n:05}", "", 1 + n, None, None, 1, 2) for n in range(300)], journal=journal)
    patience = {"maximum_lock_wait_seconds": 60.0}

    with child(WRITE, path) as writer:
        writer.expect("writing")
        results = [validate(path, arguments=patience) for _ in range(40)]

    assert [result.violations for result in results] == [()] * 40


@pytest.mark.parametrize("negated", [False, True])
def test_a_store_that_is_locked_against_readers_is_locked_and_not_damaged(path: Path, negated: bool) -> None:
    stores.make_v1(path, V1_ROWS)

    with stores.locked(path, "BEGIN EXCLUSIVE"), pytest.raises(LockTimeout) as caught:
        validate(path, negated=negated, arguments={"maximum_lock_wait_seconds": 0.05})

    assert caught.value.operation == "validate it"


def test_a_writer_holds_up_no_validation(path: Path) -> None:
    stores.make_v2(path, ROWS)

    with stores.locked(path):
        assert validate(path, arguments={"maximum_lock_wait_seconds": 0.0}).holds


INTERRUPTED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE reservations SET project = printf('%.*c', 3000, 'x')")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_transaction_that_waits_to_be_rolled_back_is_said_to(path: Path) -> None:
    """To roll it back is to write."""
    rows = [(f"/{n:05}", None, 1 + n, None, None, 1, 2) for n in range(2000)]
    stores.make_v1(path, rows)
    killed = Child(INTERRUPTED, path)
    assert killed.process.wait(60) == -signal.SIGKILL
    killed.kill()
    before = stores.snapshot(path.parent)
    assert "trop.db-journal" in before

    with pytest.raises(SystemFailure, match="has to be rolled back first"):
        validate(path)

    assert stores.snapshot(path.parent) == before
    assert perform(path.parent, "list").reservations
    assert validate(path).violations == ()


def test_taken_back_it_ends(path: Path) -> None:
    stores.make_v2(path, ROWS)
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        validate(path, token=token)


def test_a_name_that_means_something_in_a_uri_is_read_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "a?mode=rwc#%41"
    directory.mkdir()
    path = stores.make_v2(directory / "trop.db", ROWS)

    assert found_in(path) == {}


# Another user

AS_NOBODY = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.errors.base import TropError
directory = Path(sys.argv[1])
perform(directory, "assert_data_dir", {"validate": True})
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for values in ({}, {"validate": True}, {"validate": True, "not": True}):
    try:
        result = perform(directory, "assert_data_dir", values)
        print(result.holds, *[violation.message for violation in result.violations])
    except TropError as error:
        print(error.kind)
"""
"""The first call loads, as root, the modules that another user may not be able to read."""


@pytest.mark.parametrize("shared", [True, False], ids=["as it was left", "without its -shm"])
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        pytest.param(0o600, "permission_denied", id="not to be read"),
        pytest.param(0o644, "False 70000 is no port", id="to be read alone"),
    ],
)
def test_one_who_may_not_write_validates_and_one_who_may_not_read_is_told_so(
    public_place: Path, mode: int, said: str, shared: bool
) -> None:
    path = public_place / "trop.db"
    fill(public_place, [row("/b", 5000)])
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    if not shared:
        os.unlink(f"{path}-shm")
    for name in os.listdir(public_place):
        (public_place / name).chmod(mode)
    # What is in a -shm that nobody has open counts for nothing: the next one to open it makes it anew.
    before = stores.snapshot(public_place, without=["trop.db-shm"])

    with child(AS_NOBODY, public_place) as process:
        lines = process.end().splitlines()

    assert lines == ["True", said, said]
    assert stores.snapshot(public_place, without=["trop.db-shm"]) == before
    assert os.path.exists(f"{path}-shm") == shared


def test_a_directory_that_may_not_be_entered_is_no_missing_store(public_place: Path) -> None:
    data = public_place / "data"
    fill(data, [row("/b", 5000)])
    data.chmod(0o700)

    with child(AS_NOBODY, data) as process:
        assert process.end().splitlines() == ["permission_denied"] * 3


@pytest.mark.parametrize("changes", [1, 2, 1000])
def test_a_copy_that_somebody_wrote_to_meanwhile_is_made_again_or_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    """No process can be held between the two looks at the file, so the copying itself does what another would."""
    stores.make_v2(path, ROWS)
    copy, left = read_only._copy, iter(range(changes))

    def disturbed(*arguments: Any, **options: Any) -> str | None:
        made = copy(*arguments, **options)
        if (number := next(left, None)) is not None:
            stores.run(
                path, "PRAGMA ignore_check_constraints = ON", f"UPDATE reservations SET created_at = {-1 - number}"
            )
        return made

    monkeypatch.setattr(read_only, "_copy", disturbed)
    wait = {"maximum_lock_wait_seconds": 0.0 if changes == 1000 else 60.0}

    if changes == 1000:
        with pytest.raises(LockTimeout):
            validate(path, arguments=wait)
    else:
        found = {violation.message for violation in validate(path, arguments=wait).violations}
        assert found == {f"{-changes} is no time"}


def test_a_store_that_is_gone_by_the_time_is_missing(path: Path) -> None:
    with pytest.raises(NoDataDirectory), read_only.read_only(str(path), Patience(0)):
        pass
