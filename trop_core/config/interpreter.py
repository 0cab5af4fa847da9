"""A configuration file's tree, read by the schema into values that know their place."""

from __future__ import annotations

from functools import partial

from trop_core.config.authority import NO_KEY_OF_A_PROJECT
from trop_core.config.group import read_group
from trop_core.config.layer import Given, Place
from trop_core.config.nodes import NodeReader, ports_of
from trop_core.config.schema import KEYS, RANGE, Kind, is_section
from trop_core.config.tree import is_null
from trop_core.config.values import accept_choice, accept_directory
from trop_core.config.variables import accept_pattern
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import HIGHEST_PORT
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.layer import Layer
    from trop_core.config.schema import Key
    from trop_core.config.tree import Node
    from trop_core.config.values import Problems


class Interpreter(NodeReader):
    """Reads one file's tree into ``layer``, and notes what is wrong with it in ``problems``.

    ``allowed`` are the variables that the user allows a project's file to name.
    """

    def __init__(self, problems: Problems, *, project: bool, allowed: Collection[str] = ()) -> None:
        super().__init__(problems)
        self.layer: Layer = {}
        self._project = project
        self._allowed = allowed

    def read(self, root: Node) -> None:
        """Read the whole tree."""
        self._section("", root)
        self._check_range()

    def _section(self, section: str, node: Node) -> None:
        for written, key_node, value in self.mapping(section, node):
            name = f"{section}.{written}" if section else written
            # A key with a dot in it is not the key of that dotted name.
            key = None if "." in written else KEYS.get(name)
            if "." not in written and is_section(name):
                self._section(name, value)
            elif key is None:
                self.unknown(section, section, written, key_node)
            elif key.project_only and not self._project and is_null(value):
                pass  # the Rust tool leaves these keys behind
            elif key.project_only and not self._project:
                self.note(key_node, name, "this key belongs in trop.yaml")
            elif key.user_only and self._project:
                # It has no effect, whatever its value is: the layers' merging passes it over.
                self._give(name, key_node, None)
                self.problems.carry(key_node.line, key_node.column, name, NO_KEY_OF_A_PROJECT)
            else:
                self._key(key, value)

    def _key(self, key: Key, node: Node) -> None:
        if key.kind is Kind.MAPPING:
            group = None if is_null(node) else read_group(self, node, self._allowed)
            if group is not None:
                self.problems.carried += group.problems
            self._give(key.name, node, group)
            return
        value = self._value(key, node)
        if value is not None:
            self._give(key.name, node, value)

    def _value(self, key: Key, node: Node) -> object:
        match key.kind:
            case Kind.PORTS:
                ranges = self.entries(key, node, ports_of, read=lambda item: item)
                return None if ranges is None else Exclusions.of(ranges)
            case Kind.CHOICES:
                return self.entries(key, node, partial(accept_choice, key))
            case Kind.VARIABLES:
                return self.entries(key, node, accept_pattern)
            case Kind.DIRECTORIES:
                return self.entries(key, node, accept_directory)
            case _:
                return self.single(key, key.name, node)

    def _give(self, name: str, node: Node, value: object) -> None:
        # The order of a layer is that of the file: of two values that contradict each other, the later one is named.
        self.layer.pop(name, None)
        place = Place(self.problems.source, node.line, node.column)
        self.layer[name] = Given(value, (place,), "project" if self._project else "user")

    def _check_range(self) -> None:
        ends = {name: given.value for name, given in self.layer.items() if name in RANGE}
        minimum, maximum, offset = (ends.get(end) for end in RANGE)
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
