"""The queries: one function each, on sets of rows, without decisions.

Rows come back checked: what cannot stand in a store is ``DatabaseCorrupt``, naming table, column and key. Columns of a
row are written and read in the order of ``COLUMNS``; an absent tag is the empty text in the file and None here.
"""

from __future__ import annotations

from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.models import Reservation, ReservationKey, is_port

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from trop_core.database.handles import StoreConnection
    from trop_core.database.selection import Selection

COLUMNS = ("path", "tag", "port", "project", "task", "created_at", "last_used_at")
_COLUMNS = ", ".join(COLUMNS)

Record = tuple[str, str, int, str | None, str | None, int, int, int]
"""A row in the order of ``COLUMNS``, and then its number in the table, which holds for as long as the row stands."""

_FIRST_CHUNK = 64
_LARGEST_CHUNK = 1024


def find(connection: StoreConnection, key: ReservationKey) -> Reservation | None:
    """The reservation of a key, or None."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE path = ? AND tag = ?", (key.path, key.tag or "")
    ).fetchone()
    return None if row is None else from_row(row, connection)


def holder(connection: StoreConnection, port: int) -> Reservation | None:
    """The reservation that a port is kept for, or None."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM reservations WHERE port = ?", (port,)).fetchone()
    return None if row is None else from_row(row, connection)


def within(connection: StoreConnection, minimum: int, maximum: int) -> list[Reservation]:
    """The reservations of ports from ``minimum`` to ``maximum``, in the order of the ports."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE port BETWEEN ? AND ? ORDER BY port", (minimum, maximum)
    )
    return [from_row(row, connection) for row in rows]


def anything_at(connection: StoreConnection, path: str) -> bool:
    """Whether something is reserved for exactly this path, under whatever tag."""
    return connection.execute("SELECT 1 FROM reservations WHERE path = ? LIMIT 1", (path,)).fetchone() is not None


def at_paths(connection: StoreConnection, paths: Collection[str]) -> list[Reservation]:
    """The reservations of exactly these paths, under whatever tag, in the order of path and tag."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE path IN ({_marks(paths)}) ORDER BY path, tag", tuple(paths)
    )
    return [from_row(row, connection) for row in rows]


def paths_among(connection: StoreConnection, paths: Iterable[str]) -> frozenset[str]:
    """Those of some paths, however many, that have reservations."""
    import json

    # ASCII, so that what is no text (half of a surrogate pair) gets there, and is found nowhere.
    found = connection.execute(
        "SELECT DISTINCT path FROM reservations WHERE path IN (SELECT value FROM json_each(?))",
        (json.dumps(list(paths)),),
    )
    return frozenset(path for (path,) in found)


def paths_of_ports(connection: StoreConnection, ports: Iterable[int]) -> dict[int, str]:
    """The paths that those of some ports are kept for which are reserved."""
    import json

    found = connection.execute(
        "SELECT port, path FROM reservations WHERE port IN (SELECT value FROM json_each(?))", (json.dumps(list(ports)),)
    )
    return dict(found.fetchall())


def paths_like(connection: StoreConnection, *, project: str, name: str, places: Collection[str]) -> list[str]:
    """The paths, each once, that have reservations of a project, and a last component or a place that is given."""
    rows = connection.execute(
        "SELECT DISTINCT path FROM reservations WHERE project = ?"
        f" AND (substr(path, ?) = ? OR path IN ({_marks(places)})) ORDER BY path",
        (project, -len(name) - 1, f"/{name}", *places),
    )
    return [path for (path,) in rows]


def listing(
    connection: StoreConnection,
    *,
    below: Collection[str] | None = None,
    project: str | None = None,
    tag: str | None = None,
    after: ReservationKey | None = None,
    limit: int | None = None,
) -> list[Reservation]:
    """Reservations in the order of path and tag (by code point), from the one that follows ``after``.

    ``below`` keeps those at or below one of some paths, by component; ``project`` and ``tag`` those that have exactly
    it.
    """
    conditions, parameters = ["1"], list[object]()
    if below is not None:
        condition, values = _within(below)
        conditions.append(condition)
        parameters += values
    if project is not None:
        conditions.append("project = ?")
        parameters.append(project)
    if tag is not None:
        conditions.append("tag = ?")
        parameters.append(tag)
    if after is not None:
        conditions.append("(path, tag) > (?, ?)")
        parameters += [after.path, after.tag or ""]
    parameters.append(-1 if limit is None else limit)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE {' AND '.join(conditions)} ORDER BY path, tag LIMIT ?", parameters
    ).fetchall()
    if not all(map(_is_sound, rows)):
        return [from_row(row, connection) for row in rows]
    # There may be tens of thousands: what is sound is taken as it is.
    new = tuple.__new__
    return [
        new(Reservation, (port, path, tag or None, project, task, created_at, last_used_at))
        for path, tag, port, project, task, created_at, last_used_at in rows
    ]


