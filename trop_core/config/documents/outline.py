"""What stands where in a text: each key and each entry of a list with its path, and what a place is good for."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from trop_core.config.blame import is_empty
from trop_core.config.documents.lines import Position, Span
from trop_core.config.documents.meaning import meaning
from trop_core.config.tree import Mapping, Scalar, Sequence, is_null
from trop_core.config.values import described, shown
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trop_core.config.documents.lines import Lines
    from trop_core.config.documents.meaning import Path
    from trop_core.config.tree import Node

Role = Literal["key", "value"]


class Entry(NamedTuple):
    """A key with its value, or an entry of a list, which has no ``key``.

    ``value`` is where a single value stands, or a list or mapping in brackets; of any other list or mapping, and of an
    alias, it is the empty place behind the key. ``node`` is the value in the tree.
    """

    path: Path
    key: Span | None
    value: Span
    node: Node
    around: Node

    @property
    def whole(self) -> Span:
        """From the key to the end of the value, as far as that has one."""
        return Span((self.key or self.value).start, self.value.end)


class Spot(NamedTuple):
    """What a place is good for.

    A ``key``: one stands there, or can be typed there, in the mapping that ``path`` leads to; ``taken`` are the names
    that this mapping has besides. A ``value``: that of the key, or the entry of the list, that ``path`` leads to; the
    ``taken`` are a list's other entries. ``word`` is what stands there already, on this one line.
    """

    role: Role
    path: Path
    word: Span
    entry: Entry | None = None
    taken: frozenset[str] = frozenset()


class _Token(NamedTuple):
    """A key or a single value."""

    start: Position
    end: Position
    role: Role
    entry: Entry


class Outline:
    """The entries of a text in their order. ``mended`` are lines that are not in the tree as they were typed."""

    def __init__(self, root: Node | None, lines: Lines, mended: Collection[int] = ()) -> None:
        self._root = root
        self._lines = lines
        self._mended = mended

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All of them; it takes longer to find all than to find one."""
        return () if self._root is None else tuple(_entries(self._root, self._lines))

    @cached_property
    def _tokens(self) -> list[_Token]:
        return sorted(_tokens(self._root, self.entries, self._lines), key=lambda token: token[:2])

    @cached_property
    def _starts(self) -> list[Position]:
        return [token.start for token in self._tokens]

    def entry_at(self, position: Position) -> Entry | None:
        """The entry whose key or single value stands at a place."""
        token = self._token_at(position)
        return token.entry if token is not None else None

    def find(self, path: Path) -> Entry | None:
        """The first entry of a path, or None where the text does not have it."""
        return next((entry for entry in self.below(path[:-1]) if entry.path == path), None)

    def below(self, path: Path) -> Iterator[Entry]:
        """The entries directly below a path; none below an alias."""
        node = self._root
        for number, name in enumerate(path):
            around = node
            found = next((entry for entry in self._of(path[:number], around) if entry.path[-1] == name), None)
            node = None if found is None or _is_alias(found, self._lines) else found.node
        return self._of(path, node)

    def _of(self, path: Path, node: Node | None) -> Iterator[Entry]:
        """The entries of one mapping, of whose keys each stands before its value; those of a list are among all."""
        if isinstance(node, Mapping):
            for key, value in node.entries:
                span = _span(key, self._lines)
                yield Entry((*path, _name(key)), span, _value_behind(span.end, value, self._lines), value, node)
        elif isinstance(node, Sequence):
            yield from (entry for entry in self.entries if entry.path[:-1] == path)

    def spot(self, position: Position) -> Spot | None:
        """What a place is good for; None for nothing, as in a comment."""
        line = self._lines.line(position.line)
        if position.column > len(line):
            position = Position(position.line, len(line))
        token = self._token_at(position)
        if token is not None and token.start < token.end:
            return self._of_token(token, position)
        before = line[: position.column]
        if self._is_in_comment(position, before):
            return None
        brackets = self._brackets_at(position)
        if brackets is not None:
            return self._in_brackets(brackets, position)
        return self._in_block(position, before, line)

    def _of_token(self, token: _Token, position: Position) -> Spot | None:
        entry = token.entry
        word = Span(token.start, token.end)
        if token.start.line != token.end.line:
            return None
        if token.role == "key":
            return Spot("key", entry.path[:-1], word, entry, self._names(entry.around, but=entry.path[-1]))
        if not entry.path or (entry.key is not None and entry.key.end.line < token.start.line):
            # What stands alone in a line below a section is a key whose colon is not typed yet.
            found = meaning(entry.path)
            if found is not None and found.is_mapping:
                return Spot("key", entry.path, word)
        return Spot("value", entry.path, word, entry, self._others(entry))

    def _in_brackets(self, entry: Entry, position: Position) -> Spot | None:
        begin = self._lines.offset(entry.value.start)
        typed = self._lines.text[begin : self._lines.offset(position)].rstrip()
        word = Span(position, position)
        if typed.endswith((",", "{", "[")):
            if isinstance(entry.node, Mapping):
                return Spot("key", entry.path, word, None, self._names(entry.node))
            return Spot("value", (*entry.path, 0), word, None, _texts(entry.node))
        token = self._token_before(position)
        if typed.endswith(":") and token is not None and not self._is_behind_colon(position):
            return Spot("value", token.entry.path, word, token.entry)
        return None

    def _in_block(self, position: Position, before: str, line: str) -> Spot | None:
        word = Span(position, position)
        typed = _start_of_word(before)
        if position.line in self._mended and not before[:typed].strip():
            start = Position(position.line, typed)
            end = len(line.rstrip()) if re.fullmatch(r"[\w.*-]*\s*", line[typed:]) else position.column
            return self._new_key(start, Span(start, Position(position.line, max(end, position.column))))
        if not before.strip():
            return None if line.strip() else self._new_key(position, word)
        token = self._token_before(position)
        if token is None or token.start.line != position.line or token.role != "value" or not before[-1].isspace():
            return None
        if token.start != token.end or not is_empty(line[position.column :]):
            return None
        return Spot("value", token.entry.path, word, token.entry, self._others(token.entry))

    def _new_key(self, at: Position, word: Span) -> Spot | None:
        """The mapping that a key at the beginning of a line would belong to, by its indentation."""
        node, path = self._root, tuple["str | int", ...]()
        if node is None or is_null(node):
            return Spot("key", (), word) if at.column == 0 else None
        while isinstance(node, Mapping) and node.end is None:
            column = self._lines.of_yaml(node.line, node.column).column
            if at.column == column:
                return Spot("key", path, word, None, self._names(node, but_line=at.line))
            last = self._last_before(node, at.line)
            if at.column < column or last is None:
                return None
            key, node = last
            path = (*path, _name(key))
            if is_null(node):
                return Spot("key", path, word)
        return None

    def _last_before(self, node: Mapping, line: int) -> tuple[Node, Node] | None:
        last = None
        for key, value in node.entries:
            if self._lines.of_yaml(key.line, key.column).line >= line:
                break
            last = key, value
        return last

    def _names(self, node: Node, *, but: object = None, but_line: int | None = None) -> frozenset[str]:
        if not isinstance(node, Mapping):
            return frozenset()
        names = (
            str(_name(key))
            for key, _ in node.entries
            if but_line is None or self._lines.of_yaml(key.line, key.column).line != but_line
        )
        return frozenset(name for name in names if name != but)

    def _others(self, entry: Entry) -> frozenset[str]:
        return _texts(entry.around, but=entry.node) if isinstance(entry.around, Sequence) else frozenset()

    def _token_before(self, position: Position) -> _Token | None:
        number = bisect_right(self._starts, position) - 1
        return self._tokens[number] if number >= 0 else None

    def _token_at(self, position: Position) -> _Token | None:
        number = bisect_right(self._starts, position) - 1
        while number >= 0 and self._tokens[number].start == self._tokens[number].end == position:
            number -= 1  # nothing stands there yet, and perhaps a key ends there
        if number < 0 or self._tokens[number].end < position:
            return None
        return self._tokens[number]

    def _brackets_at(self, position: Position) -> Entry | None:
        """The innermost list or mapping in brackets around a place."""
        found = None
        for entry in self.entries:
            if entry.value.start >= position:
                if entry.key is None or entry.key.start >= position:
                    break
                continue
            if not isinstance(entry.node, Scalar) and position < entry.value.end:
                found = entry
        return found

    def _is_in_comment(self, position: Position, before: str) -> bool:
        for mark in re.finditer(r"(?:^|(?<=\s))#", before):
            if self._token_at(Position(position.line, mark.start())) is None:
                return True
        return False

    def _is_behind_colon(self, position: Position) -> bool:
        """Whether a colon stands directly before a place: a value begins behind a space."""
        return self._lines.line(position.line)[: position.column].endswith(":")


