"""The fields of requests and results, described where they are declared.

A request is a record whose fields are made by the functions below. What they describe drives the validation
of what comes in, the JSON Schemas, the flags of the command line and the documentation: a field that is added to a
request appears in all of them.
"""

from __future__ import annotations

from functools import partial

from trop_core.errors.arguments import InvalidArgument, UnknownArgument
from trop_core.errors.spelling import flag_name, wire_name
from trop_core.light_types import TYPE_CHECKING, Any, Enum, NamedTuple
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, identifier
from trop_core.paths import check_storable, from_uri
from trop_core.records import REQUIRED, Declared, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
PORTS = rf"{_PORT}(\.\.{_PORT})?"
"""What a ``PORTS`` field holds: a port, or the first and the last of a range. That they are in order takes a look."""


class Kind(Enum):
    """What a field holds. The value says it to a person, after "expected"."""

    FLAG = "true or false"
    INTEGER = "a whole number"
    IDENTIFIER = "a text"
    PATH = "a path"
    TEXT = "a text of any kind"
    CHOICE = "one of a few words"
    PORTS = "a port from 1 to 65535, or a range such as 5005..5009"


class Field(NamedTuple):
    """One field of a request, under its name in Python. Bounds are those of an integer, both included."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    default: int | None = None
    choices: tuple[str, ...] = ()

    @property
    def wire(self) -> str:
        """Its name in JSON."""
        return wire_name(self.name)

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return flag_name(self.name)

    @property
    def expectation(self) -> str:
        """What belongs into the field, as an error puts it after "expected"."""
        if self.kind is Kind.INTEGER:
            what = "a port" if (self.minimum, self.maximum) == (LOWEST_PORT, HIGHEST_PORT) else self.kind.value
            if self.maximum is None:
                return f"{what}, {self.minimum} or more"
            return f"{what} from {self.minimum} to {self.maximum}"
        if self.kind is Kind.CHOICE:
            return f"one of {', '.join(self.choices)}"
        return str(self.kind.value)

    def accept(self, value: object, *, uris: bool) -> object:
        """A value from outside, as the request holds it. Nothing is coerced; ``uris`` lets a path be a ``file:`` URI.

        Raises ``InvalidArgument``, ``InvalidIdentifier`` or ``InvalidPath``.
        """
        if self.kind is Kind.FLAG:
            if type(value) is bool:
                return value
        elif self.kind is Kind.INTEGER:
            low = -1 if self.minimum is None else self.minimum
            if type(value) is int and low <= value and (self.maximum is None or value <= self.maximum):
                return value
        elif isinstance(value, str):
            if self.kind is Kind.IDENTIFIER:
                return identifier(self.name, value)
            if self.kind is Kind.PATH:
                return check_storable(from_uri(value) if uris else value)
            fits = value in self.choices if self.kind is Kind.CHOICE else self.kind is Kind.TEXT or _are_ports(value)
            if fits:
                return value
        raise InvalidArgument(self.name, expected=self.expectation, given=value, alone=True)


def _are_ports(text: str) -> bool:
    import re

    return re.fullmatch(PORTS, text) is not None


def flag(description: str) -> Any:
    """A field that is false unless it is set."""
    return _declare(Kind.FLAG, description, default=False)


def switch(description: str) -> Any:
    """A field that leaves the matter to the configuration unless it is set, either way."""
    return _declare(Kind.FLAG, description, default=None)


def integer(description: str, *, minimum: int = 0, maximum: int | None = None, default: int | None = None) -> Any:
    """An optional whole number."""
    return _declare(Kind.INTEGER, description, default=default, minimum=minimum, maximum=maximum)


def port(description: str, *, required: bool = False) -> Any:
    """A port; optional unless ``required``."""
    default = REQUIRED if required else None
    return _declare(Kind.INTEGER, description, default=default, minimum=LOWEST_PORT, maximum=HIGHEST_PORT)


def name(description: str) -> Any:
    """An optional identifier: a tag, a project or a task."""
    return _declare(Kind.IDENTIFIER, description, default=None)


def path(description: str, *, required: bool = False) -> Any:
    """A path, relative or absolute; in JSON also a ``file:`` URI."""
    return _declare(Kind.PATH, description, default=REQUIRED if required else None)


def text(description: str) -> Any:
    """An optional text that only trop itself has to understand."""
    return _declare(Kind.TEXT, description, default=None)


def plan() -> Any:
    """The token of a plan, for requests that take something away; see ``trop_core.plans``."""
    return text("The token of the plan that a dry run gave: do this only if it is still exactly what was planned.")


def planned() -> Any:
    """The plan in the result of such a request."""
    text = "Only of a dry run: its plan, with its token, until when it may be used, and what it would do."
    return outcome(text, default=None)


def ports(description: str) -> Any:
    """A port or a range of ports, as a text. Required."""
    return _declare(Kind.PORTS, description, default=REQUIRED)


def choice(description: str, choices: tuple[str, ...]) -> Any:
    """One of a few words, or nothing."""
    return _declare(Kind.CHOICE, description, default=None, choices=choices)


def outcome(description: str, *, default: Any = REQUIRED) -> Any:
    """A field of a result."""
    return Declared(default, description)


def fields_of(request: type[Record]) -> tuple[Field, ...]:
    """The described fields of a request: its own in the order of their declaration, then those that it shares."""
    if request not in _known:
        _known[request] = _read_fields(request)
    return _known[request]


_known: dict[type[Record], tuple[Field, ...]] = {}


def _read_fields(request: type[Record]) -> tuple[Field, ...]:
    base = request.__base__
    shared = fields_of(base) if base is not None and issubclass(base, Record) else ()
    known = {field.name for field in shared}
    own = tuple(
        Field(name=name, required=declared.required, **declared.description)
        for name, declared in request.declared.items()
        if name not in known
    )
    return own + shared


def paths_in(request: Record) -> tuple[str, ...]:
    """The paths that a request names, as it names them."""
    kind = type(request)
    if kind not in _known_paths:
        _known_paths[kind] = tuple(field.name for field in fields_of(kind) if field.kind is Kind.PATH)
    return tuple(filter(None, map(partial(getattr, request), _known_paths[kind])))


_known_paths: dict[type[Record], tuple[str, ...]] = {}


def _by_wire_name(request: type[Record]) -> Mapping[str, Field]:
    if request not in _known_by_wire_name:
        _known_by_wire_name[request] = {field.wire: field for field in fields_of(request)}
    return _known_by_wire_name[request]


_known_by_wire_name: dict[type[Record], Mapping[str, Field]] = {}


def parse(request: type[Record], values: Mapping[str, object], *, uris: bool) -> dict[str, Any]:
    """The constructor's arguments for a request, from values by their names in JSON. None counts as absent.

    ``uris`` lets paths be ``file:`` URIs. Raises ``UnknownArgument``, or what ``Field.accept`` raises.
    """
    fields = _by_wire_name(request)
    accepted: dict[str, Any] = {}
    for given_name, value in values.items():
        field = fields.get(given_name)
        if field is None:
            raise UnknownArgument(given_name, known=tuple(fields))
        if value is not None:
            accepted[field.name] = field.accept(value, uris=uris)
    for name in request.required:
        if name not in accepted:
            field = next(field for field in fields.values() if field.name == name)
            raise InvalidArgument(name, expected=field.expectation, missing=True, alone=True)
    return accepted


def _declare(kind: Kind, description: str, *, default: Any, **bounds: Any) -> Any:
    described = {"kind": kind, "description": description, **bounds}
    if kind is Kind.INTEGER and default is not REQUIRED:
        described["default"] = default
    return Declared(default, described)
