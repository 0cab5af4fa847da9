"""YAML as a tree in which every value knows its line and column.

The tree is built from the parser's events, without recursion and to a limited depth: PyYAML's own composers call
themselves for each level, and the one in C ends the process on a file that is nested deeply enough. An alias is the
very node that its anchor names, so that nothing is ever multiplied. Values are those of PyYAML's safe loader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from trop_core.config.numbers import OddNumber, is_decimal
from trop_core.config.values import described, shown
from trop_core.errors.spelling import quoted

if TYPE_CHECKING:
    from trop_core.config.values import Problems

DEEPEST = 50
_LONGEST_NUMBER = 100
_LONGEST_COMPLAINT = 300
_TOO_DEEP = f"this is nested more than {DEEPEST} levels deep"
_PREFIX = "tag:yaml.org,2002:"
_TEXTS = {f"{_PREFIX}{name}" for name in ("str", "null", "bool", "binary")}
_NUMBERS = {f"{_PREFIX}{name}" for name in ("int", "float", "timestamp")}
_MERGE = f"{_PREFIX}merge"


class Scalar:
    """A single value. ``merge`` marks the key ``<<``."""

    __slots__ = ("column", "line", "merge", "value")

    def __init__(self, value: object, line: int, column: int, *, merge: bool = False) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.merge = merge


class Sequence:
    """A list."""

    __slots__ = ("column", "items", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.items: list[Node] = []

    def __str__(self) -> str:
        return "a list"


class Mapping:
    """A mapping, as written: merge keys are among the entries, and so are duplicates."""

    __slots__ = ("column", "entries", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.entries: list[tuple[Node, Node]] = []

    def __str__(self) -> str:
        return "a mapping"


Node: TypeAlias = Scalar | Sequence | Mapping


class _Open:
    """A list or mapping that has begun and not ended: its dotted name, and of a mapping the key without its value."""

    __slots__ = ("key", "keys", "name", "node")

    def __init__(self, node: Sequence | Mapping, name: str) -> None:
        self.node = node
        self.name = name
        self.key: Node | None = None
        self.keys: dict[tuple[type, object], Scalar] = {}


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


def parse(text: str, problems: Problems) -> Node | None:
    """The root of the one document in a text; None where there is none, or where the text cannot be read to its end.

    Broken YAML, duplicate keys, unknown tags, undefined aliases, a second document and too many levels are noted in
    ``problems``. The text must hold nothing but characters that YAML allows. It is read once: what is broken is told
    in the words of the parser that is installed.
    """
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else _ShallowLoader
    builder = _Builder(problems)
    try:
        for event in yaml.parse(text, Loader=loader):
            if not builder.take(event):
                break
    except yaml.YAMLError as error:
        _note_broken(error, problems)
        return None
    return builder.root


class _ShallowLoader(yaml.SafeLoader):
    """The parser for where there is no libyaml, with a limit of its own.

    It looks at all open lists for each token, and far ahead of its events: a thousand brackets would keep it busy for
    seconds before the first event comes.
    """

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803 - PyYAML's name
        """Refuse what is nested more deeply than the tree may be."""
        if self.flow_level >= DEEPEST:
            raise yaml.scanner.ScannerError(problem=_TOO_DEEP, problem_mark=self.get_mark())
        super().fetch_flow_collection_start(TokenClass)


def _note_broken(error: yaml.YAMLError, problems: Problems) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    complaint = ": ".join(part for part in parts if part) or str(error)
    if len(complaint) > _LONGEST_COMPLAINT:
        complaint = complaint[:_LONGEST_COMPLAINT] + "…"
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    problems.add(line, column, None, f"broken YAML: {complaint}")


class _Builder:
    """Builds the tree from events."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._loader: Any = yaml.SafeLoader("")

    def take(self, event: Any) -> bool:
        """Add what an event says; false when there is no point in going on."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            return True
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._problems.add(line, column, None, "a second document begins here, and only one is read")
            return False
        if not isinstance(event, yaml.NodeEvent):
            return True
        if isinstance(event, yaml.AliasEvent):
            self._place(self._named(event.anchor, line, column))
            return True
        node = self._node(event, line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if not isinstance(node, Scalar) and len(self._open) == DEEPEST:
            self._problems.add(line, column, None, _TOO_DEEP)
            self.root = None
            return False
        name = self._name() or ""
        self._place(node)
        if not isinstance(node, Scalar):
            self._open.append(_Open(node, name))
        return True

    def _named(self, anchor: Any, line: int, column: int) -> Node:
        if anchor not in self._anchors:
            self._problems.add(line, column, self._name(), f"the alias *{shown(anchor)} has no anchor before it")
        return self._anchors.get(anchor) or Scalar(None, line, column)

    def _node(self, event: Any, line: int, column: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line, column)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", _PREFIX + ("seq" if is_list else "map")):
            self._problems.add(line, column, self._name(), f"the tag {quoted(event.tag)} is not supported")
        return Sequence(line, column) if is_list else Mapping(line, column)

    def _scalar(self, event: Any, line: int, column: int) -> Scalar:
        tag = event.tag
        if tag in (None, "!"):
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == _MERGE:
            return Scalar("<<", line, column, merge=True)
        complaint = f"the tag {quoted(tag)} is not supported"
        if tag in _NUMBERS and len(event.value) > _LONGEST_NUMBER:
            complaint = "this number is too long"
        elif tag in _TEXTS or tag in _NUMBERS:
            try:
                plain = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
                value = self._loader.yaml_constructors[tag](self._loader, plain)
                # A tag that is written out says that the number is meant as YAML reads it.
                if tag in _NUMBERS and event.implicit[0] and not is_decimal(event.value):
                    value = OddNumber(event.value, value)
                return Scalar(value, line, column)
            except (ValueError, LookupError, AttributeError, ArithmeticError, yaml.YAMLError):
                # The safe loader's constructors trust the patterns by which plain values get their tags: a tag that
                # is written out, or a date such as 2024-99-99, makes them fail in all these ways.
                complaint = f"{quoted(event.value)} is not what its tag {tag.removeprefix(_PREFIX)} says"
        self._problems.add(line, column, self._name(), complaint)
        return Scalar(None, line, column)

    def _name(self) -> str | None:
        """The dotted name of the value that comes next; that of its mapping for a key, and None at the top."""
        if not self._open:
            return None
        around = self._open[-1]
        return dotted(around.name, around.key) if around.key else around.name or None

    def _place(self, node: Node) -> None:
        """Put a node where it belongs."""
        if not self._open:
            self.root = node
            return
        around = self._open[-1]
        if isinstance(around.node, Sequence):
            around.node.items.append(node)
        elif around.key is None:
            around.key = node
            self._note_duplicate(around, node)
        else:
            around.node.entries.append((around.key, node))
            around.key = None

    def _note_duplicate(self, around: _Open, key: Node) -> None:
        if not isinstance(key, Scalar):
            return
        identity = (type(key.value), key.value)
        first = around.keys.setdefault(identity, key)
        if first is not key:
            name = dotted(around.name, key)
            message = f"this key is given twice: first in line {first.line}"
            self._problems.add(key.line, key.column, name, message)
