"""The layers of the configuration, merged into the settings of one call."""

from __future__ import annotations

import os
from _operator import methodcaller
from contextlib import suppress
from functools import partial

from trop_core.config import search
from trop_core.config.files import load_file, parse_bytes
from trop_core.config.layer import Given, Place
from trop_core.config.names import GLOBAL_FILE, NEAR_GLOBAL, PROJECT_FILES
from trop_core.config.settings import DEFAULT_ORIGIN, Settings
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import InternalError
from trop_core.errors.configuration import ConfigError, ConfigProblem
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple, cast
from trop_core.models import DEFAULT_MAXIMUM, DEFAULT_MINIMUM, HIGHEST_PORT
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from trop_core.config.layer import Layer, Speaker
    from trop_core.errors.base import TropError

_NO_SETTINGS = frozenset({"TROP_DATA_DIR", "TROP_PATH", "TROP_PROJECT", "TROP_TASK", "TROP_LOG_MODE"})
"""Variables that say nothing about settings: they alone are no reason to load what reads the others."""

_is_of_trop = methodcaller("startswith", "TROP_")

_ARGUMENT = Place("argument")
_SHORT_FOR = {"allow_change": ("allow_change_project", "allow_change_task")}
ONE_SETTING = {"ports.max": "ports.max_offset", "ports.max_offset": "ports.max"}
"""Keys that are one setting with another: a file gives the one or the other."""
_RANGE = ("ports.min", "ports.max", "ports.max_offset")
_CHECKS = "occupancy_check."
_FIELDS = {
    "project": "project",
    "excluded_ports": "excluded_ports",
    "cleanup.expire_after_days": "expire_after_days",
    "disable_autoinit": "disable_autoinit",
    "disable_autoprune": "disable_autoprune",
    "disable_autoexpire": "disable_autoexpire",
    "allow_unrelated_path": "allow_unrelated_path",
    "allow_change_project": "allow_change_project",
    "allow_change_task": "allow_change_task",
    "maximum_lock_wait_seconds": "maximum_lock_wait_seconds",
    "output_format": "output_format",
    "ports.avoid": "avoid",
    "reserve_for": "reserve_for",
    "follow_moves": "follow_moves",
    "safe_directories": "safe_directories",
    "allowed_variables": "allowed_variables",
    "reservations": "group",
}
"""The fields of ``Settings`` that hold a key's value as it is."""

_ARGUMENTS = {"ports.min", "ports.max", "ports.max_offset", *_SHORT_FOR, *_FIELDS}


def load_settings(
    *,
    data_directory: str,
    target: str | None,
    real: str | None = None,
    environment: Mapping[str, str],
    arguments: Mapping[str, object],
    home: str | None = None,
    config_file: str | None = None,
    around: Collection[str] = (),
    tolerant: bool = False,
) -> Settings:
    """What the configuration comes to for a call about the directory ``target``, which need not exist.

    Without a target it is what the user's own layers come to. Both directories are absolute paths, and so are
    ``real``, the target's one name, if that is known already, and ``config_file``, a project's file that somebody
    named: one of another name is read in place of those that the target has, and of one that is called as they are
    the target's own count, without a search above it. ``home`` ends the search; ``around`` are the directories in
    which the caller is at work. ``arguments`` are values that the call itself gives, by dotted keys and already
    checked; None is not given. Reads ``config.yaml`` in the data directory and the project's files, each once;
    writes nothing.

    Raises ``ConfigError`` with the problems of all files and variables together, or because the merged range is
    upside down; ``InvalidArgument`` (field ``min``, ``max`` or ``max_offset``) if it is so and an argument has to do
    with it; ``PermissionDenied`` or ``SystemFailure`` for a file that exists and cannot be read. For who is
    ``tolerant``, what is wrong with a project's files is the settings' ``refusal`` instead.
    """
    in_file: list[ConfigProblem] = []
    in_variables: list[ConfigProblem] = []
    global_file = os.path.join(data_directory, GLOBAL_FILE)
    users = [_attempt(in_file, partial(load_file, global_file, project=False))]
    if not _NO_SETTINGS.issuperset(filter(_is_of_trop, environment)):
        from trop_core.config.environment import environment_layer

        users.append(_attempt(in_variables, partial(environment_layer, environment)))
    project = (
        _Project({})
        if target is None
        else _read_project(target, users[0], config_file, home=home, around=around, real=real)
    )
    if in_file or in_variables or (project.problems and not tolerant):
        raise ConfigError([*in_file, *project.problems, *in_variables])
    if project.failure is not None and not tolerant:
        raise project.failure
    users.append(_argument_layer(arguments) if arguments else {})
    warnings = (*near_miss(data_directory), *project.warnings)
    if project == _Project({}, warnings=project.warnings) and not any(users):
        return Settings(warnings=warnings)  # nobody says anything, as a rule
    own, *stronger = (expanded(layer or {}) for layer in users)
    settings = partial(_merged, own, stronger, project._replace(warnings=warnings))
    refusal = project.failure or (ConfigError(project.problems) if project.problems else None)
    if not tolerant:
        return settings()
    try:
        return settings(refusal=refusal)
    except ConfigError as error:
        # If what the project's files say is not what is wrong, this raises once more.
        kept = project._replace(layer=_rangeless(project.layer), warnings=warnings)
        return _merged(own, stronger, kept, refusal=refusal or error)


