"""Copies of the store, and their rows in the place of those that are there."""

from __future__ import annotations

import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.operations import perform
from support.processes import child
from support.rows import fill, row, rows_of

from trop_core.caller import Caller, Door
from trop_core.errors.base import TropError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.plans import PlanChanged
from trop_core.errors.store import UnsupportedSchemaVersion

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE = [row("/w/a", 5000), row("/w/b", 5001)]
AFTER = [row("/w/a", 5001), row("/w/c", 5000), row("/w/d", 5003)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with rows, and a backup of others beside it: ``old.db``."""
    directory = tmp_path / "data"
    fill(directory, BEFORE)
    backup(directory, tmp_path / "old.db")
    stores.run(directory / "trop.db", "DELETE FROM reservations")
    fill(directory, AFTER)
    return directory


def backup(directory: Path, file: Path | None = None) -> Any:
    values: dict[str, object] = {} if file is None else {"file": str(file)}
    return perform(directory, "backup", values, now=lambda: 1_700_000_000)


def restore(directory: Path, file: Path, **values: object) -> Any:
    return perform(directory, "restore", {"file": str(file), **values}, caller=Caller(Door.TERMINAL, "/w"))


def test_a_backup_is_a_store_of_its_own_for_its_owner_only(data: Path) -> None:
    result = backup(data)

    assert result.file == str(data / "trop.db.20231114T221320Z.bak")
    assert os.stat(result.file).st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(result.file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert len(connection.execute("SELECT * FROM reservations").fetchall()) == len(AFTER)


def test_backups_of_one_second_have_names_of_their_own(data: Path) -> None:
    assert backup(data).file != backup(data).file
    assert not [name for name in os.listdir(data) if name.endswith(".tmp")]


def test_what_killed_ones_left_is_removed_when_it_is_surely_nobodys(data: Path, tmp_path: Path) -> None:
    left = [
        *(
            ".trop.db.20231114T221320Z.bak.0123456789abcdef.tmp",
            ".trop.db.20231114T221320Z.bak.0123456789abcdef.tmp-journal",
        ),
        *(".trop.db.20231114T221320Z.bak.2.0123456789abcdef.tmp", "trop.db.20231114T221320Z.bak.tmp"),
    ]
    others = [".mine.bak.0123456789abcdef.tmp", ".trop.db.bak.tmp", "trop.db.tmp", "trop.db.mine.bak.tmp"]
    for name in (*left, *others):
        (data / name).write_bytes(b"half" * 1000)
        os.utime(data / name, (time.time() - 100_000,) * 2)
    young = data / ".trop.db.20231114T221320Z.bak.aaaaaaaaaaaaaaaa.tmp"
    young.write_bytes(b"half")

    backup(data)
    without_a_lock = {path.name for path in data.iterdir()}
    restore(data, tmp_path / "old.db")
    under_the_lock = {path.name for path in data.iterdir()}

    assert without_a_lock & {*left, young.name} == {left[3], young.name}
    assert under_the_lock & {*left, young.name} == {young.name}
    assert under_the_lock >= set(others)


def test_under_the_lock_it_is_nobodys_however_young_it_is(data: Path, tmp_path: Path) -> None:
    young = data / "trop.db.20231114T221320Z.bak.tmp"
    young.write_bytes(b"half")

    backup(data)
    assert young.exists()
    restore(data, tmp_path / "old.db")

    assert not young.exists()


def test_many_backups_may_be_written_at_once(data: Path) -> None:
    fill(data, [row(f"/w/{'x' * 1000}/{number}", number) for number in range(10_000, 20_000)])
    together = Barrier(4)

    def write(_: int) -> str:
        together.wait()
        file: str = backup(data).file
        return file

    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(write, range(4)))

    assert len(set(files)) == 4
    assert {stores.integrity_of(Path(file)) for file in files} == {"ok"}
    assert not [name for name in os.listdir(data) if name.endswith(".tmp")]


def test_a_file_that_exists_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(InvalidPath, match="already"):
        backup(data, tmp_path / "mine")

    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_the_names_of_the_store_s_own_files_are_taken(data: Path, suffix: str) -> None:
    with pytest.raises(InvalidPath):
        backup(data, data / f"trop.db{suffix}")

    assert rows_of(data) == AFTER


def test_a_backup_has_what_is_only_in_the_log_of_an_open_store(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "trop.db", isolation_level=None)) as writing:
        writing.execute("PRAGMA wal_autocheckpoint = 0")
        writing.execute("DELETE FROM reservations WHERE port = 5003")
        backup(data, tmp_path / "new.db")

    assert len(stores.rows_in(tmp_path / "new.db")) == len(AFTER) - 1


def test_what_is_restored_is_what_was_backed_up(data: Path, tmp_path: Path) -> None:
    result = restore(data, tmp_path / "old.db")

    assert (result.restored_count, result.replaced_count) == (2, 3)
    assert rows_of(data) == BEFORE
    assert stores.rows_in(Path(result.backup)) == AFTER
    assert os.stat(result.backup).st_mode & 0o777 == 0o600


def test_a_restore_can_be_undone(data: Path, tmp_path: Path) -> None:
    restore(data, tmp_path / "old.db")

    perform(data, "undo", {"any": True, "force": True})

    assert rows_of(data) == AFTER


def test_a_dry_run_leaves_everything_and_gives_a_plan(data: Path, tmp_path: Path) -> None:
    before = stores.snapshot(data)

    result = restore(data, tmp_path / "old.db", dryRun=True)

    assert stores.snapshot(data) == before
    assert result.backup.startswith(str(data / "trop.db.2"))
    assert restore(data, tmp_path / "old.db", plan=result.plan.token).restored_count == 2


def test_a_plan_is_one_for_the_rows_that_are_there(data: Path, tmp_path: Path) -> None:
    token = restore(data, tmp_path / "old.db", dryRun=True).plan.token
    stores.run(data / "trop.db", "UPDATE reservations SET port = 5010 WHERE port = 5003")
    before = rows_of(data)

    with pytest.raises(PlanChanged):
        restore(data, tmp_path / "old.db", plan=token)

    assert rows_of(data) == before
    assert stores.backups_in(data) == []


def test_what_is_there_already_is_not_restored_and_not_backed_up(data: Path) -> None:
    copy = backup(data).file

    result = restore(data, Path(copy))

    assert (result.changed_count, result.backup) == (0, None)
    assert os.listdir(data) == [name for name in os.listdir(data) if name in ("trop.db", os.path.basename(copy))]


def test_what_reads_and_writes_meanwhile_goes_on(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "trop.db", isolation_level=None)) as reading:
        reading.execute("BEGIN")
        seen = reading.execute("SELECT count(*) FROM reservations").fetchone()

        restore(data, tmp_path / "old.db")

        assert reading.execute("SELECT count(*) FROM reservations").fetchone() == seen == (3,)
        reading.execute("ROLLBACK")
        assert reading.execute("SELECT count(*) FROM reservations").fetchone() == (2,)
        reading.execute("INSERT INTO reservations VALUES ('/w/z', '', 5009, NULL, NULL, 1, 1)")

    assert len(rows_of(data)) == 3


def test_a_backup_of_the_first_version_is_brought_to_today_s(data: Path, tmp_path: Path) -> None:
    rows = stores.rows_of_the_field(20)
    old = stores.make_v1(tmp_path / "v1.db", rows)
    before = old.read_bytes()

    restore(data, old)

    assert stores.rows_in(data / "trop.db") == stores.as_version_2(rows)
    assert old.read_bytes() == before


def test_a_store_that_is_not_there_is_made(data: Path, tmp_path: Path) -> None:
    result = restore(tmp_path / "new", tmp_path / "old.db")

    assert (result.backup, result.replaced_count) == (None, 0)
    assert rows_of(tmp_path / "new") == BEFORE


def _newer(file: Path) -> None:
    stores.make_v2(file, [])
    stores.run(file, "UPDATE metadata SET value = '9' WHERE key = 'schema_version'")


def _damaged(file: Path) -> None:
    stores.make_v2(file, [row(f"/w/{number}", 1 + number) for number in range(4000)])
    content = bytearray(file.read_bytes())
    for place in range(20_000, len(content) - 4096, 8192):
        content[place : place + 200] = os.urandom(200)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda file: None, InvalidPath, id="nothing"),
        pytest.param(lambda file: file.mkdir(), InvalidPath, id="a directory"),
        pytest.param(os.mkfifo, InvalidPath, id="a pipe"),
        pytest.param(lambda file: file.touch(), InvalidPath, id="an empty file"),
        pytest.param(lambda file: file.write_text("port: 5000\n" * 500), InvalidPath, id="a text"),
        pytest.param(
            lambda file: stores.run(file, "CREATE TABLE theirs (anything)"), InvalidPath, id="another database"
        ),
        pytest.param(_newer, UnsupportedSchemaVersion, id="a newer store"),
        pytest.param(_damaged, InvalidPath, id="a damaged store"),
    ],
)
def test_what_is_no_backup_is_refused(
    data: Path, tmp_path: Path, make: Callable[[Path], object], error: type[TropError]
) -> None:
    make(tmp_path / "odd")
    before = stores.snapshot(data)

    with pytest.raises(error):
        restore(data, tmp_path / "odd")

    assert stores.snapshot(data) == before


def test_a_damaged_store_is_copied_with_a_warning(data: Path, tmp_path: Path) -> None:
    assert perform(data, "backup", {"file": str(tmp_path / "whole")}).warnings == ()
    (data / "trop.db").unlink()
    _damaged(data / "trop.db")

    result = perform(data, "backup", {"file": str(tmp_path / "copy")})

    assert "the store is damaged" in result.warnings[0]
    assert (tmp_path / "copy").stat().st_size == (data / "trop.db").stat().st_size


def test_a_newer_store_is_copied_without_a_word(data: Path, tmp_path: Path) -> None:
    (data / "trop.db").unlink()
    _newer(data / "trop.db")

    assert perform(data, "backup", {"file": str(tmp_path / "copy")}).warnings == ()


KILLED = """
import shutil, sys
from pathlib import Path
from support import stores
from support.doomed import kill_at_each_statement
from support.operations import perform
from support.rows import rows_of

template, old, data = map(Path, sys.argv[1:])


def begin():
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)


