"""YAML as a tree in which every value knows its line and column.

The tree is built from the parser's events, without recursion and to a limited depth: PyYAML's own composers call
themselves for each level, and the one in C ends the process on a file that is nested deeply enough. An alias is the
very node that its anchor names, so that nothing is ever multiplied. Values are those of PyYAML's safe loader.
"""

from __future__ import annotations

import re
from functools import lru_cache

import yaml

from trop_core.config.blame import to_blame
from trop_core.config.characters import LINE_BREAK
from trop_core.config.complaints import meaning
from trop_core.config.numbers import OddNumber, is_decimal
from trop_core.config.tree import Mapping, Scalar, Sequence, dotted
from trop_core.config.values import shown
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.tree import Node
    from trop_core.config.values import Problems

DEEPEST = 50
_LONGEST_NUMBER = 100
_LONGEST_COMPLAINT = 300
_TOO_DEEP = f"this is nested more than {DEEPEST} levels deep"
_PREFIX = "tag:yaml.org,2002:"
_TEXTS = {f"{_PREFIX}{name}" for name in ("str", "null", "bool", "binary")}
_NUMBERS = {f"{_PREFIX}{name}" for name in ("int", "float", "timestamp")}
_MERGE = f"{_PREFIX}merge"
_PROPERTIES = re.compile(r"(?:(?:!<[^>\s]*>|[&!][^\s,\[\]{}]*)(?:\s+(?:#[^\r\n\x85\u2028\u2029]*)?)*)+")
"""Anchors and tags, with all that may stand between them and what they belong to."""

_PLAIN_NUMBER = re.compile("0|[1-9][0-9]{0,17}")

_LOADER: Any = yaml.SafeLoader("")
"""What knows the patterns of plain values, and makes them of texts."""


class _Open:
    """A list or mapping that has begun and not ended: its dotted name, and of a mapping the key without its value."""

    __slots__ = ("flow", "key", "keys", "name", "node")

    def __init__(self, node: Sequence | Mapping, name: str, *, flow: bool) -> None:
        self.node = node
        self.name = name
        self.flow = flow
        self.key: Node | None = None
        self.keys: dict[tuple[type, object], Scalar] = {}


def parse(text: str, problems: Problems) -> Node | None:
    """The root of the one document in a text; None where there is none, or where the text cannot be read to its end.

    Broken YAML, duplicate keys, unknown tags, undefined aliases, a second document and too many levels are noted in
    ``problems``. The text must hold nothing but characters that YAML allows. It is read once: what is broken is told
    in words for the usual slips, and else in those of the parser that is installed.
    """
    builder = _Builder(text, problems)
    try:
        for event in events(text):
            if not builder.take(event):
                break
    except yaml.YAMLError as error:
        _note_broken(error, text, problems)
        return None
    return builder.root


def events(text: str) -> Iterator[Any]:
    """The parser's events of a text, one after the other. Raises ``yaml.YAMLError`` where it is broken."""
    events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else _ShallowLoader)
    return events


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


