"""The tables beside the file format: added by who writes, left alone by who reads, and never a reason to fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.processes import child

from trop_core.cancellation import CancellationToken
from trop_core.database import companion, directories, rebuilding
from trop_core.database.connection import Database
from trop_core.database.migrations.companion import v1
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import COMPANION, MigrationRegistry
from trop_core.database.migrations.test_util import check_migration_roundtrip, create_test_db_at_version
from trop_core.database.migrations.types import Migration
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trop_core.database.companion import State
    from trop_core.database.handles import StoreConnection

V2 = Migration(
    version=2,
    description="keep notes",
    up_sql=("CREATE TABLE notes (text TEXT) STRICT", "CREATE INDEX idx_notes ON notes(text)"),
    down_sql=("DROP TABLE notes",),
    preflight=lambda connection: {
        "takenNames": connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notes'").fetchone()[0]
    },
    validate=v1.MIGRATION.validate,
)
OWN = MigrationRegistry(chain=COMPANION)
WITH_V2 = MigrationRegistry((*OWN.migrations, V2), chain=COMPANION)

ROW = ("/a", "", 5000, None, None, 1, 2)


def write(path: Path, work: Callable[[StoreConnection], object], token: CancellationToken | None = None) -> None:
    with closing(Database.connect(str(path))) as database, database.write(Patience(5, token), "try") as connection:
        work(connection)


def add(path: Path, registry: MigrationRegistry | None = None) -> bool:
    """Add the tables in a transaction of their own."""
    outcomes: list[bool] = []
    write(path, lambda connection: outcomes.append(companion.ensure(connection, registry=registry)))
    return outcomes[0]


def state(path: Path, registry: MigrationRegistry | None = None) -> State:
    with closing(Database.connect(str(path))) as database, database.read(Patience(5)) as connection:
        found = companion.state(connection, registry)
        # What every query asks.
        if registry is None:
            assert companion.is_usable(connection) == (found == "present")
        return found


def schema_of(path: Path) -> dict[str, str | None]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master").fetchall())


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
    }
    assert state(path) == "present"
    assert stores.rows_in(path, "metadata") == [("companion_version", "1"), ("schema_version", "2")]
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
            assert companion.is_usable(connection)
            (number,) = connection.execute("PRAGMA schema_version").fetchone()
        stores.run(
            path,
            "CREATE TABLE directories (anything)",
            "CREATE INDEX theirs ON directories(anything)",
            "INSERT INTO metadata VALUES ('companion_version', '1')",
        )

        with database.write(Patience(5), "try") as connection:
            assert connection.execute("PRAGMA schema_version").fetchone()[0] == number
            assert not companion.is_usable(connection)
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

    assert state(path) == "present"

    assert stores.version_of(path) == "2"
    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert stores.rows_in(path, "directories") == [("/home/someone/app/0", None, "7", None, None, None, None)]
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]
    assert "directories" in schema_of(tmp_path / "trop.db.v1.bak")


def test_starting_anew_empties_them_with_the_rows(path: Path) -> None:
    add(path)
    write(path, lambda connection: directories.record(connection, directories.Directory("/a")))

    rebuilding.rebuild(str(path), Patience(5), dry_run=False)

    assert (stores.rows_in(path), state(path)) == ([], "absent")
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


# Newer, foreign, damaged


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        pytest.param(
            ["UPDATE metadata SET value = '2' WHERE key = 'companion_version'"], "newer", id="a newer version"
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
            ["DROP TABLE directories", v1.DIRECTORIES.replace("STRICT", ""), v1.INDEX], "unusable", id="a lax table"
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
        v1.DIRECTORIES,
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
                return companion.is_usable(connection)

        assert not usable()
        add(path)
        assert usable()
        stores.run(path, "DROP INDEX idx_directories_identity")
        assert not usable()
        stores.run(path, v1.INDEX)
        assert usable()
        stores.run(path, "UPDATE metadata SET value = '2' WHERE key = 'companion_version'")
        assert not usable()


# The next version


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_second_version_is_added_by_handing_in_a_registry(path: Path, version: int) -> None:
    before = schema_of(path)
    if version:
        assert add(path, OWN if version == 1 else WITH_V2)
    assert state(path, WITH_V2) == ("absent", "older", "present")[version]

    assert add(path, WITH_V2)

    assert state(path, WITH_V2) == "present"
    assert state(path) == "newer"
    assert schema_of(path).keys() >= {"directories", "notes", "idx_notes"}
    assert before.items() <= schema_of(path).items()
    assert ("companion_version", "2") in stores.rows_in(path, "metadata")


def test_what_is_in_the_way_of_a_second_version_stops_only_that(path: Path) -> None:
    stores.run(path, "CREATE TABLE notes (theirs)")

    assert not add(path, WITH_V2)

    assert state(path, WITH_V2) == "unusable"
    assert state(path) == "present"


def test_a_damaged_table_of_an_older_version_is_not_built_upon(path: Path) -> None:
    add(path)
    stores.run(path, "DROP INDEX idx_directories_identity")

    assert state(path, WITH_V2) == "unusable"
    assert not add(path, WITH_V2)


def test_the_first_version_goes_up_and_down() -> None:
    below = MigrationRegistry((), chain=COMPANION)

    check_migration_roundtrip(v1.MIGRATION, below=below)
    check_migration_roundtrip(
        V2,
        below=OWN,
        fill=lambda connection: connection.execute("INSERT INTO directories (path, inode) VALUES ('/a', '1')"),
    )


def test_a_database_of_each_version_can_be_made(tmp_path: Path) -> None:
    for version in (0, 1):
        directory = tmp_path / str(version)
        directory.mkdir()
        create_test_db_at_version(version, str(directory / "trop.db"), registry=OWN).close()

        assert state(directory / "trop.db") == ("absent", "present")[version]
        assert stores.version_of(directory / "trop.db") == "2"


def test_a_refused_plan_of_theirs_names_what_is_in_the_way(path: Path) -> None:
    stores.run(path, "CREATE TABLE directories (anything)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, OWN, path=str(path))

        assert v1.preflight(connection) == {"takenNames": 1}
        assert executor.plan().migrations == OWN.migrations


# Stopped


def test_a_disk_that_is_full_fails_as_it_would_without_them(path: Path) -> None:
    before = stores.snapshot(path.parent)

    def fill_up(connection: StoreConnection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        companion.ensure(connection)

    with pytest.raises((MigrationFailed, SystemFailure)):
        write(path, fill_up)

    assert stores.snapshot(path.parent) == before


def test_a_call_that_is_taken_back_meanwhile_is_cancelled(path: Path) -> None:
    token = CancellationToken()
    before = stores.snapshot(path.parent)

    def interrupt(statement: str) -> None:
        if statement.startswith("CREATE INDEX idx_directories"):
            token.cancel()

    def be_taken_back(connection: StoreConnection) -> None:
        connection.set_trace_callback(interrupt)
        companion.ensure(connection)
        connection.execute("UPDATE reservations SET port = 1")

    with pytest.raises(Cancelled):
        write(path, be_taken_back, token)

    assert stores.snapshot(path.parent) == before


KILL_AT_EACH_STATEMENT = """
import shutil, sys
from pathlib import Path
from support import stores
from support.doomed import kill_at_each_statement
from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience

