"""Reserve a port for each service of the project that a directory belongs to."""

from __future__ import annotations

import os

from trop_core import fields, paths
from trop_core.catalogue import Mutation, Operation
from trop_core.config.search import near_misses
from trop_core.errors.configuration import NoConfiguration
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.groups import planning
from trop_core.operations.groups.planning import GroupRequest, GroupResult

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.operations.reserving.preparation import Prepared


class AutoreserveRequest(GroupRequest):
    """Where to look for the file that describes the group."""

    folder: str | None = fields.path(
        "The directory from which trop.yaml or trop.local.yaml is searched for upward, as an editor knows it. The open "
        "folder if left away."
    )


def prepare(request: AutoreserveRequest, context: Context) -> Prepared[GroupRequest]:
    """Find the project's files upward from the directory, and read them. Raises ``NoConfiguration``."""
    start = context.target(request.folder, None).path
    return prepare_with(request, context, start, context.settings(start, **request.settings))


def prepare_with(
    request: AutoreserveRequest, context: Context, start: str, settings: Settings
) -> Prepared[GroupRequest]:
    """The same as ``prepare``, where the directory to start from and the settings there are known."""
    if settings.config_directory is None:
        example = "reservations: {services: {web: {}, api: {}}}"
        advice = f"Write a trop.yaml into the project's directory, such as: {example}"
        seen = settings.warnings or near_misses(start)
        raise NoConfiguration(start, advice=advice, extent=context.extent(start), seen=seen)
    directory = paths.canonical(settings.config_directory)
    file = os.path.join(directory, os.path.basename(settings.config_files[0]))
    return planning.prepare(request, context, settings, file)


OPERATION = Operation(
    name="autoreserve",
    title="Reserve the Project's Ports",
    description=(
        "Reserves a port for each service in the trop.yaml of the project that a folder belongs to, all or none, and "
        "returns them with the names of their environment variables. The same project folder always gets the same "
        "ports."
    ),
    request=AutoreserveRequest,
    result=GroupResult,
    work=Mutation(
        prepare=prepare,
        plan=planning.plan,
        execute=planning.execute,
        report=planning.report,
        only_touches=planning.only_touches,
    ),
)
