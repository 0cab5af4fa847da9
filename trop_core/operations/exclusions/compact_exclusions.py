"""Put the exclusions of a configuration file into order: sorted, and in as few entries as can be."""

from __future__ import annotations

import os

from trop_core import fields
from trop_core.catalogue import Operation, Procedure
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.exclusions import exclusion_file
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience


class CompactExclusionsRequest(Record):
    """Which file."""

    config: str = fields.path("The configuration file.", required=True)
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")


class CompactExclusionsResult(Record):
    """The list before and after; both exclude the same ports."""

    file: str = fields.outcome("The configuration file.")
    before: tuple[str, ...] = fields.outcome("The entries of the list as it was: ports and ranges.")
    after: tuple[str, ...] = fields.outcome("The entries as they are now, or would be.")
    changed: bool = fields.outcome("Whether the file was changed, or would be.")
    truncated: bool = fields.outcome("Whether a list has more entries than are shown.", default=False)
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class CompactPlan(NamedTuple):
    """The file, absolute, and the directories in which the caller is at work."""

    file: str
    around: tuple[str, ...]
    dry_run: bool
    settings: Settings


def prepare(request: CompactExclusionsRequest, context: Context) -> CompactPlan:
    """Find the file. The caller's own configuration says how long to wait for the lock."""
    file = context.caller.resolve(request.config)
    # Where the file system hangs it does so here, and not while others wait for their turn.
    os.path.exists(file)
    return CompactPlan(file, context.caller.anchors, request.dry_run, context.settings(None))


def run(plan: CompactPlan, patience: Patience) -> CompactExclusionsResult:
    """Put the list into order; one that is in order is not touched. Does not look at the store.

    Raises what ``editing.edit_file`` raises; nothing has changed then.
    """
    change = exclusion_file.change(plan.file, patience, around=plan.around, compact=True, dry_run=plan.dry_run)
    return CompactExclusionsResult(
        file=plan.file, before=change.before, after=change.after, changed=change.changed, dry_run=plan.dry_run
    )


OPERATION = Operation(
    name="compact_exclusions",
    title="Compact Exclusions",
    description=(
        "Puts the excluded ports of a configuration file into ascending order and merges neighbours and overlaps: the "
        "same ports in as few entries as can be. Everything else in the file stays as it is."
    ),
    request=CompactExclusionsRequest,
    result=CompactExclusionsResult,
    work=Procedure(prepare=prepare, run=run, edits_beside=True),
)
