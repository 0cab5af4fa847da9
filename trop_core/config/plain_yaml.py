"""Reads configuration files that are written plainly, as most are, without YAML's parser.

To load that takes as long as half of a reservation. Plain is what has one meaning at first sight: keys that are words,
one a line, below each other by indentation, and values that are words, whole numbers, ``true`` and ``false``, texts in
quotes, and lists and mappings of these, in brackets on one line or a dash a line. The tree is the one that
``trop_core.config.yaml_tree`` builds; whatever else a file holds, and whatever is wrong with it, is for that to read.
"""

from __future__ import annotations

from trop_core.config.tree import Mapping, Scalar, Sequence
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.config.tree import Node

_DEEPEST = 10
_LONGEST_LINE = 500
_LONGEST_NUMBER = 18
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")
_NO_TEXTS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words that mean something else to YAML, in one spelling or another."""

_BOOLEANS = {"true": True, "false": False}


class _NotPlain(Exception):
    """Raised where YAML's parser has to read the file."""


def read(text: str) -> Mapping | None:
    """The root of a text; None of one that is not plain."""
    # All else that YAML breaks lines at, or forbids, is no printable ASCII.
    if not (text.isascii() and text.replace("\n", "").isprintable()):
        return None
    try:
        return _File(text).root()
    except _NotPlain:
        return None


class _File:
    """The lines that say something: where each is, how far it is indented, and what it says."""

    def __init__(self, text: str) -> None:
        self._lines: list[tuple[int, int, str]] = []
        for number, line in enumerate(text.split("\n"), 1):
            said = line.strip(" ")
            if said and said[0] != "#":
                self._lines.append((number, len(line) - len(line.lstrip(" ")), line.rstrip(" ")))
        self._next = 0

    def root(self) -> Mapping:
        root = self._block(0, 0)
        if self._next < len(self._lines) or not isinstance(root, Mapping):
            raise _NotPlain
        return root

    def _block(self, indent: int, depth: int) -> Mapping | Sequence:
        """The entries that stand below each other from the next line on, each as far indented."""
        if depth == _DEEPEST or self._next == len(self._lines):
            raise _NotPlain
        number, _, line = self._lines[self._next]
        block: Mapping | Sequence
        block = (Sequence if line.startswith("- ", indent) else Mapping)(number, indent + 1)
        names: set[str] = set()
        while self._next < len(self._lines):
            number, found, line = self._lines[self._next]
            if found < indent:
                break
            if found > indent or len(line) > _LONGEST_LINE:
                raise _NotPlain
            self._next += 1
            cursor = _Cursor(number, line, indent)
            if isinstance(block, Sequence):
                cursor.take("- ")
                cursor.skip_spaces()
                block.items.append(cursor.value(depth))
                cursor.finish()
            else:
                key = cursor.key(names)
                block.entries.append((key, self._value(cursor, indent, depth)))
        return block

    def _value(self, cursor: _Cursor, indent: int, depth: int) -> Node:
        """The value of a key: on its line, or in those below it."""
        place = cursor.place
        if not cursor.is_over():
            value = cursor.value(depth)
            cursor.finish()
            return value
        if self._next < len(self._lines) and self._lines[self._next][1] > indent:
            return self._block(self._lines[self._next][1], depth + 1)
        if self._next < len(self._lines) and self._lines[self._next][2].startswith("-", indent):
            raise _NotPlain
        return Scalar(None, cursor.number, place + 1)


class _Cursor:
    """A place in a line."""

    def __init__(self, number: int, line: str, place: int) -> None:
        self.number = number
        self.place = place
        self._line = line

    def take(self, text: str) -> None:
        """Go behind a text that has to stand here."""
        if not self._line.startswith(text, self.place):
            raise _NotPlain
        self.place += len(text)

    def skip_spaces(self) -> None:
        """Go to what comes next."""
        while self._line.startswith(" ", self.place):
            self.place += 1

    def is_over(self) -> bool:
        """Whether nothing but a comment comes behind a key, to whose value this goes otherwise."""
        if self.place == len(self._line):
            return True
        self.take(" ")
        self.skip_spaces()
        return self._line.startswith("#", self.place)

    def finish(self) -> None:
        """Make sure that nothing but a comment comes."""
        if self.place < len(self._line):
            self.take(" ")
            self.skip_spaces()
            self.take("#")

    def key(self, names: set[str]) -> Scalar:
        """A key, with its colon. It is none of the names, and becomes one of them."""
        key = self._word()
        if not isinstance(key.value, str) or key.value in names:
            raise _NotPlain
        names.add(key.value)
        self.take(":")
        return key

    def value(self, depth: int) -> Node:
        """A value on one line."""
        here = self._line[self.place : self.place + 1]
        if here in ("'", '"'):
            return self._quoted(here)
        if here not in ("[", "{"):
            return self._word()
        if depth == _DEEPEST:
            raise _NotPlain
        node = (Sequence if here == "[" else Mapping)(self.number, self.place + 1)
        closing = "]" if here == "[" else "}"
        names: set[str] = set()
        self.place += 1
        self.skip_spaces()
        while not self._line.startswith(closing, self.place):
            if isinstance(node, Sequence):
                node.items.append(self.value(depth + 1))
            else:
                key = self.key(names)
                self.take(" ")
                self.skip_spaces()
                node.entries.append((key, self.value(depth + 1)))
            self.skip_spaces()
            if self._line.startswith(closing, self.place):
                break
            self.take(",")
            self.skip_spaces()
            if self._line.startswith(closing, self.place):
                raise _NotPlain
        self.place += 1
        node.end = self.number, self.place + 1
        return node

    def _quoted(self, mark: str) -> Scalar:
        begin = self.place
        end = self._line.find(mark, begin + 1)
        text = self._line[begin + 1 : end]
        # A mark that is doubled is one in the text.
        if end < 0 or "\\" in text or self._line.startswith(mark, end + 1):
            raise _NotPlain
        self.place = end + 1
        return Scalar(text, self.number, begin + 1, (self.number, end + 2))

    def _word(self) -> Scalar:
        begin = self.place
        while self._line[self.place : self.place + 1] in _WORD and self.place < len(self._line):
            self.place += 1
        value = _meaning(self._line[begin : self.place])
        return Scalar(value, self.number, begin + 1, (self.number, self.place + 1))


def _meaning(word: str) -> object:
    """What a word without quotes stands for."""
    if word.isdigit():
        if (word[0] == "0" and word != "0") or len(word) > _LONGEST_NUMBER:
            raise _NotPlain
        return int(word)
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    first, is_range, last = word.partition("..")
    is_text = word[:1].isalpha() or word.startswith(("/", "_")) or (is_range and first.isdigit() and last.isdigit())
    if not is_text or word.lower() in _NO_TEXTS:
        raise _NotPlain
    return word
