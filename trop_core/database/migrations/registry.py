"""Which migrations exist: an unbroken chain from the empty file to the latest version."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trop_core.database.migrations.types import Migration


_MODULES = (
    "v1",
    "v2",
)
"""The modules of the product's own chain, in order. They are imported when a registry is built."""

LATEST_VERSION = len(_MODULES)
"""The version that the product's own chain ends with; an up-to-date store is opened without importing the chain."""


class BrokenChain(ValueError):
    """A registry was built from migrations that do not follow one another. A defect of the program, not of a store."""


class MigrationRegistry:
    """The migrations from version 0, the empty file, upwards; by default the product's own.

    Raises ``BrokenChain`` when it is built from a chain with a gap, a duplicate or a version out of order.
    """

    def __init__(self, migrations: Iterable[Migration] | None = None) -> None:
        if migrations is None:
            package = __name__.rpartition(".")[0]
            migrations = (import_module(f"{package}.{module}").MIGRATION for module in _MODULES)
        self._migrations = tuple(migrations)
        for expected, migration in enumerate(self._migrations, start=1):
            if migration.version != expected:
                raise BrokenChain(f"expected the migration to version {expected}, found version {migration.version}")

    @property
    def latest(self) -> int:
        """The version that the chain ends with; 0 for an empty chain."""
        return len(self._migrations)

    @property
    def migrations(self) -> tuple[Migration, ...]:
        """The whole chain, in order."""
        return self._migrations

    def plan_migration(self, from_version: int, to_version: int) -> tuple[Migration, ...]:
        """The migrations that lead from one version up to another, in order; none if they are the same.

        Raises ``ValueError`` for a version outside of the chain, and for a way down: there is none.
        """
        if not 0 <= from_version <= to_version <= self.latest:
            raise ValueError(f"no way from schema version {from_version} to {to_version} (0 to {self.latest} exist)")
        return self._migrations[from_version:to_version]
