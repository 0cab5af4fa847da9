"""What a call changes, for the record and for plans: noted, compared with what was planned, and kept.

A dry run of what takes something away is carried out in the transaction that is rolled back, so that its plan is made
of what would really happen. The call that has the plan's token is carried out again, and committed only if it does the
same.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from trop_core.caller import Door
from trop_core.errors.base import TropError
from trop_core.light_types import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.catalogue import Operation
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.noted_changes import Counts, NotedChanges
    from trop_core.database.operation_log import Entry
    from trop_core.models import GivenPlan
    from trop_core.plans import PlanToken

T = TypeVar("T")

_SIGNS_OF_CHANGE = ("not_found", "reservation_conflict", "port_occupied", "undo_conflict")
"""The kinds of errors which tell that what was planned cannot be done any more."""


class Recording:
    """One call's part in the record. It belongs to a thread at a time, and ``plan`` to a dry run that has ended.

    Raises ``InvalidArgument`` where the request has something else than a plan's token, or needs one and has none.
    """

    def __init__(self, operation: Operation, request: Any, context: Context) -> None:
        self._operation = operation
        self._request = request
        self._context = context
        self.is_planned = operation.takes_away(request)
        """Whether a dry run of the call gives a plan."""
        self.plan: GivenPlan | None = None
        self.undoes: int | None = None
        """The operation that the call takes back, once that is known."""
        self.changed = 0
        """How many reservations are others than before, once that is known."""
        self.warnings: tuple[str, ...] = ()
        self._entry: tuple[int, Entry] | None = None
        self.token: PlanToken | None = None
        text = getattr(request, "plan", None)
        if text is not None:
            from trop_core.plans import PlanToken

            self.token = PlanToken.read(text)
        elif self.is_planned and not request.dry_run and _is_unbounded(context):
            from trop_core.errors.plans import PlanNeeded

            raise PlanNeeded

    @property
    def verb(self) -> str:
        """What the call tries to do, as a message has it."""
        return self._operation.name.replace("_", " ")

    def told(self, result: Any, *, dry_run: bool) -> Any:
        """A result with what is to be told of the record, and with the plan of a dry run that gives one."""
        if self.warnings:
            told = [warning for warning in self.warnings if warning not in result.warnings]
            result = result._replace(warnings=(*result.warnings, *told))
        return result._replace(plan=self.plan) if dry_run and self.is_planned else result

    def check(self, connection: StoreConnection) -> None:
        """Refuse a plan that was used, or is too old. Reads. Raises ``PlanUsed`` or ``PlanExpired``."""
        if self.token is None:
            return
        from trop_core.database import operation_log
        from trop_core.errors.plans import PlanExpired, PlanUsed

        used = operation_log.operation_of_plan(connection, self.token.name)
        if used is not None:
            raise PlanUsed(used)
        if self._context.now() > self.token.expires_at:
            raise PlanExpired

    def decide(self, plan: Callable[[], T]) -> T:
        """What ``plan`` returns; that what was planned is not there any more is ``PlanChanged``."""
        try:
            return plan()
        except TropError as error:
            if self.token is None or error.kind not in _SIGNS_OF_CHANGE:
                raise
            from trop_core.errors.plans import PlanChanged

            raise PlanChanged(error.message(self._context.spell)) from error

    @contextmanager
    def kept(self, connection: StoreConnection, *, dry_run: bool) -> Iterator[None]:
        """Note what the block does. In the end it is kept in the store, or, for a dry run, becomes its ``plan``.

        Raises ``PlanChanged``. The caller rolls back when an error leaves the block.
        """
        from trop_core.database.noted_changes import noting

        if dry_run and self.is_planned:
            self._look_for_record(connection)
        with noting(connection) as changes:
            yield
            counts = changes.settle()
            self.changed = counts.total
            if self.is_planned and (dry_run or self.token is not None):
                from trop_core.plans import digest_of

                digest = digest_of(self._operation, self._request, changes, self._resolve, undoes=self.undoes)
                self._compare(digest, str(counts), dry_run)
            if not dry_run and (counts.total or self.token is not None):
                self._keep(connection, changes, counts)

    def is_in(self, connection: StoreConnection) -> bool:
        """Whether what ``kept`` has kept last stands in the store: whether its transaction came to be. Reads."""
        if self._entry is None:
            return False
        from trop_core.database import operation_log

        return operation_log.holds(connection, *self._entry)

    def keep_nothing(self, connection: StoreConnection) -> None:
        """Keep that the plan was used by a call that changes no reservation, in a write transaction."""
        if self.token is not None:
            with self.kept(connection, dry_run=False):
                pass

    def without_rows(self, *, dry_run: bool) -> None:
        """What ``kept`` does where there are no reservations that could be noted. Raises ``PlanChanged``."""
        if self.is_planned and (dry_run or self.token is not None):
            from trop_core.plans import digest_of

            self._compare(digest_of(self._operation, self._request, None, self._resolve), "nothing changes", dry_run)

    def _compare(self, digest: bytes, summary: str, dry_run: bool) -> None:
        if self.token is not None and self.token.digest != digest:
            from trop_core.errors.plans import PlanChanged

            raise PlanChanged(summary)
        if dry_run and not self.warnings:
            from trop_core.models import GivenPlan, Timestamp
            from trop_core.plans import PlanToken

            token = PlanToken.of(digest, now=self._context.now())
            self.plan = GivenPlan(str(token), Timestamp(token.expires_at), summary)

    def _look_for_record(self, connection: StoreConnection) -> None:
        """Give no plan where it could not be noted that it was used: it could be carried out again and again."""
        from trop_core.database import companion

        told = companion.warning(companion.state(connection))
        self.warnings = () if told is None else (f"{told}; this dry run gives no plan",)

    def _keep(self, connection: StoreConnection, changes: NotedChanges, counts: Counts) -> None:
        from trop_core.database import companion, operation_log

        caller = self._context.caller
        entry = operation_log.Entry(
            time=self._context.now(),
            command=self._operation.command,
            door=caller.door.value,
            process=os.getpid(),
            directory=caller.folders[0] if caller.folders else caller.working_directory,
            summary=str(counts),
            changed=counts.total,
            undoes=self.undoes,
            plan=None if self.token is None else self.token.name,
        )
        number = operation_log.keep(connection, entry, changes)
        self._entry = None if number is None else (number, entry)
        if number is None:
            if self.token is not None:
                from trop_core.errors.plans import PlanNotKept

                raise PlanNotKept
            told = companion.warning(companion.state(connection))
            self.warnings = () if told is None else (told,)

    def _resolve(self, path: str) -> str:
        return self._context.caller.resolve(path)


def _is_unbounded(context: Context) -> bool:
    """Whether an agent calls, and nothing but the call itself tells what may be touched."""
    caller = context.caller
    return caller.door is Door.AGENT and (caller.is_named_by_call or not caller.anchors)