def settings_without_files(
    environment: Mapping[str, str], arguments: Mapping[str, object], keys: Iterable[str]
) -> Settings:
    """What the environment and the arguments come to for some keys alone. Raises ``ConfigError``."""
    from trop_core.config.environment import environment_layer
    from trop_core.config.schema import KEYS

    chosen = tuple(keys)
    variables = {name: environment[name] for key in chosen for name in KEYS[key].variables if name in environment}
    given = _argument_layer({key: arguments[key] for key in chosen if key in arguments})
    return _settings(_stacked(environment_layer(variables), given), None)


def settings_of(user: Layer, project: Layer, stronger: Layer, directory: str | None) -> Settings:
    """What layers come to that are read already, as ``load_settings`` puts them together. Raises nothing.

    ``stronger`` is the environment. Where the range is upside down, the project's does not count, or nobody's.
    """
    own, above = expanded(user), expanded(stronger)
    for counting in (project, _rangeless(project)):
        with suppress(ConfigError, InvalidArgument):
            return _merged(own, [above], _Project(counting, directory))
    return _merged(_rangeless(own), [_rangeless(above)], _Project(_rangeless(project), directory))


def _rangeless(layer: Layer) -> Layer:
    return {name: given for name, given in layer.items() if name not in _RANGE}


def allowed_variables(user_layer: Layer | None) -> tuple[str, ...]:
    """The variables that the user's own file allows a project's file to name."""
    given = (user_layer or {}).get("allowed_variables")
    return () if given is None else cast("tuple[str, ...]", given.value)


def expanded(layer: Layer) -> Layer:
    """A layer in which ``allow_change`` is replaced by the two keys that it is short for.

    Where the layer has one of the two itself, that one stays: who says something about the project in particular
    means it.
    """
    full: Layer = {}
    for name, given in layer.items():
        if name not in _SHORT_FOR:
            full[name] = given
            continue
        for long in _SHORT_FOR[name]:
            if long not in layer:
                full[long] = given
    return full


def merge(weaker: Layer, stronger: Layer) -> Layer:
    """Two expanded layers as one. Values of the stronger one come last, and replace the weaker one's.

    ``ports.max`` and ``ports.max_offset`` replace each other, too; ``excluded_ports`` are united.
    """
    merged = dict(weaker)
    for name, given in stronger.items():
        replaced = merged.pop(name, None)
        merged.pop(ONE_SETTING.get(name, ""), None)
        merged[name] = _united(replaced, given) if replaced and name == "excluded_ports" else given
    return merged


