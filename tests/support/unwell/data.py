"""What may be wrong with a data directory and the store in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from support import stores
from support.unwell.patient import Case

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.unwell.patient import Patient
    from trop_core.operations.doctor.finding import Finding


_PAGE = "SELECT rootpage FROM sqlite_master WHERE name = 'idx_reservations_port'"


def _changed(*statements: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        stores.run(patient.store, *statements)

    return make


def _without_store(patient: Patient) -> None:
    for path in patient.data.iterdir():
        path.unlink()


def _forbidden(patient: Patient) -> None:
    _without_store(patient)
    patient.environment["TROP_DISABLE_AUTOINIT"] = "1"


def _data_directory_is_a_file(patient: Patient) -> None:
    shutil.rmtree(patient.data)
    patient.data.write_text("")


def _store_is_a_directory(patient: Patient) -> None:
    _without_store(patient)
    patient.store.mkdir(mode=0o700)


def _store_is_a_dangling_link(patient: Patient) -> None:
    _without_store(patient)
    patient.store.symlink_to(patient.data / "elsewhere.db")


def _store_is_empty(patient: Patient) -> None:
    _without_store(patient)
    patient.store.touch(mode=0o600)


def _store_is_old(patient: Patient) -> None:
    _without_store(patient)
    stores.make_v1(patient.store, [(str(patient.work), None, 5000, None, None, 1, 1)])


def _store_is_text(patient: Patient) -> None:
    _without_store(patient)
    patient.store.touch(mode=0o600)
    patient.store.write_text("This is no database.\n" * 100)


def _page_is_damaged(patient: Patient) -> None:
    size = patient.store.stat().st_size
    with closing(sqlite3.connect(patient.store)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'idx_reservations_port'"
        ).fetchone()
        (length,) = connection.execute("PRAGMA page_size").fetchone()
    with patient.store.open("r+b") as file:
        file.seek((page - 1) * length)
        file.write(b"\xff" * 64)
    assert patient.store.stat().st_size == size


def _name_is_taken(patient: Patient) -> None:
    _without_store(patient)
    stores.make_v2(patient.store, [(str(patient.work), "", 5000, None, None, 1, 1)])
    stores.run(patient.store, "CREATE TABLE directories (text TEXT)")


def _is_begun_anew(patient: Patient, _finding: Finding) -> None:
    patient.shell("trop init --overwrite")


def _is_removed(patient: Patient, _finding: Finding) -> None:
    for path in (patient.store, patient.data):
        if path.is_dir() and path == patient.store:
            path.rmdir()
        elif path.is_symlink() or path.is_file():
            path.unlink()


def _backup_is(content: bytes, mode: int = 0o600) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        backup = patient.data / "trop.db.bak"
        backup.touch(mode=0o600)
        backup.write_bytes(content or patient.store.read_bytes())
        backup.chmod(mode)

    return make


def _unfinished(*names: str) -> Callable[[Patient], None]:
    """The first two hours ago, and one that is written now."""

    def make(patient: Patient) -> None:
        for name in (*names, ".trop.db.20231114T221321Z.bak.0123456789abcdef.tmp"):
            path = patient.data / name
            path.touch(mode=0o600)
            path.write_bytes(b"half" * 1000)
            if name in names:
                os.utime(path, (time.time() - 7200,) * 2)

    return make


def _mode_of(name: str, mode: int) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        path = patient.data / name
        if not path.exists():
            path.touch()
        path.chmod(mode)

    return make


def _log_is_left(patient: Patient) -> None:
    _without_store(patient)
    (patient.data / "trop.db-wal").touch(mode=0o600)


def _log_is_beside_a_link(patient: Patient) -> None:
    there = patient.data / "elsewhere.db"
    patient.store.rename(there)
    patient.store.symlink_to(there)
    (patient.data / "trop.db-wal").touch(mode=0o600)


def _index_is_cut_off(patient: Patient) -> None:
    (patient.data / "trop.db-wal").touch(mode=0o600)
    index = patient.data / "trop.db-shm"
    index.touch(mode=0o600)
    index.write_bytes(b"\0" * 1000)


def _index_is_taken_away(patient: Patient, _finding: Finding) -> None:
    (patient.data / "trop.db-shm").unlink()


def _is_locked(patient: Patient) -> None:
    stores.run(patient.store, "PRAGMA journal_mode = DELETE")
    patient.environment["TROP_BUSY_TIMEOUT"] = "0"
    holder = patient.stack.enter_context(stores.locked(patient.store, "BEGIN EXCLUSIVE"))
    patient.holders.append(holder)


CASES = (
    Case(
        "a table has the name of one of trop's",
        _name_is_taken,
        "record",
        "warning",
        "has the name of one",
        "another name",
        lambda patient, _: stores.run(patient.store, "ALTER TABLE directories RENAME TO notes"),
    ),
    Case("there is no store yet", _without_store, "data_directory", "info", "there is no store in", "trop reserve"),
    Case(
        "there is no store, and none may be made",
        _forbidden,
        "data_directory",
        "error",
        "TROP_DISABLE_AUTOINIT",
        "trop init --data-dir ",
    ),
    Case(
        "the data directory is a file",
        _data_directory_is_a_file,
        "data_directory",
        "error",
        "it is not a directory",
        "",
        _is_removed,
    ),
    Case("the store is a directory", _store_is_a_directory, "store", "error", "it is a directory", "", _is_removed),
    Case(
        "the store is a link to nothing",
        _store_is_a_dangling_link,
        "store",
        "error",
        "a file that does not exist",
        "",
        _is_removed,
    ),
    Case("the store is an empty file", _store_is_empty, "store", "info", "is an empty file", "trop init"),
    Case("the store has an older version", _store_is_old, "schema_version", "info", "it is 1, and", "trop init"),
    Case(
        "the store has a newer version",
        _changed("UPDATE metadata SET value = '9' WHERE key = 'schema_version'"),
        "store",
        "error",
        "has schema version 9",
        "Update trop",
        None,
    ),
    Case(
        "the store is no database",
        _store_is_text,
        "store",
        "error",
        "is not a database",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "a page of the store is damaged",
        _page_is_damaged,
        "integrity",
        "error",
        "",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "a port is none",
        _changed("PRAGMA ignore_check_constraints = ON", "UPDATE reservations SET port = 70000"),
        "integrity",
        "error",
        "70000 is no port",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "a path is relative",
        _changed("UPDATE reservations SET path = 'work'"),
        "integrity",
        "error",
        "the path is not absolute",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "an index is missing",
        _changed("DROP INDEX idx_reservations_port"),
        "integrity",
        "error",
        "idx_reservations_port",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "the version is missing",
        _changed("DELETE FROM metadata WHERE key = 'schema_version'"),
        "integrity",
        "error",
        "the version is missing",
        "trop init --overwrite",
        _is_begun_anew,
    ),
    Case(
        "a newer trop keeps its record there",
        _changed("UPDATE metadata SET value = '9' WHERE key = 'companion_version'"),
        "record",
        "warning",
        "a newer trop keeps",
        "Update this trop",
        None,
    ),
    Case(
        "somebody keeps a table of their own there",
        _changed("CREATE TABLE notes (text TEXT)"),
        "record",
        "info",
        "notes",
        "",
        lambda patient, _: stores.run(patient.store, "DROP TABLE notes"),
    ),
    Case("others may write the store", _mode_of("trop.db", 0o666), "permissions", "warning", "may change", "chmod "),
    Case(
        "others may look into the data directory",
        _mode_of(".", 0o755),
        "permissions",
        "info",
        "may look into",
        "chmod ",
    ),
    Case(
        "others may write the configuration",
        _mode_of("config.yaml", 0o646),
        "permissions",
        "warning",
        "may change",
        "chmod ",
    ),
    Case("others may read a backup", _backup_is(b"", 0o644), "permissions", "info", "trop.db.bak", "chmod "),
    Case("a backup is damaged", _backup_is(b"no database" * 100), "backups", "warning", "cannot be used", "rm "),
    Case(
        "a backup was not finished",
        _unfinished(".trop.db.20231114T221320Z.bak.0123456789abcdef.tmp", "trop.db.bak.tmp-journal"),
        "backups",
        "warning",
        "8,000 bytes are left",
        "rm ",
    ),
    Case("a backup is empty", _mode_of("trop.db.v1.bak", 0o600), "backups", "warning", "it is empty", "rm "),
    Case(
        "a log is left without its store",
        _log_is_left,
        "sidecar_files",
        "warning",
        "without its store",
        "move this file",
        lambda patient, _: os.rename(patient.data / "trop.db-wal", patient.sandbox.root / "wal"),
    ),
    Case(
        "a log is left beside a link to the store",
        _log_is_beside_a_link,
        "sidecar_files",
        "warning",
        "nobody reads it",
        "move this file",
        lambda patient, _: os.rename(patient.data / "trop.db-wal", patient.sandbox.root / "wal"),
    ),
    Case(
        "an index is cut off",
        _index_is_cut_off,
        "writing",
        "error",
        "a part of it is missing",
        "may also be removed",
        _index_is_taken_away,
    ),
    Case(
        "somebody holds the store",
        _is_locked,
        "store",
        "error",
        "was locked by another process",
        "Try again",
        lambda patient, _: patient.holders.pop().end(),
    ),
)
