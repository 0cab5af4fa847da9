"""Show which path a reservation would be kept for."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.errors.configuration import ConfigError
from trop_core.light_types import TYPE_CHECKING
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class ShowPathRequest(Record):
    """The directory that is asked about."""

    folder: str | None = fields.path("The directory, as an editor knows it. The open folder if left away.")
    path: str | None = fields.path("The directory, exactly as spelled.")
    root: bool | None = fields.switch("The root of the git worktree that the directory lies in.")
    canonicalize: bool = fields.flag("Follow the links of an explicit path too.")


class ShowPathResult(Record):
    """The path."""

    path: str = fields.outcome("The path that a reservation would be kept for.")
    config_directories: tuple[str, ...] = fields.outcome(
        "The directories in which a project's configuration counts for it, the nearest first: up to the one that has "
        "some, or as far as is looked."
    )
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


def compute(request: ShowPathRequest, context: Context) -> ShowPathResult:
    """Resolve the path as ``reserve`` does. Reads the configuration, and looks at the file system, not at the store."""
    warnings, directories = tuple[str, ...](), tuple[str, ...]()
    try:
        target, settings = context.target_and_settings(request.folder, request.path, root=request.root, tolerant=True)
        warnings, directories = settings.warnings, context.searched(target, settings)
    except ConfigError as error:
        # Of the configuration one key matters here, and the path is an answer without it, too.
        target = context.target(request.folder, request.path)
        warnings = tuple(map(str, error.problems))
    path = target.canonical if request.canonicalize else target.path
    return ShowPathResult(path=path, config_directories=directories, warnings=warnings + target.warnings)


OPERATION = Operation(
    name="show_path",
    title="Show Path",
    description="Shows the path that a reservation would be kept for.",
    request=ShowPathRequest,
    result=ShowPathResult,
    work=Computation(compute),
)
