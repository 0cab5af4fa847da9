"""The queries about which directory it is that something is reserved for, on sets of rows, without decisions.

Each finds nothing and changes nothing where the store has no such table of this version, or one that is not as it
should be. A row counts for as long as something is reserved at its path; another program that releases leaves it.
"""

from __future__ import annotations

import _sqlite3 as sqlite3

from trop_core.database.companion import DIRECTORIES, is_usable, says
from trop_core.database.failures import primary_code, undecodable_column
from trop_core.database.migrations.registry import COMPANION
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trop_core.database.handles import StoreConnection
    from trop_core.database.moving import Move
    from trop_core.database.selection import Selection
    from trop_core.identity import Glance, Identity

MOST_WITH_ONE_IDENTITY = 3
"""How many paths are told of that led to one directory. One is a move; which ones they are matters for a warning."""

_RESERVED = "EXISTS (SELECT 1 FROM reservations WHERE reservations.path = directories.path)"


class Directory(NamedTuple):
    """What stood at a path when it was last seen; None is what was not told.

    ``born`` is in nanoseconds, negative once that directory has reserved at another path. ``git_directory`` is the
    common git directory of a linked worktree; ``came_from`` the path that it was moved from by itself; ``block_id``
    names its block in an ``.env`` file.
    """

    path: str
    file_system: str | None = None
    inode: str | None = None
    born: int | None = None
    git_directory: str | None = None
    came_from: str | None = None
    block_id: str | None = None

    @property
    def identity(self) -> Identity | None:
        """Which directory it was, if all of that is known, and it has not reserved at another path since."""
        if self.file_system is None or self.inode is None or self.born is None or self.has_left:
            return None
        from trop_core.identity import Identity

        return Identity(self.file_system, self.inode, self.born)

    @property
    def has_left(self) -> bool:
        """Whether the directory has reserved at another path since."""
        return self.born is not None and self.born < 0


_COLUMNS = ", ".join(Directory._fields)

_VERSION = f"(SELECT value FROM metadata WHERE key = '{COMPANION.key}')"
_FIND = f"SELECT {_VERSION}, {_COLUMNS} FROM directories WHERE path = ?"


def find(connection: StoreConnection, path: str) -> Directory | None:
    """What was last seen at a path, whether anything is still reserved there or not.

    It is asked for with every reservation, so the table is not looked over first: one that has the columns is read.
    """
    try:
        row = connection.execute(_FIND, (path,)).fetchone()
    except sqlite3.OperationalError as error:
        # There is no such table, or no such column; or a text that is no UTF-8, which tells of no directory.
        if primary_code(error) != sqlite3.SQLITE_ERROR and undecodable_column(error) is None:
            raise
        return None
    return Directory(*row[1:]) if row is not None and says(row[0], DIRECTORIES) else None


def with_identity(connection: StoreConnection, identity: Identity, *, but: str) -> list[Directory]:
    """The other paths at which something is reserved and that directory was last seen, in order; the first three."""
    return _select(
        connection,
        f"file_system = ? AND inode = ? AND born = ? AND path <> ? AND {_RESERVED}",
        [*identity, but],
        limit=MOST_WITH_ONE_IDENTITY,
    )


def seen_without_birth(connection: StoreConnection, glance: Glance, *, but: str) -> list[Directory]:
    """The other paths at which something is reserved and where that showed at a glance, but not when it was made.

    Of a path below a link nothing else is noted. In order; the first three.
    """
    return _select(
        connection,
        f"file_system = ? AND inode = ? AND born IS NULL AND path <> ? AND {_RESERVED}",
        [*glance, but],
        limit=MOST_WITH_ONE_IDENTITY,
    )


def in_repository(connection: StoreConnection, git_directory: str) -> list[str]:
    """The paths, in order, at which something is reserved and a worktree with that common git directory was seen."""
    return [found.path for found in _select(connection, f"git_directory = ? AND {_RESERVED}", [git_directory])]