def _within(paths: Collection[str]) -> tuple[str, list[object]]:
    """The condition that a row is at or below one of some paths, and its parameters."""
    if len(paths) == 1:
        from trop_core.database.selection import Selection

        return Selection(next(iter(paths)), recursive=True).condition()
    import json

    # A condition for each path would be nested too deeply for SQLite where they are many. Above "/" there is nothing.
    scopes = json.dumps([path.rstrip("/") for path in paths])
    condition = (
        "rowid IN (SELECT at.rowid FROM json_each(?) AS scope JOIN reservations AS at ON at.path = scope.value"
        " UNION SELECT at.rowid FROM json_each(?) AS scope JOIN reservations AS at"
        " ON at.path >= scope.value || '/' AND at.path < scope.value || '0')"
    )
    return condition, [scopes, scopes]


def records(connection: StoreConnection) -> list[Record]:
    """All rows as they stand in the file, checked, in the order of path and tag: much cheaper than reservations."""
    rows = connection.execute(f"SELECT {_COLUMNS}, rowid FROM reservations ORDER BY path, tag").fetchall()
    for row in rows:
        if not _is_sound(row):
            # Raises, and says what is wrong.
            from_row(row[:-1], connection)
    return rows


def moved_since(connection: StoreConnection, rows: Iterable[Record], *, limit: int) -> dict[str, str]:
    """Where reservations are now that have another path than in some former rows, by the path that they had there.

    They are told by port, tag and time of creation, which a move leaves. In the order of the former paths; the first
    ``limit`` of them.
    """
    import json

    given = json.dumps([(path, tag, port, created_at) for path, tag, port, _, _, created_at, *_ in rows])
    former, tag, port, created_at = (f"json_extract(given.value, '$[{place}]')" for place in range(4))
    found = connection.execute(
        f"SELECT DISTINCT {former}, at.path FROM json_each(?) AS given JOIN reservations AS at ON at.port = {port}"
        f" WHERE at.path <> {former} AND at.tag = {tag} AND at.created_at = {created_at} ORDER BY 1 LIMIT ?",
        (given, limit),
    )
    return dict(found.fetchall())


def remove_numbered(connection: StoreConnection, numbers: Sequence[int]) -> list[str]:
    """Remove the rows with these numbers, which were read in the same transaction; the path of each."""
    # One statement with one parameter takes half as long as one for each row.
    listed = f"[{','.join(map(str, numbers))}]"
    removed = connection.execute(
        "DELETE FROM reservations WHERE rowid IN (SELECT value FROM json_each(?)) RETURNING path", (listed,)
    )
    return [path for (path,) in removed]


