"""What is looked at before a migration runs, and after."""

from __future__ import annotations

from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from trop_core.database.migrations.types import Migration, MigrationPlan


class ValidationFailed(Exception):
    """The outcome of a migration is not what it has to be."""


def check_before(connection: sqlite3.Connection, migration: Migration, plan: MigrationPlan, path: str) -> None:
    """Run the preflight of one migration. Reads, never writes.

    Raises ``MigrationBlocked`` with the count of every category if one of them is not zero.
    """
    violations = migration.preflight(connection)
    if any(violations.values()):
        raise MigrationBlocked(
            path,
            from_version=plan.current_version,
            to_version=plan.target_version,
            violations=violations,
            advice=migration.advice,
        )


def count_rows(connection: sqlite3.Connection, migration: Migration) -> int | None:
    """How many rows the migration has to keep; None if it keeps none."""
    if migration.rows is None:
        return None
    count: int = connection.execute(f'SELECT count(*) FROM "{migration.rows}"').fetchone()[0]
    return count


def check_after(connection: sqlite3.Connection, migration: Migration, rows_before: int | None) -> None:
    """Compare row counts and layout with what they have to be. Raises ``ValidationFailed``."""
    rows_after = count_rows(connection, migration)
    if rows_before != rows_after:
        raise ValidationFailed(f"{rows_before} rows became {rows_after}")
    try:
        migration.validate(connection)
    except ValueError as error:
        raise ValidationFailed(str(error)) from error


def check_integrity(connection: sqlite3.Connection) -> None:
    """Let SQLite examine every page and index of the file. Raises ``ValidationFailed``."""
    (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise ValidationFailed(f"integrity_check: {answer}")
