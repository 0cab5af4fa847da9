"""Version 2: an absent tag is the empty text, so that the key is unique without exception; types are checked.

In version 1 an absent tag is NULL, and two NULLs are never equal: one directory could have two untagged ports.
"""

from __future__ import annotations

import sqlite3

from trop_core.database.migrations import v1
from trop_core.database.migrations.layout import Column, Layout, Table, check_layout, differences, stored_columns
from trop_core.database.migrations.types import Migration
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

METADATA = "CREATE TABLE metadata (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT"

RESERVATIONS = """CREATE TABLE reservations (
  path TEXT NOT NULL,
  tag TEXT NOT NULL,
  port INTEGER NOT NULL UNIQUE CONSTRAINT valid_port CHECK (port BETWEEN 1 AND 65535),
  project TEXT,
  task TEXT,
  created_at INTEGER NOT NULL CONSTRAINT valid_created_at CHECK (created_at >= 0),
  last_used_at INTEGER NOT NULL CONSTRAINT valid_last_used_at CHECK (last_used_at >= 0),
  PRIMARY KEY (path, tag)
) STRICT"""

LAYOUT = Layout(
    tables=(
        v1.LAYOUT.tables[0],
        Table(
            "reservations",
            tuple(
                Column(c.name, c.type, c.not_null or c.name == "tag", c.primary_key)
                for c in v1.LAYOUT.tables[1].columns
            ),
            unique=v1.LAYOUT.tables[1].unique,
            indexes=v1.LAYOUT.tables[1].indexes,
        ),
    ),
    strict=True,
)

ADVICE = (
    "Make a copy of the file, correct what is counted with the sqlite3 program (of two reservations with one key, or "
    "one port, delete the one that is not in use), and open it again."
)

_CATEGORIES = (
    *("duplicateKeys", "duplicatePorts", "emptyTags", "portsOutOfRange"),
    *("negativeTimestamps", "invalidPaths", "wrongTypes", "unknownLayout"),
)
_TEXT_COLUMNS = ("path", "tag", "project", "task")
_NUMBER_COLUMNS = ("port", "created_at", "last_used_at")
_NULLABLE = ("tag", "project", "task")
_TIMES = ("created_at", "last_used_at")


def _type_mismatch(column: str) -> str:
    wanted = "integer" if column in _NUMBER_COLUMNS else "text"
    allowed = f"'{wanted}', 'null'" if column in _NULLABLE else f"'{wanted}'"
    return f"typeof({column}) NOT IN ({allowed})"


def _wrong_types(columns: Iterable[str]) -> str:
    return _either(_type_mismatch(column) for column in columns)


def _wrong_types_or_bytes(columns: Collection[str]) -> str:
    texts = [column for column in columns if column not in _NUMBER_COLUMNS]
    undecodable = (f"(typeof({column}) = 'text' AND NOT is_utf8(CAST({column} AS BLOB)))" for column in texts)
    return _either((_wrong_types(columns), *undecodable))


def _either(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions) or "0"


def _row_rules(columns: Collection[str]) -> dict[str, str]:
    """What is wrong with a row by itself, as far as the columns tell."""
    # BINARY, here and below: a table of another layout may compare its texts by a rule that only its maker knows.
    times = (f"(typeof({time}) = 'integer' AND {time} < 0)" for time in _TIMES if time in columns)
    rules = {"negativeTimestamps": _either(times), "wrongTypes": _wrong_types(columns)}
    if "tag" in columns:
        rules["emptyTags"] = "tag = '' COLLATE BINARY"
    if "port" in columns:
        rules["portsOutOfRange"] = "typeof(port) = 'integer' AND port NOT BETWEEN 1 AND 65535"
    if "path" in columns:
        rules["invalidPaths"] = "typeof(path) = 'text' AND substr(path, 1, 1) <> '/'"
    return rules


def _duplicates(columns: Collection[str]) -> dict[str, str]:
    """What has to be different in every two rows, and which table it is looked for in."""
    found = {}
    if {"path", "tag"}.issubset(columns):
        found["duplicateKeys"] = "reservations GROUP BY path COLLATE BINARY, tag COLLATE BINARY"
    if "port" in columns:
        # Where the table has its layout, two rows have one port only if the index that should prevent it is damaged.
        found["duplicatePorts"] = "reservations NOT INDEXED GROUP BY port"
    return found


