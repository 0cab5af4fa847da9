"""Version 2: an absent tag is the empty text, so that the key is unique without exception; types are checked.

In version 1 an absent tag is NULL, and two NULLs are never equal: one directory could have two untagged ports.
"""

from __future__ import annotations

import sqlite3

from trop_core.database.migrations import v1
from trop_core.database.migrations.layout import Column, Layout, Table, check_layout, differences
from trop_core.database.migrations.types import Migration

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

_TEXT_COLUMNS = ("path", "tag", "project", "task")
_NUMBER_COLUMNS = ("port", "created_at", "last_used_at")
_NULLABLE = ("tag", "project", "task")


def _type_mismatch(column: str) -> str:
    wanted = "integer" if column in _NUMBER_COLUMNS else "text"
    allowed = f"'{wanted}', 'null'" if column in _NULLABLE else f"'{wanted}'"
    return f"typeof({column}) NOT IN ({allowed})"


def _wrong_types(*columns: str) -> str:
    return " OR ".join(_type_mismatch(column) for column in columns)


def _wrong_types_or_bytes(*columns: str) -> str:
    texts = [column for column in columns if column not in _NUMBER_COLUMNS]
    undecodable = (f"(typeof({column}) = 'text' AND NOT is_utf8(CAST({column} AS BLOB)))" for column in texts)
    return " OR ".join([_wrong_types(*columns), *undecodable])


_ROW_RULES = {
    "emptyTags": "tag = ''",
    "portsOutOfRange": "typeof(port) = 'integer' AND port NOT BETWEEN 1 AND 65535",
    "negativeTimestamps": "(typeof(created_at) = 'integer' AND created_at < 0)"
    " OR (typeof(last_used_at) = 'integer' AND last_used_at < 0)",
    "invalidPaths": "typeof(path) = 'text' AND substr(path, 1, 1) <> '/'",
    "wrongTypes": _wrong_types(*_TEXT_COLUMNS, *_NUMBER_COLUMNS),
}

_DUPLICATES = {
    "duplicateKeys": "SELECT count(*) FROM (SELECT 1 FROM reservations GROUP BY path, tag HAVING count(*) > 1)",
    # Where the table has its layout, two rows can only have one port if the index that should prevent it is damaged.
    "duplicatePorts": (
        "SELECT count(*) FROM (SELECT 1 FROM reservations NOT INDEXED GROUP BY port HAVING count(*) > 1)"
    ),
}

_TEXTS = f"SELECT {', '.join(_TEXT_COLUMNS)} FROM reservations"
_WRONG_RESERVATIONS = (
    f"SELECT count(*) FROM reservations WHERE {_wrong_types_or_bytes(*_TEXT_COLUMNS, *_NUMBER_COLUMNS)}"
)
_WRONG_METADATA = f"SELECT count(*) FROM metadata WHERE {_wrong_types_or_bytes('key', 'value')}"


def is_utf8(value: bytes) -> bool:
    """Whether bytes from the file are text that Python can read."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_readable(connection: sqlite3.Connection) -> bool:
    """Whether Python can read every text. Much faster than to ask of each row, where that is not needed."""
    try:
        for _ in connection.execute(_TEXTS):
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
    known nothing else can be counted.
    """
    unknown = len(differences(connection, v1.LAYOUT))
    counts = dict.fromkeys((*_DUPLICATES, *_ROW_RULES), 0)
    if unknown:
        return {**counts, "unknownLayout": unknown}
    connection.create_function("is_utf8", 1, is_utf8, deterministic=True)
    columns = ", ".join(f"count(*) FILTER (WHERE {rule})" for rule in _ROW_RULES.values())
    counts.update(zip(_ROW_RULES, connection.execute(f"SELECT {columns} FROM reservations").fetchone(), strict=True))
    for category, sql in _DUPLICATES.items():
        (counts[category],) = connection.execute(sql).fetchone()
    if not _is_readable(connection):
        (counts["wrongTypes"],) = connection.execute(_WRONG_RESERVATIONS).fetchone()
    counts["wrongTypes"] += connection.execute(_WRONG_METADATA).fetchone()[0]
    return {**counts, "unknownLayout": 0}


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
