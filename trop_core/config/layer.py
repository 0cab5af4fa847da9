"""What one source of the configuration gives, and where it gives it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Place(NamedTuple):
    """Where a value was given: a file with line and column (from 1), or the name of a variable, or "argument"."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)


class Given(NamedTuple):
    """A value, and where it was given. Only the union of several layers' exclusions has more than one place."""

    value: object
    places: tuple[Place, ...]

    @property
    def place(self) -> Place:
        """Where the strongest part of the value was given."""
        return self.places[-1]

    @property
    def origin(self) -> str:
        """All places, as a person reads them."""
        return ", ".join(map(str, self.places))


Layer: TypeAlias = dict[str, Given]
"""What one source gives, by dotted keys, in the order in which it gives it."""