def git_directories(connection: StoreConnection) -> dict[str, str | None]:
    """The paths at which something is reserved and a directory was seen, with the common git directory of each.

    That is None for what was no linked worktree.
    """
    found = _select(connection, f"(inode IS NOT NULL OR git_directory IS NOT NULL) AND {_RESERVED}", [])
    return {directory.path: directory.git_directory for directory in found}


def record(connection: StoreConnection, directory: Directory) -> None:
    """Note what stands at a path now, in place of what was noted before. The id of its block stays with the path."""
    if not is_usable(connection, DIRECTORIES):
        return
    values = ", ".join("?" * len(directory))
    changes = ", ".join(f"{name} = excluded.{name}" for name in Directory._fields[1:] if name != "block_id")
    connection.execute(
        f"INSERT INTO directories ({_COLUMNS}) VALUES ({values}) ON CONFLICT (path) DO UPDATE SET {changes}", directory
    )


def block_id(connection: StoreConnection, path: str) -> str | None:
    """The id of a path's block, also from the tables of an older version; None if it has none. Reads."""
    try:
        row = connection.execute("SELECT block_id FROM directories WHERE path = ?", [path]).fetchone()
    except sqlite3.OperationalError as error:
        # There is no such table, or no such column; or what stands there is no text.
        if primary_code(error) != sqlite3.SQLITE_ERROR and undecodable_column(error) is None:
            raise
        return None
    return None if row is None else row[0]


def block_ids(connection: StoreConnection, paths: Iterable[str]) -> frozenset[str]:
    """The ids of the blocks of those of some paths that have one; as ``block_id`` tells it. Reads."""
    found = (block_id(connection, path) for path in dict.fromkeys(paths))
    return frozenset(block for block in found if block is not None)


def name_block(connection: StoreConnection, path: str, block_id: str) -> None:
    """Note the id of a path's block, unless it has one."""
    if is_usable(connection, DIRECTORIES):
        connection.execute(
            "INSERT INTO directories (path, block_id) VALUES (?, ?) ON CONFLICT (path) DO UPDATE"
            " SET block_id = coalesce(block_id, excluded.block_id)",
            [path, block_id],
        )


def follow_undo(connection: StoreConnection, operation: int) -> None:
    """Let go of the paths that an operation had changed and at which nothing is reserved now that it is taken back.

    The id of a path's block goes back with the reservations that had moved there, unless some stay.
    """
    if not is_usable(connection, DIRECTORIES):
        return
    moved = connection.execute(
        "SELECT DISTINCT changes.path, directories.block_id FROM directories CROSS JOIN changes"
        " ON changes.new_path = directories.path WHERE operation = ? AND changes.path <> changes.new_path"
        f" AND directories.block_id IS NOT NULL AND NOT {_RESERVED}",
        [operation],
    ).fetchall()
    for path, block in moved:
        name_block(connection, path, block)
    connection.execute(
        "DELETE FROM directories WHERE path IN (SELECT path FROM changes WHERE operation = :operation"
        f" UNION ALL SELECT new_path FROM changes WHERE operation = :operation) AND NOT {_RESERVED}",
        {"operation": operation},
    )


def disown(connection: StoreConnection, directory: Directory) -> None:
    """Take the identity of a directory from all other paths: it stands at one, and can be found again only by that.

    Which one it was stays known there, so that it can have its path again.
    """
    if directory.identity is not None and is_usable(connection, DIRECTORIES):
        connection.execute(
            "UPDATE directories SET born = -born WHERE file_system = ? AND inode = ? AND born = ? AND path <> ?",
            [*directory.identity, directory.path],
        )


def forget_unreserved(connection: StoreConnection, selection: Selection) -> None:
    """Remove the rows of a set's paths at which nothing is reserved any more, under whatever tag."""
    if is_usable(connection, DIRECTORIES):
        condition, parameters = _condition(selection)
        connection.execute(f"DELETE FROM directories WHERE {condition} AND NOT {_RESERVED}", parameters)


def forget_unreserved_at(connection: StoreConnection, paths: Iterable[str]) -> None:
    """Remove the rows of those of the paths at which nothing is reserved any more."""
    if is_usable(connection, DIRECTORIES):
        connection.executemany(
            f"DELETE FROM directories WHERE path = ? AND NOT {_RESERVED}", ((path,) for path in dict.fromkeys(paths))
        )


