"""Remove the reservations that nobody needs any more: those of missing directories, and those unused for long."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.cleanup.removal import WORK, CleaningResult, Prepared, preparing
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class AutocleanRequest(Record):
    """How long is long."""

    days: int | None = fields.integer(
        "How many days without use are too many; without it, the setting cleanup.expire_after_days (usually 30).",
        minimum=1,
    )
    force: bool = fields.flag(
        "Take also what is missing and may come back: a volume that is not mounted, a locked worktree."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


def prepare(request: AutocleanRequest, context: Context) -> Prepared:
    """Read the configuration."""
    return preparing(context, prune=True, expire=True, days=request.days, take_absent=request.force)


OPERATION = Operation(
    name="autoclean",
    title="Clean Up Reservations",
    description=(
        "Removes the reservations of directories that no longer exist, and those that were last used more than so many "
        "days ago: prune and expire at once."
    ),
    request=AutocleanRequest,
    result=CleaningResult,
    work=WORK(prepare=prepare),
    destructive=True,
    takes_away=lambda request: True,
)
