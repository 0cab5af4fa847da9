"""Stores to be tried on: in the layout of the field, with rows, damaged; and what is in them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from support.processes import Child, child
from trop_core.database.migrations.test_util import create_test_db_at_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

V1_SCHEMA = """
CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
CREATE TABLE reservations (path TEXT NOT NULL, tag TEXT, port INTEGER NOT NULL UNIQUE, project TEXT, task TEXT,
  created_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, PRIMARY KEY (path, tag));
CREATE INDEX idx_reservations_port ON reservations(port);
CREATE INDEX idx_reservations_project ON reservations(project);
CREATE INDEX idx_reservations_last_used ON reservations(last_used_at);
INSERT INTO metadata VALUES ('schema_version', '1');
"""
"""Word for word from the contract: the product's own statements must not vouch for themselves."""

V2_SCHEMA = """
CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
CREATE TABLE reservations (path TEXT NOT NULL, tag TEXT NOT NULL,
  port INTEGER NOT NULL UNIQUE CONSTRAINT valid_port CHECK (port BETWEEN 1 AND 65535),
  project TEXT, task TEXT,
  created_at INTEGER NOT NULL CONSTRAINT valid_created_at CHECK (created_at >= 0),
  last_used_at INTEGER NOT NULL CONSTRAINT valid_last_used_at CHECK (last_used_at >= 0),
  PRIMARY KEY (path, tag)) STRICT;
CREATE INDEX idx_reservations_port ON reservations(port);
CREATE INDEX idx_reservations_project ON reservations(project);
CREATE INDEX idx_reservations_last_used ON reservations(last_used_at);
INSERT INTO metadata VALUES ('schema_version', '2');
"""

Row = tuple[Any, ...]

_NAMES = ("app", "größe", "日本語", "🚢 ship", "e\u0301", "%_[*]", "it's", 'a "b"', "\u202eright", "x" * 1000)


def rows_of_the_field(count: int) -> list[Row]:
    """Rows as version 1 stores them: tagged and not, with project and task and without, in all kinds of writing."""
    rows: list[Row] = []
    for number in range(count):
        name = _NAMES[number % len(_NAMES)] if number < 5000 else "app"
        rows.append(
            (
                f"/home/someone/{name}/{number // 3}",
                (None, "web", name)[number % 3],
                1 + number,
                None if number % 4 else name,
                None if number % 5 else f"{name} task",
                1_600_000_000 + number,
                1_700_000_000 + number,
            )
        )
    return rows


def make_v1(path: Path, rows: Iterable[Row] = (), *, journal: str = "delete", schema: str = V1_SCHEMA) -> Path:
    """A store in the layout of the field, with mode 0600, and nothing left beside it."""
    return make(path, schema, rows, journal=journal)


def make_v2(path: Path, rows: Iterable[Row] = (), *, journal: str = "wal", schema: str = V2_SCHEMA) -> Path:
    """A store in the current layout, made without the product's help."""
    return make(path, schema, rows, journal=journal)


def make(path: Path, schema: str, rows: Iterable[Row], *, journal: str) -> Path:
    """A store with a schema and rows."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.executescript(schema)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    deadline = time.monotonic() + 30
    while {entry.name for entry in path.parent.iterdir()} & {f"{path.name}-wal", f"{path.name}-journal"}:
        # A server that looks at it just then keeps the log: whoever closes the store last takes it away.
        assert time.monotonic() < deadline
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return path


def run(path: Path, *statements: str) -> None:
    """Change a file behind the product's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows_in(path: Path, table: str = "reservations") -> list[Row]:
    """Every row of a table of a file, sorted; texts that are no UTF-8 as bytes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = _text_or_bytes
        return sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


def as_version_2(rows: Iterable[Row]) -> list[Row]:
    """What rows of version 1 have to be in version 2: the same, but for the absent tag."""
    return sorted(((row[0], row[1] or "", *row[2:]) for row in rows), key=repr)


def version_of(path: Path) -> str:
    """What a file says its version is."""
    with closing(sqlite3.connect(path)) as connection:
        version: str = connection.execute("SELECT value FROM metadata WHERE key = 'schema_version'").fetchone()[0]
    return version


def integrity_of(path: Path) -> str:
    """SQLite's own opinion of a file."""
    with closing(sqlite3.connect(path)) as connection:
        answer: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return answer


class Entry(NamedTuple):
    """A file, as far as a change of it could be told."""

    mode: int
    digest: str


def snapshot(directory: Path, *, without: Sequence[str] = ()) -> dict[str, Entry]:
    """Every file of a directory: its mode, and its bytes."""
    return {
        entry.name: Entry(entry.stat().st_mode & 0o7777, hashlib.sha256(entry.read_bytes()).hexdigest())
        for entry in sorted(directory.iterdir())
        if entry.is_file() and entry.name not in without
    }


def backups_in(directory: Path) -> list[str]:
    """The names of the backups in a directory."""
    return sorted(entry.name for entry in directory.iterdir() if ".bak" in entry.name)


def database_of(directory: Path, version: int) -> sqlite3.Connection:
    """A new store file of one version, open, in the directory."""
    return create_test_db_at_version(version, str(directory / "trop.db"))


HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
print("released", flush=True)
"""
"""A process that holds a store's lock until it is sent a line."""


@contextmanager
def locked(path: Path, begin: str = "BEGIN IMMEDIATE") -> Iterator[Child]:
    """Another process holds the lock of a store."""
    with child(HOLD_LOCK, path, begin) as holder:
        holder.expect("locked")
        yield holder


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
