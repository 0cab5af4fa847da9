"""Opening a store, and its transactions."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores

from trop_core.database import failures
from trop_core.database.connection import Database
from trop_core.database.handles import create_file
from trop_core.database.waiting import Patience
from trop_core.errors.base import InternalError, TropError
from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.errors.store import NoDataDirectory, UnsupportedSchemaVersion
from trop_core.errors.system import PermissionDenied, SystemFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROW = ("/a", "", 5000, None, None, 1, 2)
INSERT = "INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)"


def insert_and_raise(database: Database, error: type[BaseException]) -> None:
    with database.write(Patience(5), "try") as connection:
        connection.execute(INSERT)
        raise error


def journal_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return mode


@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
def test_an_opened_store_uses_the_write_ahead_log(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "trop.db", journal="delete")

    Database.open(str(path)).close()

    assert journal_of(path) == "wal"


def newer(path: Path) -> None:
    stores.run(stores.make_v2(path, journal="delete"), "UPDATE metadata SET value = '3'")


def blocked(path: Path) -> None:
    stores.make_v1(path, [("/a", "", 0, None, None, 1, 2)])


@pytest.mark.parametrize(("make", "error"), [(newer, UnsupportedSchemaVersion), (blocked, MigrationBlocked)])
def test_the_journal_of_a_store_that_is_refused_is_not_touched(
    tmp_path: Path, make: Callable[[Path], None], error: type[TropError]
) -> None:
    make(tmp_path / "trop.db")

    with pytest.raises(error):
        Database.open(str(tmp_path / "trop.db"))

    assert journal_of(tmp_path / "trop.db") == "delete"


def test_a_store_that_others_work_on_switches_to_the_write_ahead_log_later(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", journal="delete")
    with stores.locked(path) as holder:
        Database.open(str(path)).close()
        assert journal_of(path) == "delete"
        holder.say()
        holder.expect("released")

    Database.open(str(path)).close()

    assert journal_of(path) == "wal"


def test_a_new_store_and_what_belongs_to_it_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database.open(str(tmp_path / "trop.db"))
        with database.write(Patience(5), "try") as connection:
            connection.execute(INSERT)
            modes = {name: entry.mode for name, entry in stores.snapshot(tmp_path).items()}
        database.close()
    finally:
        os.umask(before)

    assert modes == {"trop.db": 0o600, "trop.db-wal": 0o600, "trop.db-shm": 0o600}


def test_a_missing_store_is_not_created_unasked(tmp_path: Path) -> None:
    for attempt in (lambda path: Database.open(path, create=False), Database.connect):
        with pytest.raises(NoDataDirectory):
            attempt(str(tmp_path / "trop.db"))

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_made_once(tmp_path: Path) -> None:
    path = str(tmp_path / "trop.db")

    assert create_file(path)
    assert not create_file(path)
    with pytest.raises(SystemFailure, match="No such file or directory"):
        create_file(str(tmp_path / "missing" / "trop.db"))


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "#1", "größe", "%41", "a&b=c", "it's", "new\nline", "🚢"])
def test_a_store_may_lie_in_a_directory_of_any_name(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    stores.make_v1(directory / "trop.db", [("/a", None, 5000, None, None, 1, 2)])

    Database.open(str(directory / "trop.db")).close()

    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert stores.rows_in(directory / "trop.db") == [ROW]
    assert stores.backups_in(directory) == ["trop.db.v1.bak"]


def test_a_relative_name_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    monkeypatch.chdir(tmp_path)

    Database.open("trop.db").close()

    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]


def test_a_write_commits_at_its_end_and_an_error_rolls_it_back(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"
    database = Database.open(str(path))

    with pytest.raises(ZeroDivisionError):
        insert_and_raise(database, ZeroDivisionError)
    after_error = stores.rows_in(path)
    with database.write(Patience(5), "try") as connection:
        connection.execute(INSERT)
        inside = stores.rows_in(path)
    database.close()

    assert (after_error, inside, stores.rows_in(path)) == ([], [], [ROW])


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_leaves_a_write_rolls_it_back(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "trop.db"
    database = Database.open(str(path))

    with pytest.raises(error):
        insert_and_raise(database, error)

    with stores.locked(path):
        assert stores.rows_in(path) == []
    database.close()


@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_rehearsal_sees_what_it_does_and_leaves_no_trace(
    tmp_path: Path, make: Callable[..., Path], journal: str
) -> None:
    path = make(tmp_path / "trop.db", stores.as_version_2(stores.rows_of_the_field(3))[1:2], journal=journal)
    before = stores.snapshot(tmp_path)
    database = Database.connect(str(path))

    with database.rehearse(Patience(5), "try") as connection:
        connection.execute("INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)")
        count = connection.execute("SELECT count(*) FROM reservations").fetchone()[0]
    database.close()

    assert count == 2
    assert stores.snapshot(tmp_path) == before


def test_a_rehearsal_of_a_large_old_store_leaves_it_byte_for_byte(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(20_000))
    before = stores.snapshot(tmp_path)
    database = Database.connect(str(path))

    with database.rehearse(Patience(5), "try") as connection:
        rows = connection.execute("SELECT count(*) FROM reservations WHERE tag = ''").fetchone()[0]
    database.close()

    assert rows > 6000
    assert stores.snapshot(tmp_path) == before


def test_a_store_in_memory_is_empty_and_current() -> None:
    database = Database.in_memory()

    with database.write(Patience(5), "try") as connection:
        connection.execute(INSERT)
    with database.rehearse(Patience(5), "try") as connection:
        connection.execute("DELETE FROM reservations")
    with database.read(Patience(5)) as connection:
        rows = connection.execute("SELECT * FROM reservations").fetchall()
    database.close()

    assert rows == [ROW]


def test_a_mistake_of_ours_is_an_internal_error_and_rolled_back(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"
    database = Database.open(str(path))

    with pytest.raises(InternalError, match="IntegrityError"), database.write(Patience(5), "try") as connection:
        connection.executemany(INSERT.replace("5000", "?"), [(5000,), (5001,)])
    database.close()

    assert stores.rows_in(path) == []


def test_a_full_disk_while_writing_is_an_io_error_and_rolled_back(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))

    def fill() -> None:
        with database.write(Patience(5), "try") as connection:
            (used,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {used}")
            rows = stores.as_version_2(stores.rows_of_the_field(500))
            connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    with pytest.raises(SystemFailure, match="database or disk is full"):
        fill()
    database.close()

    assert stores.rows_in(path) == []


def test_an_os_error_is_permission_denied_where_that_is_the_reason() -> None:
    denied = failures.system_failure(PermissionError(13, "Permission denied"), "open", "/x")
    full = failures.system_failure(OSError(28, "No space left on device"), "open", "/x")

    assert type(denied) is PermissionDenied
    assert type(full) is SystemFailure
    assert full.reason == "No space left on device"
