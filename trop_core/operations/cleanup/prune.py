"""Remove the reservations of directories that no longer exist."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.cleanup.removal import WORK, CleaningResult, Prepared, preparing
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class PruneRequest(Record):
    """What to remove is a matter of the directories alone."""

    force: bool = fields.flag(
        "Take also what is missing and may come back: a volume that is not mounted, a locked worktree."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


def prepare(request: PruneRequest, context: Context) -> Prepared:
    """Read the configuration."""
    return preparing(context, prune=True, expire=False, take_absent=request.force)


OPERATION = Operation(
    name="prune",
    title="Prune Reservations",
    description=(
        "Removes the reservations of directories that no longer exist, in the whole store. A directory that merely "
        "cannot be read keeps its own."
    ),
    request=PruneRequest,
    result=CleaningResult,
    work=WORK(prepare=prepare),
    destructive=True,
    takes_away=lambda request: True,
)
