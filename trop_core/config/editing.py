"""Changes of one file's ``excluded_ports``, in which all else stays as it is, byte for byte.

ruamel.yaml tells where the list stands, and where each of its entries begins and ends; what changes is cut out of the
text and put back. To let it write the whole file would lay out anew what nobody asked to change. What comes of it is
read once more before anything is written.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamStartEvent,
)

from trop_core import ownership, whole_files
from trop_core.config import list_text, tree, yaml_tree
from trop_core.config.file_text import BYTE_ORDER_MARK, decoded, read_bytes
from trop_core.config.files import parse_text, without_words
from trop_core.config.list_text import Cut, Item, Unclear
from trop_core.config.names import GLOBAL_FILE
from trop_core.config.nodes import ports_of
from trop_core.config.search import is_quotable, leads_away
from trop_core.config.values import Problems
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.paths import InvalidPath
from trop_core.light_types import TYPE_CHECKING, NamedTuple, cast
from trop_core.ports.exclusions import Entry, Exclusions, Range, rewritten
from trop_core.ports.services import Group

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ruamel.yaml.events import Event

    from trop_core.config.layer import Layer
    from trop_core.database.waiting import Patience

_KEY = "excluded_ports"
_OPERATION = "change the configuration"
_NOTHING = Exclusions()


class Edit(NamedTuple):
    """What a change comes to: the list's entries before and after it, and the file's text then."""

    before: tuple[Range, ...]
    after: tuple[Range, ...]
    text: str

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def edit_file(
    path: str,
    patience: Patience,
    *,
    around: Collection[str] = (),
    add: Exclusions = _NOTHING,
    compact: bool = False,
    create: bool = False,
    dry_run: bool = False,
) -> Edit:
    """Change the exclusions in a configuration file, alone in its directory.

    The file is replaced as a whole; a link to it stays, and so do its mode and owner. A dry run takes the lock as well,
    fails where the real run would, and writes nothing. ``create`` makes a file that does not exist, with mode 0600.
    ``around`` are the directories in which the caller is at work.

    Raises ``ConfigError`` with all problems of a file that is broken, or whose list cannot be changed with certainty;
    ``InvalidPath`` for a file that does not exist, or a project's that is a link out of its repository;
    ``LockTimeout``, ``Cancelled``, ``PermissionDenied`` or ``SystemFailure``. Nothing has changed then.
    """
    project = os.path.basename(path) != GLOBAL_FILE
    real = os.path.realpath(path) if project else ownership.followed(path)
    if project and leads_away(path):
        advice = "Name the file itself that is to be changed."
        raise InvalidPath(path, "it is a link to a file outside of its repository", advice=advice)
    quotable = not project or is_quotable(path, around)
    with whole_files.alone(os.path.dirname(real), patience, _OPERATION), _wordless(quotable):
        if not project and not dry_run:
            whole_files.bring_back(real)
        content = read_bytes(real)
        if content is None and not create:
            advice = "Name a configuration file that exists, such as ./trop.yaml."
            raise InvalidPath(path, "there is no such file", advice=advice)
        content = content or b""
        edit = edited(decoded(content, path), path, project=project, add=add, compact=compact)
        if edit.changed:
            whole_files.check_writable(real)
            mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK) else b""
            new = mark + edit.text.encode()
            # It may have become too large to be read.
            decoded(new, path)
            patience.token.check()
            if not dry_run:
                whole_files.write(real, new, keep_mode=True)
    return edit


@contextmanager
def _wordless(quotable: bool) -> Iterator[None]:
    """Keep the words of a file that is not quotable out of what is raised."""
    try:
        yield
    except ConfigError as error:
        if quotable:
            raise
        # A traceback, too, would tell of the error that this one came from.
        raise without_words(error.problems) from None


def edited(text: str, file: str, *, project: bool, add: Exclusions = _NOTHING, compact: bool = False) -> Edit:
    """A configuration file's text with ports added to its exclusions, and with the list put into order by ``compact``.

    Neighbours and overlaps are merged in a list that changes; one that has the ports already does not change. An entry
    that has an anchor, or is an alias, stays as it is. Raises ``ConfigError`` for a text that is broken, or whose list
    cannot be changed with certainty.
    """
    layer = parse_text(text, file, project=project)
    excluded = cast(Exclusions, layer[_KEY].value) if _KEY in layer else _NOTHING
    missing = add.without(excluded)
    written = _written(text, file)
    before = excluded.ranges if written is None else written
    if not missing.ranges and not compact:
        return Edit(before, before, text)
    try:
        spot = _find(text)
        fixed = spot.fixed if isinstance(spot, _List) else ()
        entries = rewritten(before, missing.ranges, fixed=fixed, ascending=compact)
        after = tuple(entry.ports for entry in entries)
        if after == before:
            return Edit(before, before, text)
        new = spot.cut(text, before, entries).applied(text)
        _check(layer, new, file, project=project, expected=excluded | add)
    except (Unclear, YAMLError) as error:
        place = layer[_KEY].place if _KEY in layer else None
        message = (
            "trop cannot tell how to change this and nothing else: write it as a plain list, "
            f"such as {_KEY}: [5001, 5005..5009]"
        )
        line, column = (place.line, place.column) if place else (None, None)
        raise ConfigError([ConfigProblem(file, line, column, _KEY, message)]) from error
    return Edit(before, after, new)


class _List(NamedTuple):
    """The list: where its key ends, what is between its brackets if it has any, and where its entries are.

    ``fixed`` are the numbers of entries that have to stay as they are.
    """

    key_end: int
    brackets: tuple[int, int] | None
    places: tuple[tuple[int, int], ...]
    fixed: tuple[int, ...]

    def cut(self, text: str, before: Sequence[Range], entries: Sequence[Entry]) -> Cut:
        """The change that makes it a list of these entries."""
        if len(before) != len(self.places):
            raise Unclear("two parsers read it in two ways")
        items = [Item(*place, ports) for place, ports in zip(self.places, before, strict=True)]
        if self.brackets is None:
            return list_text.in_block(text, self.key_end, items, entries)
        return list_text.in_flow(text, *self.brackets, items, entries)


class _Gap(NamedTuple):
    """Where a list can be put, in the place of what is there, and what has to stand around it."""

    start: int
    end: int
    before: str = ""
    after: str = ""

    def cut(self, text: str, before: Sequence[Range], entries: Sequence[Entry]) -> Cut:
        """The change that puts a list of these entries there."""
        return Cut(
            self.start, self.end, self.before + list_text.of_new([entry.ports for entry in entries]) + self.after
        )


def _written(text: str, file: str) -> tuple[Range, ...] | None:
    """The entries of the list as the configuration's own reader understands them; None if there is no list."""
    root = yaml_tree.parse(text, Problems(file))
    for key, value in root.entries if isinstance(root, tree.Mapping) else ():
        own = isinstance(key, tree.Scalar) and key.value == _KEY
        if own and isinstance(value, tree.Sequence):
            return tuple(ports_of(item) for item in value.items)
    return None


