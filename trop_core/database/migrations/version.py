"""The schema version that a file says it has."""

from __future__ import annotations

import sqlite3

from trop_core.database.failures import primary_code
from trop_core.errors.store import DatabaseCorrupt, UnsupportedSchemaVersion

_LONGEST_VERSION = 9


def read_version(connection: sqlite3.Connection, path: str) -> int:
    """The version of a file: 0 for an empty one. Reads, in the caller's transaction if there is one.

    Raises ``DatabaseCorrupt`` for a file that has other content and no version that can be read. SQLite's own errors
    pass through.
    """
    row = None
    for is_last_attempt in (False, True):
        try:
            row = connection.execute("SELECT value FROM metadata WHERE key = 'schema_version'").fetchone()
            break
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_ERROR:
                raise
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return 0
            # Content without a version: another process may have made both between the two statements.
            if is_last_attempt:
                reason = "it has content, but no readable version"
                raise DatabaseCorrupt(reason, path=path, table="metadata") from error
    if row is None:
        reason = "the version is missing"
    elif isinstance(row[0], str) and len(row[0]) <= _LONGEST_VERSION and row[0].isascii() and row[0].isdigit():
        version = int(row[0])
        if version > 0:
            return version
        reason = "version 0 is that of an empty file"
    else:
        reason = f"{row[0]!r:.40} is no version"
    raise DatabaseCorrupt(reason, path=path, table="metadata", column="value", key="schema_version")


def write_version(connection: sqlite3.Connection, version: int) -> None:
    """Set the version, inside the caller's write transaction. Version 0 has no table to keep it in."""
    if version:
        connection.execute(
            "INSERT INTO metadata (key, value) VALUES ('schema_version', ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (str(version),),
        )


def check_supported(version: int, latest: int, path: str) -> None:
    """Raise ``UnsupportedSchemaVersion`` for a version that is newer than the latest one that is known."""
    if version > latest:
        raise UnsupportedSchemaVersion(path, found=version, supported=latest)
