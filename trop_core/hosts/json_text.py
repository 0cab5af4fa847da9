"""JSON of hosts, with comments and trailing commas, and a change of it that leaves all else as it is, byte for byte."""

from __future__ import annotations

import json
import re

from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Groups are not repeated possessively: Python 3.11 did that wrongly before 3.11.5.
_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*(?:[^*]|\*(?!/))*\*/)*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile("[A-Za-z]+")
_WORDS = {"true": True, "false": False, "null": None}
_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\r\n*]*\*/[ \t]*)*(?://[^\r\n]*)?(?=\r?\n)")
_INDENT = re.compile(r"[ \t]*")
_DEEPEST = 100
_MOST_EDITS = 20


class Damaged(ValueError):
    """A text that is no JSON, or in which the place for an entry is taken by something else."""

    def __init__(self, reason: str, text: str, place: int, key: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key
        before = text[:place].split("\n")
        self.line, self.column = len(before), len(before[-1]) + 1


class Number(NamedTuple):
    """A number, as it is written."""

    text: str


class Node(NamedTuple):
    """A value and where it stands.

    Of an object, ``members`` are the values, and ``comma`` is the end of a comma that stands behind the last of them.
    """

    start: int
    end: int
    value: Any
    members: dict[str, Node] | None = None
    comma: int | None = None


def parse(text: str) -> Node:
    """The value that is all of a text. Raises ``Damaged``."""
    node = _value(text, _skip(text, 0), 0)
    end = _skip(text, node.end)
    if end != len(text):
        raise Damaged("expected nothing more here", text, end)
    return node


def merged(
    text: str, path: Sequence[str], entry: Mapping[str, Any], reconcile: Callable[[Any, Any], dict[str, Any]]
) -> str:
    """A text with an entry at a path of keys; ``reconcile`` says what an entry that is there already becomes.

    Raises ``Damaged``.
    """
    wanted = _expected(parse(text).value, path, entry, reconcile, text)
    for _ in range(_MOST_EDITS):
        root = parse(text)
        if root.value == wanted:
            return text
        text = _edited(text, root, wanted)
    raise Damaged("this cannot be changed with certainty", text, 0)


def _expected(
    value: Any,
    path: Sequence[str],
    entry: Mapping[str, Any],
    reconcile: Callable[[Any, Any], dict[str, Any]],
    text: str,
) -> Any:
    if not isinstance(value, dict):
        raise Damaged("expected an object at the top", text, _skip(text, 0))
    new = here = dict(value)
    node = parse(text)
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        if key not in here:
            here[key] = dict(entry) if last else {}
        else:
            assert node.members is not None
            node = node.members[key]
            if not isinstance(here[key], dict):
                raise Damaged("expected an object", text, node.start, ".".join(path[: depth + 1]))
            here[key] = reconcile(here[key], entry) if last else dict(here[key])
        here = here[key]
    return new


def _edited(text: str, node: Node, wanted: dict[str, Any]) -> str:
    """The text with the first difference between an object and what it is to be taken away."""
    assert node.members is not None
    for key, value in wanted.items():
        member = node.members.get(key)
        if member is None:
            return _inserted(text, node, key, value)
        if member.value != value:
            if member.members is not None and isinstance(value, dict):
                return _edited(text, member, value)
            return text[: member.start] + _dumped(value) + text[member.end :]
    raise Damaged("this cannot be changed with certainty", text, node.start)


def _inserted(text: str, node: Node, key: str, value: Any) -> str:
    assert node.members is not None
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indent_at(text, node.start)
    members = list(node.members.values())
    if members and "\n" not in text[node.start : node.end]:
        end = node.comma or members[-1].end
        return f"{text[:end]}{'' if node.comma else ','} {_dumped(key)}: {_dumped(value)}{text[end:]}"
    indent = _indent_at(text, members[0].start) if members else outer
    unit = _unit(text)
    if len(indent) <= len(outer):
        indent = outer + unit
    written = json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + indent)
    member = f"{newline}{indent}{_dumped(key)}: {written}"
    if not members:
        inner = text[node.start + 1 : node.end - 1].rstrip(" \t\r\n")
        return f"{text[: node.start]}{{{inner}{member}{newline}{outer}}}{text[node.end :]}"
    end = node.comma or members[-1].end
    rest = _REST_OF_LINE.match(text, end)
    stop = rest.end() if rest else end
    before, after = ("", ",") if node.comma else (",", "")
    return f"{text[:end]}{before}{text[end:stop]}{member}{after}{text[stop:]}"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _indent_at(text: str, place: int) -> str:
    found = _INDENT.match(text, text.rfind("\n", 0, place) + 1)
    assert found is not None
    return found[0]


def _unit(text: str) -> str:
    """By how much the first line that is indented is."""
    found = re.search(r"^([ \t]+)\"", text, re.MULTILINE)
    return found[1] if found else "  "


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()


def _value(text: str, place: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise Damaged("this is too deep", text, place)
    first = text[place : place + 1]
    if first == "{":
        return _object(text, place, depth)
    if first == "[":
        return _array(text, place, depth)
    if first == '"':
        return _string(text, place)
    if (number := _NUMBER.match(text, place)) is not None:
        # As it is written: nothing is calculated, and Python refuses to read a number of thousands of digits.
        return Node(place, number.end(), Number(number[0]))
    word = _WORD.match(text, place)
    if word is None or word[0] not in _WORDS:
        raise Damaged("expected a value of JSON", text, place)
    return Node(place, word.end(), _WORDS[word[0]])


def _string(text: str, place: int) -> Node:
    found = _STRING.match(text, place)
    try:
        if found is not None:
            return Node(place, found.end(), json.loads(found[0]))
    except ValueError:
        pass
    raise Damaged("expected a text that ends, without line breaks and unknown escapes", text, place)


def _object(text: str, start: int, depth: int) -> Node:
    members: dict[str, Node] = {}
    comma = None
    place = _skip(text, start + 1)
    while text[place : place + 1] != "}":
        if members and comma is None:
            raise Damaged("expected a comma or }", text, place)
        if text[place : place + 1] != '"':
            raise Damaged("expected a key between double quotes", text, place)
        key = _string(text, place)
        if key.value in members:
            raise Damaged("this key is there twice", text, place, key.value)
        place = _skip(text, key.end)
        if text[place : place + 1] != ":":
            raise Damaged("expected a colon", text, place)
        member = _value(text, _skip(text, place + 1), depth + 1)
        members[key.value] = member
        place, comma = _after(text, member.end)
    return Node(start, place + 1, {key: member.value for key, member in members.items()}, members, comma)


def _array(text: str, start: int, depth: int) -> Node:
    values: list[Any] = []
    comma = None
    place = _skip(text, start + 1)
    while text[place : place + 1] != "]":
        if values and comma is None:
            raise Damaged("expected a comma or ]", text, place)
        item = _value(text, place, depth + 1)
        values.append(item.value)
        place, comma = _after(text, item.end)
    return Node(start, place + 1, values)


def _after(text: str, end: int) -> tuple[int, int | None]:
    """Where what comes after a value begins, and the end of the comma between, if there is one."""
    place = _skip(text, end)
    if text[place : place + 1] != ",":
        return place, None
    return _skip(text, place + 1), place + 1
