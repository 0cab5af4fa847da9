"""What a schema migration is, what a run of them will do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    Preflight = Callable[[sqlite3.Connection], Mapping[str, int]]
    Validate = Callable[[sqlite3.Connection], None]


def nothing_to_refuse(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The preflight of a migration that every store can take."""
    return {}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the chain, from ``version - 1`` to ``version``.

    ``up_sql`` is run statement by statement inside the transaction of the whole chain. ``down_sql`` leads back and is
    for development: no released program runs it. ``preflight`` counts, by category, what the new layout has no place
    for; it runs before anything is written, and any count above zero refuses the migration, with ``advice`` as what to
    do. ``validate`` looks at the outcome and raises ``ValueError`` if it is not what it has to be. ``rows`` names the
    table whose rows must be as many afterwards as before, or is None.
    """

    version: int
    description: str
    up_sql: tuple[str, ...]
    validate: Validate
    down_sql: tuple[str, ...] | None = None
    preflight: Preflight = nothing_to_refuse
    advice: str = ""
    rows: str | None = "reservations"


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a run will do: the migrations from one version to another, in order; none where they are the same."""

    current_version: int
    target_version: int
    migrations: tuple[Migration, ...] = field(default=())
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """What a run did. ``backup_path`` is None where there was nothing to back up; a duration is in milliseconds."""

    from_version: int
    to_version: int
    migrations_applied: tuple[int, ...] = ()
    duration_ms: int = 0
    backup_path: str | None = None
