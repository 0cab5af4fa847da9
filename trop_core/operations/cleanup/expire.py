"""Remove the reservations that nobody has used for long."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.cleanup.removal import WORK, CleaningResult, Prepared, preparing
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class ExpireRequest(Record):
    """How long is long."""

    days: int | None = fields.integer(
        "How many days without use are too many; without it, the setting cleanup.expire_after_days (usually 30).",
        minimum=1,
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


def prepare(request: ExpireRequest, context: Context) -> Prepared:
    """Read the configuration."""
    return preparing(context, prune=False, expire=True, days=request.days)


OPERATION = Operation(
    name="expire",
    title="Expire Reservations",
    description=(
        "Removes the reservations that were last used more than so many days ago, in the whole store, whether their "
        "directories exist or not."
    ),
    request=ExpireRequest,
    result=CleaningResult,
    work=WORK(prepare=prepare),
    destructive=True,
    takes_away=lambda request: True,
)
