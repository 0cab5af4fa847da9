"""Creating a store, bringing one up to date, and starting anew without losing what was there."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.operations import perform
from support.rows import fill, row, rows_of

from trop_core.database.connection import Database
from trop_core.database.migrations import v1
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import MigrationRegistry
from trop_core.database.waiting import Patience
from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.errors.store import LockTimeout, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from pathlib import Path


def init(directory: Path, **values: Any) -> Any:
    context = values.pop("context", {})
    return perform(directory, "init", {"dataDir": str(directory), **values}, **context)


def kinds(result: Any) -> list[str]:
    return [action.kind for action in result.actions]


def everything_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()} if directory.exists() else {}


def version_1(directory: Path, *rows: tuple[object, ...]) -> None:
    directory.mkdir()
    with closing(sqlite3.connect(directory / "trop.db", isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry())
        executor.execute(executor.plan(v1.MIGRATION.version))
        connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, NULL, NULL, 1, 1)", rows)


def test_a_directory_a_store_and_a_configuration_come_into_being_with_their_modes(tmp_path: Path) -> None:
    directory = tmp_path / "above" / "data"

    result = init(directory, withConfig=True)

    assert [(action.kind, action.path) for action in result.actions] == [
        ("createDirectory", str(directory)),
        ("createDatabase", str(directory / "trop.db")),
        ("createConfig", str(directory / "config.yaml")),
    ]
    assert (result.data_dir, result.database_path, result.schema_version) == (
        str(directory),
        str(directory / "trop.db"),
        2,
    )
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "trop.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "config.yaml").stat().st_mode) == 0o600
    assert rows_of(directory) == []


def test_the_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    init(tmp_path / "data", withConfig=True)
    before = everything_in(tmp_path / "data")

    result = init(tmp_path / "data", withConfig=True)

    assert result.actions == ()
    assert everything_in(tmp_path / "data") == before


def test_the_configuration_explains_every_setting_and_sets_none(tmp_path: Path) -> None:
    init(tmp_path / "data", withConfig=True)

    text = (tmp_path / "data" / "config.yaml").read_text(encoding="utf-8")

    assert yaml.safe_load(text) is None
    assert "expire_after_days: 30" in text


@pytest.mark.parametrize(
    "state", ["missing", "empty directory", "current", "version 1", "version 1 with rows", "no database"]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_dry_run_tells_the_actions_of_the_real_run_and_changes_nothing(
    tmp_path: Path, state: str, overwrite: bool
) -> None:
    directory = tmp_path / "data"
    if state == "empty directory":
        directory.mkdir()
    elif state == "current":
        fill(directory, [row("/a", 5000)])
    elif state == "version 1":
        version_1(directory)
    elif state == "version 1 with rows":
        version_1(directory, ("/a", None, 5000))
    elif state == "no database":
        if not overwrite:
            return
        directory.mkdir()
        (directory / "trop.db").write_bytes(b"no database at all, and longer than a header would be: " * 100)
    before = everything_in(directory)
    values = {"withConfig": True, "overwrite": overwrite}

    rehearsed = init(directory, dryRun=True, **values)
    unchanged = everything_in(directory)
    real = init(directory, **values)

    assert unchanged == before
    assert rehearsed.actions == real.actions
    assert (rehearsed.dry_run, real.dry_run) == (True, False)


def test_a_version_1_store_is_brought_up_to_date_with_a_backup(tmp_path: Path) -> None:
    version_1(tmp_path / "data", ("/a", None, 5000))

    result = init(tmp_path / "data")

    assert [(action.kind, os.path.basename(action.path)) for action in result.actions] == [
        ("backup", "trop.db.v1.bak"),
        ("upgradeSchema", "trop.db"),
    ]
    assert rows_of(tmp_path / "data") == [("/a", "", 5000, None, None, 1, 1)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_store_that_cannot_be_brought_up_to_date_is_left_as_it_is(tmp_path: Path, dry_run: bool) -> None:
    version_1(tmp_path / "data", ("/a", None, 5000), ("/a", None, 5001))
    before = everything_in(tmp_path / "data")

    with pytest.raises(MigrationBlocked):
        init(tmp_path / "data", dryRun=dry_run)

    assert everything_in(tmp_path / "data") == before


def test_overwrite_backs_up_and_empties_the_same_file(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])
    inode = (tmp_path / "trop.db").stat().st_ino

    first, second = init(tmp_path, overwrite=True), init(tmp_path, overwrite=True)

    assert kinds(first) == ["backup", "rebuildDatabase"]
    assert [os.path.basename(result.actions[0].path) for result in (first, second)] == ["trop.db.bak", "trop.db.bak.1"]
    assert (tmp_path / "trop.db").stat().st_ino == inode
    assert rows_of(tmp_path) == []
    assert stat.S_IMODE((tmp_path / "trop.db.bak").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "trop.db.bak")) as backup:
        assert backup.execute("SELECT path, port FROM reservations").fetchall() == [("/a", 5000)]


def test_overwrite_takes_a_store_of_a_newer_version_as_well(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])
    with closing(sqlite3.connect(tmp_path / "trop.db", isolation_level=None)) as connection:
        connection.execute("UPDATE metadata SET value = '99'")
        connection.execute("CREATE TABLE later (x)")
        connection.execute("CREATE VIEW seen AS SELECT * FROM later")

    with pytest.raises(UnsupportedSchemaVersion):
        init(tmp_path)
    told = [init(tmp_path, overwrite=True, **more).warnings for more in ({"dryRun": True}, {}, {})]

    warning = (
        "a newer trop uses this store (schema version 99; this trop makes version 2): "
        "what only that one keeps in it is in the backup alone"
    )
    assert told == [(warning,), (warning,), ()]
    with closing(sqlite3.connect(tmp_path / "trop.db")) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        assert sorted(names) == ["metadata", "reservations"]


def test_a_process_that_has_the_store_open_goes_on_with_the_emptied_one(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])
    with closing(Database.open(str(tmp_path / "trop.db"))) as other:
        with other.read(Patience(5)) as connection:
            assert connection.execute("SELECT count(*) FROM reservations").fetchone() == (1,)

        init(tmp_path, overwrite=True)
        with other.write(Patience(5), "write") as connection:
            connection.execute("INSERT INTO reservations VALUES ('/told', '', 6000, NULL, NULL, 1, 1)")

    assert [stored[0] for stored in rows_of(tmp_path)] == ["/told"]


def test_overwrite_waits_for_who_is_writing_and_their_rows_are_in_the_backup(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])
    holds, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        with (
            closing(Database.open(str(tmp_path / "trop.db"))) as other,
            other.write(Patience(5), "write") as connection,
        ):
            connection.execute("INSERT INTO reservations VALUES ('/told', '', 6000, NULL, NULL, 1, 1)")
            holds.set()
            may_commit.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    holds.wait(10)
    with pytest.raises(LockTimeout):
        init(tmp_path, overwrite=True, context={"arguments": {"maximum_lock_wait_seconds": 0.0}})
    may_commit.set()
    writer.join()
    init(tmp_path, overwrite=True)

    with closing(sqlite3.connect(tmp_path / "trop.db.bak")) as backup:
        assert backup.execute("SELECT path FROM reservations ORDER BY path").fetchall() == [("/a",), ("/told",)]
    assert rows_of(tmp_path) == []


def test_what_is_no_database_is_moved_aside_and_kept(tmp_path: Path) -> None:
    noise = b"this was never a database, though it has that name. " * 200
    (tmp_path / "trop.db").write_bytes(noise)

    result = init(tmp_path, overwrite=True)

    assert [(action.kind, os.path.basename(action.path)) for action in result.actions] == [
        ("moveAside", "trop.db.damaged"),
        ("createDatabase", "trop.db"),
    ]
    assert (tmp_path / "trop.db.damaged").read_bytes() == noise
    assert rows_of(tmp_path) == []


@pytest.mark.parametrize("page", [2, 3, 4, 5])
def test_a_damaged_store_that_still_opens_is_emptied_in_place(tmp_path: Path, page: int) -> None:
    fill(tmp_path, [row(f"/a/{number}", number + 1) for number in range(2_000)])
    path = tmp_path / "trop.db"
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    inode = path.stat().st_ino

    result = init(tmp_path, overwrite=True)

    assert kinds(result) == ["backup", "rebuildDatabase"]
    assert path.stat().st_ino == inode
    assert rows_of(tmp_path) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_store_is_not_emptied_where_the_configuration_cannot_be_written(tmp_path: Path) -> None:
    fill(tmp_path, [row("/w/a", 5000)])
    (tmp_path / "config.yaml").write_text("ports: {min: 6000}\n")
    # A directory where the new configuration would be put together: no file can be made there.
    (tmp_path / ".config.yaml.trop.tmp").mkdir()

    with pytest.raises(SystemFailure, match=r"cannot write .*config\.yaml"):
        init(tmp_path, overwrite=True, withConfig=True)

    assert rows_of(tmp_path) == [row("/w/a", 5000)]
    assert (tmp_path / "config.yaml").read_text() == "ports: {min: 6000}\n"
    assert not (tmp_path / "trop.db.bak").exists()


def test_a_configuration_is_not_replaced_where_the_store_cannot_be_emptied(tmp_path: Path) -> None:
    fill(tmp_path, [row("/w/a", 5000)])
    (tmp_path / "config.yaml").write_text("ports: {min: 6000}\nmaximum_lock_wait_seconds: 0\n")

    with closing(sqlite3.connect(tmp_path / "trop.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockTimeout):
            init(tmp_path, overwrite=True, withConfig=True)

    assert (tmp_path / "config.yaml").read_text().startswith("ports: {min: 6000}")
    assert sorted(path.name for path in tmp_path.iterdir() if "tmp" in path.name) == []


def test_a_configuration_is_replaced_only_if_both_are_asked_for(tmp_path: Path) -> None:
    init(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text("disable_autoprune: true\n", encoding="utf-8")

    init(tmp_path, withConfig=True)
    init(tmp_path, overwrite=True)
    kept = config.read_text(encoding="utf-8")
    result = init(tmp_path, withConfig=True, overwrite=True)

    assert kept == "disable_autoprune: true\n"
    assert kinds(result)[-1] == "replaceConfig"
    assert yaml.safe_load(config.read_text(encoding="utf-8")) is None


def test_a_file_in_the_place_of_the_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")

    for dry_run in (True, False):
        with pytest.raises(SystemFailure):
            init(tmp_path / "data", dryRun=dry_run)


def test_the_variable_that_forbids_to_create_by_the_way_does_not_forbid_it_here(tmp_path: Path) -> None:
    result = init(tmp_path / "data", context={"environment": {"TROP_DISABLE_AUTOINIT": "1"}})

    assert kinds(result) == ["createDirectory", "createDatabase"]
