"""Migrations of the store's schema."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.errors.spelling import Spelling


class MigrationBlocked(TropError):
    """A schema migration was refused before it began: rows or tables that the new layout has no place for."""

    kind = "migration_blocked"

    def __init__(
        self, path: str, *, from_version: int, to_version: int, violations: Mapping[str, int], advice: str
    ) -> None:
        super().__init__(path, from_version, to_version)
        self.path = path
        self.from_version = from_version
        self.to_version = to_version
        self.violations = dict(violations)
        self.advice = advice

    def message(self, spell: Spelling = flag_name) -> str:
        found = ", ".join(f"{category} {count}" for category, count in self.violations.items() if count)
        return (
            f"the store {quoted(self.path)} cannot go from schema version {self.from_version} to {self.to_version} "
            f"as it is: {found}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Nothing was changed. {self.advice}"

    def details(self) -> dict[str, object]:
        return {"from": self.from_version, "to": self.to_version, "violations": self.violations}


class MigrationFailed(TropError):
    """A schema migration failed after its preflight and was rolled back as a whole."""

    kind = "migration_failed"

    def __init__(
        self, path: str, *, from_version: int, to_version: int, version: int, statement: str, reason: str
    ) -> None:
        super().__init__(path, version, statement)
        self.path = path
        self.from_version = from_version
        self.to_version = to_version
        self.version = version
        self.statement = statement
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        first_line = self.statement.strip().splitlines()[0] if self.statement.strip() else "its validation"
        return (
            f"the schema migration of {quoted(self.path)} from version {self.from_version} to {self.to_version} "
            f"failed in version {self.version} at {quoted(first_line)}: {self.reason}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Everything was rolled back. See that the disk has space, then try again; the reason is in the message."

    def details(self) -> dict[str, object]:
        return {
            "from": self.from_version,
            "to": self.to_version,
            "version": self.version,
            "statement": self.statement,
        }
