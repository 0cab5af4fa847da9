"""Whatever stops a migration, the file is wholly the old version or wholly the new one, and opens again."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.processes import child
from support.requirements import small_disk

from trop_core.database.connection import Database
from trop_core.database.migrations import v1, v2
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import MigrationRegistry
from trop_core.database.migrations.types import Migration
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")


KILL_AT_EACH_STATEMENT = """
import os, shutil, sys
from pathlib import Path
from support import stores
from support.doomed import kill_at_each_statement
from trop_core.database.connection import Database

template, path = Path(sys.argv[1]), Path(sys.argv[2])
old, new = stores.rows_in(template), stores.as_version_2(stores.rows_in(template))


def begin():
    for leftover in path.parent.iterdir():
        leftover.unlink()
    shutil.copyfile(template, path)


def look(killed):
    version = stores.version_of(path)
    assert stores.rows_in(path) == (old if version == "1" else new), (killed, version)
    assert stores.integrity_of(path) == "ok", killed
    Database.open(str(path), create=False).close()
    assert stores.version_of(path) == "2", killed
    assert stores.rows_in(path) == new, killed
    assert stores.integrity_of(path) == "ok", killed
    for name in stores.backups_in(path.parent):
        if ".tmp" not in name:
            assert stores.rows_in(path.parent / name) == old, (killed, name)
    assert not [name for name in os.listdir(path.parent) if name.endswith(".tmp")], killed
    return version


print(*kill_at_each_statement(begin, lambda: Database.open(str(path), create=False), look))
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_process_killed_before_or_after_any_statement_leaves_the_old_version_or_the_new_one(
    tmp_path: Path, journal: str
) -> None:
    (tmp_path / "template").mkdir()
    (tmp_path / "store").mkdir()
    template = stores.make_v1(tmp_path / "template" / "trop.db", stores.rows_of_the_field(100), journal=journal)

    with child(KILL_AT_EACH_STATEMENT, template, tmp_path / "store" / "trop.db") as process:
        outcomes = process.end().split()

    assert len(outcomes) > len(v2.MIGRATION.up_sql) + 6
    assert outcomes == sorted(outcomes), "an old version came after a new one"
    assert set(outcomes) == {"1", "2"}


