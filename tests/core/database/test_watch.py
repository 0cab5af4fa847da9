"""Looking on: what a look tells, and that it leaves no trace."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores

from trop_core.database.watch import StoreBusy, StoreWatch
from trop_core.errors.store import DatabaseCorrupt, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROW = ("/w", "", 5000, None, None, 1, 2)


@pytest.fixture
def watch() -> Iterator[StoreWatch]:
    with closing(StoreWatch()) as opened:
        yield opened


def write(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_each_change_shows_once(tmp_path: Path, watch: StoreWatch, journal: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal=journal)

    looks = [watch.look(str(path)), watch.look(str(path))]
    write(path, "UPDATE reservations SET last_used_at = 3")
    looks += [watch.look(str(path)), watch.look(str(path))]
    write(path, "UPDATE reservations SET last_used_at = 4")
    looks += [watch.look(str(path)), watch.look(str(path))]

    assert looks == [False, False, True, False, True, False]
    assert [row.last_used_at for row in watch.read({"/w", "/other"}) or ()] == [4]


def test_a_store_that_does_not_exist_is_empty_and_not_made(tmp_path: Path, watch: StoreWatch) -> None:
    path = tmp_path / "data" / "trop.db"

    assert [watch.look(str(path)), watch.look(str(path))] == [False, False]
    assert watch.read({"/w"}) == []
    assert list(tmp_path.iterdir()) == []


def test_another_place_is_a_change(tmp_path: Path, watch: StoreWatch) -> None:
    one, other = (stores.make_v2(tmp_path / name, [ROW]) for name in ("one.db", "other.db"))

    looks = [watch.look(str(path)) for path in (one, other, other, one)]

    assert looks == [False, True, False, True]


def test_an_older_store_is_neither_upgraded_nor_told_of(tmp_path: Path, watch: StoreWatch) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/w", None, 5000, None, None, 1, 2)])
    before = path.read_bytes()

    watch.look(str(path))
    told = watch.read({"/w"})

    assert told is None
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_file_is_an_empty_store(tmp_path: Path, watch: StoreWatch) -> None:
    path = tmp_path / "trop.db"
    path.touch()

    watch.look(str(path))

    assert watch.read({"/w"}) == []
    assert path.stat().st_size == 0


def test_a_locked_store_is_looked_at_the_next_time(tmp_path: Path, watch: StoreWatch) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal="delete")
    watch.look(str(path))

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("DELETE FROM reservations")
        while_locked = watch.look(str(path))
        with pytest.raises(StoreBusy):
            watch.read({"/w"})
        other.execute("COMMIT")
    looks = [watch.look(str(path)), watch.look(str(path))]

    assert while_locked is False
    assert looks == [True, False]
    assert watch.read({"/w"}) == []


def test_a_look_hinders_nobody(tmp_path: Path, watch: StoreWatch) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal="delete")
    watch.look(str(path))
    watch.read({"/w"})

    with closing(sqlite3.connect(path, timeout=0)) as other:
        (mode,) = other.execute("PRAGMA journal_mode = WAL").fetchone()
    changed = watch.look(str(path))

    assert mode == "wal"
    assert changed is True


@pytest.mark.parametrize("in_place", [True, False], ids=["mended in place", "replaced"])
def test_damage_is_an_error_and_its_end_a_change(tmp_path: Path, watch: StoreWatch, in_place: bool) -> None:
    path, whole = tmp_path / "trop.db", stores.make_v2(tmp_path / "whole.db", [ROW])
    path.write_bytes(b"noise" * 4096)

    looks = [watch.look(str(path)), watch.look(str(path))]
    with pytest.raises(DatabaseCorrupt):
        watch.read({"/w"})
    if in_place:
        path.write_bytes(whole.read_bytes())
    else:
        whole.replace(path)
    looks += [watch.look(str(path)), watch.look(str(path))]

    assert looks == [False, False, True, False]
    assert len(watch.read({"/w"}) or ()) == 1


def test_a_newer_version_is_an_error(tmp_path: Path, watch: StoreWatch) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW])
    watch.look(str(path))
    write(path, "UPDATE metadata SET value = '99'")

    assert watch.look(str(path)) is True
    with pytest.raises(UnsupportedSchemaVersion):
        watch.read({"/w"})


def test_a_place_that_cannot_be_looked_at_is_an_error_and_no_change(tmp_path: Path, watch: StoreWatch) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    path = str(loop / "trop.db")

    assert [watch.look(path), watch.look(path)] == [False, False]
    with pytest.raises(SystemFailure):
        watch.read({"/w"})
