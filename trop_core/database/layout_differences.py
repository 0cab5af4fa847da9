"""How the tables of a file depart from those of a schema version: each difference with its table and column."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from importlib import import_module

from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.layout import Column
from trop_core.database.migrations.registry import FILE_FORMAT, MigrationRegistry
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trop_core.database.migrations.layout import Layout, Table
    from trop_core.database.migrations.registry import Chain

_RULE = re.compile(r"constraint (\w+) check \(([^()]*)\)")


def layout_of(chain: Chain, version: int) -> Layout:
    """The layout of one of the product's own versions, from 1 upwards."""
    layout: Layout = import_module(f"{chain.package}.{chain.modules[version - 1]}").LAYOUT
    return layout


def layout_violations(connection: sqlite3.Connection, chain: Chain, version: int) -> Iterator[Violation]:
    """Tables, columns, indexes and rules that are missing or other than they should be in a version of a chain.

    Reads. Tables of somebody else's are no violation: they are neither used nor touched.
    """
    layout = layout_of(chain, version)
    rules = _rules_of(chain, version)
    for table in layout.tables:
        kind = connection.execute(
            "SELECT type, strict FROM pragma_table_list(?) WHERE schema = 'main'", (table.name,)
        ).fetchone()
        if kind is None or kind[0] != "table":
            yield Violation(table.name, None, None, "the table is missing")
            continue
        if bool(kind[1]) is not layout.strict:
            yield Violation(table.name, None, None, f"the table is {'not ' if layout.strict else ''}STRICT")
        yield from _column_violations(connection, table)
        yield from _index_violations(connection, table)
        found = _rules(connection, table.name)
        for name, condition in rules.get(table.name, {}).items():
            if found.get(name) != condition:
                column = condition.partition(" ")[0]
                yield Violation(table.name, column, None, f"the rule {name}, CHECK ({condition}), is missing")


def stray_violations(connection: sqlite3.Connection) -> Iterator[Violation]:
    """The views and triggers: no version of anything has one."""
    for kind, name, table_name in connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY name"
    ):
        yield Violation(table_name, None, None, f"there is an unknown {kind}, {name}")


def foreign_tables(connection: sqlite3.Connection, own: Collection[str]) -> list[str]:
    """A sentence for each table that is not one of the product's ``own``."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [
        f"the table {quoted(name)} is none of trop's, and was not looked at" for (name,) in names if name not in own
    ]


def _column_violations(connection: sqlite3.Connection, table: Table) -> Iterator[Violation]:
    found = {
        name: Column(name, type_, bool(not_null), primary_key)
        for name, type_, not_null, primary_key in connection.execute(
            'SELECT name, upper(type), "notnull", pk FROM pragma_table_xinfo(?) ORDER BY cid', (table.name,)
        )
    }
    wanted = {column.name: column for column in table.columns}
    for name, column in wanted.items():
        if name not in found:
            yield Violation(table.name, name, None, "the column is missing")
        elif found[name] != column:
            yield Violation(
                table.name, name, None, f"the column is {_described(found[name])}, not {_described(column)}"
            )
    for name in found:
        if name not in wanted:
            yield Violation(table.name, name, None, "the column is unknown")
    if set(found) == set(wanted) and list(found) != list(wanted):
        yield Violation(table.name, None, None, f"the columns stand in another order: {', '.join(found)}")


def _described(column: Column) -> str:
    parts = [column.type or "of no type"]
    if column.not_null:
        parts.append("NOT NULL")
    if column.primary_key:
        parts.append(f"part {column.primary_key} of the primary key")
    return ", ".join(parts)


def _index_violations(connection: sqlite3.Connection, table: Table) -> Iterator[Violation]:
    unique: list[tuple[str, ...]] = []
    named: dict[str, tuple[str, ...]] = {}
    for name, is_unique, origin, partial in connection.execute(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?) ORDER BY name', (table.name,)
    ).fetchall():
        members = tuple(
            str(member)
            for (member,) in connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,))
        )
        if origin != "c":
            unique.append(members)
        elif is_unique or partial or name not in dict(table.indexes):
            yield Violation(table.name, None, None, f"there is an unknown index, {name}")
        else:
            named[name] = members
    yield from _uniqueness_violations(table, unique)
    for name, columns in table.indexes:
        if name not in named:
            yield Violation(table.name, columns[0], None, f"the index {name} is missing")
        elif named[name] != columns:
            yield Violation(table.name, columns[0], None, f"the index {name} is one of {' and '.join(named[name])}")


def _uniqueness_violations(table: Table, found: list[tuple[str, ...]]) -> Iterator[Violation]:
    for columns in table.unique:
        if columns not in found:
            column = columns[0] if len(columns) == 1 else None
            yield Violation(table.name, column, None, f"nothing keeps {' and '.join(columns)} unique")
    for columns in found:
        if columns not in table.unique:
            yield Violation(table.name, None, None, f"{' and '.join(columns)} should not have to be unique")


def _rules_of(chain: Chain, version: int) -> dict[str, dict[str, str]]:
    """The CHECK constraints of each table, from a store of the version that is made for it: no pragma lists them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        if not chain.whole_file:
            below = MigrationExecutor(model, MigrationRegistry(chain=FILE_FORMAT))
            below.execute(below.plan())
        executor = MigrationExecutor(model, MigrationRegistry(chain=chain))
        executor.execute(executor.plan(version))
        return {table.name: _rules(model, table.name) for table in layout_of(chain, version).tables}


def _rules(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return dict(_RULE.findall(" ".join(sql.lower().split())))
