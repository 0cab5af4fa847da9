"""Operations as callers see them: what was done, by whom, and what it changed."""

from __future__ import annotations

from trop_core.database import operation_log
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import Reservation, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.database.handles import StoreConnection
    from trop_core.database.operation_log import Logged

MOST_CHANGES = 100
"""How many changes of one operation are told."""


class PastChange(NamedTuple):
    """One reservation that an operation changed; ``before`` or ``after`` is None where there was none."""

    path: str
    tag: str | None
    before: Reservation | None
    after: Reservation | None


class PastOperation(NamedTuple):
    """An operation on record. ``changes`` are the first hundred of those that ``changed`` counts.

    ``door`` is ``cli``, ``lsp``, ``mcp`` or ``hook``; ``process`` the process id of whoever carried it out;
    ``directory`` where the caller was. ``undoes`` is the operation that it took back, ``undone_by`` the one that took
    it back; ``planned`` tells that it carried out the plan of a dry run.
    """

    id: int
    time: Timestamp
    command: str
    door: str
    process: int
    directory: str | None
    summary: str
    undoes: int | None
    undone_by: int | None
    planned: bool
    changed: int
    changes: tuple[PastChange, ...]


def past_operation(connection: StoreConnection, logged: Logged, undone: Mapping[int, int]) -> PastOperation:
    """An operation with its changes. Raises ``DatabaseCorrupt`` for what cannot be one."""
    return PastOperation(
        id=logged.id,
        time=Timestamp(logged.time),
        command=logged.command,
        door=logged.door,
        process=logged.process,
        directory=logged.directory,
        summary=logged.summary,
        undoes=logged.undoes,
        undone_by=undone.get(logged.id),
        planned=logged.plan is not None,
        changed=logged.changed,
        changes=tuple(map(_change, operation_log.changes_of(connection, logged.id, MOST_CHANGES))),
    )


def _change(change: operation_log.Change) -> PastChange:
    row = change.before or change.after
    assert row is not None
    return PastChange(row.path, row.tag, change.before, change.after)
