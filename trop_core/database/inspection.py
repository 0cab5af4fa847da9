"""Everything that is wrong with a store, found by reading all of it; nothing is changed, and nothing is mended."""

from __future__ import annotations

import re
import sqlite3

from trop_core.database import companion
from trop_core.database.directories import Directory
from trop_core.database.failures import is_busy, is_damage, translate
from trop_core.database.layout_differences import foreign_tables, layout_of, layout_violations, stray_violations
from trop_core.database.migrations.registry import COMPANION, FILE_FORMAT, LATEST_VERSION
from trop_core.database.migrations.version import check_supported, read_version
from trop_core.database.operation_log import NO_CHANGE
from trop_core.database.read_only import Undecodable, escaped_text, read_only
from trop_core.database.reservations import COLUMNS
from trop_core.errors.spelling import quoted
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.models import Violation, is_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience

_MOST_LINES = 1_000_000
_TEXTS = ("path", "tag", "project", "task")
_DOUBLED = "SELECT 1 FROM reservations WHERE tag IS NULL GROUP BY path HAVING count(*) > 1 LIMIT 1"
"""In version 1 no key tells two rows without a tag apart."""

_OPERATION = "validate it"
_ROWS_PER_REPORT = 10_000
_ABOUT_A_VALUE = re.compile(r"(?:CHECK constraint failed in|.+ value in) (\w+)(?:\.(\w+))?$")
_ABOUT_A_TABLE = re.compile(r"\b(?:idx_|sqlite_autoindex_)?(metadata|reservations|directories)(?:\b|_)")


def _odd(half: str = "") -> str:
    """An SQL condition: a path or a number that no reservation has. ``half`` begins the columns' names."""
    return (
        f"{half}path < '/' OR {half}path >= '0' OR {half}port NOT BETWEEN 1 AND 65535"
        f" OR {half}created_at < 0 OR {half}last_used_at < 0"
    )


def _absent(half: str) -> str:
    """An SQL condition: a value that every reservation has is NULL."""
    return " OR ".join(f"{half}{column} IS NULL" for column in ("tag", "port", "created_at", "last_used_at"))


_ODD_ROW = {
    1: f"""{_odd()} OR typeof(path) <> 'text' OR typeof(tag) NOT IN ('text', 'null') OR tag = ''
    OR typeof(port) <> 'integer' OR typeof(created_at) <> 'integer' OR typeof(last_used_at) <> 'integer'
    OR typeof(project) NOT IN ('text', 'null') OR typeof(task) NOT IN ('text', 'null')""",
    2: _odd(),
}
"""By the schema version: what cannot be a row of a file of which SQLite says that it is sound.

From version 2 on, it holds the types against STRICT and NOT NULL. Of a file that is open to be read alone it does not
know the CHECKs (``sqlite3AddCheckConstraint``), and says nothing of them.
"""
_ODD_CHANGE = " OR ".join(
    (
        "path IS NULL AND new_path IS NULL",
        *(f"{half}path IS NOT NULL AND ({_odd(half)} OR {_absent(half)})" for half in ("", "new_")),
    )
)
_TEXTS_OF_OPERATIONS = ("command", "door", "directory", "summary", "plan")
_ORPHANS = "SELECT DISTINCT operation FROM changes WHERE operation NOT IN (SELECT id FROM operations)"
_ODD_DIRECTORY = "path < '/' OR path >= '0'"


class Inspection(NamedTuple):
    """What was found: each violation, and what is worth knowing besides."""

    violations: tuple[Violation, ...]
    warnings: tuple[str, ...] = ()


def inspect(path: str, patience: Patience) -> Inspection:
    """Read a store as a whole, and compare it with every rule of its schema version.

    Raises ``NoDataDirectory``, ``UnsupportedSchemaVersion`` for a newer one, ``LockTimeout``, ``Cancelled``,
    ``PermissionDenied`` or ``SystemFailure``. Damage is no error here: it is what is looked for.
    """
    try:
        with (
            read_only(path, patience, _OPERATION, text=escaped_text) as connection,
            patience.token.interrupting(connection.interrupt),
        ):
            return look_through(connection, path, patience)
    except sqlite3.Error as error:
        if is_busy(error):
            raise patience.timed_out(_OPERATION) from error
        if is_damage(error):
            return Inspection((Violation(None, None, None, str(error)),))
        raise translate(error, path) from error


