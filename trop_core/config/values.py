"""Whether a value is one that its key can take, and what to say where it is not."""

from __future__ import annotations

import os

from trop_core.config.numbers import OddNumber, from_text
from trop_core.config.schema import Kind
from trop_core.errors.arguments import InvalidIdentifier
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.spelling import escaped, nearest, quoted
from trop_core.light_types import TYPE_CHECKING, NoReturn
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, identifier, is_port

if TYPE_CHECKING:
    from trop_core.config.schema import Key

MOST_PROBLEMS = 1000
_LONGEST_NAME = 200
_LARGEST_SHOWN = 10**30
_PORTS = r"([0-9]{1,5}) *\.\. *([0-9]{1,5})"


class Refused(Exception):
    """A value that its key cannot take; the text says what was expected, and what came.

    ``meant`` is what to write in its place, where that can be guessed.
    """

    def __init__(self, text: str, *, meant: str | None = None) -> None:
        super().__init__(text)
        self.meant = meant


class Problems:
    """The problems of one source, collected until there are too many to be of use.

    ``carried`` are those that do not make the source unusable: they are raised only together with others. Of a source
    that ``is_whole`` nothing is missing; of one that is read in part, nobody can say that something is.
    """

    def __init__(self, source: str, *, is_whole: bool = True) -> None:
        self.source = source
        self.is_whole = is_whole
        self.found: list[ConfigProblem] = []
        self.carried: tuple[ConfigProblem, ...] = ()

    def add(
        self, line: int | None, column: int | None, key: str | None, message: str, *, meant: str | None = None
    ) -> None:
        """Note a problem; ``meant`` is what was probably meant. Raises ``ConfigError`` when it is one too many."""
        if len(self.found) == MOST_PROBLEMS:
            self.found.sort(key=_position)
            self.found.append(ConfigProblem(self.source, line, column, None, "there are more problems from here on"))
            raise ConfigError(self.found)
        self.found.append(ConfigProblem(self.source, line, column, key and shown(key), message, meant=meant))

    def carry(self, line: int | None, column: int | None, key: str, message: str) -> None:
        """Note a problem that does not make the source unusable."""
        self.carried += (ConfigProblem(self.source, line, column, shown(key), message),)

    def fail(self, line: int | None, column: int | None, message: str) -> NoReturn:
        """Raise ``ConfigError`` for a problem after which nothing else can be found."""
        self.add(line, column, None, message)
        raise ConfigError(self.found)

    def in_order(self) -> list[ConfigProblem]:
        """All problems in the order of their places, those that are carried among them."""
        return sorted([*self.found, *self.carried], key=_position)


def _position(problem: ConfigProblem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def shown(name: str) -> str:
    """A key's name as a terminal can show it: no control characters, and not endless."""
    return escaped(name) if len(name) <= _LONGEST_NAME else quoted(name)[1:-1]


def described(value: object) -> str:
    """A value as a problem shows it: as it was written."""
    if isinstance(value, OddNumber):
        return escaped(value.text)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:
        # Python refuses to print a number of thousands of digits, which hexadecimal notation can bring about.
        return "a number of more than 30 digits"
    if isinstance(value, bytes):
        return "binary data"
    return quoted(value) if isinstance(value, str) else str(value)


def refuse(expected: str, value: object) -> Refused:
    """The exception for a value where something else was expected."""
    refused, meant = f"expected {expected}, not {described(value)}", None
    if isinstance(value, OddNumber) and isinstance(value.value, int | float):
        refused += f": {value.advice}, because YAML reads something else in it"
        meant = value.instead
    return Refused(refused, meant=meant)


def refuse_choice(key: Key, value: object) -> Refused:
    """The exception for a text that is none of a key's words."""
    refused = refuse(key.expectation if key.kind is Kind.CHOICE else f"one of {', '.join(key.choices)}", value)
    if isinstance(value, str):
        refused.meant = nearest(value.lower(), key.choices)
    return refused


def accept(key: Key, value: object) -> object:
    """A single value as the settings hold it, for any key that takes no list and no mapping.

    Nothing is coerced, but that a number may be quoted: a boolean is no number, 5000.0 is no port. Raises ``Refused``.
    """
    if key.kind in (Kind.INTEGER, Kind.NUMBER) and isinstance(value, str):
        number = from_text(value)
        value = value if number is None else number
    match key.kind:
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.INTEGER if type(value) is int and key.minimum <= value <= key.maximum:
            return value
        case Kind.NUMBER if type(value) in (int, float) and key.minimum <= value <= key.maximum:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        case Kind.CHOICE if value in key.choices:
            return value
        case Kind.VARIABLE if isinstance(value, str):
            return value
        case Kind.IDENTIFIER if isinstance(value, str):
            try:
                return identifier(key.name, value)
            except InvalidIdentifier as error:
                raise Refused(f"{quoted(value)} cannot be used: {error.reason}") from None
        case Kind.IDENTIFIER if not isinstance(value, str):
            raise Refused(f"expected {key.expectation}, not {described(value)}; quotes make it a text")
    raise refuse_choice(key, value) if key.choices else refuse(key.expectation, value)


def accept_choice(key: Key, value: object) -> str:
    """One entry of a list of words that the key knows. Raises ``Refused``."""
    if isinstance(value, str) and value in key.choices:
        return value
    raise refuse_choice(key, value)


def accept_directory(value: object) -> str:
    """One entry of ``safe_directories``, normalised as text; ``~`` is the home directory. Raises ``Refused``."""
    path = os.path.expanduser(value) if isinstance(value, str) and "\0" not in value else ""
    if not os.path.isabs(path):
        raise refuse("a directory, absolute or beginning with ~/", value)
    return "/" + os.path.normpath(path).lstrip("/")


def accept_ports(value: object) -> tuple[int, int]:
    """One entry of ``excluded_ports``: a port, or a text such as ``5005..5009``. Raises ``Refused``."""
    text = value.strip(" ") if isinstance(value, str) else None
    if text is not None and (number := from_text(text)) is not None:
        value = number
    if is_port(value):
        assert isinstance(value, int)
        return value, value
    import re

    written = re.fullmatch(_PORTS, text) if text is not None else None
    if not written:
        raise refuse(f"a port from {LOWEST_PORT} to {HIGHEST_PORT} or a range such as 5005..5009", value)
    return accept_range(int(written[1]), int(written[2]), value)


def accept_range(first: int, last: int, value: object) -> tuple[int, int]:
    """A range by its ends; ``value`` is how it was written. Raises ``Refused``."""
    if not (is_port(first) and is_port(last)):
        raise refuse(f"a range of ports from {LOWEST_PORT} to {HIGHEST_PORT}", value)
    if first > last:
        raise refuse(f"a range whose first port is not above its last, such as {last}..{first}", value)
    return first, last
