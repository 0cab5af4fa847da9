"""What a check finds: in what state a thing is, and what to do about it."""

from __future__ import annotations

from trop_core.errors.configuration import ConfigError
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from trop_core.errors.base import TropError
    from trop_core.errors.spelling import Spelling

Status = Literal["ok", "info", "warning", "error"]
"""An error lets commands fail. With a warning, something is not as it is meant to be; an info is worth knowing."""


class Finding(NamedTuple):
    """One result of a check: its name, the state of what it looked at, what is the case, and what to do.

    There is nothing to do, and no advice, where it is ok.
    """

    check: str
    status: Status
    message: str
    advice: str | None = None


def ok(check: str, message: str) -> Finding:
    """That all is well."""
    return Finding(check, "ok", message)


def info(check: str, message: str, advice: str) -> Finding:
    """What is worth knowing, and no fault."""
    return Finding(check, "info", message, advice)


def warning(check: str, message: str, advice: str) -> Finding:
    """What is not as it is meant to be, though commands work."""
    return Finding(check, "warning", message, advice)


def error(check: str, message: str, advice: str) -> Finding:
    """What lets commands fail."""
    return Finding(check, "error", message, advice)


def of_error(check: str, failure: TropError, spell: Spelling) -> tuple[Finding, ...]:
    """What a command would have failed of: each problem of a configuration, and any other error, with its hint."""
    if isinstance(failure, ConfigError):
        return tuple(error(check, str(problem), failure.hint(spell)) for problem in failure.problems)
    return (error(check, failure.message(spell), failure.hint(spell)),)
