"""Sets of rows, described by what they have in common, so that nobody has to hold them."""

from __future__ import annotations

from trop_core.light_types import NamedTuple


class Selection(NamedTuple):
    """The rows of one path, or with ``recursive`` those at or below it, by component.

    ``tag`` keeps those with exactly that tag; the empty text those without one; None all.
    """

    path: str
    recursive: bool = False
    tag: str | None = None

    def at(self, path: str) -> Selection:
        """The same kind of set at another path."""
        return self._replace(path=path)

    def condition(self, table: str = "reservations") -> tuple[str, list[object]]:
        """A condition on a table's rows, and its parameters.

        Ranges of the path's index, not patterns: names may hold ``%``, ``_`` and ``*``, and a sibling may share the
        prefix. "0" is the character that follows "/".
        """
        column = f"{table}.path"
        parameters: list[object]
        if not self.recursive:
            condition, parameters = f"{column} = ?", [self.path]
        elif self.path == "/":
            condition, parameters = f"({column} >= ? AND {column} < ?)", ["/", "0"]
        else:
            condition = f"({column} = ? OR ({column} > ? AND {column} < ?))"
            parameters = [self.path, f"{self.path}/", f"{self.path}0"]
        if self.tag is not None:
            condition, parameters = f"{condition} AND {table}.tag = ?", [*parameters, self.tag]
        return condition, parameters