def forget_all_unreserved(connection: StoreConnection) -> None:
    """Remove every row at whose path nothing is reserved any more."""
    if is_usable(connection, DIRECTORIES):
        connection.execute(f"DELETE FROM directories WHERE NOT {_RESERVED}")


def move(connection: StoreConnection, move: Move, *, by_itself: bool) -> None:
    """Take the rows of a move along, in place of those at their destinations, whatever is reserved there by now.

    ``by_itself`` notes in each where it came from; otherwise nothing is noted there.
    """
    if not is_usable(connection, DIRECTORIES):
        return

    expression, values = move.expression("path")
    moves, moving_rows = _condition(move.source)
    connection.execute(
        f"DELETE FROM directories WHERE path IN (SELECT {expression} FROM directories WHERE {moves}) AND NOT ({moves})",
        [*values, *moving_rows, *moving_rows],
    )
    origin = "path" if by_itself else "NULL"
    if not move.may_collide:
        connection.execute(
            f"UPDATE directories SET came_from = {origin}, path = {expression} WHERE {moves}", [*values, *moving_rows]
        )
        return
    from trop_core.database import moving

    # All rows leave before the first one arrives, where one could meet another that has yet to leave.
    connection.execute(
        f"UPDATE directories SET came_from = {origin}, path = ? || {expression} WHERE {moves}",
        [moving.MARK, *values, *moving_rows],
    )
    waiting, marked = moving.WAITING
    connection.execute(
        f"UPDATE directories SET path = {moving.rest_of('path')} WHERE {waiting}", [len(moving.MARK) + 1, *marked]
    )


def replace(connection: StoreConnection, move: Move, standing: Directory | None) -> None:
    """Forget what was seen where reservations leave, and where they arrive, before they do: it is not the same there.

    The ids of blocks go along with the reservations. ``standing`` is what stands at the destination now, to be noted;
    None if that is not known. Where something is reserved already below the destination, what was seen there stays.
    """
    if not is_usable(connection, DIRECTORIES):
        return
    expression, values = move.expression("path")
    leaving, leaves = _condition(move.source)
    blocks = connection.execute(
        f"SELECT {expression}, block_id FROM directories WHERE {leaving} AND block_id IS NOT NULL AND {_RESERVED}",
        [*values, *leaves],
    ).fetchall()
    source, parameters = move.source.condition()
    connection.execute(
        f"DELETE FROM directories WHERE path IN (SELECT {expression} FROM reservations WHERE {source})"
        f" AND NOT {_RESERVED}",
        [*values, *parameters],
    )
    connection.execute(f"DELETE FROM directories WHERE path = ? OR {leaving}", [move.destination, *leaves])
    connection.executemany(
        "INSERT INTO directories (path, block_id) VALUES (?, ?) ON CONFLICT (path) DO UPDATE"
        " SET block_id = excluded.block_id",
        blocks,
    )
    if standing is not None:
        record(connection, standing)


def _condition(selection: Selection) -> tuple[str, list[object]]:
    """A directory has no tag: it is that of all reservations of its path."""
    return selection._replace(tag=None).condition("directories")


def _select(
    connection: StoreConnection, condition: str, parameters: Sequence[object], *, limit: int = -1
) -> list[Directory]:
    return _rows(connection, condition, parameters, limit=limit) if is_usable(connection, DIRECTORIES) else []


def _rows(
    connection: StoreConnection, condition: str, parameters: Sequence[object], *, limit: int = -1
) -> list[Directory]:
    try:
        # The + keeps SQLite from reading a whole table in the order of an index, which takes five times as long.
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM directories WHERE {condition} ORDER BY +path LIMIT ?", [*parameters, limit]
        )
        return [Directory(*row) for row in rows]
    except sqlite3.OperationalError as error:
        # A text that is no UTF-8 tells of no directory.
        if undecodable_column(error) is None:
            raise
        return []