KILL_IN_THE_BACKUP = """
import os, signal, sys
from trop_core.database.connection import Database
die = lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL)
module, name = sys.argv[2].split(".")
done = getattr(sys.modules[module], name)
setattr(sys.modules[module], name, die if sys.argv[3] == "before" else lambda *a, **o: (done(*a, **o), die()))
Database.open(sys.argv[1], create=False)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("function", ["os.open", "os.fsync", "os.link", "os.unlink"])
def test_a_process_killed_while_it_makes_the_backup_is_no_obstacle(tmp_path: Path, function: str, moment: str) -> None:
    rows = stores.rows_of_the_field(50)
    path = stores.make_v1(tmp_path / "trop.db", rows)
    with child(KILL_IN_THE_BACKUP, path, function, moment) as process:
        assert process.process.wait(60) == -9
    assert stores.version_of(path) == "1"

    Database.open(str(path), create=False).close()

    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert not [name for name in os.listdir(tmp_path) if ".tmp" in name]
    for name in stores.backups_in(tmp_path):
        assert stores.rows_in(tmp_path / name) == sorted(rows, key=repr)


def failing(statement: str) -> MigrationRegistry:
    return MigrationRegistry(
        (
            *MigrationRegistry().migrations,
            Migration(
                version=3,
                description="fails",
                up_sql=("ALTER TABLE reservations ADD COLUMN host TEXT", statement),
                validate=lambda _: None,
            ),
        )
    )


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_statement_that_fails_rolls_the_whole_chain_back_and_takes_its_backup_away(
    tmp_path: Path, version: int, journal: str
) -> None:
    make = stores.make_v1 if version == 1 else stores.make_v2
    path = make(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)], journal=journal)
    before = stores.snapshot(tmp_path)

    with pytest.raises(MigrationFailed) as failed:
        Database.open(str(path), registry=failing("INSERT INTO nowhere VALUES (1)"))

    assert failed.value.details() == {
        "from": version,
        "to": 3,
        "version": 3,
        "statement": "INSERT INTO nowhere VALUES (1)",
    }
    assert failed.value.reason == "no such table: nowhere"
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("migration", "reason"),
    [
        pytest.param({"up_sql": ("DELETE FROM reservations",)}, "1 rows became 0", id="rows that are lost"),
        pytest.param({"validate": v1.MIGRATION.validate}, "the table metadata is STRICT", id="another layout"),
    ],
)
def test_an_outcome_that_is_not_what_it_has_to_be_is_rolled_back(
    tmp_path: Path, migration: dict[str, Any], reason: str
) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)])
    before = stores.snapshot(tmp_path)
    third = Migration(**{"version": 3, "description": "wrong", "up_sql": (), "validate": lambda _: None, **migration})

    with pytest.raises(MigrationFailed, match=reason) as failed:
        Database.open(str(path), registry=MigrationRegistry((*MigrationRegistry().migrations, third)))

    assert failed.value.version == 3
    assert stores.snapshot(tmp_path) == before


def test_a_damaged_index_that_hides_a_row_is_noticed_before_anything_is_lost(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(10))
    stores.run(
        path,
        "CREATE TABLE spare (port INTEGER)",
        "CREATE INDEX spare_index ON spare(port)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'spare_index')"
        " WHERE name = 'idx_reservations_port'",
    )
    rows = stores.rows_in(path, "reservations NOT INDEXED")
    before = stores.snapshot(tmp_path)

    try:
        Database.open(str(path)).close()
    except MigrationFailed:
        assert stores.snapshot(tmp_path) == before
    else:
        assert stores.rows_in(path) == stores.as_version_2(rows)


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("spare", [0, 2, 40, 110], ids="{} KiB to spare".format)
def test_a_full_disk_leaves_the_store_as_it_was(journal: str, spare: int) -> None:
    rows = stores.rows_of_the_field(300)
    with small_disk() as disk:
        path = stores.make_v1(disk / "trop.db", rows, journal=journal)
        room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(max(0, room - spare * 1024)))
        # Without room for its -shm file, SQLite leaves it and an empty -wal file behind.
        others = ["filler", "trop.db-shm", "trop.db-wal"]
        before = stores.snapshot(disk, without=others)

        with pytest.raises((MigrationFailed, SystemFailure)) as failed:
            Database.open(str(path))

        assert failed.value.kind in ("migration_failed", "io_error")
        assert stores.snapshot(disk, without=others) == before
        (disk / "filler").unlink()
        Database.open(str(path)).close()
        assert stores.rows_in(path) == stores.as_version_2(rows)


@pytest.mark.parametrize("pages", range(0, 40, 3))
def test_a_database_that_may_not_grow_fails_as_a_migration_and_rolls_back(tmp_path: Path, pages: int) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(300))
    before = stores.snapshot(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (used,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {used + pages}")
        executor = MigrationExecutor(connection, MigrationRegistry(), path=str(path))

        with pytest.raises(MigrationFailed) as failed:
            executor.execute(executor.plan())

        assert not connection.in_transaction

    assert failed.value.reason == "database or disk is full"
    assert failed.value.statement in v2.MIGRATION.up_sql
    assert stores.snapshot(tmp_path) == before


class Interrupted(sqlite3.Connection):
    """A connection whose user presses Ctrl-C right after a statement, or right before it."""

    statement = ""
    after = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == self.statement and not self.after:
            raise KeyboardInterrupt
        cursor = super().execute(sql, parameters)
        if sql == self.statement:
            raise KeyboardInterrupt
        return cursor


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", v2.MIGRATION.up_sql[4], v2.MIGRATION.up_sql[-1], "COMMIT"])
def test_ctrl_c_takes_the_backup_away_only_if_the_migration_was_rolled_back(
    tmp_path: Path, statement: str, after: bool
) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(10))
    before = stores.snapshot(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None, factory=Interrupted)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=str(path))
        plan = executor.plan()
        connection.statement, connection.after = statement, after

        with pytest.raises(KeyboardInterrupt):
            executor.execute(plan)

    if statement == "COMMIT" and after:
        assert stores.version_of(path) == "2"
        assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]
    else:
        assert stores.snapshot(tmp_path) == before


def test_a_commit_that_fails_is_a_failed_migration_without_a_backup(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(10))
    stores.run(path, "CREATE TABLE parents (a PRIMARY KEY)", "CREATE TABLE children (a REFERENCES parents)")
    before = stores.snapshot(tmp_path)
    third = Migration(
        version=3,
        description="leaves a reference to nowhere, which only the commit refuses",
        up_sql=("PRAGMA defer_foreign_keys = ON", "INSERT INTO children VALUES (1)"),
        validate=lambda _: None,
    )
    registry = MigrationRegistry((*MigrationRegistry().migrations, third))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        executor = MigrationExecutor(connection, registry, path=str(path))

        with pytest.raises(MigrationFailed) as failed:
            executor.execute(executor.plan())

        assert not connection.in_transaction

    assert (failed.value.version, failed.value.statement) == (3, "COMMIT")
    assert stores.snapshot(tmp_path) == before


AS_NOBODY = """
import os, sys
# All that will be needed, while it can still be read.
import trop_core.database.migrations.executor
import trop_core.database.migrations.registry
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    database = Database.open(sys.argv[1], create=False)
    with database.read(Patience(5)) as connection:
        print("read", connection.execute("SELECT count(*) FROM reservations").fetchone()[0])
except TropError as error:
    print(error.kind)
for name in ("write", "rehearse"):
    try:
        database = Database.connect(sys.argv[1])
        with getattr(database, name)(Patience(5), "try") as connection:
            # A dry run only looks and plans.
            connection.execute("DELETE FROM reservations" if name == "write" else "SELECT 1 FROM reservations")
    except TropError as error:
        print(name, error.kind)
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_store_of_the_field_that_may_not_be_written_is_permission_denied(public_place: Path, journal: str) -> None:
    path = stores.make_v1(public_place / "trop.db", [("/a", None, 5000, None, None, 1, 2)], journal=journal)
    path.chmod(0o444)
    before = stores.snapshot(public_place)

    with child(AS_NOBODY, path) as process:
        output = process.end()

    assert output.split("\n") == ["permission_denied", "write permission_denied", "rehearse permission_denied", ""]
    assert stores.snapshot(public_place) == before


def test_an_old_store_in_a_directory_that_may_not_be_written_stays_as_it_was(public_place: Path) -> None:
    path = stores.make_v1(public_place / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    path.chmod(0o666)
    before = stores.snapshot(public_place)

    with child(AS_NOBODY, path) as process:
        output = process.end()

    assert output.split("\n") == ["permission_denied", "write permission_denied", "rehearse permission_denied", ""]
    assert stores.snapshot(public_place) == before


def test_a_store_that_may_not_be_read_is_permission_denied(public_place: Path) -> None:
    path = stores.make_v2(public_place / "trop.db")

    with child(AS_NOBODY, path) as process:
        output = process.end()

    assert output.split("\n") == ["permission_denied", "write permission_denied", "rehearse permission_denied", ""]
