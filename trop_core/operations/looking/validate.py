"""Check a configuration file, and tell every mistake in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.errors.configuration import ConfigError
from trop_core.errors.paths import InvalidPath

if TYPE_CHECKING:
    from trop_core.context import Context

_MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """Which file to check."""

    config: str = fields.path(
        "The configuration file to check. One that is called config.yaml is checked as the one in the data directory, "
        "any other as a project's.",
        required=True,
    )


class Problem(NamedTuple):
    """One mistake. Line and column count from 1, and are null where the file as a whole is meant."""

    file: str
    line: int | None
    column: int | None
    key: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateResult:
    """What is wrong with the file."""

    valid: bool = fields.outcome("Whether trop can use the file as it is.")
    problems: tuple[Problem, ...] = fields.outcome("Every mistake, in the order of their places in the file.")
    truncated: bool = fields.outcome("Whether there are more mistakes than are listed.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: ValidateRequest, context: Context) -> ValidateResult:
    """Read the file and nothing else; takes no lock.

    Raises ``InvalidPath`` if there is none, ``PermissionDenied`` or ``SystemFailure`` if it cannot be read.
    """
    from trop_core.config.files import load_file

    file = context.caller.resolve(request.config)
    try:
        layer = load_file(file)
    except ConfigError as error:
        found = tuple(Problem(**problem.details()) for problem in error.problems)  # type: ignore[arg-type]
        return ValidateResult(valid=False, problems=found[:_MOST_LISTED], truncated=len(found) > _MOST_LISTED)
    if layer is None:
        advice = "Name a configuration file that exists, such as ./trop.yaml."
        raise InvalidPath(file, "there is no such file", advice=advice)
    return ValidateResult(valid=True, problems=(), truncated=False)


OPERATION = Operation(
    name="validate",
    title="Validate Configuration",
    description="Checks a configuration file, and tells every mistake in it with file, line and column.",
    request=ValidateRequest,
    result=ValidateResult,
    work=Computation(compute),
)
