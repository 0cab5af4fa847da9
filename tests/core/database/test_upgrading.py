"""A store from the field becomes one of the current version: nothing is lost, and a backup stands beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.processes import child

from trop_core.database import reservations
from trop_core.database.connection import Database
from trop_core.database.migrations.types import MigrationResult
from trop_core.database.waiting import Patience
from trop_core.models import ReservationKey

if TYPE_CHECKING:
    from pathlib import Path


def upgrade(path: Path) -> MigrationResult | None:
    database = Database.connect(str(path))
    try:
        return database.migrate_to_latest()
    finally:
        database.close()


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("count", [0, 1, 500, 60_000])
def test_a_store_of_the_field_keeps_every_row_and_its_backup_is_what_it_was(
    tmp_path: Path, count: int, journal: str
) -> None:
    rows = stores.rows_of_the_field(count)
    path = stores.make_v1(tmp_path / "trop.db", rows, journal=journal)

    result = upgrade(path)

    assert result is not None
    backup = str(path) + ".v1.bak" if count else None
    assert result == MigrationResult(1, 2, (2,), result.duration_ms, backup)
    assert 0 <= result.duration_ms < 60_000
    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert stores.rows_in(path, "metadata") == [("schema_version", "2")]
    assert stores.integrity_of(path) == "ok"
    assert set(stores.snapshot(tmp_path)) == {"trop.db", "trop.db.v1.bak"} if count else {"trop.db"}
    if backup is not None:
        copy = tmp_path / "trop.db.v1.bak"
        assert stores.rows_in(copy) == sorted(rows, key=repr)
        assert stores.version_of(copy) == "1"
        assert stores.integrity_of(copy) == "ok"


def test_rows_that_are_only_in_the_write_ahead_log_of_a_killed_process_are_kept_and_backed_up(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", journal="wal")
    with child(
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute(\"INSERT INTO reservations VALUES ('/a', NULL, 5000, NULL, NULL, 1, 2)\")\n"
        "print('stored', flush=True)\n"
        "sys.stdin.readline()\n",
        path,
    ) as writer:
        writer.expect("stored")
        writer.kill()
    assert (tmp_path / "trop.db-wal").stat().st_size > 0

    upgrade(path)

    assert stores.rows_in(path) == [("/a", "", 5000, None, None, 1, 2)]
    assert stores.rows_in(tmp_path / "trop.db.v1.bak") == [("/a", None, 5000, None, None, 1, 2)]


def test_the_layout_that_comes_out_is_the_one_of_the_contract(tmp_path: Path) -> None:
    upgraded = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(3))
    expected = stores.make_v2(tmp_path / "expected.db")

    upgrade(upgraded)

    assert _schema(upgraded) == _schema(expected)


def test_a_fresh_database_has_the_same_layout(tmp_path: Path) -> None:
    expected = stores.make_v2(tmp_path / "expected.db")

    Database.open(str(tmp_path / "trop.db")).close()

    assert _schema(tmp_path / "trop.db") == _schema(expected)
    assert stores.rows_in(tmp_path / "trop.db", "metadata") == [("schema_version", "2")]


def test_version_1_of_the_chain_is_the_layout_of_the_field(tmp_path: Path) -> None:
    expected = stores.make_v1(tmp_path / "expected.db")

    stores.database_of(tmp_path, 1).close()

    assert _schema(tmp_path / "trop.db") == _schema(expected)


def test_backups_are_numbered_and_never_replace_one_that_exists(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(2))
    (tmp_path / "trop.db.v1.bak").write_text("mine")
    (tmp_path / "trop.db.v1.bak.1").symlink_to("nowhere")

    result = upgrade(path)

    assert result is not None
    assert result.backup_path == f"{path}.v1.bak.2"
    assert (tmp_path / "trop.db.v1.bak").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert len(stores.rows_in(tmp_path / "trop.db.v1.bak.2")) == 2


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_backup_is_for_its_owner_only_whatever_the_store_is(tmp_path: Path, mode: int) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(2))
    path.chmod(mode)
    before = os.umask(0)

    try:
        upgrade(path)
    finally:
        os.umask(before)

    assert stores.snapshot(tmp_path)["trop.db.v1.bak"].mode == 0o600


def test_what_a_killed_process_left_of_a_backup_is_no_obstacle(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(2), journal="wal")
    for leftover in (".tmp", ".tmp-journal", ".tmp-wal", ".tmp-shm"):
        (tmp_path / f"trop.db.v1.bak{leftover}").write_bytes(b"half" * 2000)

    upgrade(path)

    assert stores.integrity_of(tmp_path / "trop.db.v1.bak") == "ok"
    assert stores.rows_in(tmp_path / "trop.db.v1.bak") == sorted(stores.rows_of_the_field(2), key=repr)
    assert not (tmp_path / "trop.db.v1.bak.tmp").exists()


def test_a_backup_that_is_put_back_is_opened_and_upgraded_again(tmp_path: Path) -> None:
    rows = stores.rows_of_the_field(20)
    path = stores.make_v1(tmp_path / "trop.db", rows, journal="wal")
    upgrade(path)

    os.replace(tmp_path / "trop.db.v1.bak", path)
    upgrade(path)

    assert stores.rows_in(path) == stores.as_version_2(rows)
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]


def test_other_metadata_and_other_tables_are_kept(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(2))
    stores.run(
        path,
        "INSERT INTO metadata VALUES ('note', 'größe')",
        "CREATE TABLE somebody_elses (a BLOB)",
        referring := "CREATE TABLE referring (port INTEGER REFERENCES reservations (port))",
        "INSERT INTO somebody_elses VALUES (x'ff00')",
    )

    upgrade(path)

    assert stores.rows_in(path, "metadata") == [("note", "größe"), ("schema_version", "2")]
    assert stores.rows_in(path, "somebody_elses") == [(b"\xff\x00",)]
    with closing(sqlite3.connect(path)) as connection:
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'referring'").fetchone()
    assert made == referring


def test_a_very_long_tag_is_kept_and_read_as_it_is(tmp_path: Path) -> None:
    tag = "t" * 100_000 + "\n"
    path = stores.make_v1(tmp_path / "trop.db", [("/a", tag, 5000, "p\x00q", None, 1, 2)])

    database = Database.open(str(path))
    with database.read(Patience(5)) as connection:
        found = reservations.find(connection, ReservationKey("/a", tag))
    database.close()

    assert found is not None
    assert (found.tag, found.project) == (tag, "p\x00q")


def test_opening_the_latest_version_does_nothing_and_needs_no_write_lock(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [("/a", "", 5000, None, None, 1, 2)])
    before = stores.snapshot(tmp_path)

    with stores.locked(path):
        database = Database.connect(str(path))
        result = database.migrate_to_latest(Patience(0))
        database.close()

    assert result is None
    assert stores.snapshot(tmp_path)["trop.db"] == before["trop.db"]


def test_an_empty_file_is_version_0_and_gets_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"
    path.touch()

    result = upgrade(path)

    assert result == MigrationResult(0, 2, (1, 2), result.duration_ms if result else 0)
    assert stores.backups_in(tmp_path) == []


def _schema(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: "".join(sql.split()) for name, sql in rows}
