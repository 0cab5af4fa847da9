"""The ``reservations`` of a file, read into a group of services."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from trop_core.config.schema import ANY_SERVICE, KEYS
from trop_core.config.settings import Group, Service
from trop_core.config.values import is_variable_name
from trop_core.config.variables import means_something
from trop_core.config.yaml_tree import Mapping, dotted, is_null
from trop_core.errors.arguments import InvalidIdentifier
from trop_core.errors.spelling import quoted
from trop_core.models import HIGHEST_PORT, identifier

if TYPE_CHECKING:
    from trop_core.config.nodes import NodeReader
    from trop_core.config.yaml_tree import Node, Scalar

_SECTION = "reservations"
_BASE = f"{_SECTION}.base"
_SERVICES = f"{_SECTION}.services"


def read_group(reader: NodeReader, node: Node) -> Group:
    """The group that a mapping describes. What is wrong with it is noted in the reader."""
    return _GroupReader(reader).read(node)


class _GroupReader:
    """Reads one group, and remembers which names, offsets, ports and variables its services have taken."""

    def __init__(self, reader: NodeReader) -> None:
        self._reader = reader
        self._services: dict[str, Service] = {}
        self._written: dict[str, str] = {}
        self._taken: dict[tuple[str, object], str] = {}
        self._offsets: list[tuple[int, Node, str]] = []

    def read(self, node: Node) -> Group:
        base: int | None = None
        services: Node | None = None
        for written, key_node, value in self._reader.mapping(_SECTION, node):
            if written == "base":
                base = cast(int | None, self._reader.single(KEYS[_BASE], _BASE, value))
            elif written == "services":
                services = value
            else:
                self._reader.unknown(_SECTION, _SECTION, written, key_node)
        if services is not None:
            for written, key_node, value in self._reader.mapping(_SERVICES, services):
                self._service(written, key_node, value)
        empty = services is None or is_null(services) or (isinstance(services, Mapping) and not services.entries)
        if isinstance(node, Mapping) and empty:
            self._reader.note(services or node, _SERVICES, "expected at least one service")
        for offset, where, name in self._offsets:
            if base is not None and base + offset > HIGHEST_PORT:
                self._reader.note(where, name, f"the base, {base}, and this offset, {offset}, go beyond {HIGHEST_PORT}")
        return Group(tuple(self._services.values()), base)

    def _service(self, written: str, key_node: Scalar, node: Node) -> None:
        name = dotted(_SERVICES, key_node)
        try:
            tag = identifier("tag", written)
        except InvalidIdentifier as error:
            self._reader.note(key_node, name, f"the name of a service is a tag: {error.reason}")
            return
        if tag in self._written:
            # The same text twice is a duplicate key, which the parser has noted already.
            if self._written[tag] != written:
                self._reader.note(key_node, name, f"the service {quoted(tag)} is given twice")
            return
        self._written[tag] = written
        given: dict[str, tuple[Node, object]] = {}
        for field, field_node, value in self._reader.mapping(name, node):
            key = KEYS.get(f"{ANY_SERVICE}.{field}")
            if key is None:
                self._reader.unknown(ANY_SERVICE, name, field, field_node)
            elif not is_null(value):
                given[field] = value, self._reader.single(key, f"{name}.{field}", value)
        service = Service(
            tag,
            offset=cast(int, given.get("offset", (None, 0))[1]),
            preferred=cast(int | None, given.get("preferred", (None, None))[1]),
            env=cast(str | None, given.get("env", (None, None))[1]),
        )
        self._services[tag] = service
        self._check(service, name, key_node, {field: where for field, (where, _) in given.items()})

    def _check(self, service: Service, name: str, key_node: Scalar, places: dict[str, Node]) -> None:
        """Note where a service is at odds with those before it. What was refused, and is None, is at odds with none."""
        if service.offset is not None:
            where = places.get("offset", key_node)
            self._claim("offset", service.offset, service.tag, where, name)
            self._offsets.append((service.offset, where, f"{name}.offset"))
        if service.preferred is not None:
            self._claim("preferred", service.preferred, service.tag, places["preferred"], name)
        if "env" in places and service.env is None:
            return
        where = places.get("env", key_node)
        if is_variable_name(service.variable) and means_something(service.variable):
            message = f"shells and programs take the variable {service.variable} for something else: give another env"
            self._reader.note(where, f"{name}.env", message)
        elif is_variable_name(service.variable):
            self._claim("env", service.variable.upper(), service.tag, where, name)
        else:
            message = f"the service's name makes no name of a variable, {quoted(service.variable)}: give env"
            self._reader.note(key_node, f"{name}.env", message)

    def _claim(self, field: str, value: object, tag: str, where: Node, name: str) -> None:
        owner = self._taken.setdefault((field, value), tag)
        if owner != tag:
            what = {"offset": "offset", "preferred": "preferred port", "env": "variable"}[field]
            self._reader.note(where, f"{name}.{field}", f"the service {quoted(owner)} has the same {what}, {value}")
