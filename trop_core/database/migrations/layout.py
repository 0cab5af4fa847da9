"""The tables of a schema version, as SQLite reports them, to be compared with those that a file really has.

Named tuples, which are made in a tenth of the time of a dataclass: whoever reserves for a new directory needs them.
"""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3


class Column(NamedTuple):
    """One column; ``primary_key`` is its place in the primary key, from 1, or 0."""

    name: str
    type: str
    not_null: bool
    primary_key: int


class Table(NamedTuple):
    """A table: its columns in order, the column sets that are unique, and its named indexes in order of name."""

    name: str
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Layout(NamedTuple):
    """The tables of one version, and whether they are STRICT."""

    tables: tuple[Table, ...]
    strict: bool


def differences(connection: sqlite3.Connection, layout: Layout) -> list[str]:
    """How a file departs from a layout, a sentence each; none if it is the layout.

    Tables of somebody else's are left out of it: they are neither used nor touched. A view or a trigger is a
    difference wherever it stands: it could read or change what is moved.
    """
    found: list[str] = []
    for table in layout.tables:
        found += _table_differences(connection, table, strict=layout.strict)
    extra = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY name"
    ).fetchall()
    found += [f"there is a {kind} {name}" for kind, name in extra]
    return found


def differences_beside(connection: sqlite3.Connection, layout: Layout) -> list[str]:
    """How the tables of a layout depart from it, and which triggers act on them, whatever else is in the file."""
    found: list[str] = []
    for table in layout.tables:
        found += _table_differences(connection, table, strict=layout.strict)
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = ? ORDER BY name", (table.name,)
        ).fetchall()
        found += [f"there is a trigger {name}" for (name,) in triggers]
    return found


def taken_names(connection: sqlite3.Connection, layout: Layout) -> int:
    """How many of a layout's names, of tables and of indexes, something in a file has already."""
    names = [name for table in layout.tables for name in (table.name, *dict(table.indexes))]
    taken: int = connection.execute(
        f"SELECT count(*) FROM sqlite_master WHERE lower(name) IN ({', '.join('?' * len(names))})", names
    ).fetchone()[0]
    return taken


def stored_columns(connection: sqlite3.Connection, table: Table) -> list[str]:
    """Those of a table's columns that a file's own table has, however that differs else; none if it is no table.

    A column that is made of others is none: to read it could fail.
    """
    rows = connection.execute(
        "SELECT lower(about.name) FROM pragma_table_list(?) AS tables JOIN pragma_table_info(tables.name) AS about"
        " WHERE tables.schema = 'main' AND tables.type = 'table' ORDER BY about.cid",
        (table.name,),
    )
    wanted = {column.name for column in table.columns}
    return [name for (name,) in rows if name in wanted]


def check_layout(connection: sqlite3.Connection, layout: Layout) -> None:
    """Raise ``ValueError``, naming each difference, if a file departs from a layout."""
    found = differences(connection, layout)
    if found:
        raise ValueError("; ".join(found))


def _table_differences(connection: sqlite3.Connection, table: Table, *, strict: bool) -> list[str]:
    kind = connection.execute("SELECT type, strict FROM pragma_table_list(?) WHERE schema = 'main'", (table.name,))
    row = kind.fetchone()
    if row is None or row[0] != "table":
        return [f"there is no table {table.name}"]
    found: list[str] = []
    if bool(row[1]) is not strict:
        found.append(f"the table {table.name} is {'not ' if strict else ''}STRICT")
    columns = tuple(
        Column(name, type_, bool(not_null), primary_key)
        for name, type_, not_null, primary_key in connection.execute(
            'SELECT name, upper(type), "notnull", pk FROM pragma_table_xinfo(?) ORDER BY cid', (table.name,)
        )
    )
    if columns != table.columns:
        found.append(f"the columns of {table.name} are {', '.join(f'{c.name} {c.type}' for c in columns)}")
    unique: list[tuple[str, ...]] = []
    indexes: list[tuple[str, tuple[str, ...]]] = []
    for name, is_unique, origin, partial in connection.execute(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?) ORDER BY name', (table.name,)
    ).fetchall():
        members = tuple(
            member for (member,) in connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,))
        )
        if origin == "c" and not is_unique and not partial:
            indexes.append((name, members))
        elif origin == "c":
            found.append(f"there is an unknown index {name}")
        else:
            unique.append(members)
    if sorted(unique) != sorted(table.unique):
        found.append(f"other columns of {table.name} are unique than they should be")
    if tuple(indexes) != table.indexes:
        found.append(f"the indexes of {table.name} are {', '.join(name for name, _ in indexes) or 'missing'}")
    return found
