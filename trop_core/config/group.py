"""The ``reservations`` of a file, read into a group of services."""

from __future__ import annotations

from trop_core.config.schema import ANY_SERVICE, ENVIRONMENT, KEYS, MOST_MADE, MOST_SERVICES, SERVICES
from trop_core.config.tree import Mapping, Scalar, dotted, is_null, value_of
from trop_core.config.values import Refused, accept, refuse, shown
from trop_core.config.variables import address_refusal, derived_name, port_refusal
from trop_core.errors.arguments import InvalidIdentifier
from trop_core.errors.configuration import VariableProblem
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple, cast
from trop_core.models import HIGHEST_PORT, identifier
from trop_core.ports.made_variables import MadeVariable, MalformedTemplate
from trop_core.ports.services import Group, Service

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.nodes import NodeReader
    from trop_core.config.tree import Node

_SECTION = "reservations"
_BASE = f"{_SECTION}.base"


def read_group(reader: NodeReader, node: Node, allowed: Collection[str] = ()) -> Group:
    """The group that a mapping describes. What is wrong with it is noted in the reader.

    Names of variables that are refused, and are not among those that the user has ``allowed``, are the group's own
    problems.
    """
    return _GroupReader(reader, allowed).read(node)


class _Written(NamedTuple):
    """A service as the file has it: the name of its key, and where each of its values stands."""

    tag: str
    name: str
    key_node: Scalar
    values: dict[str, object]
    places: dict[str, Node]

    def place(self, field: str) -> Node:
        """Where a value stands, or the service where the file does not have it."""
        return self.places.get(field, self.key_node)


