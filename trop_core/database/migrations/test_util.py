"""For whoever writes a migration: a database of any version, and the way up and down again."""

from __future__ import annotations

import os
import sqlite3

from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import FILE_FORMAT, MigrationRegistry
from trop_core.database.migrations.version import read_version, write_version
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.database.migrations.registry import Chain
    from trop_core.database.migrations.types import Migration, MigrationResult

    Fill = Callable[[sqlite3.Connection], object]
    Contents = dict[str, object]


def create_test_db_at_version(
    version: int, path: str = ":memory:", *, registry: MigrationRegistry | None = None
) -> sqlite3.Connection:
    """A new, empty database of one version, built by the chain that leads up to it; close it in the end.

    A version of what stands beside the file format stands in a file of the latest format. ``path`` is that of a file
    that must not exist; it gets mode 0600. Raises ``ValueError`` for a version that the registry has no way up to,
    ``FileExistsError`` for a file that exists.
    """
    if path != ":memory:":
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    registry = registry or MigrationRegistry()
    try:
        if not registry.chain.whole_file:
            _execute(connection, MigrationRegistry(chain=FILE_FORMAT))
        _execute(connection, registry, version)
    except BaseException:
        connection.close()
        raise
    return connection


def check_migration_roundtrip(
    migration: Migration, *, below: MigrationRegistry | None = None, fill: Fill | None = None
) -> None:
    """Go one migration up and, if it has ``down_sql``, down again, and compare what is there with what was before.

    ``below`` is the registry that ends with the version before the migration's, by default what the product's own
    registry of the file format has below it. ``fill`` puts rows into the database of that version. The way up is the
    executor's own, with preflight and validation. Raises ``AssertionError`` if schema, rows or version are not what
    they were, and what the executor raises if the way up fails.
    """
    if below is None:
        below = MigrationRegistry(MigrationRegistry().plan_migration(0, migration.version - 1))
    chain = below.chain
    registry = MigrationRegistry((*below.migrations, migration), chain=chain)
    connection = create_test_db_at_version(migration.version - 1, registry=registry)
    try:
        if fill is not None:
            fill(connection)
        before = contents(connection)

        result = _execute(connection, registry)
        _expect(result.migrations_applied, (migration.version,), "what was applied")
        _expect(read_version(connection, ":memory:", chain), migration.version, "the version")

        if migration.down_sql is not None:
            _go_down(connection, migration, chain)
            _expect(read_version(connection, ":memory:", chain), migration.version - 1, "the version on the way back")
            _expect(contents(connection), before, "the database after the way up and down")
    finally:
        connection.close()


def contents(connection: sqlite3.Connection) -> Contents:
    """Everything in a database: the SQL of its schema, by name, and the rows of each table, in a fixed order.

    SQLite's own tables and indexes are left out; white space in the SQL counts as one blank.
    """
    schema = dict(
        connection.execute(
            "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ).fetchall()
    )
    found: Contents = {name: " ".join(sql.split()).replace('"', "") for name, sql in schema.items()}
    for name in schema:
        kind, _, table = name.partition(" ")
        if kind == "table":
            rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
            found[f"rows of {table}"] = sorted(rows, key=repr)
    return found


def _execute(
    connection: sqlite3.Connection, registry: MigrationRegistry, version: int | None = None
) -> MigrationResult:
    executor = MigrationExecutor(connection, registry)
    return executor.execute(executor.plan(version))


def _go_down(connection: sqlite3.Connection, migration: Migration, chain: Chain) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in migration.down_sql or ():
            connection.execute(statement)
        write_version(connection, migration.version - 1, chain)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")