def look_through(connection: StoreConnection, path: str, patience: Patience) -> Inspection:
    """The same, in a transaction of the caller's, on a connection of ``read_only`` whose texts are ``escaped_text``.

    Raises ``UnsupportedSchemaVersion``, ``Cancelled``, and SQLite's own errors.
    """
    return _Inspector(connection, path, patience).inspect()


class _Inspector:
    """One look at one store, inside of a read transaction."""

    def __init__(self, connection: StoreConnection, path: str, patience: Patience) -> None:
        self._connection = connection
        self._path = path
        self._patience = patience
        self._violations: list[Violation] = []
        self._warnings: list[str] = []
        self._own_tables = {"metadata", "reservations"}
        self._is_newer_beside = False
        self._opinion: list[str] = []

    def inspect(self) -> Inspection:
        version = self._version()
        if version == 0:
            return Inspection(
                (), (f"{quoted(self._path)} is an empty file: the next command that opens it makes it a store",)
            )
        self._collect(lambda: layout_violations(self._connection, FILE_FORMAT, version))
        self._collect(lambda: stray_violations(self._connection))
        self._collect(self._ask_sqlite)
        self._collect(self._metadata_violations)
        self._collect(lambda: self._row_violations(version))
        self._collect(self._companion_violations)
        self._collect(self._integrity_violations)
        self._collect(self._look_around)
        # A damaged page is met by each of the looks.
        return Inspection(tuple(dict.fromkeys(self._violations)), tuple(self._warnings))

    def _version(self) -> int:
        try:
            version = read_version(self._connection, self._path)
        except DatabaseCorrupt as error:
            self._violations.append(Violation(error.table, error.column, error.key, error.reason))
            return 2 if self._is_strict() else 1
        check_supported(version, LATEST_VERSION, self._path)
        if 0 < version < LATEST_VERSION:
            self._warnings.append(
                f"the store has schema version {version}: the next command that opens it brings it to {LATEST_VERSION}"
            )
        return version

    def _is_strict(self) -> bool:
        row = self._connection.execute("SELECT strict FROM pragma_table_list('reservations')").fetchone()
        return row is None or bool(row[0])

    def _collect(self, look: Callable[[], Iterator[Violation]]) -> None:
        """Take what a look finds, up to where damaged pages end it."""
        try:
            for violation in look():
                self._violations.append(violation)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._violations.append(Violation(None, None, None, str(error)))

    def _look_around(self) -> Iterator[Violation]:
        if not self._is_newer_beside:
            self._warnings += foreign_tables(self._connection, self._own_tables)
        yield from ()

    def _companion_violations(self) -> Iterator[Violation]:
        """What is wrong with the tables beside the file format. That they are absent, or newer, is not."""
        if self._columns_of("metadata", ("key", "value")) != ["key", "value"]:
            return
        try:
            version = read_version(self._connection, self._path, COMPANION)
        except DatabaseCorrupt as error:
            self._own_tables |= _tables_beside(COMPANION.latest)
            yield Violation(error.table, error.column, error.key, error.reason)
            return
        latest = COMPANION.latest
        if version > latest:
            # Which tables are a newer trop's own, only that one knows.
            self._is_newer_beside = True
            self._warnings.append(
                f"what trop keeps beside the reservations has version {version}, and this trop knows {latest}: it was "
                "not looked at, and directories that were moved are not followed"
            )
        elif not version and companion.state(self._connection) == "unusable":
            self._warnings.append(
                "something that is none of trop's has the name of a table that trop keeps beside the reservations: "
                "directories that were moved are not followed"
            )
        elif version:
            self._own_tables |= _tables_beside(version)
            yield from layout_violations(self._connection, COMPANION, version)
            yield from self._directory_violations()
            yield from self._operation_violations()
            yield from self._change_violations()
            yield from self._orphans()

    def _directory_violations(self) -> Iterator[Violation]:
        columns = self._columns_of("directories", Directory._fields)
        texts = tuple(column for column in Directory._fields if column != "born")
        if not columns or (columns == list(Directory._fields) and self._is_sound("directories", texts, _ODD_DIRECTORY)):
            return
        rows = self._connection.execute(f"SELECT {', '.join(columns)} FROM directories NOT INDEXED")
        for number, values in enumerate(rows, start=1):
            row: dict[str, Any] = dict(zip(columns, values, strict=True))
            for column, value in row.items():
                if (message := _directory_problem(column, value)) is not None:
                    yield Violation("directories", column, _key_of(row), message)
            if not number % _ROWS_PER_REPORT:
                self._patience.token.check()

    def _operation_violations(self) -> Iterator[Violation]:
        """Texts that cannot be read, and times that are none, in the record of what was done."""
        wanted = ("id", "time", *_TEXTS_OF_OPERATIONS)
        if self._columns_of("operations", wanted) != [*wanted]:
            return
        if self._is_sound("operations", _TEXTS_OF_OPERATIONS, "time < 0"):
            return
        for number, time, *values in self._connection.execute(f"SELECT {', '.join(wanted)} FROM operations"):
            if (message := _problem("created_at", time, LATEST_VERSION)) is not None:
                yield Violation("operations", "time", f"operation {number}", message)
            for column, value in zip(_TEXTS_OF_OPERATIONS, values, strict=True):
                if value is not None and (message := _text_problem(value)) is not None:
                    yield Violation("operations", column, f"operation {number}", message)

    def _orphans(self) -> Iterator[Violation]:
        """Changes of which nobody can tell what made them: no operation is on record for them."""
        if self._columns_of("operations", ("id",)) and self._columns_of("changes", ("operation",)):
            for (number,) in self._connection.execute(_ORPHANS):
                yield Violation("changes", "operation", f"operation {number}", "there is no such operation")

    def _change_violations(self) -> Iterator[Violation]:
        """What cannot have been a reservation, in the record of what was done."""
        new = tuple(f"new_{column}" for column in COLUMNS)
        wanted = ("operation", *COLUMNS, *new)
        texts = tuple(f"{half}{column}" for half in ("", "new_") for column in _TEXTS)
        if self._columns_of("changes", wanted) != [*wanted] or self._is_sound("changes", texts, _ODD_CHANGE):
            return
        rows = self._connection.execute(f"SELECT {', '.join(wanted)} FROM changes")
        for number, (operation, *values) in enumerate(rows, start=1):
            if values[0] is None and values[len(COLUMNS)] is None:
                yield Violation("changes", "path", f"operation {operation}", NO_CHANGE)
            for columns, half in ((COLUMNS, values[: len(COLUMNS)]), (new, values[len(COLUMNS) :])):
                if half[0] is None:
                    continue
                for column, value in zip(columns, half, strict=True):
                    if (message := _problem(column.removeprefix("new_"), value, LATEST_VERSION)) is not None:
                        yield Violation("changes", column, f"operation {operation}", message)
            if not number % _ROWS_PER_REPORT:
                self._patience.token.check()

    def _metadata_violations(self) -> Iterator[Violation]:
        if self._columns_of("metadata", ("key", "value")) != ["key", "value"]:
            return
        for key, value in self._connection.execute("SELECT key, value FROM metadata NOT INDEXED"):
            for column, found in (("key", key), ("value", value)):
                if (message := _text_problem(found)) is not None:
                    yield Violation("metadata", column, _shown_key(key), message)

    def _row_violations(self, version: int) -> Iterator[Violation]:
        columns = self._columns_of("reservations", COLUMNS)
        if not columns or (columns == list(COLUMNS) and self._rows_are_sound(version)):
            return
        rows = self._connection.execute(f"SELECT {', '.join(columns)} FROM reservations NOT INDEXED")
        keys: set[tuple[Any, Any]] = set()
        ports: set[Any] = set()
        for number, values in enumerate(rows, start=1):
            row: dict[str, Any] = dict(zip(columns, values, strict=True))
            key = _key_of(row)
            for column, value in row.items():
                if (message := _problem(column, value, version)) is not None:
                    yield Violation("reservations", column, key, message)
            if {"path", "tag"} <= row.keys():
                identity = (row["path"], row["tag"] or "")
                if identity in keys:
                    yield Violation("reservations", "tag", key, "another row has the same path and tag")
                keys.add(identity)
            if "port" in row:
                if row["port"] in ports:
                    yield Violation("reservations", "port", key, f"another row has the port {row['port']!r:.40}, too")
                ports.add(row["port"])
            if not number % _ROWS_PER_REPORT:
                self._patience.token.check()

    def _rows_are_sound(self, version: int) -> bool:
        if version == 1 and self._is_whole and self._connection.execute(_DOUBLED).fetchone() is not None:
            return False
        return self._is_sound("reservations", _TEXTS, _ODD_ROW[version])

    def _is_sound(self, table: str, texts: tuple[str, ...], odd: str) -> bool:
        """Whether no row of a table is ``odd`` and all its texts are UTF-8; in doubt it is not.

        To look row by row takes many times as long. That keys are unique, SQLite has found.
        """
        if not self._is_whole:
            return False
        factory = self._connection.text_factory
        self._connection.text_factory = str
        # With a character between them: two broken texts never make a whole one.
        joined = ", ".join(f"group_concat({column}, ',')" for column in texts)
        try:
            found, *_ = self._connection.execute(f"SELECT max({odd}), {joined} FROM {table} NOT INDEXED").fetchone()
        except sqlite3.DatabaseError:  # a text that is not UTF-8, or all of them are too long to stand in one
            return False
        finally:
            self._connection.text_factory = factory
        return not found

    def _ask_sqlite(self) -> Iterator[Violation]:
        """Take down what SQLite itself says of the file, before anything relies on it."""
        for (line,) in self._connection.execute(f"PRAGMA integrity_check({_MOST_LINES})"):
            self._opinion.append(line if isinstance(line, str) else repr(line))
        yield from ()

    @property
    def _is_whole(self) -> bool:
        """Whether nothing is wrong so far, neither with pages and indexes nor with the layout."""
        return self._opinion == ["ok"] and not self._violations

    def _integrity_violations(self) -> Iterator[Violation]:
        """SQLite's own opinion of pages, indexes and values; what has been said of a row already is left out."""
        said = {(violation.table, column) for violation in self._violations for column in (violation.column, None)}
        for text in self._opinion:
            about = _ABOUT_A_VALUE.match(text)
            if text != "ok" and not (about is not None and (about[1], about[2]) in said):
                named = _ABOUT_A_TABLE.search(text)
                yield Violation(named[1] if named else None, about[2] if about else None, None, text)

    def _columns_of(self, table: str, wanted: tuple[str, ...]) -> list[str]:
        """Those of the wanted columns that the table has."""
        kind = self._connection.execute("SELECT type FROM pragma_table_list(?) WHERE schema = 'main'", (table,))
        if kind.fetchone() != ("table",):
            return []
        found = {name for (name,) in self._connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))}
        return [column for column in wanted if column in found]