def _united(one: Given, other: Given) -> Given:
    united = cast(Exclusions, one.value) | cast(Exclusions, other.value)
    speaker: Speaker = "project" if "project" in (one.speaker, other.speaker) else "user"
    return Given(united, one.places + other.places, speaker)


def _attempt(problems: list[ConfigProblem], load: Callable[[], Layer | None]) -> Layer | None:
    """What a source gives, or None if it gives nothing. Its problems join those of the other sources."""
    try:
        return load()
    except ConfigError as error:
        problems.extend(error.problems)
        return {}


class _Project(NamedTuple):
    """What a project's files give, merged into one layer, and what is wrong with them."""

    layer: Layer
    directory: str | None = None
    files: tuple[str, ...] = ()
    problems: tuple[ConfigProblem, ...] = ()
    failure: TropError | None = None
    warnings: tuple[str, ...] = ()


def _read_project(
    target: str,
    user: Layer | None,
    config_file: str | None,
    *,
    home: str | None,
    around: Collection[str],
    real: str | None,
) -> _Project:
    """The project's files that apply to a directory."""
    allowed = allowed_variables(user)
    words = config_file is None or search.is_quotable(config_file, around)
    if config_file is not None and os.path.basename(config_file) not in PROJECT_FILES:
        found: list[ConfigProblem] = []
        load = partial(load_file, config_file, allowed=allowed, quotable=words)
        layer = _attempt(found, load)
        return _Project(expanded(layer or {}), target, (config_file,), tuple(found))
    given = (user or {}).get("safe_directories")
    safe = () if given is None else cast("tuple[str, ...]", given.value)
    ground = search.Ground.of(target, home=home, safe=safe, around=around, real=real)
    files = search.find(ground) if config_file is None else search.in_directory(ground)
    if not files.files:
        return _Project({}, files.directory, warnings=files.warnings)
    merged: Layer = {}
    problems: list[ConfigProblem] = []
    for file in files.files:
        quotable = file.quotable and words
        parse = partial(parse_bytes, file.content, file.path, project=True, allowed=allowed, quotable=quotable)
        merged = merge(merged, expanded(_attempt(problems, parse) or {}))
    return _Project(
        merged,
        files.directory,
        tuple(file.path for file in files.files),
        tuple(problems),
        next((file.failure for file in files.files if file.failure is not None), None),
        files.warnings,
    )


def _merged(own: Layer, stronger: Sequence[Layer], project: _Project, *, refusal: TropError | None = None) -> Settings:
    """The settings: the user's own file, what counts of the project's, and the user's stronger layers, in this order.

    Raises ``ConfigError`` or ``InvalidArgument`` for a range that is upside down.
    """
    merged = _stacked(own, *stronger)
    passed_over, shaped_by = tuple[str, ...](), tuple[str, ...]()
    warnings = project.warnings
    if project.layer:
        # What a project's file may say needs the schema, which its reading has loaded.
        from trop_core.config import authority

        counting, passed = authority.heeded(own, project.layer)
        passed_over = tuple(map(str, passed))
        warnings += tuple(str(each) for each in passed if each.misplaced)
        users, merged = merged, _stacked(own, counting, *stronger)
        shaped_by = authority.shaped_by(merged, users)
    settings = _settings(merged, project.directory)
    if settings.group is not None and settings.group.made:
        from trop_core.config import authority

        origin = merged["reservations"].origin
        passed_over += authority.unprinted(settings.group.made, settings.allowed_variables, origin)
    if refusal is not None:
        warnings += (_told_of_refusal(refusal),)
    return settings._replace(
        config_files=project.files,
        warnings=warnings,
        passed_over=passed_over,
        shaped_by=shaped_by,
        refusal=refusal,
    )


def _stacked(*layers: Layer) -> Layer:
    merged: Layer = {}
    for layer in layers:
        merged = merge(merged, layer)
    return merged


def _told_of_refusal(refusal: TropError) -> str:
    first, more = str(refusal), ""
    if isinstance(refusal, ConfigError):
        first, more = str(refusal.problems[0]), f", and {len(refusal.problems) - 1} more of the kind"
        more = more if len(refusal.problems) > 1 else ""
    return f"the project's configuration is wrong, and what is wrong of it does not count: {first}{more}"