def _find(text: str) -> _List | _Gap:
    """Where the list is, or can be. Raises ``Unclear`` or ruamel.yaml's ``YAMLError``."""
    events: Iterator[Event] = iter(YAML(typ="safe", pure=True).parse(text))
    root = next(event for event in events if not isinstance(event, StreamStartEvent | DocumentStartEvent))
    if not isinstance(root, MappingStartEvent):
        # Nothing but comments, or null.
        if isinstance(root, ScalarEvent) and root.value:
            return _Gap(*_place(root), f"{_KEY}: ")
        end = next(events) if isinstance(root, ScalarEvent) else root
        return _at_end(text, end.start_mark.index, "")
    last: Event = root
    indent = None
    while not isinstance(key := next(events), MappingEndEvent):
        indent = " " * key.start_mark.column if indent is None else indent
        _rest(key, events)
        value = next(events)
        inside = _rest(value, events)
        if isinstance(key, ScalarEvent) and key.value == _KEY:
            return _value(text, key, value, inside)
        last = inside[-1] if inside else value
    if root.flow_style:
        return _Gap(last.end_mark.index, last.end_mark.index, f"{'' if last is root else ', '}{_KEY}: ")
    return _at_end(text, key.start_mark.index, indent or "")


def _rest(first: Event, events: Iterator[Event]) -> list[Event]:
    """The events after a node's first one, up to its end."""
    taken: list[Event] = []
    depth = int(isinstance(first, CollectionStartEvent))
    while depth:
        taken.append(next(events))
        depth += isinstance(taken[-1], CollectionStartEvent) - isinstance(taken[-1], CollectionEndEvent)
    return taken


def _value(text: str, key: Event, value: Event, inside: list[Event]) -> _List | _Gap:
    if isinstance(value, ScalarEvent):
        if value.value:
            return _Gap(*_place(value))
        # Where nothing stands, ruamel.yaml's place may be the next line.
        colon = re.compile(r"\s*:").match(text, key.end_mark.index)
        if colon is None:
            raise Unclear("it has no colon")
        return _Gap(colon.end(), colon.end(), " ")
    if not isinstance(value, SequenceStartEvent):
        raise Unclear("it stands elsewhere")
    *rest, close = inside
    items: list[Event] = []
    places: list[tuple[int, int]] = []
    left = iter(rest)
    for item in left:
        parts = _rest(item, left)
        if parts and not (isinstance(item, CollectionStartEvent) and item.flow_style):
            # The end of such an entry is the next line, which is not its own.
            raise Unclear("an entry has several lines")
        items.append(item)
        places.append((item.start_mark.index, (parts or [item])[-1].end_mark.index))
    brackets = (value.end_mark.index, close.start_mark.index) if value.flow_style else None
    if brackets and (text[brackets[0] - 1], text[brackets[1]]) != ("[", "]"):
        raise Unclear("its brackets are not where they should be")
    if any(isinstance(item, ScalarEvent) and item.style in ("|", ">") for item in items):
        # The end of such a text is the next line, which is not its own.
        raise Unclear("an entry is a text of several lines")
    fixed = tuple(n for n, item in enumerate(items) if isinstance(item, NodeEvent) and item.anchor is not None)
    return _List(key.end_mark.index, brackets, tuple(places), fixed)


def _place(event: Event) -> tuple[int, int]:
    return event.start_mark.index, event.end_mark.index


def _at_end(text: str, end: int, indent: str) -> _Gap:
    """The place after all other keys. A last line that has no end gets one, and then the new line has none."""
    begin = f"{indent}{_KEY}: "
    if end and text[end - 1] not in "\r\n":
        return _Gap(end, end, list_text.line_break(text) + begin)
    return _Gap(end, end, begin, list_text.line_break(text))


def _check(former: Layer, new: str, file: str, *, project: bool, expected: Exclusions) -> None:
    """Raise ``Unclear`` unless a new text says what it has to say, and all else that the former one said."""
    try:
        layer = parse_text(new, file, project=project)
    except ConfigError as error:
        raise Unclear("what comes of it is broken") from error
    if _values(layer) != _values(former) | {_KEY: expected}:
        raise Unclear("what comes of it says something else")


def _values(layer: Layer) -> dict[str, object]:
    """What a layer gives, without the places of what it refuses: a line more moves them."""
    values = {name: given.value for name, given in layer.items()}
    group = values.get("reservations")
    return values | {"reservations": group._replace(problems=())} if isinstance(group, Group) else values
