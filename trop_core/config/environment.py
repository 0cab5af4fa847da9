"""The ``TROP_*`` variables, as a layer of the configuration."""

from __future__ import annotations

from trop_core.config.layer import Given, Place
from trop_core.config.schema import KEYS, Kind
from trop_core.config.values import Refused, accept, accept_ports, refuse
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.light_types import TYPE_CHECKING, Literal, TypeAlias, cast
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.config.layer import Layer
    from trop_core.config.schema import Key

LogMode: TypeAlias = Literal["quiet", "normal", "verbose"]

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_LONGEST = 20
_DECIMAL = r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})"
_LOG_MODES = ("quiet", "normal", "verbose")


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """What the environment gives. A variable that is set to the empty string is not given.

    Raises ``ConfigError`` with the problems of all variables, each with the variable's name in the place of a file.
    """
    layer: Layer = {}
    problems: list[ConfigProblem] = []
    for key in KEYS.values():
        variable = next((name for name in key.variables if environment.get(name)), None)
        if variable is None:
            continue
        try:
            layer[key.name] = Given(_parse(key, environment[variable]), (Place(variable),))
        except Refused as refusal:
            problems.append(ConfigProblem(variable, None, None, key.name, str(refusal)))
    if environment.get("TROP_PORT_MAX") and environment.get("TROP_PORT_MAX_OFFSET"):
        message = "set either TROP_PORT_MAX or TROP_PORT_MAX_OFFSET: they are one setting"
        problems.append(ConfigProblem("TROP_PORT_MAX_OFFSET", None, None, "ports.max_offset", message))
    if problems:
        raise ConfigError(problems)
    return layer


def log_mode(environment: Mapping[str, str]) -> LogMode | None:
    """What ``TROP_LOG_MODE`` asks for, or None where it asks for nothing. Raises ``ConfigError``."""
    text = environment.get("TROP_LOG_MODE", "").strip().lower()
    if not text:
        return None
    if text not in _LOG_MODES:
        refusal = refuse(f"one of {', '.join(_LOG_MODES)}", text)
        raise ConfigError([ConfigProblem("TROP_LOG_MODE", None, None, None, str(refusal))])
    return cast(LogMode, text)


def _parse(key: Key, text: str) -> object:
    """A variable's text as the key's value. Raises ``Refused``."""
    if key.kind is Kind.BOOLEAN:
        word = text.strip().lower()
        if word not in _TRUE + _FALSE:
            raise refuse("true, 1, yes or on, or false, 0, no or off", text)
        return word in _TRUE
    if key.kind is Kind.PORTS:
        entries = (entry.strip() for entry in text.split(","))
        return Exclusions.of(accept_ports(int(entry) if _is_whole(entry) else entry) for entry in entries)
    value: object = text.strip().lower() if key.kind is Kind.CHOICE else text
    if key.kind is Kind.INTEGER and _is_whole(text.strip()):
        value = int(text)
    elif key.kind is Kind.NUMBER and _is_decimal(text.strip()):
        value = float(text)
    return accept(key, value)


def _is_whole(text: str) -> bool:
    digits = text[1:] if text.startswith(("+", "-")) else text
    return digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST


def _is_decimal(text: str) -> bool:
    import re

    return re.fullmatch(_DECIMAL, text) is not None
