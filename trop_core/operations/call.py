"""Running an operation once, in steps that may run in different threads."""

from __future__ import annotations

from trop_core.cancellation import no_progress
from trop_core.catalogue import Computation, Mutation, Procedure, Query
from trop_core.database.connection import FilesReplaced
from trop_core.database.waiting import LockClock, Patience
from trop_core.errors.base import TropError
from trop_core.errors.store import StoreRemoved
from trop_core.fields import paths_in
from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.catalogue import Operation
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.recording import Recording
    from trop_core.store import Store


class Unprepared(Exception):
    """Raised by a plan that needs something slow: ``complete`` gets it, outside of the transaction.

    No error, but a way back: the transaction is rolled back, and the plan is made anew with what ``complete`` returns.
    One that ``is_bounded`` comes to its end within seconds, whatever the file system does.
    """

    def __init__(self, complete: Callable[[], Any], *, is_bounded: bool = False) -> None:
        super().__init__()
        self.complete = complete
        self.is_bounded = is_bounded


class Call:
    """One call of an operation. ``prepare``, then ``transact``, and again both until ``transact`` says it is done.

    Its time for waiting runs from when it is made, on ``clock``, which calls that take turns share. Nothing of it is
    safe to use from two threads at once, but for the context's cancellation token.
    """

    def __init__(self, operation: Operation, request: Any, context: Context, *, clock: LockClock | None = None) -> None:
        self.operation = operation
        self.context = context
        self.result: Any = None
        self.goes_on = False
        """Whether a call that has to be prepared once more is so within seconds: it need not give up its turn."""
        self._request = request
        self._work = work = operation.work_of(request)
        self.writes = isinstance(work, Mutation) or (isinstance(work, Procedure) and not work.only_reads(request))
        """Whether ``transact`` may change something: the store, or a file."""
        self._clock = clock or LockClock()
        self._arrival = self._clock.read()
        self._more: Callable[[], Any] | None = None
        self._prepared: Any = None
        self._recording: Recording | None = None

    @property
    def edits_beside(self) -> bool:
        """Whether what it changes is a file beside the store, for which it may wait where the file system hangs."""
        return self.writes and isinstance(self._work, Procedure) and self._work.edits_beside

    @property
    def place(self) -> str:
        """Where in the file system it looks first, as far as that is known before it is prepared."""
        return "\0".join(paths_in(self._request)) or self.context.caller.vicinity

    @property
    def settings(self) -> Settings | None:
        """The settings that apply to the call: known once it is prepared, and only where the store takes part."""
        return getattr(self._prepared, "settings", None)

    @property
    def patience(self) -> Patience:
        """How long the call waits for the lock. Known once it is prepared."""
        return Patience(
            self._prepared.settings.maximum_lock_wait_seconds,
            self.context.token,
            clock=self._clock,
            arrival=self._arrival,
            progress=self.context.progress,
        )

    def prepare(self) -> bool:
        """Do what is slow and needs no transaction; True if the call is done by that alone.

        Raises what the operation refuses before it looks at the store.
        """
        self.context.token.check()
        began = self._clock.read()
        try:
            return self._prepare()
        finally:
            # What the file system took is no waiting for the lock, whoever else waited for it meanwhile.
            self._arrival += self._clock.read() - began

    def _prepare(self) -> bool:
        work = self._work
        if isinstance(work, Computation):
            self.result = work.compute(self._request, self.context)
            self._warn(self.context.data_warnings)
            return True
        if self._more is not None:
            self._prepared = self._more()
        else:
            if isinstance(work, Mutation):
                from trop_core.operations.recording import Recording

                self._recording = Recording(self.operation, self._request, self.context)
            self._prepared = work.prepare(self._request, self.context)
        return False

    def transact(self, store: Store) -> bool:
        """Run the transaction; True if the call is done, False if it has to be prepared once more.

        That is so, too, where the store's files were replaced while it was written to, for what was done may be lost,
        and where they were removed and others may be made.
        Raises what the operation or the store refuses; everything is rolled back then.
        """
        work = self._work
        settings = self._prepared.settings
        try:
            if isinstance(work, Query):
                with store.read(self.patience, create=not settings.disable_autoinit) as connection:
                    self.result = work.read(connection, self._prepared)
            elif isinstance(work, Mutation):
                self.result = self._mutated(work, store)
            elif isinstance(work, Procedure):
                store.close()
                self.result = work.run(self._prepared, self.patience)
        except Unprepared as unprepared:
            self._more, self.goes_on = unprepared.complete, unprepared.is_bounded
            return False
        except FilesReplaced:
            return False
        except TropError as error:
            if isinstance(error, StoreRemoved) and not isinstance(work, Procedure) and not settings.disable_autoinit:
                return False
            # That nobody could look at ports may be why it comes to this, and is to be known in any case.
            probe = getattr(self._prepared, "probe", None)
            if probe is not None:
                error.warnings = probe.told(self.context.spell)
            raise
        self._warn((*self.context.data_warnings, *settings.warnings))
        return True

    def _mutated(self, work: Mutation, store: Store) -> Any:
        dry_run: bool = self._request.dry_run
        assert self._recording is not None
        plan = mutate(
            store, work, self._prepared, self._recording, context=self.context, patience=self.patience, dry_run=dry_run
        )
        return self._recording.told(work.report(plan, dry_run), dry_run=dry_run)

    def _warn(self, warnings: tuple[str, ...]) -> None:
        """Put what there is to say of the surroundings before the result's own warnings."""
        if warnings:
            self.result = self.result._replace(warnings=(*warnings, *self.result.warnings))

    def run(self, store: Store) -> Any:
        """All of it at once, in this thread; returns the operation's result."""
        while not self.prepare():
            if self.transact(store):
                break
        return self.result