def restore():
    perform(data, "restore", {"file": str(old)})


def look(killed):
    assert stores.integrity_of(data / "trop.db") == "ok"
    ports = sorted((row[0], row[2]) for row in rows_of(data))
    return {3: "before", 2: "after"}[len(ports)]


print(*kill_at_each_statement(begin, restore, look))
"""


def test_a_restore_that_is_killed_has_happened_as_a_whole_or_not_at_all(data: Path, tmp_path: Path) -> None:
    with child(KILLED, data, tmp_path / "old.db", tmp_path / "killed") as process:
        found = process.end().split()

    assert found == sorted(found, reverse=True)
    assert set(found) == {"before", "after"}


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        pytest.param(lambda path: path.write_text("no database"), "database_corrupt", id="text"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:9000]), "database_corrupt", id="cut off"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "io_error", id="a directory"),
    ],
)
def test_a_store_that_cannot_be_read_is_told_of_and_nothing_is_left(
    data: Path, spoil: Callable[[Path], object], kind: str
) -> None:
    for beside in ("-wal", "-shm"):
        (data / f"trop.db{beside}").unlink(missing_ok=True)
    spoil(data / "trop.db")
    before = sorted(path.name for path in data.iterdir())

    with pytest.raises(TropError) as refused:
        backup(data)

    assert refused.value.kind == kind
    assert sorted(path.name for path in data.iterdir()) == before
