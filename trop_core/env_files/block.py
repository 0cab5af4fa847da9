"""The block of trop's own variables in a file that belongs to somebody.

It stands between two marks, comments to whatever reads such files, which carry the id of the directory that it belongs
to; the first one also lists the variables, so that a line which somebody else wrote into the block is known as that.
All outside of the block stays as it is, byte for byte.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from trop_core.config.file_text import BYTE_ORDER_MARK
from trop_core.env_files import statements
from trop_core.env_files.statements import Statement, line_number
from trop_core.errors.configuration import ConfigProblem
from trop_core.errors.env_files import DamagedBlock, ForeignBlock, UnfitEnvFile, VariableElsewhere
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_MARK = re.compile(
    rb"(?:(?<![^\r\n])|(?<=\A\xef\xbb\xbf))[ \t]*#[ \t]*trop-(begin|end)\b"
    rb"[ \t]*([^\s]*)[ \t]*([^\r\n]*?)[ \t]*(?:\r\n|\n|\r|\Z)"
)
_LINE = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9._/:%+=,@-]*|'[^'\\\r\n]*')[ \t]*(?:\r\n|\n|\r|\Z)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9._/:%+=,@-]*")
_QUOTABLE = re.compile(r"[\x20-\x26\x28-\x5b\x5d-\x7e]*")
MOST_PROBLEMS = 100
"""How many lines one refusal names."""

_FULL_WIDTH = (b"\xff\xfe", b"\xfe\xff")


class Block(NamedTuple):
    """Where the block stands, up to behind its last line end; whose it is; and what its lines say."""

    start: int
    end: int
    owner: str
    values: Mapping[str, str]


class EnvText:
    """What a file holds, and what it is called in messages. Raises ``UnfitEnvFile`` for what is no text of bytes."""

    def __init__(self, content: bytes, file: str) -> None:
        self.content = content
        self.file = file
        self.start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
        """Where the first line begins."""
        if content.startswith(_FULL_WIDTH):
            raise UnfitEnvFile([self.problem(0, "the file is in UTF-16; write it in UTF-8, which its readers expect")])
        self.read = [list(reading(content, self.start)) for reading in statements.READINGS]
        """What sets variables, to each reader."""

    def problem(self, position: int, message: str, key: str | None = None) -> ConfigProblem:
        """What is wrong with the line that an offset lies in."""
        return ConfigProblem(self.file, line_number(self.content, position), None, key, message)

    def problems(self, found: Sequence[tuple[int, str, str | None]]) -> list[ConfigProblem]:
        """The same of several, each an offset, a message and a key; of very many, the first ones."""
        return [self.problem(*each) for each in found[:MOST_PROBLEMS]]

    def is_in_value(self, position: int) -> bool:
        """Whether a line, or the end of the file, lies within a quoted value that begins before it.

        Raises ``UnfitEnvFile`` where readers do not agree on that.
        """
        around = [self._value_around(position, found) for found in self.read]
        values = [value for value in around if value is not None]
        if 0 < len(values) < len(around):
            told = "where the quoted value that begins here ends, programs do not agree: no backslash before a quote"
            if not all(value.closed for value in values):
                told = "the quoted value that begins here has no end"
            raise UnfitEnvFile([self.problem(values[0].start, told)])
        return bool(values)

    def _value_around(self, position: int, found: Sequence[Statement]) -> Statement | None:
        number = bisect_left(found, position, key=lambda statement: statement.start) - 1
        if number < 0:
            return None
        last = found[number]
        return last if position < last.value_end or not last.closed else None


def find(text: EnvText, variables: Collection[str] = ()) -> Block | None:
    """The block of a file, whoever it belongs to; None if there is none.

    Lines inside are trop's if they set what the first mark lists, or ``variables``. Raises ``DamagedBlock`` with every
    line that is in the way, and ``UnfitEnvFile`` where it is not certain what the lines of the file say.
    """
    marks = [mark for mark in _MARK.finditer(text.content) if not text.is_in_value(mark.start())]
    if not marks:
        return None
    if [mark[1] for mark in marks] != [b"begin", b"end"]:
        told = {b"begin": "a mark that begins a block of trop's", b"end": "a mark that ends a block of trop's"}
        (place, message, key), *others = [(mark.start(), told[mark[1]], None) for mark in marks]
        message += "; a file has one block with one mark at each end"
        raise DamagedBlock(text.problems([(place, message, key), *others]))
    first, last = marks
    if first[2] != last[2] or not first[2]:
        raise DamagedBlock([text.problem(last.start(), "the marks of the block are not one another's")])
    names = {name.encode() for name in variables} | set(first[3].split())
    values: dict[str, str] = {}
    foreign: list[tuple[int, str, str | None]] = []
    for begin, end in statements.lines(text.content, first.end(), last.start()):
        line = _LINE.fullmatch(text.content, begin, end)
        if line is not None and line[1] in names:
            values[line[1].decode()] = line[2].decode("latin-1").strip("'")
        elif text.content[begin:end].strip():
            foreign.append((begin, "this line within the block is not one that trop wrote", None))
    if foreign:
        raise DamagedBlock(text.problems(foreign))
    return Block(first.start(), last.end(), first[2].decode("latin-1"), values)


def written(
    text: EnvText,
    owner: str,
    variables: Mapping[str, int | str],
    *,
    kin: Collection[str] = (),
    comment_out: bool = False,
    take_over: bool = False,
) -> bytes:
    """The content of a file with these variables in the block of that owner, in place of what is in it.

    Where there is no block, it goes to the end; a file whose last line has no end still has none then. A block of one
    of its ``kin`` becomes the owner's. ``comment_out`` makes comments of the lines outside that set the same variables,
    ``take_over`` makes the block of another owner this one's. Raises ``VariableElsewhere`` or ``ForeignBlock`` without
    them, and what ``find`` raises.
    """
    block = find(text, variables)
    check_owner(text, block, {owner, *kin}, take_over=take_over)
    elsewhere = _elsewhere(text, block, variables)
    if elsewhere and not comment_out:
        message = "the variable is set here, outside of trop's block"
        places = dict.fromkeys((each.start, message, each.name.decode()) for each in elsewhere)
        raise VariableElsewhere(text.problems(list(places)))
    content = text.content
    if block is None:
        line_end = _usual_line_end(content[text.start :])
        is_complete = len(content) == text.start or content.endswith(b"\n")
        start, end = len(content), len(content)
        text.is_in_value(end)
        new = _rendered(owner, variables, line_end)
        new = new if is_complete else line_end + new.removesuffix(line_end)
    else:
        start, end = block.start, block.end
        line_end = _own_line_end(content, block)
        new = _rendered(owner, variables, line_end)
        new = new if content[:end].endswith((b"\n", b"\r")) else new.removesuffix(line_end)
    pieces: list[bytes] = []
    kept = 0
    for begin, over, part in sorted([(start, end, new), *_comments(text, elsewhere)]):
        pieces += [content[kept:begin], part]
        kept = over
    content = b"".join(pieces) + content[kept:]
    # A quote in the block may end what begins before it.
    find(EnvText(content, text.file), variables)
    return content


def removed(text: EnvText, owner: str | None, *, kin: Collection[str] = (), take_over: bool = False) -> bytes:
    """The content of a file without the block; the same where there is none.

    What ``written`` made of a file becomes what it was. Raises ``ForeignBlock`` for the block of another owner that is
    none of the ``kin``, unless ``take_over``, and what ``find`` raises.
    """
    block = find(text)
    check_owner(text, block, {owner, *kin}, take_over=take_over)
    if block is None:
        return text.content
    before, after = text.content[: block.start], text.content[block.end :]
    if not text.content[: block.end].endswith((b"\n", b"\r")):
        # The file's last line had no end before either.
        before = before.removesuffix(_own_line_end(text.content, block))
    return before + after


def check_owner(text: EnvText, block: Block | None, owners: Collection[str | None], *, take_over: bool) -> None:
    """Refuse the block of any other owner. Raises ``ForeignBlock``."""
    if block is not None and block.owner not in owners and not take_over:
        message = "the block that begins here belongs to another directory"
        raise ForeignBlock([text.problem(block.start, message)])


def _rendered(owner: str, variables: Mapping[str, int | str], line_end: bytes) -> bytes:
    listed = "".join(f" {name}" for name in variables)
    for name in variables:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
    lines = [
        f"# trop-begin {owner}{listed}",
        *(f"{name}={_value(value)}" for name, value in variables.items()),
        f"# trop-end {owner}",
    ]
    return b"".join(line.encode("ascii") + line_end for line in lines)


def _value(value: int | str) -> str:
    """A value as python-dotenv, docker compose and a shell read it alike: bare, or between single quotes."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if not _QUOTABLE.fullmatch(text):
        raise ValueError(f"no quotes hold {text!r} for every reader")
    return f"'{text}'"