def near_miss(data_directory: str) -> tuple[str, ...]:
    """The warnings about files beside the user's own whose names are nearly the right one."""
    return search.usual_near_misses(data_directory, NEAR_GLOBAL, (GLOBAL_FILE,))


def _argument_layer(arguments: Mapping[str, object]) -> Layer:
    unknown = [name for name in arguments if name not in _ARGUMENTS and not name.startswith(_CHECKS)]
    if unknown:
        raise InternalError(f"no settings are called {', '.join(unknown)}")
    return {name: Given(value, (_ARGUMENT,)) for name, value in arguments.items() if value is not None}


def _settings(merged: Layer, config_directory: str | None) -> Settings:
    minimum, maximum = range_of(merged)
    values: dict[str, Any] = {name: given.value for name, given in merged.items()}
    checks = {name.removeprefix(_CHECKS): value for name, value in values.items() if name.startswith(_CHECKS)}
    origins = {name: given.origin for name, given in merged.items()}
    if "ports.max_offset" in origins:
        origins["ports.max"] = origins["ports.max_offset"]
    given = {field: values[name] for name, field in _FIELDS.items() if name in values}
    return Settings(
        port_min=minimum,
        port_max=maximum,
        occupancy=OccupancyChecks(**checks),
        config_directory=config_directory,
        group_place=merged["reservations"].place if "reservations" in merged else None,
        origins=origins,
        **given,
    )


def range_of(merged: Layer) -> tuple[int, int]:
    """The lowest and the highest port that a layer comes to, with the defaults for what it does not give.

    Raises ``InvalidArgument`` or ``ConfigError`` where they are at odds.
    """
    low, high, offset = (merged.get(f"ports.{end}") for end in ("min", "max", "max_offset"))
    minimum = cast(int, low.value) if low else DEFAULT_MINIMUM
    maximum = cast(int, high.value) if high else DEFAULT_MAXIMUM
    if offset:
        maximum = minimum + cast(int, offset.value)
    if not minimum <= maximum <= HIGHEST_PORT:
        raise _range_error(merged, minimum, maximum)
    return minimum, maximum


def _range_error(merged: Layer, minimum: int, maximum: int) -> ConfigError | InvalidArgument:
    """The error for a range that is upside down or goes beyond the last port.

    It names an argument where one has to do with it, and otherwise the end that the stronger layer gave.
    """
    upper = "ports.max_offset" if "ports.max_offset" in merged else "ports.max"
    offset = maximum - minimum
    from_lowest = f"{minimum} ({_origin(merged, 'ports.min')})"
    given_above = f"{offset if upper == 'ports.max_offset' else maximum} ({_origin(merged, upper)})"
    if upper == "ports.max_offset":
        what = f"ports.min, {from_lowest}, and ports.max_offset, {given_above}, go beyond {HIGHEST_PORT}"
        expected = {
            "ports.min": f"a port up to {HIGHEST_PORT - offset}, because ports.max_offset is {given_above}",
            upper: f"an offset up to {HIGHEST_PORT - minimum}, because ports.min is {from_lowest}",
        }
    else:
        what = f"ports.min, {from_lowest}, is above ports.max, {given_above}"
        expected = {
            "ports.min": f"a port up to the maximum, {given_above}",
            upper: f"a port from the minimum, {from_lowest}, up to {HIGHEST_PORT}",
        }
    ends = [name for name in merged if name in expected]
    for name in (upper, "ports.min"):
        if name in merged and merged[name].place == _ARGUMENT:
            return InvalidArgument(name.removeprefix("ports."), expected=expected[name], given=merged[name].value)
    last = merged[ends[-1]].place
    return ConfigError([ConfigProblem(last.source, last.line, last.column, ends[-1], what)])


def _origin(merged: Layer, name: str) -> str:
    return merged[name].origin if name in merged else DEFAULT_ORIGIN
