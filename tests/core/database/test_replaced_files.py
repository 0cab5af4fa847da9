"""The file under an open database is removed, replaced or put back: what is stored is stored where others see it."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.transactions import WaitedFor, begin

from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.store import DatabaseCorrupt, NoDataDirectory, UnsupportedSchemaVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEW = ("/new", "", 6000, None, None, 1, 2)
KINDS = ["read", "write", "rehearse"]


def store_a_row(database: Database) -> None:
    with database.write(Patience(5), "add a row") as connection:
        connection.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", NEW)


def put_in_place(new: Path, path: Path) -> None:
    """Replace a store as one has to: with what belongs to the old one."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(new, path)


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
def test_a_file_put_in_place_of_the_open_one_gets_what_is_written(
    tmp_path: Path, make: Callable[..., Path], journal: str
) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [("/old", "", 5000, None, None, 1, 2)])
    database = Database.open(str(path))
    new = make(tmp_path / "new.db", [("/kept", "web", 5001, None, None, 1, 2)], journal=journal)

    put_in_place(new, path)
    store_a_row(database)
    database.close()

    assert stores.rows_in(path) == [("/kept", "web", 5001, None, None, 1, 2), NEW]
    assert stores.version_of(path) == "2"
    assert stores.backups_in(tmp_path) == (["trop.db.v1.bak"] if make is stores.make_v1 else [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_removed_is_missed_and_one_that_comes_back_is_found(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    os.rename(path, tmp_path / "elsewhere.db")

    for _ in range(2):
        with pytest.raises(NoDataDirectory), begin(database, kind):
            pytest.fail("a transaction began")
    assert not path.exists()
    os.rename(tmp_path / "elsewhere.db", path)
    store_a_row(database)
    database.close()

    assert stores.rows_in(path) == [NEW]


@pytest.mark.parametrize("kind", KINDS)
def test_noise_put_in_place_of_the_file_is_damage_and_mending_it_helps(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    (tmp_path / "noise").write_bytes(b"noise" * 2000)
    put_in_place(tmp_path / "noise", path)

    for _ in range(2):
        with pytest.raises(DatabaseCorrupt), begin(database, kind):
            pytest.fail("a transaction began")
    assert path.read_bytes() == b"noise" * 2000
    put_in_place(stores.make_v2(tmp_path / "good.db"), path)
    store_a_row(database)
    database.close()

    assert stores.rows_in(path) == [NEW]


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_store_put_in_place_of_the_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    newer = stores.make_v2(tmp_path / "newer.db", journal="delete")
    stores.run(newer, "UPDATE metadata SET value = '3'")
    put_in_place(newer, path)
    before = stores.snapshot(tmp_path)

    with pytest.raises(UnsupportedSchemaVersion), begin(database, kind):
        pytest.fail("a transaction began")
    database.close()

    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_dry_run_on_an_old_store_put_in_place_of_the_file_leaves_it_old(tmp_path: Path, journal: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    put_in_place(stores.make_v1(tmp_path / "old.db", [("/a", None, 1, None, None, 1, 2)], journal=journal), path)
    before = stores.snapshot(tmp_path)

    with database.rehearse(Patience(5), "try") as connection:
        rows = connection.execute("SELECT * FROM reservations").fetchall()
    database.close()

    assert rows == [("/a", "", 1, None, None, 1, 2)]
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_store_written_into_the_open_file_is_upgraded_again(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    old = stores.make_v1(tmp_path / "old.db", [("/a", None, 1, None, None, 1, 2)])
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)

    with begin(database, kind) as connection:
        rows = connection.execute("SELECT * FROM reservations").fetchall()
    database.close()

    assert rows == [("/a", "", 1, None, None, 1, 2)]
    assert stores.version_of(path) == ("1" if kind == "rehearse" else "2")


@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_file_that_is_replaced_while_its_lock_is_waited_for_is_not_written_to(
    tmp_path: Path, journal: str, make: Callable[..., Path]
) -> None:
    path = make(tmp_path / "trop.db", [("/old", "web", 5000, None, None, 1, 2)], journal=journal)
    new = stores.make_v1(tmp_path / "new.db", [("/kept", "web", 5001, None, None, 1, 2)])
    database = Database.connect(str(path))
    token = WaitedFor()

    with stores.locked(path) as holder:

        def replace() -> None:
            token.waited.wait(30)
            put_in_place(new, path)
            # One that closes its store removes, by its name, the -wal that is the new file's by then.
            holder.kill()

        other = threading.Thread(target=replace)
        other.start()
        if make is stores.make_v1:
            database.migrate_to_latest(Patience(30, token))
        with database.write(Patience(30, token), "add a row") as connection:
            connection.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", NEW)
        other.join()
    database.close()

    assert stores.rows_in(path) == [("/kept", "web", 5001, None, None, 1, 2), NEW]


def test_an_error_while_another_file_is_opened_does_not_hide_behind_the_rollback(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    path.unlink()
    path.mkdir()

    with pytest.raises(Exception, match="it is a directory"), database.write(Patience(5), "try"):
        pytest.fail("a transaction began")
    database.close()