def _usual_line_end(content: bytes) -> bytes:
    """The line end of a file's last line that has one; a carriage return alone is none to most readers."""
    last = content.rfind(b"\n")
    return b"\r\n" if last > 0 and content[last - 1 : last] == b"\r" else b"\n"


def _own_line_end(content: bytes, block: Block) -> bytes:
    first = content[block.start : statements.line_end(content, block.start)]
    return b"\r\n" if first.endswith(b"\r\n") else b"\n"


def _elsewhere(text: EnvText, block: Block | None, variables: Collection[str]) -> list[Statement]:
    """What sets the variables outside of the block, to whatever reader, in the order of the file."""
    names = {name.encode() for name in variables}
    found = {
        statement
        for read in text.read
        for statement in read
        if statement.name in names and (block is None or not block.start <= statement.start < block.end)
    }
    return [each for each in sorted(found) if not text.is_in_value(each.start)]


def _comments(text: EnvText, elsewhere: Iterable[Statement]) -> Iterable[tuple[int, int, bytes]]:
    """What has to be put in, and where, to make comments of lines. Raises ``UnfitEnvFile``."""
    starts = set()
    for statement in elsewhere:
        if not _ends_line(text.content, statement.end):
            message = "more than this variable is set in the line: give each a line of its own"
            raise UnfitEnvFile([text.problem(statement.start, message, statement.name.decode())])
        text.is_in_value(statement.end)
        starts |= {start for start, _ in statements.lines(text.content, statement.start, statement.end)}
    for start in starts:
        yield start, start, b"# " if start == text.start or _ends_line(text.content, start) else b" #"


def _ends_line(content: bytes, position: int) -> bool:
    return position == len(content) or content[position - 1 : position] in (b"\n", b"\r")