def unused_since(connection: StoreConnection, time: int, *, limit: int | None = None) -> list[Reservation]:
    """The reservations last used before a time, in the order of path and tag; the first ``limit`` of them."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE last_used_at < ? ORDER BY path, tag LIMIT ?",
        (time, -1 if limit is None else limit),
    )
    return [from_row(row, connection) for row in rows]


def count_unused_since(connection: StoreConnection, time: int) -> int:
    """How many those are."""
    number: int = connection.execute("SELECT count(*) FROM reservations WHERE last_used_at < ?", (time,)).fetchone()[0]
    return number


def remove_unused_since(connection: StoreConnection, time: int, *, limit: int) -> list[str]:
    """Remove those reservations, ``limit`` at the most; the path of each that went."""
    removed = connection.execute(
        "DELETE FROM reservations WHERE rowid IN (SELECT rowid FROM reservations WHERE last_used_at < ? LIMIT ?)"
        " RETURNING path",
        (time, limit),
    )
    return [path for (path,) in removed]


def select(connection: StoreConnection, selection: Selection, *, limit: int | None = None) -> list[Reservation]:
    """The rows of a set, in the order of path and tag; the first ``limit`` of them."""
    condition, parameters = selection.condition()
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE {condition} ORDER BY path, tag LIMIT ?",
        [*parameters, -1 if limit is None else limit],
    )
    return [from_row(row, connection) for row in rows]


def count(connection: StoreConnection, selection: Selection) -> int:
    """How many rows a set has."""
    condition, parameters = selection.condition()
    number: int = connection.execute(f"SELECT count(*) FROM reservations WHERE {condition}", parameters).fetchone()[0]
    return number


def paths_of(connection: StoreConnection, selection: Selection) -> list[str]:
    """The paths of the rows of a set, each once, in the order of code points."""
    condition, parameters = selection.condition()
    found = connection.execute(f"SELECT DISTINCT path FROM reservations WHERE {condition} ORDER BY path", parameters)
    return [path for (path,) in found]


def remove(connection: StoreConnection, selection: Selection) -> None:
    """Remove the rows of a set."""
    condition, parameters = selection.condition()
    connection.execute(f"DELETE FROM reservations WHERE {condition}", parameters)


def paths(connection: StoreConnection) -> list[str]:
    """All paths that have reservations, each once, in the order of code points."""
    return [path for (path,) in connection.execute("SELECT DISTINCT path FROM reservations ORDER BY path")]


def projects(connection: StoreConnection) -> list[str]:
    """Every project once, in the order of code points."""
    found = connection.execute(
        "SELECT DISTINCT project FROM reservations WHERE project IS NOT NULL ORDER BY project"
    ).fetchall()
    for (project,) in found:
        if not isinstance(project, str):
            raise _damage(connection, "project", None, f"{project!r:.40} is no text")
    return [project for (project,) in found]


def taken_ports(connection: StoreConnection, minimum: int, maximum: int) -> Iterator[list[int]]:
    """The reserved ports of a range in ascending order, in chunks that grow: who finds a gap early reads little."""
    cursor = connection.execute(
        "SELECT port FROM reservations WHERE port BETWEEN ? AND ? ORDER BY port", (minimum, maximum)
    )
    cursor.row_factory = _first_column
    size = _FIRST_CHUNK
    while chunk := cursor.fetchmany(size):
        # One number that is not whole makes the sum one that is not: quicker than a look at each.
        if type(sum(chunk)) is not int:
            odd = next(port for port in chunk if not is_port(port))
            raise _damage(connection, "port", _path_of_port(connection, odd), f"{odd!r:.40} is no port")
        yield chunk
        size = min(size * 2, _LARGEST_CHUNK)


def insert(connection: StoreConnection, reservation: Reservation) -> None:
    """Store a new reservation. Its key and its port must be free."""
    connection.execute(
        f"INSERT INTO reservations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            reservation.path,
            reservation.tag or "",
            reservation.port,
            reservation.project,
            reservation.task,
            reservation.created_at,
            reservation.last_used_at,
        ),
    )


def replace_all(connection: StoreConnection, rows: Iterable[Record]) -> None:
    """Put rows in the place of all that are there. They come from a store, checked: no two have one key or port."""
    connection.execute("DELETE FROM reservations")
    connection.executemany(
        f"INSERT INTO reservations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", (row[: len(COLUMNS)] for row in rows)
    )


def update(connection: StoreConnection, reservation: Reservation) -> None:
    """Give the reservation of a key its port, project, task and time of last use."""
    connection.execute(
        "UPDATE reservations SET port = ?, project = ?, task = ?, last_used_at = ? WHERE path = ? AND tag = ?",
        (
            reservation.port,
            reservation.project,
            reservation.task,
            reservation.last_used_at,
            reservation.path,
            reservation.tag or "",
        ),
    )


def touch(connection: StoreConnection, key: ReservationKey, now: int) -> None:
    """Note that a key was used now."""
    connection.execute(
        "UPDATE reservations SET last_used_at = ? WHERE path = ? AND tag = ?", (now, key.path, key.tag or "")
    )


def delete(connection: StoreConnection, keys: Iterable[ReservationKey]) -> None:
    """Remove the reservations of keys; a key that has none is passed over."""
    connection.executemany(
        "DELETE FROM reservations WHERE path = ? AND tag = ?", ((key.path, key.tag or "") for key in keys)
    )


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _path_of_port(connection: StoreConnection, port: object) -> object:
    row = connection.execute("SELECT path FROM reservations WHERE port = ?", (port,)).fetchone()
    return None if row is None else row[0]


def _first_column(_cursor: object, row: tuple[int, ...]) -> int:
    return row[0]


def from_row(row: tuple[Any, ...], connection: StoreConnection) -> Reservation:
    """A row in the order of ``COLUMNS`` as a reservation. Raises ``DatabaseCorrupt`` for what cannot be one."""
    path, tag, port, project, task, created_at, last_used_at = row
    if _is_sound(row):
        return Reservation(port, path, tag or None, project, task, created_at, last_used_at)
    for column, value in (("path", path), ("tag", tag)):
        if not isinstance(value, str):
            raise _damage(connection, column, path, f"{value!r:.40} is no text")
    for column, value in (("project", project), ("task", task)):
        if value is not None and not isinstance(value, str):
            raise _damage(connection, column, path, f"{value!r:.40} is no text")
    if not path.startswith("/"):
        raise _damage(connection, "path", path, "the path is not absolute" if path else "the path is empty")
    if not is_port(port):
        raise _damage(connection, "port", path, f"{port!r:.40} is no port")
    for column, value in (("created_at", created_at), ("last_used_at", last_used_at)):
        if type(value) is not int or value < 0:
            raise _damage(connection, column, path, f"{value!r:.40} is no time")
    return Reservation(port, path, tag or None, project, task, created_at, last_used_at)


def _is_sound(row: tuple[Any, ...]) -> bool:
    """Whether what a row begins with, in the order of ``COLUMNS``, is a reservation: one look, for rows are many."""
    path, tag, port, project, task, created_at, last_used_at = row if len(row) == 7 else row[:7]
    return (
        type(path) is type(tag) is str
        and path[:1] == "/"
        and type(port) is type(created_at) is type(last_used_at) is int
        and 0 < port < 65536
        and created_at >= 0 <= last_used_at
        and (project is None or type(project) is str)
        and (task is None or type(task) is str)
    )


def _damage(connection: StoreConnection, column: str, key: object, reason: str) -> DatabaseCorrupt:
    return DatabaseCorrupt(
        reason,
        path=connection.path,
        table="reservations",
        column=column,
        key=key if isinstance(key, str) else repr(key),
    )
