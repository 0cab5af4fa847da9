"""The configuration: each layer's problems, files with nearly the right name, and what is not taken."""

from __future__ import annotations

import os
from itertools import chain

from trop_core.config.merging import near_miss
from trop_core.config.names import GLOBAL_FILE
from trop_core.config.schema import KEYS, OTHER_VARIABLES
from trop_core.config.search import is_of_near_miss
from trop_core.config.variables import OWN_PREFIX
from trop_core.errors.base import TropError
from trop_core.errors.configuration import ConfigError
from trop_core.errors.spelling import escaped, nearest, quoted, shell_word
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import error, info, of_error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trop_core.errors.configuration import ConfigProblem
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject

_NAME = "project_configuration"
_RENAME = "Give it the right name, or remove it if it is of no use."
_TAKE = "Put a readable file of your own in its place; what may be read, the message says."


def user_file(subject: Subject) -> Iterator[Finding]:
    """Whether the user's ``config.yaml`` can be used: no command that needs settings works with one that cannot."""
    from trop_core.config.files import load_file

    place = subject.context.data_directory
    if not place:
        return
    file = os.path.join(place, GLOBAL_FILE)
    for told in near_miss(place):
        yield warning("user_configuration", told, _RENAME)
    try:
        layer = load_file(file, project=False)
    except ConfigError as failure:
        for problem in failure.problems:
            yield error("user_configuration", str(problem), f"Mend it; then: trop validate {shell_word(file)}")
        return
    except TropError as failure:
        yield from of_error("user_configuration", failure, subject.context.spell)
        return
    yield ok("user_configuration", "there is none" if layer is None else file)


def environment(subject: Subject) -> Iterator[Finding]:
    """Whether each variable that trop knows holds what it can hold: one that does not lets commands fail.

    One that it does not know, and whose name is nearly that of one it knows, has no effect, and was meant to have it.
    """
    from trop_core.config.environment import environment_layer, log_mode

    problems: list[ConfigProblem] = []
    for read in (environment_layer, log_mode):
        try:
            read(subject.context.environment)
        except ConfigError as failure:
            problems += failure.problems
    for problem in problems:
        yield error("environment", str(problem), f"unset {problem.file}")
    misnamed = _misnamed(subject.context.environment)
    for told in misnamed:
        yield warning("environment", told, _RENAME)
    if not problems and not misnamed:
        yield ok("environment", "every variable of trop's can be used")


def _misnamed(environment: Mapping[str, str]) -> list[str]:
    variables = [key.variables for key in KEYS.values() if key.variables]
    known = {*OTHER_VARIABLES, *chain.from_iterable(variables)}
    documented = [*OTHER_VARIABLES, *(names[0] for names in variables)]
    told = []
    for name in sorted(name for name, value in environment.items() if value and name not in known):
        # What begins like trop's own may be another program's all the same: it has to be very much like it.
        meant = nearest(name, documented, lambda _: True) if name.upper().startswith(OWN_PREFIX) else None
        if meant is not None:
            told.append(f"{escaped(name)}: unknown variable: did you mean {meant}?")
    return told


def together(subject: Subject) -> Iterator[Finding]:
    """Whether the layers go together: a range may be upside down of which each end by itself is a port."""
    failure = subject.user_failure
    if failure is None:
        return
    told = {finding.message for check in (user_file, environment) for finding in check(subject)}
    for finding in of_error("configuration", failure, subject.context.spell):
        if finding.message not in told:
            yield finding


def project_files(subject: Subject) -> Iterator[Finding]:
    """Whether the ``trop.yaml`` and ``trop.local.yaml`` of the directory can be used, and what of them has no effect.

    One that is wrong lets what reserves fail. One that is not read, because of its name or its owner, was meant to be.
    """
    settings = subject.settings
    if subject.directory is None or subject.user_failure is not None:
        return
    yield from _mistakes(subject)
    for told in settings.passed_over:
        if told not in settings.warnings:
            yield info(_NAME, told, "Nothing has to be done; if you want it, say it in your own config.yaml.")
    if settings.refusal is None and settings.config_files:
        yield ok(_NAME, " and ".join(map(quoted, settings.config_files)))
    elif settings.refusal is None:
        yield ok(_NAME, "no file of a project's applies here")


def _mistakes(subject: Subject) -> Iterator[Finding]:
    refusal, group = subject.settings.refusal, subject.settings.group
    problems = refusal.problems if isinstance(refusal, ConfigError) else ()
    for problem in (*problems, *(group.problems if group is not None else ())):
        yield error(_NAME, str(problem), f"Mend it; then: trop validate {shell_word(problem.file)}")
    if refusal is not None and not problems:
        yield from of_error(_NAME, refusal, subject.context.spell)
    # The last one tells of the refusal, as a whole.
    warnings = subject.settings.warnings[: -1 if refusal is not None else None]
    users = near_miss(subject.context.data_directory)
    for told in warnings:
        if is_of_near_miss(told) and told not in users:
            yield warning(_NAME, told, _RENAME)
        elif told in subject.settings.passed_over:
            yield error(_NAME, told, "Take it out of the project's file: config.yaml in the data directory may say it.")
        elif told not in users:
            yield warning(_NAME, told, _TAKE)
