"""Where a text stands that is not UTF-8: a statement that comes upon one tells its column alone."""

from __future__ import annotations

from trop_core.errors.store import DamagedRecord
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.database.handles import StoreConnection
    from trop_core.errors.store import DatabaseCorrupt

_KEYS = {"reservations": "path", "directories": "path", "operations": "id", "changes": "operation"}
"""The tables, those of the file format first, with the column by which a row is named."""


def located(connection: StoreConnection, column: str, error: DatabaseCorrupt) -> DatabaseCorrupt:
    """The error with the table and the key of the first such text in a column of that name, as far as one is found.

    The key is a path, with its own odd bytes escaped, or the number of an operation. Reads.
    """
    for table, key in _KEYS.items():
        columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        if (column,) in columns.fetchall() and (found := _first(connection, table, column, key)) is not None:
            if table == "reservations":
                error.key = found
                return error
            return DamagedRecord(
                error.reason,
                path=error.path,
                table=table,
                column=column,
                key=found if key == "path" else f"operation {found}",
            )
    return error


def _first(connection: StoreConnection, table: str, column: str, key: str) -> str | None:
    rows = connection.execute(f"SELECT CAST({key} AS BLOB), CAST({column} AS BLOB) FROM {table} NOT INDEXED")
    for name, value in rows:
        try:
            str(value or b"", "utf-8")
        except UnicodeDecodeError:
            return str(name, "utf-8", "backslashreplace")
    return None