def _note_broken(error: yaml.YAMLError, text: str, problems: Problems) -> None:
    line, column = to_blame(error, text)
    complaint = meaning(error, text, line)
    if complaint is None:
        parts = (getattr(error, "context", None), getattr(error, "problem", None))
        complaint = ": ".join(part for part in parts if part) or str(error)
    if len(complaint) > _LONGEST_COMPLAINT:
        complaint = complaint[:_LONGEST_COMPLAINT] + "…"
    problems.add(line, column, None, f"broken YAML: {complaint}")


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """The text or the whole number in decimal that a plain text without a tag is; ``_MERGE`` for the key that merges.

    None for anything else.
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return int(text)
    tag = _LOADER.resolve(yaml.ScalarNode, text, (True, False))
    if tag == _MERGE:
        return _MERGE
    return text if tag == f"{_PREFIX}str" else None


class _Builder:
    """Builds the tree from events."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.root: Node | None = None
        self._text = text
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: Any) -> bool:
        """Add what an event says; false when there is no point in going on."""
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
            return True
        line, column = self._beginning(event)
        if isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            if ended.flow:
                behind: Any = event.end_mark
                ended.node.end = behind.line + 1, behind.column + 1
            return True
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._problems.add(line, column, None, "a second document begins here, and only one is read")
            return False
        if not isinstance(event, yaml.NodeEvent):
            return True
        if isinstance(event, yaml.AliasEvent):
            self._place(self._named(event.anchor, line, column))
            return True
        collection = self._collection(event, line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = collection
        if len(self._open) == DEEPEST:
            self._problems.add(line, column, None, _TOO_DEEP)
            self.root = None
            return False
        name = self._name() or ""
        is_in_brackets = bool(getattr(event, "flow_style", False))
        self._place(collection)
        self._open.append(_Open(collection, name, flow=is_in_brackets))
        return True

    def _take_scalar(self, event: Any) -> None:
        mark = event.start_mark
        if event.anchor is None and event.tag is None:
            self._place(self._scalar(event, mark.line + 1, mark.column + 1))
            return
        node = self._scalar(event, *self._beginning(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._place(node)

    def _beginning(self, event: Any) -> tuple[int, int]:
        """Line and column, from 1, of what an event is about; not those of an anchor or a tag on a line before it."""
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if getattr(event, "anchor", None) is None and getattr(event, "tag", None) is None:
            return line, column
        found = _PROPERTIES.match(self._text, mark.index)
        end = mark.index if found is None else found.end()
        if isinstance(event, yaml.ScalarEvent):
            behind: Any = event.end_mark
            end = min(end, behind.index)
        skipped = LINE_BREAK.split(self._text[mark.index : end])
        return (line, column) if len(skipped) == 1 else (line + len(skipped) - 1, len(skipped[-1]) + 1)

    def _named(self, anchor: Any, line: int, column: int) -> Node:
        if anchor not in self._anchors:
            self._problems.add(line, column, self._name(), f"the alias *{shown(anchor)} has no anchor before it")
        return self._anchors.get(anchor) or Scalar(None, line, column)

    def _collection(self, event: Any, line: int, column: int) -> Sequence | Mapping:
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", _PREFIX + ("seq" if is_list else "map")):
            self._problems.add(line, column, self._name(), f"the tag {quoted(event.tag)} is not supported")
        return Sequence(line, column) if is_list else Mapping(line, column)

    def _scalar(self, event: Any, line: int, column: int) -> Scalar:
        tag = event.tag
        text = event.value
        end = event.end_mark.line + 1, event.end_mark.column + 1
        if tag is None and not event.implicit[0]:
            return Scalar(text, line, column, end)
        if tag is None and len(text) <= _LONGEST_NUMBER and (value := _plain(text)) is not None:
            return Scalar("<<", line, column, end, merge=True) if value is _MERGE else Scalar(value, line, column, end)
        if tag in (None, "!"):
            tag = _LOADER.resolve(yaml.ScalarNode, text, event.implicit)
        if tag == _MERGE:
            return Scalar("<<", line, column, end, merge=True)
        complaint = f"the tag {quoted(tag)} is not supported"
        if tag in _NUMBERS and len(event.value) > _LONGEST_NUMBER:
            complaint = "this number is too long"
        elif tag in _TEXTS or tag in _NUMBERS:
            try:
                plain = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
                value = _LOADER.yaml_constructors[tag](_LOADER, plain)
                # A tag that is written out says that the number is meant as YAML reads it.
                if tag in _NUMBERS and event.implicit[0] and not is_decimal(event.value):
                    value = OddNumber(event.value, value)
                return Scalar(value, line, column, end)
            except (ValueError, LookupError, AttributeError, ArithmeticError, yaml.YAMLError):
                # The safe loader's constructors trust the patterns by which plain values get their tags: a tag that
                # is written out, or a date such as 2024-99-99, makes them fail in all these ways.
                complaint = f"{quoted(event.value)} is not what its tag {tag.removeprefix(_PREFIX)} says"
        self._problems.add(line, column, self._name(), complaint)
        return Scalar(None, line, column, end)

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
