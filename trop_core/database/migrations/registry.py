"""Which migrations exist: unbroken chains from version 0 to the latest version.

There are two. The file format is what other programs read as well. Beside it, in the same file, stand the companion
tables, which are this program's alone and have a version of their own.
"""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trop_core.database.migrations.types import Migration


class Chain(NamedTuple):
    """What a chain of versions is about: where its modules are, in order, and how it is gone through.

    ``key`` is that of its version in the table ``metadata``. ``whole_file`` tells that its layout is the file's: its
    version 0 is the empty file, a backup is made before it is changed, and every page is examined afterwards. Version 0
    of another chain is a file without its tables, and nothing but these is looked at.
    """

    package: str
    modules: tuple[str, ...]
    key: str
    whole_file: bool

    @property
    def latest(self) -> int:
        """The version that the product's own modules end with. Imports none of them."""
        return len(self.modules)


_PACKAGE = __name__.rpartition(".")[0]

FILE_FORMAT = Chain(
    _PACKAGE,
    (
        "v1",
        "v2",
    ),
    key="schema_version",
    whole_file=True,
)
"""The file format that other programs read."""

COMPANION = Chain(
    f"{_PACKAGE}.companion",
    ("v1", "v2"),
    key="companion_version",
    whole_file=False,
)
"""The tables beside it."""

LATEST_VERSION = FILE_FORMAT.latest
"""The version that the product's file format ends with; an up-to-date store is opened without importing the chain."""


class BrokenChain(ValueError):
    """A registry was built from migrations that do not follow one another. A defect of the program, not of a store."""


class MigrationRegistry:
    """The migrations of one chain from version 0 upwards; by default the product's own. Their modules are imported.

    Raises ``BrokenChain`` when it is built from a chain with a gap, a duplicate or a version out of order.
    """

    def __init__(self, migrations: Iterable[Migration] | None = None, *, chain: Chain = FILE_FORMAT) -> None:
        if migrations is None:
            from importlib import import_module

            migrations = (import_module(f"{chain.package}.{module}").MIGRATION for module in chain.modules)
        self.chain = chain
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