def _tables_beside(version: int) -> set[str]:
    return {table.name for table in layout_of(COMPANION, version).tables}


def _problem(column: str, value: object, version: int) -> str | None:
    """Why a value cannot stand in a column of the reservations, or None."""
    if column == "port":
        return None if is_port(value) else f"{_shown(value)} is no port"
    if column in ("created_at", "last_used_at"):
        return None if type(value) is int and value >= 0 else f"{_shown(value)} is no time"
    if value is None and (column in ("project", "task") or (column == "tag" and version == 1)):
        return None
    if (message := _text_problem(value)) is not None:
        return message
    if column == "path" and not str(value).startswith("/"):
        return "the path is not absolute" if value else "the path is empty"
    if column == "tag" and value == "" and version == 1:
        return "the tag is empty: in version 1, an absent one is NULL"
    return None


def _directory_problem(column: str, value: object) -> str | None:
    """Why a value cannot stand in a column of the directories, or None."""
    if column == "path":
        return _problem(column, value, LATEST_VERSION)
    if value is None:
        return None
    if column == "born":
        return None if type(value) is int else f"{_shown(value)} is no time"
    return _text_problem(value)


def _text_problem(value: object) -> str | None:
    if isinstance(value, Undecodable):
        return "the text is not valid UTF-8"
    return None if isinstance(value, str) else f"{_shown(value)} is no text"


def _shown(value: object) -> str:
    return "NULL" if value is None else f"{value!r:.40}"


def _key_of(row: dict[str, Any]) -> str | None:
    """How a row is named: by its path, and its tag where it has one."""
    if "path" not in row:
        return None
    tag = row.get("tag")
    return _shown_key(row["path"]) + (f" (tag {_shown_key(tag)})" if tag else "")


def _shown_key(value: object) -> str:
    return value if isinstance(value, str) else _shown(value)