def mutate(
    store: Store,
    work: Mutation,
    prepared: Any,
    recording: Recording,
    *,
    context: Context,
    patience: Patience,
    dry_run: bool,
) -> Any:
    """Plan a change of the store and make it, in one transaction; returns the plan.

    Raises ``Unprepared``, and what the plan or the store refuses; everything is rolled back then. ``FilesReplaced`` is
    raised where what was committed is in no file of the store.
    """
    create, verb = not prepared.settings.disable_autoinit, recording.verb

    def carry_out(connection: StoreConnection, *, dry_run: bool) -> Any:
        """Plan, and do what the plan says; a dry run does so only where it is to tell exactly what would change."""
        recording.check(connection)
        plan = recording.decide(lambda: work.plan(connection, prepared))
        recording.undoes = getattr(plan, "undoes", None)
        surroundings = context._replace(progress=no_progress) if dry_run else context
        if work.only_touches(plan):
            if not dry_run:
                work.execute(connection, plan, surroundings)
        elif not dry_run or recording.is_planned:
            with recording.kept(connection, dry_run=dry_run):
                work.execute(connection, plan, surroundings)
        return plan

    if not dry_run and create and not store.exists():
        # What is refused must not leave an empty store behind.
        with store.rehearse(patience, verb, create=True) as connection:
            carry_out(connection, dry_run=True)
    plan: Any = None
    try:
        with (store.rehearse if dry_run else store.write)(patience, verb, create=create) as connection:
            plan = carry_out(connection, dry_run=dry_run)
    except FilesReplaced:
        # To undo once more would undo another operation, and a plan is used up: it must not be done a second time.
        if dry_run or not _is_done(store, recording, patience):
            raise
    return plan


def _is_done(store: Store, recording: Recording, patience: Patience) -> bool:
    """Whether what was committed is in the files that are there now, if there are any, after others were replaced."""
    with store.read(patience, create=True) as connection:
        return recording.is_in(connection)
