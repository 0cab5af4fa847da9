"""The tree of a configuration file: every value knows its line and column."""

from __future__ import annotations

from trop_core.config.values import described, shown
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.light_types import TypeAlias


class Scalar:
    """A single value. ``merge`` marks the key ``<<``. ``end`` is the line and the column behind it."""

    __slots__ = ("column", "end", "line", "merge", "value")

    def __init__(
        self, value: object, line: int, column: int, end: tuple[int, int] | None = None, *, merge: bool = False
    ) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.end = end or (line, column)
        self.merge = merge


class Sequence:
    """A list. ``end`` is the line and the column behind one in brackets; of any other there is none."""

    __slots__ = ("column", "end", "items", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.end: tuple[int, int] | None = None
        self.items: list[Node] = []

    def __str__(self) -> str:
        return "a list"


class Mapping:
    """A mapping, as written: merge keys are among the entries, and so are duplicates. ``end`` is as a list's."""

    __slots__ = ("column", "end", "entries", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.end: tuple[int, int] | None = None
        self.entries: list[tuple[Node, Node]] = []

    def __str__(self) -> str:
        return "a mapping"


Node: TypeAlias = Scalar | Sequence | Mapping


def dotted(section: str, key: Node) -> str:
    """The dotted name of a key in a section. Very long keys are cut: names are put together at every level."""
    part = str(key)
    if isinstance(key, Scalar):
        part = shown(key.value if isinstance(key.value, str) else described(key.value))
    return f"{section}.{part}" if section else part


def value_of(node: Node) -> object:
    """A single value as it is; for a list or a mapping the node, which words itself."""
    return node.value if isinstance(node, Scalar) else node


def is_null(node: Node) -> bool:
    """Whether a node is YAML's null."""
    return isinstance(node, Scalar) and node.value is None