def _name(key: Node) -> str:
    if isinstance(key, Scalar):
        return key.value if isinstance(key.value, str) else shown(described(key.value))
    return str(key)


def _texts(node: Node, *, but: Node | None = None) -> frozenset[str]:
    items = node.items if isinstance(node, Sequence) else []
    return frozenset(
        item.value for item in items if item is not but and isinstance(item, Scalar) and isinstance(item.value, str)
    )


def _tokens(root: Node | None, entries: tuple[Entry, ...], lines: Lines) -> Iterator[_Token]:
    if isinstance(root, Scalar):
        span = _span(root, lines)
        yield _Token(span.start, span.end, "value", Entry((), None, span, root, root))
    for entry in entries:
        if entry.key is not None:
            yield _Token(*entry.key, "key", entry)
        if isinstance(entry.node, Scalar):
            yield _Token(*entry.value, "value", entry)


def _entries(root: Node, lines: Lines) -> Iterator[Entry]:
    """Everything below a node, in the order of the text; what an alias names is where it was written."""
    seen: set[int] = set()
    waiting: list[tuple[Path, Node | None, Node, Node]] = list(reversed(_children((), root)))
    last = Position(0, 0)
    while waiting:
        path, key, node, around = waiting.pop()
        key_span = None if key is None else _span(key, lines)
        if key_span is not None:
            last = max(last, key_span.end)
        begin = lines.of_yaml(node.line, node.column)
        is_alias = id(node) in seen or begin < last
        seen.add(id(node))
        value = _span(node, lines) if not is_alias and node.end is not None else Span(last, last)
        yield Entry(path, key_span, value, node, around)
        if is_alias:
            continue
        if isinstance(node, Scalar):
            last = max(last, value.end)
        else:
            last = max(last, begin)
            waiting.extend(reversed(_children(path, node)))


def _value_behind(last: Position, node: Node, lines: Lines) -> Span:
    """Where a value stands; what stands before its own key is what an alias names."""
    if node.end is None or lines.of_yaml(node.line, node.column) < last:
        return Span(last, last)
    return _span(node, lines)


def _is_alias(entry: Entry, lines: Lines) -> bool:
    return entry.key is not None and lines.of_yaml(entry.node.line, entry.node.column) < entry.key.end


def _children(path: Path, node: Node) -> list[tuple[Path, Node | None, Node, Node]]:
    if isinstance(node, Mapping):
        return [((*path, _name(key)), key, value, node) for key, value in node.entries]
    if isinstance(node, Sequence):
        return [((*path, number), None, value, node) for number, value in enumerate(node.items)]
    return []


def _span(node: Node, lines: Lines) -> Span:
    start = lines.of_yaml(node.line, node.column)
    return Span(start, lines.of_yaml(*node.end) if node.end is not None else start)


def _start_of_word(text: str) -> int:
    """Where the word begins with which a text ends. From the end: a pattern would try every place before."""
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_.*-"):
        start -= 1
    return start
