"""Reserve a port for each service of a configuration file, all at once."""

from __future__ import annotations

import os

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.groups import planning
from trop_core.operations.groups.planning import GroupRequest, GroupResult

if TYPE_CHECKING:
    from trop_core.context import Context
    from trop_core.operations.reserving.preparation import Prepared


class ReserveGroupRequest(GroupRequest):
    """Which file describes the group."""

    config: str = fields.path(
        "The configuration file whose services are meant. Its folder is the directory to reserve for. A trop.yaml and "
        "a trop.local.yaml beside each other count together; a file of another name counts alone.",
        required=True,
    )


def prepare(request: ReserveGroupRequest, context: Context) -> Prepared[GroupRequest]:
    """Find the file, and read it with what else applies to its folder."""
    file = planning.find_file(request.config, context)
    # It is read as it was named: the links on the way say whether its words may be shown.
    named = context.caller.resolve(request.config)
    settings = context.settings(os.path.dirname(file), config_file=named, **request.settings)
    return planning.prepare(request, context, settings, file)


OPERATION = Operation(
    name="reserve_group",
    title="Reserve Group of Ports",
    description=(
        "Reserves a port for each service in a configuration file, all or none, and returns them with the names of "
        "their environment variables. The same file always gets the same ports."
    ),
    request=ReserveGroupRequest,
    result=GroupResult,
    work=Mutation(
        prepare=prepare,
        plan=planning.plan,
        execute=planning.execute,
        report=planning.report,
        only_touches=planning.only_touches,
    ),
)