template, path = Path(sys.argv[1]), Path(sys.argv[2])
old = stores.rows_in(template)
new = [*old, ("/new", "", 60000, None, None, 1, 2)]


def begin():
    for leftover in path.parent.iterdir():
        leftover.unlink()
    shutil.copyfile(template, path)


def reserve():
    with Database.connect(str(path)).write(Patience(5), "try") as connection:
        companion.ensure(connection)
        connection.execute("INSERT INTO reservations VALUES ('/new', '', 60000, NULL, NULL, 1, 2)")
        directories.record(connection, directories.Directory("/new", inode="1"))


def look(killed):
    database = Database.connect(str(path))
    with database.read(Patience(5)) as connection:
        state = companion.state(connection)
        noted = directories.find(connection, "/new")
    database.close()
    assert stores.integrity_of(path) == "ok", killed
    if state == "absent":
        assert (sorted(stores.rows_in(path)), noted) == (sorted(old), None), killed
        reserve()
    else:
        assert state == "present" and noted is not None, (killed, state)
    assert sorted(stores.rows_in(path)) == sorted(new), killed
    return state


print(*kill_at_each_statement(begin, reserve, look))
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_process_killed_at_any_statement_leaves_all_of_them_or_none(tmp_path: Path, journal: str) -> None:
    (tmp_path / "template").mkdir()
    (tmp_path / "store").mkdir()
    template = stores.make_v2(
        tmp_path / "template" / "trop.db", stores.as_version_2(stores.rows_of_the_field(50)), journal=journal
    )

    with child(KILL_AT_EACH_STATEMENT, template, tmp_path / "store" / "trop.db") as process:
        outcomes = process.end().split()

    assert len(outcomes) > len(v1.MIGRATION.up_sql) + 6
    assert outcomes == sorted(outcomes), "no tables came after some"
    assert set(outcomes) == {"absent", "present"}


ADD_TOGETHER = """
import os, sys
from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
import trop_core.database.migrations.executor, trop_core.database.migrations.companion.v1

path, count = sys.argv[1], int(sys.argv[2])
start, go = os.pipe()
answers, answer = os.pipe()
for number in range(count):
    if os.fork() == 0:
        try:
            os.close(go)
            os.read(start, 1)
            with Database.connect(path).write(Patience(60), "try") as connection:
                before = companion.state(connection)
                assert companion.ensure(connection)
                row = (f"/process/{number}", 60000 + number)
                connection.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 1, 2)", row)
                directories.record(connection, directories.Directory(row[0], inode=str(number)))
            os.write(answer, f"{before}\\n".encode())
        except BaseException as error:
            os.write(answer, f"{type(error).__name__}: {error}\\n".encode())
        os._exit(0)
os.close(answer)
os.close(go)
print(os.fdopen(answers).read(), end="")
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_of_forty_processes_that_add_them_at_once_one_does(tmp_path: Path, journal: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal=journal)

    with child(ADD_TOGETHER, path, 40) as processes:
        answers = processes.end().splitlines()

    assert sorted(answers) == ["absent"] + ["present"] * 39
    assert {(row[0], row[2]) for row in stores.rows_in(path, "directories")} == {
        (f"/process/{number}", str(number)) for number in range(40)
    }
    assert len(stores.rows_in(path)) == 41
    assert stores.backups_in(tmp_path) == []
    assert stores.integrity_of(path) == "ok"
