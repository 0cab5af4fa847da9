"""What one source of the configuration gives, and where it gives it."""

from __future__ import annotations

from trop_core.light_types import Literal, NamedTuple, TypeAlias

Speaker: TypeAlias = Literal["user", "project"]
"""Who says something: the user, in config.yaml, the environment or an argument, or a project's file, which may be a
stranger's."""


class Place(NamedTuple):
    """Where a value was given: a file with line and column (from 1), or the name of a variable, or "argument"."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)


class Given(NamedTuple):
    """A value, where it was given, and who gave it.

    Only the union of several layers' exclusions has more than one place; that a project has a say in it makes it the
    project's.
    """

    value: object
    places: tuple[Place, ...]
    speaker: Speaker = "user"

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
