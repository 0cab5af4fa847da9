"""The version that a file says it has, of its format and of what stands beside it."""

from __future__ import annotations

import _sqlite3 as sqlite3

from trop_core.database.failures import primary_code
from trop_core.database.migrations.registry import FILE_FORMAT, Chain
from trop_core.errors.store import DatabaseCorrupt, UnsupportedSchemaVersion

_LONGEST_VERSION = 9


def read_version(connection: sqlite3.Connection, path: str, chain: Chain = FILE_FORMAT) -> int:
    """The version of a file: 0 for an empty one, or for one without the chain's tables where these stand beside others.

    Reads, in the caller's transaction if there is one. Raises ``DatabaseCorrupt`` for a version that cannot be read,
    and for a file that has other content and none. SQLite's own errors pass through.
    """
    row = None
    for is_last_attempt in (False, True):
        try:
            row = connection.execute("SELECT value FROM metadata WHERE key = ?", (chain.key,)).fetchone()
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
        if not chain.whole_file:
            return 0
        reason = "the version is missing"
    else:
        version = version_in(row[0])
        if version:
            return version
        reason = f"{row[0]!r:.40} is no version"
        if version == 0:
            reason = f"version 0 is that of {'an empty file' if chain.whole_file else 'a file without these tables'}"
    raise DatabaseCorrupt(reason, path=path, table="metadata", column="value", key=chain.key)


def version_in(value: object) -> int | None:
    """The number that a stored version is; None for what is none."""
    if isinstance(value, str) and len(value) <= _LONGEST_VERSION and value.isascii() and value.isdigit():
        return int(value)
    return None


def write_version(connection: sqlite3.Connection, version: int, chain: Chain = FILE_FORMAT) -> None:
    """Set the version, inside the caller's write transaction. An empty file has no table to keep version 0 in."""
    if version:
        connection.execute(
            "INSERT INTO metadata (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (chain.key, str(version)),
        )
    elif not chain.whole_file:
        connection.execute("DELETE FROM metadata WHERE key = ?", (chain.key,))


def check_supported(version: int, latest: int, path: str) -> None:
    """Raise ``UnsupportedSchemaVersion`` for a version that is newer than the latest one that is known."""
    if version > latest:
        raise UnsupportedSchemaVersion(path, found=version, supported=latest)
