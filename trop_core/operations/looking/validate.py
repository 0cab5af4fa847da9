"""Check a configuration file, and tell every mistake in it."""

from __future__ import annotations

import os

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.errors.paths import InvalidPath
from trop_core.errors.spelling import quoted
from trop_core.errors.system import SystemFailure
from trop_core.light_types import TYPE_CHECKING, NamedTuple, cast
from trop_core.ports.avoidance import is_short
from trop_core.ports.exclusions import spelled
from trop_core.ports.services import Group
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.config.layer import Layer
    from trop_core.context import Context

_MOST_LISTED = 1000


class ValidateRequest(Record):
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


class ValidateResult(Record):
    """What is wrong with the file."""

    valid: bool = fields.outcome("Whether trop can use the file as it is.")
    problems: tuple[Problem, ...] = fields.outcome("Every mistake, in the order of their places in the file.")
    truncated: bool = fields.outcome("Whether there are more mistakes than are listed.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def compute(request: ValidateRequest, context: Context) -> ValidateResult:
    """Read the file, and of the user's own which variables it allows; takes no lock.

    Raises ``InvalidPath`` if there is none, ``PermissionDenied`` or ``SystemFailure`` if it cannot be read.
    """
    from trop_core.config import authority
    from trop_core.config.files import load_file
    from trop_core.config.merging import allowed_variables, expanded
    from trop_core.config.names import GLOBAL_FILE
    from trop_core.config.search import is_quotable, near_misses

    file = context.caller.resolve(request.config)
    user, warnings = user_layer(context.data_directory)
    allowed = allowed_variables(user)
    quotable = is_quotable(file, context.caller.anchors)
    problems: Sequence[ConfigProblem] = ()
    try:
        layer = load_file(file, allowed=allowed, quotable=quotable)
    except ConfigError as error:
        problems = error.problems
    else:
        if layer is None:
            advice = "Name a configuration file that exists, such as ./trop.yaml."
            raise InvalidPath(file, "there is no such file", advice=advice)
        warnings += _range_warning(layer, context)
        group = layer["reservations"].value if "reservations" in layer else None
        problems = group.problems if isinstance(group, Group) else ()
        if os.path.basename(file) != GLOBAL_FILE:
            misplaced = [
                ConfigProblem(*place, key, authority.NO_KEY_OF_A_PROJECT) for key, place in authority.misplaced(layer)
            ]
            problems = sorted([*problems, *misplaced], key=lambda problem: (problem.line or 0, problem.column or 0))
            _, passed = authority.heeded(expanded(user), expanded(layer))
            warnings += tuple(str(each) for each in passed if not each.misplaced)
            warnings += near_misses(os.path.dirname(file))
    return ValidateResult(
        valid=not problems,
        problems=tuple(Problem(**problem.details()) for problem in problems[:_MOST_LISTED]),  # type: ignore[arg-type]
        truncated=len(problems) > _MOST_LISTED,
        warnings=warnings,
    )


def user_layer(data_directory: str) -> tuple[Layer, tuple[str, ...]]:
    """What the user's own file gives, and what to tell where it cannot be used."""
    from trop_core.config.files import load_file
    from trop_core.config.names import GLOBAL_FILE

    file = os.path.join(data_directory, GLOBAL_FILE)
    try:
        return load_file(file, project=False) or {}, ()
    except (ConfigError, SystemFailure):
        return {}, (f"{quoted(file)} cannot be used, so none of the variables that it may allow is allowed",)


def _range_warning(layer: Layer, context: Context) -> tuple[str, ...]:
    """What to tell of a range that the file gives, and that the system gives away as well."""
    from trop_core.config.merging import range_of
    from trop_core.config.schema import RANGE

    avoid = layer.get("ports.avoid")
    avoided = cast("tuple[str, ...]", avoid.value) if avoid else ()
    if "ephemeral" in avoided or layer.keys().isdisjoint(RANGE):
        return ()
    try:
        minimum, maximum = range_of(layer)
    except ConfigError:
        # With what the other layers give it may well be one.
        return ()
    ephemeral = context.ephemeral()
    given = ephemeral.count_within(minimum, maximum)
    if not given:
        return ()
    total = maximum - minimum + 1
    mend = "take another range" if is_short(total - given, total) else "ports.avoid can name them, as ephemeral"
    given_twice = f"the range, {minimum}..{maximum}, reaches into the ports that the system hands out by itself"
    return (f"{given_twice}, {', '.join(map(spelled, ephemeral.ranges))}: {mend}",)


OPERATION = Operation(
    name="validate",
    title="Validate Configuration",
    description="Checks a configuration file, and tells every mistake in it with file, line and column.",
    request=ValidateRequest,
    result=ValidateResult,
    work=Computation(compute),
)