def is_utf8(value: bytes) -> bool:
    """Whether bytes from the file are text that Python can read."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_readable(connection: sqlite3.Connection, columns: Collection[str]) -> bool:
    """Whether Python can read every text. Much faster than to ask of each row, where that is not needed."""
    texts = [column for column in _TEXT_COLUMNS if column in columns] or ["NULL"]
    try:
        for _ in connection.execute(f"SELECT {', '.join(texts)} FROM reservations"):
            pass
    except sqlite3.OperationalError as error:
        # Python's own error, without a code of SQLite's.
        if getattr(error, "sqlite_errorcode", None) is not None:
            raise
        return False
    return True


def preflight(connection: sqlite3.Connection) -> dict[str, int]:
    """Count, by category, what version 2 has no place for in a version 1 store. Reads, never writes.

    Rows are counted, but for duplicates the keys and the ports that stand more than once. In a layout that is not
    known that is so, too, as far as the tables have the columns.
    """
    counts = dict.fromkeys(_CATEGORIES, 0)
    counts["unknownLayout"] = len(differences(connection, v1.LAYOUT))
    connection.create_function("is_utf8", 1, is_utf8, deterministic=True)
    columns = stored_columns(connection, v1.LAYOUT.tables[1])
    if columns:
        rules = _row_rules(columns)
        counted = ", ".join(f"count(*) FILTER (WHERE {rule})" for rule in rules.values())
        counts.update(zip(rules, connection.execute(f"SELECT {counted} FROM reservations").fetchone(), strict=True))
        for category, rows in _duplicates(columns).items():
            counts[category] = _count(connection, f"(SELECT 1 FROM {rows} HAVING count(*) > 1)")
        if not _is_readable(connection, columns):
            counts["wrongTypes"] = _count(connection, f"reservations WHERE {_wrong_types_or_bytes(columns)}")
    metadata = stored_columns(connection, v1.LAYOUT.tables[0])
    if metadata:
        counts["wrongTypes"] += _count(connection, f"metadata WHERE {_wrong_types_or_bytes(metadata)}")
    return counts


def _count(connection: sqlite3.Connection, rows: str) -> int:
    number: int = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]
    return number


def _validate(connection: sqlite3.Connection) -> None:
    check_layout(connection, LAYOUT)


MIGRATION = Migration(
    version=2,
    description="make the key unique without exception: an absent tag is the empty text",
    preflight=preflight,
    advice=ADVICE,
    up_sql=(
        "ALTER TABLE metadata RENAME TO metadata_v1",
        METADATA,
        "INSERT INTO metadata (key, value) SELECT key, value FROM metadata_v1",
        "DROP TABLE metadata_v1",
        "DROP INDEX idx_reservations_port",
        "DROP INDEX idx_reservations_project",
        "DROP INDEX idx_reservations_last_used",
        "ALTER TABLE reservations RENAME TO reservations_v1",
        RESERVATIONS,
        (
            "INSERT INTO reservations (path, tag, port, project, task, created_at, last_used_at)"
            " SELECT path, coalesce(tag, ''), port, project, task, created_at, last_used_at FROM reservations_v1"
        ),
        "DROP TABLE reservations_v1",
        *v1.INDEXES,
    ),
    down_sql=(
        "ALTER TABLE metadata RENAME TO metadata_v2",
        v1.TABLES[0],
        "INSERT INTO metadata (key, value) SELECT key, value FROM metadata_v2",
        "DROP TABLE metadata_v2",
        "DROP INDEX idx_reservations_port",
        "DROP INDEX idx_reservations_project",
        "DROP INDEX idx_reservations_last_used",
        "ALTER TABLE reservations RENAME TO reservations_v2",
        v1.TABLES[1],
        (
            "INSERT INTO reservations (path, tag, port, project, task, created_at, last_used_at)"
            " SELECT path, nullif(tag, ''), port, project, task, created_at, last_used_at FROM reservations_v2"
        ),
        "DROP TABLE reservations_v2",
        *v1.INDEXES,
    ),
    validate=_validate,
)