class _GroupReader:
    """Reads one group, and remembers which names, offsets, ports and variables its services have taken."""

    def __init__(self, reader: NodeReader, allowed: Collection[str]) -> None:
        self._reader = reader
        self._allowed = allowed
        self._written: dict[str, _Written] = {}
        self._keys: dict[str, str] = {}
        self._full = False
        self._taken: dict[tuple[str, object], str] = {}
        self._variables: dict[str, str] = {}
        self._refused: list[VariableProblem] = []

    def read(self, node: Node) -> Group:
        base: int | None = None
        services: Node | None = None
        environment: Node | None = None
        for written, key_node, value in self._reader.mapping(_SECTION, node):
            if written == "base":
                base = cast(int | None, self._reader.single(KEYS[_BASE], _BASE, value))
            elif written == "services":
                services = value
            elif written == "environment":
                environment = value
            else:
                self._reader.unknown(_SECTION, _SECTION, written, key_node)
        if services is not None:
            self._read_services(services)
        empty = services is None or is_null(services) or (isinstance(services, Mapping) and not services.entries)
        if isinstance(node, Mapping) and empty:
            self._reader.note_absence(services or node, SERVICES, "expected at least one service")
        found = self._services(base)
        made = self._made(environment) if environment is not None else ()
        self._refused.sort(key=lambda problem: (problem.line, problem.column))
        return Group(found, base, made, tuple(self._refused))

    def _read_services(self, node: Node) -> None:
        for written, key_node, value in self._reader.mapping(SERVICES, node):
            self._read_service(written, key_node, value)

    def _read_service(self, written: str, key_node: Scalar, node: Node) -> None:
        name = dotted(SERVICES, key_node)
        try:
            tag = identifier("tag", written)
        except InvalidIdentifier as error:
            self._reader.note(key_node, name, f"the name of a service is a tag: {error.reason}")
            return
        if tag in self._keys:
            # The same text twice is a duplicate key, which the parser has noted already.
            if self._keys[tag] != written:
                self._reader.note(key_node, name, f"the service {quoted(tag)} is given twice")
            return
        if len(self._keys) == MOST_SERVICES:
            if not self._full:
                self._reader.note(key_node, SERVICES, f"a group has at most {MOST_SERVICES} services")
            self._full = True
            return
        self._keys[tag] = written
        values: dict[str, object] = {}
        places: dict[str, Node] = {}
        if isinstance(node, Scalar) and not is_null(node):
            values["preferred"], places["preferred"] = self._port_alone(name, node), node
        else:
            for field, field_node, value in self._reader.mapping(name, node):
                key = KEYS.get(f"{ANY_SERVICE}.{field}")
                if key is None:
                    self._reader.unknown(ANY_SERVICE, name, field, field_node)
                elif not is_null(value):
                    values[field], places[field] = self._reader.single(key, f"{name}.{field}", value), value
        self._written[tag] = _Written(tag, name, key_node, values, places)

    def _port_alone(self, name: str, node: Scalar) -> object:
        """The preferred port, in the place of a service's mapping."""
        key = KEYS[f"{ANY_SERVICE}.preferred"]
        try:
            return accept(key, value_of(node))
        except Refused:
            refused = refuse(f"a mapping or {key.expectation}", value_of(node))
            self._reader.note(node, name, str(refused), meant=refused.meant)
            return None

    def _services(self, base: int | None) -> tuple[Service, ...]:
        # An offset that was refused, and is None, is at odds with none.
        for written in self._written.values():
            for field, what in (("offset", "offset"), ("preferred", "preferred port")):
                if written.values.get(field) is not None:
                    self._claim(field, what, written)
        given = {value for (field, value) in self._taken if field == "offset"}
        free = (offset for offset in range(2 * MOST_SERVICES) if offset not in given)
        services = []
        for tag, written in self._written.items():
            offset = cast(int, written.values["offset"] if "offset" in written.values else next(free))
            if base is not None and offset is not None and base + offset > HIGHEST_PORT:
                message = f"the base, {base}, and this offset, {offset}, go beyond {HIGHEST_PORT}"
                self._reader.note(written.place("offset"), f"{written.name}.offset", message)
            services.append(
                Service(
                    tag,
                    offset=offset,
                    preferred=cast(int | None, written.values.get("preferred")),
                    env=cast(str | None, written.values.get("env")),
                    variable=self._variable(written),
                )
            )
        return tuple(services)

    def _claim(self, field: str, what: str, written: _Written) -> None:
        value = written.values[field]
        owner = self._taken.setdefault((field, value), written.tag)
        if owner != written.tag:
            message = f"the service {quoted(owner)} has the same {what}, {value}"
            self._reader.note(written.place(field), f"{written.name}.{field}", message)

    def _variable(self, written: _Written) -> str | None:
        """The variable of a service, or None where its name is refused."""
        env = cast(str | None, written.values.get("env"))
        if env is None and "env" in written.values:
            return None
        name = derived_name(written.tag) if env is None else env
        reason = port_refusal(name, self._allowed)
        if reason is not None:
            made = "the variable" if env is not None else "give env: the variable that the service's name makes,"
            reason = f"{made} {quoted(name)} {reason}"
        reason = reason or self._owner(name, f"the service {quoted(written.tag)}")
        if reason is None:
            return name
        self._refuse(written.place("env"), f"{written.name}.env", reason, tag=written.tag)
        return None

    def _made(self, node: Node) -> tuple[MadeVariable, ...]:
        made: list[MadeVariable] = []
        for count, (written, key_node, value) in enumerate(self._reader.mapping(ENVIRONMENT, node)):
            name = dotted(ENVIRONMENT, key_node)
            if count == MOST_MADE:
                self._reader.note(key_node, ENVIRONMENT, f"a group has at most {MOST_MADE} variables made from ports")
                break
            variable = self._template(written, name, value)
            reason = address_refusal(written, self._allowed)
            reason = reason and f"the variable {quoted(written)} {reason}"
            reason = reason or self._owner(written, ENVIRONMENT)
            if reason is not None:
                self._refuse(key_node, name, reason, tag=None)
            elif variable is not None:
                made.append(variable)
        return tuple(made)

    def _template(self, written: str, name: str, node: Node) -> MadeVariable | None:
        template = value_of(node)
        if not isinstance(template, str):
            self._reader.note(node, name, str(refuse("a template such as http://localhost:{port:web}", template)))
            return None
        try:
            variable = MadeVariable(written, template)
        except MalformedTemplate as error:
            self._reader.note(node, name, str(error))
            return None
        if variable.service is not None and variable.service not in self._written:
            self._reader.note_absence(node, name, f"there is no service {quoted(variable.service)}")
            return None
        return variable

    def _owner(self, name: str, owner: str) -> str | None:
        """Who has a variable of this name already, as the reason to refuse it; if nobody, it is the owner's now."""
        first = self._variables.get(name.upper())
        if first is None:
            self._variables[name.upper()] = owner
            return None
        return f"{first} has the same variable, {name.upper()}"

    def _refuse(self, where: Node, key: str, reason: str, *, tag: str | None) -> None:
        source = self._reader.problems.source
        self._refused.append(VariableProblem(source, where.line, where.column, shown(key), reason, tag=tag))
