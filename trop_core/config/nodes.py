"""Reading the nodes of a configuration file's tree: mappings entry by entry, single values by their keys.

What is wrong with a node is noted, with its place, and reading goes on.
"""

from __future__ import annotations

from trop_core.config.schema import ANY_SERVICE, SERVICES, suggestion
from trop_core.config.tree import Mapping, Scalar, Sequence, dotted, is_null, value_of
from trop_core.config.values import Refused, accept, accept_ports, accept_range, described, refuse
from trop_core.light_types import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.config.schema import Key
    from trop_core.config.tree import Node
    from trop_core.config.values import Problems

_MOST_MERGES = 10_000

Entry = TypeVar("Entry")


class NodeReader:
    """Reads nodes, and notes what is wrong with them in ``problems``."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._merges_left = _MOST_MERGES

    def note(self, node: Node, key: str | None, message: str, *, meant: str | None = None) -> None:
        """Note a problem at a node; ``meant`` is what to write in its place."""
        self.problems.add(node.line, node.column, key, message, meant=meant)

    def note_absence(self, node: Node, key: str | None, message: str) -> None:
        """Note at a node that something else is missing: only where all of the source was read."""
        if self.problems.is_whole:
            self.note(node, key, message)

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
            self.note(node, name, str(refusal), meant=refusal.meant)
            return None

    def unknown(self, section: str, known_as: str, written: str, node: Node) -> None:
        """Note an unknown key. ``section`` is its section's name in the schema, ``known_as`` the one in the file."""
        near = suggestion(section, written)
        meant = ""
        if near and near.rpartition(".")[2] == written:
            meant = f": it belongs {_place(near.rpartition('.')[0])}"
        elif near:
            meant = f": did you mean {near.replace(section, known_as, 1)}?"
        instead = near.rpartition(".")[2] if near and meant.startswith(": did") else None
        self.note(node, dotted(known_as, node), f"unknown key{meant}", meant=instead)

    def entries(
        self, key: Key, node: Node, accept: Callable[[object], Entry], read: Callable[[Node], object] = value_of
    ) -> tuple[Entry, ...] | None:
        """What the entries of a list come to, or None where it is null or no list; what is refused is noted."""
        if not isinstance(node, Sequence):
            if not is_null(node):
                self.note(node, key.name, str(refuse(key.expectation, value_of(node))))
            return None
        accepted = []
        for item in node.items:
            try:
                accepted.append(accept(read(item)))
            except Refused as refusal:
                self.note(item, key.name, str(refusal), meant=refusal.meant)
        return tuple(accepted)

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


def ports_of(node: object) -> tuple[int, int]:
    """One entry of ``excluded_ports``: as ``accept_ports`` takes it, or ``{start, end}``. Raises ``Refused``."""
    if isinstance(node, Mapping):
        ends = {key.value: value_of(value) for key, value in node.entries if isinstance(key, Scalar)}
        if len(node.entries) == len(ends) and ends.keys() == {"start", "end"}:
            first, last = (accept_ports(ends[end])[0] for end in ("start", "end"))
            return accept_range(first, last, f"{first}..{last}")
    return accept_ports(value_of(node) if isinstance(node, Scalar) else node)


def _place(section: str) -> str:
    """Where a key of a section stands, as a person finds it."""
    if section == ANY_SERVICE:
        return f"under a service of {SERVICES}"
    return f"under {section}" if section else "at the top level"
