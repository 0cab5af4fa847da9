"""The nouns: ports, ranges, keys and reservations. Frozen, and valid by construction."""

from __future__ import annotations

from trop_core.errors.arguments import InvalidArgument, InvalidIdentifier
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from trop_core.holder import Holder

LOWEST_PORT = 1
HIGHEST_PORT = 65535
LONGEST_IDENTIFIER = 255

_CONTROL = r"\x00-\x1f\x7f-\x9f"
IDENTIFIER = rf"^\s*[^\s{_CONTROL}]([^{_CONTROL}]{{0,{LONGEST_IDENTIFIER - 2}}}[^\s{_CONTROL}])?\s*$"
"""What ``identifier`` takes, as a pattern for JSON Schemas."""

DEFAULT_MINIMUM = 5000
DEFAULT_MAXIMUM = 7000


def is_port(value: object) -> bool:
    """Whether a value is a whole number that can be a port (a boolean is none)."""
    return type(value) is int and LOWEST_PORT <= value <= HIGHEST_PORT


class PortRange:
    """The ports from ``minimum`` to ``maximum``, both included. Not to be changed."""

    __slots__ = ("maximum", "minimum")

    def __init__(self, minimum: int = DEFAULT_MINIMUM, maximum: int = DEFAULT_MAXIMUM) -> None:
        for field, value in (("min", minimum), ("max", maximum)):
            if not is_port(value):
                raise InvalidArgument(field, expected=f"a port from {LOWEST_PORT} to {HIGHEST_PORT}", given=value)
        if minimum > maximum:
            raise InvalidArgument("min", expected=f"a port up to the maximum, {maximum}", given=minimum)
        self.minimum = minimum
        self.maximum = maximum

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortRange) and (self.minimum, self.maximum) == (other.minimum, other.maximum)

    def __hash__(self) -> int:
        return hash((self.minimum, self.maximum))

    def __repr__(self) -> str:
        return f"PortRange({self.minimum}, {self.maximum})"

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.minimum <= port <= self.maximum

    def __len__(self) -> int:
        return self.maximum - self.minimum + 1


class ReservationKey(NamedTuple):
    """What a port is kept for: a directory, and a tag where the directory needs several ports."""

    path: str
    tag: str | None = None


class Reservation(NamedTuple):
    """A port kept for a key. Times are whole seconds since the epoch, UTC.

    Tag, project and task are as stored: values that today's input rules would refuse are kept.
    """

    port: int
    path: str
    tag: str | None
    project: str | None
    task: str | None
    created_at: int
    last_used_at: int

    @property
    def key(self) -> ReservationKey:
        """The key that the port is kept for."""
        return ReservationKey(self.path, self.tag)


Occupancy = Literal["occupied", "free", "unknown"]
"""Whether something occupied a port when it was looked at. Unknown, too, where nobody was to look."""


class ListedReservation(NamedTuple):
    """A reservation as a list shows it: what was seen of its port, if that was asked for, and of its directory.

    ``holder`` is who occupies the port, where that is known.
    """

    reservation: Reservation
    occupancy: Occupancy | None = None
    missing: bool = False
    holder: Holder | None = None


class Timestamp(int):
    """A time in whole seconds since the epoch, UTC, where that is not told by what it belongs to."""


PLAN_SECONDS = 5 * 60
"""How long a plan may be carried out after the dry run that made it."""


class GivenPlan(NamedTuple):
    """What a dry run gives to whoever wants exactly that to be done: its token, until when, and what it is."""

    token: str
    expires_at: Timestamp
    summary: str


class Violation(NamedTuple):
    """Something in a store that cannot stand there. What it is about is None as far as it is about more than that."""

    table: str | None
    column: str | None
    key: str | None
    message: str


def identifier(field: str, value: str) -> str:
    """A tag, project or task as it is stored: trimmed.

    Raises ``InvalidIdentifier`` when nothing is left, when it is longer than 255 characters, or when it holds a
    control character or something that is no character at all (half of a surrogate pair).
    """
    text = value.strip()
    if not text:
        raise InvalidIdentifier(field, value, "it is empty")
    if len(text) > LONGEST_IDENTIFIER:
        raise InvalidIdentifier(field, value, f"it has {len(text)} characters, and {LONGEST_IDENTIFIER} is the most")
    for character in text:
        code = ord(character)
        if code < 0x20 or 0x7F <= code <= 0x9F:
            raise InvalidIdentifier(field, value, f"it holds the control character U+{code:04X}")
        if 0xD800 <= code <= 0xDFFF:
            raise InvalidIdentifier(field, value, "it is not valid Unicode")
    return text
