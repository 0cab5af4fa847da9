"""A configuration file's tree, read by the schema into values that know their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trop_core.config.group import read_group
from trop_core.config.layer import Given, Place
from trop_core.config.schema import KEYS, Kind, is_section, suggestion
from trop_core.config.values import Refused, accept, accept_ports, described, refuse
from trop_core.config.yaml_tree import Mapping, Scalar, Sequence, dotted, is_null, value_of
from trop_core.models import HIGHEST_PORT
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.layer import Layer
    from trop_core.config.schema import Key
    from trop_core.config.values import Problems
    from trop_core.config.yaml_tree import Node

_MOST_MERGES = 10_000


class FileReader:
    """Reads one file's tree into ``layer``, and notes what is wrong with it in ``problems``."""

    def __init__(self, problems: Problems, *, project: bool) -> None:
        self.layer: Layer = {}
        self.problems = problems
        self._project = project
        self._merges_left = _MOST_MERGES

    def read(self, root: Node) -> None:
        """Read the whole tree."""
        self._section("", root)
        self._check_range()

    def note(self, node: Node, key: str | None, message: str) -> None:
        """Note a problem at a node."""
        self.problems.add(node.line, node.column, key, message)

    def mapping(self, name: str, node: Node) -> Iterator[tuple[str, Scalar, Node]]:
        """The entries of a mapping: the key as text, its node, and the value's.

        What is no mapping has none, and is a problem unless it is null.
        """
        if not isinstance(node, Mapping):
            if not is_null(node):
                self.note(node, name or None, str(refuse("a mapping", value_of(node))))
            return
        for key, value in self._merged(name, node):
            if isinstance(key, Scalar) and isinstance(key.value, str):
                yield key.value, key, value
            else:
                message = f"a key is a text, not {described(value_of(key))}; quotes make it one"
                self.note(key, name or None, message)

    def single(self, key: Key, name: str, node: Node) -> object:
        """A single value, or None where it is null or refused; refusing is noted under ``name``."""
        if is_null(node):
            return None
        try:
            return accept(key, value_of(node))
        except Refused as refusal:
            self.note(node, name, str(refusal))
            return None

    def unknown(self, section: str, known_as: str, written: str, node: Node) -> None:
        """Note an unknown key. ``section`` is its section's name in the schema, ``known_as`` the one in the file."""
        near = suggestion(section, written)
        meant = f": did you mean {near.replace(section, known_as, 1)}?" if near else ""
        self.note(node, dotted(known_as, node), f"unknown key{meant}")

    def _section(self, section: str, node: Node) -> None:
        for written, key_node, value in self.mapping(section, node):
            name = f"{section}.{written}" if section else written
            # A key with a dot in it is not the key of that dotted name.
            key = None if "." in written else KEYS.get(name)
            if "." not in written and is_section(name):
                self._section(name, value)
            elif key is None:
                self.unknown(section, section, written, key_node)
            elif key.project_only and not self._project:
                self.note(key_node, name, "this key belongs in trop.yaml")
            else:
                self._key(key, value)

    def _key(self, key: Key, node: Node) -> None:
        if key.kind is Kind.MAPPING:
            value: object = None if is_null(node) else read_group(self, node)
            self._give(key.name, node, value)
            return
        value = self._ports(key, node) if key.kind is Kind.PORTS else self.single(key, key.name, node)
        if value is not None:
            self._give(key.name, node, value)

    def _give(self, name: str, node: Node, value: object) -> None:
        # The order of a layer is that of the file: of two values that contradict each other, the later one is named.
        self.layer.pop(name, None)
        self.layer[name] = Given(value, (Place(self.problems.source, node.line, node.column),))

    def _ports(self, key: Key, node: Node) -> Exclusions | None:
        if not isinstance(node, Sequence):
            if not is_null(node):
                self.note(node, key.name, str(refuse(key.expectation, value_of(node))))
            return None
        ranges = []
        for item in node.items:
            try:
                ranges.append(accept_ports(value_of(item)))
            except Refused as refusal:
                self.note(item, key.name, str(refusal))
        return Exclusions.of(ranges)

    def _check_range(self) -> None:
        ends = {name: given.value for name, given in self.layer.items() if name.startswith("ports.")}
        minimum, maximum, offset = (ends.get(f"ports.{end}") for end in ("min", "max", "max_offset"))
        if maximum is not None and offset is not None:
            ends.pop("ports.min", None)
            self._note_last(ends, "give either ports.max or ports.max_offset: they are one setting")
        elif isinstance(minimum, int) and isinstance(maximum, int) and minimum > maximum:
            self._note_last(ends, f"ports.min, {minimum}, is above ports.max, {maximum}")
        elif isinstance(minimum, int) and isinstance(offset, int) and minimum + offset > HIGHEST_PORT:
            self._note_last(ends, f"ports.min, {minimum}, and ports.max_offset, {offset}, go beyond {HIGHEST_PORT}")

    def _note_last(self, ends: dict[str, object], message: str) -> None:
        name = list(ends)[-1]
        place = self.layer[name].place
        self.problems.add(place.line, place.column, name, message)

    def _merged(self, name: str, node: Mapping) -> Iterator[tuple[Node, Node]]:
        """The entries of a mapping with those that its merge keys bring along; its own go before, then earlier ones.

        A mapping that is merged several times, or into itself, counts once.
        """
        seen: set[int] = set()
        names: dict[object, Mapping] = {}
        waiting: list[Mapping] = [node]
        while waiting:
            current = waiting.pop()
            if id(current) in seen:
                continue
            seen.add(id(current))
            sources: list[Mapping] = []
            for key, value in current.entries:
                if isinstance(key, Scalar) and key.merge:
                    for source in value.items if isinstance(value, Sequence) else [value]:
                        if isinstance(source, Mapping):
                            sources.append(source)
                        else:
                            self.note(source, name or None, "<< merges mappings, and this is none")
                elif not isinstance(key, Scalar) or names.setdefault(key.value, current) is current:
                    yield key, value
            self._merges_left -= len(sources)
            if self._merges_left < 0:
                self.note(node, name or None, f"the file merges more than {_MOST_MERGES} mappings")
                return
            waiting.extend(reversed(sources))
