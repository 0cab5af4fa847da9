"""Keep the variables of a directory in a file that belongs to somebody: in a block of trop's own.

Which directory the block is of, an id in its marks tells, which is kept with what is known of the directory in the
store, and moves along with it. The store is committed before the file is written, so that no block ever has an id that
nobody has; what is refused of the file is found out before that, and then nothing is reserved either. From reading the
file to writing it, this is alone with other programs of trop's; what somebody else has saved meanwhile is read anew.
"""

from __future__ import annotations

import os
import re
from contextlib import closing, contextmanager

from trop_core import paths
from trop_core.catalogue import Mutation, Procedure, operation
from trop_core.database import companion, directories, reservations
from trop_core.database.migrations.registry import COMPANION
from trop_core.database.selection import Selection
from trop_core.env_files import block, place
from trop_core.env_files.block import EnvText
from trop_core.errors.env_files import NewerRecord, UnfitEnvFile, UnusableRecord
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.operations.call import Unprepared, mutate
from trop_core.operations.moving import arrival as arriving
from trop_core.operations.recording import Recording
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.config.settings import Settings
    from trop_core.context import Context, Probe
    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience
    from trop_core.env_files.place import EnvFile
    from trop_core.errors.base import TropError

_OPERATION = "env"
_ID = re.compile(r"[0-9a-f]{32}")


class Prepared(NamedTuple):
    """The file, and what reserving needs.

    ``kin`` are the directories whose block counts as this one's as well. ``text`` is what the file holds, taken apart
    before the store is locked; ``obstacle`` is why the file cannot be written, as far as that is known.
    """

    request: Any
    context: Context
    reserving: Any
    file: EnvFile
    kin: tuple[str, ...]
    text: EnvText | None = None
    obstacle: TropError | None = None

    @property
    def settings(self) -> Settings:
        """The settings that apply to the call."""
        found: Settings = self.reserving.settings
        return found

    @property
    def probe(self) -> Probe:
        """What looks at ports."""
        found: Probe = self.reserving.probe
        return found

    @property
    def directory(self) -> str:
        """What the ports are reserved for, unless it has another name in the store."""
        found: str = self.reserving.target.path
        return found


class Owner(NamedTuple):
    """Whose the block is: its id, "" if there is none yet, and those ids that count as this one's."""

    block_id: str
    kin: frozenset[str] = frozenset()


class Plan(NamedTuple):
    """What is reserved, whose the block is and what is in it, and the content that the file has then."""

    reserving: Any
    path: str
    owner: Owner
    variables: dict[str, int | str]
    new: bytes


class Keeping(NamedTuple):
    """How the variables are got that are to be kept.

    ``work`` reserves them; its plan has ``environment`` and ``choice``, whose own plan tells of the directory.
    ``nothing`` is the result for a directory of which nothing is reserved, or asked.
    """

    work: Mutation
    nothing: Callable[[str], Any]

    def procedure(self) -> Procedure:
        """The work on the file of a request that names one."""
        return Procedure(self.prepare, self.run, only_reads=lambda request: bool(request.check), edits_beside=True)

    def prepare(self, request: Any, context: Context) -> Prepared:
        """Find the directory and the file, and look at both.

        Raises what preparing the reservation raises, ``InvalidPath`` for a file that is none of the directory's
        project, and ``TrackedEnvFile``.
        """
        reserving = self.work.prepare(request, context)
        file = place.locate(_named(request, context), reserving.target.canonical, context.is_safe)
        place.check_foreign(file, context.data_directory)
        if not request.check and not request.allow_tracked:
            place.check_untracked(file, context.is_safe)
        start = context.target(request.folder, None).path
        return Prepared(request, context, reserving, file, place.kin(file, start, context.is_safe))

    def run(self, prepared: Prepared, patience: Patience) -> Any:
        """Write the file, take the block out of it, or tell whether it is up to date.

        Locks the file's directory, but for a check, and writes the store, then the file. Raises what reserving raises,
        ``UnfitEnvFile`` or one of its kinds for what stands in the file, ``NewerRecord`` or ``UnusableRecord`` where
        the store cannot tell whose the block is, ``LockTimeout``, ``SystemFailure`` or ``PermissionDenied``. Nothing
        has changed then, unless it is the file that fails once the store has what is reserved: it cannot be written, or
        holds something else by then.
        """
        if prepared.request.check:
            return self._check(prepared, patience)
        with place.alone(prepared.file, patience):
            text = _read(prepared.file)
            prepared = prepared._replace(text=text, obstacle=prepared.file.obstacle(exists=text is not None))
            return (self._remove if prepared.request.remove else self._write)(prepared, patience)

    def _write(self, prepared: Prepared, patience: Patience) -> Any:
        request, file = prepared.request, prepared.file
        work = Mutation(
            prepare=self.prepare,
            plan=self._plan,
            execute=self._execute,
            report=lambda plan, _: plan,
            only_touches=lambda plan: self.work.only_touches(plan.reserving),
        )
        recording = Recording(operation(_OPERATION), request, prepared.context)
        with closing(Store(prepared.context.data_directory)) as store:
            plan = mutate(
                store,
                work,
                prepared,
                recording,
                context=prepared.context,
                patience=patience,
                dry_run=request.dry_run,
            )
        content, new = _content(prepared), plan.new
        if not request.dry_run:
            if file.read() != content:
                prepared = prepared._replace(text=_read(file))
                content, new = _content(prepared), _written(prepared, plan.owner, plan.variables)
            # The store has what is reserved: to be taken back is over.
            if new != content:
                file.write(new)
        outcome = "created" if content is None else "unchanged" if new == content else "updated"
        result = recording.told(self.work.report(plan.reserving, request.dry_run), dry_run=request.dry_run)
        return self._told(result, prepared, outcome)

    def _plan(self, connection: StoreConnection, prepared: Prepared) -> Plan:
        with _prepared_again(prepared):
            plan = self.work.plan(connection, prepared.reserving)
        arrival = plan.choice.plan.arrival
        owner = _owner(connection, prepared, arrival.source)
        owner = owner if owner.block_id else owner._replace(block_id=os.urandom(16).hex())
        new = _written(prepared, owner, plan.environment)
        if new != _content(prepared) and prepared.obstacle is not None:
            raise prepared.obstacle
        return Plan(plan, arrival.path, owner, plan.environment, new)

    def _execute(self, connection: StoreConnection, plan: Plan, context: Context) -> None:
        self.work.execute(connection, plan.reserving, context)
        if not companion.ensure(connection, companion.DIRECTORIES):
            raise _unusable(connection)
        directories.name_block(connection, plan.path, plan.owner.block_id)

    def _remove(self, prepared: Prepared, patience: Patience) -> Any:
        request, text = prepared.request, prepared.text
        create = not prepared.settings.disable_autoinit
        with (
            closing(Store(prepared.context.data_directory)) as store,
            store.look(patience, _OPERATION, create=create, dry_run=request.dry_run) as connection,
            _prepared_again(prepared),
        ):
            path, owner = _whose(connection, prepared)
        outcome = "unchanged"
        new = None if text is None else block.removed(text, owner.block_id, kin=owner.kin, take_over=request.take_over)
        if new is not None and new != _content(prepared):
            outcome = "removed"
            if prepared.obstacle is not None:
                raise prepared.obstacle
            patience.token.check()
            if not request.dry_run:
                prepared.file.write(new)
        result = self.nothing(path)._replace(dry_run=request.dry_run, warnings=prepared.reserving.warnings)
        return self._told(result, prepared, outcome)

    def _check(self, prepared: Prepared, patience: Patience) -> Any:
        create = not prepared.settings.disable_autoinit
        with (
            closing(Store(prepared.context.data_directory)) as store,
            store.read(patience, create=create) as connection,
        ):
            return self.check(connection, prepared)

    def check(self, connection: StoreConnection, prepared: Prepared) -> Any:
        """Tell whether the file is up to date. Reads, in the caller's transaction.

        Raises what planning the reservation raises, and ``Unprepared`` for a look at the file system.
        """
        prepared = prepared._replace(text=_read(prepared.file))
        with _prepared_again(prepared):
            path = arriving.stored_path(connection, prepared.reserving.arriving, prepared.reserving.again)
            told = arriving.told_of_origin(connection, prepared.reserving.arriving, prepared.reserving.again)
            missing = _missing(connection, prepared, path)
            plan = None if missing else self.work.plan(connection, prepared.reserving)
            owner = Owner("") if missing else _owner(connection, prepared, path)
        if plan is None:
            warnings = (*prepared.reserving.warnings, *told)
            result = self.nothing(path)._replace(dry_run=prepared.request.dry_run, warnings=warnings)
            return self._told(result, prepared, "outdated", missing)
        differences = _differences(prepared, owner, plan.environment)
        result = self.work.report(plan, prepared.request.dry_run)
        return self._told(result, prepared, "outdated" if differences else "unchanged", differences)

    def _told(self, result: Any, prepared: Prepared, outcome: str, differences: tuple[str, ...] = ()) -> Any:
        return result._replace(file=prepared.file.path, file_outcome=outcome, file_differences=differences)


def _named(request: Any, context: Context) -> str:
    """The file that is named, absolute: a relative name starts in the directory of the call."""
    if request.folder is None:
        return context.caller.resolve(request.write)
    return paths.explicit(request.write, base=context.caller.resolve(request.folder))


@contextmanager
def _prepared_again(prepared: Prepared) -> Iterator[None]:
    """Let what is prepared anew for the reservation be prepared for the file."""
    try:
        yield
    except Unprepared as unprepared:
        complete = unprepared.complete
        raise Unprepared(
            lambda: prepared._replace(reserving=complete()), is_bounded=unprepared.is_bounded
        ) from unprepared


def _read(file: EnvFile) -> EnvText | None:
    """What the file holds; None if there is none. Raises what ``EnvFile.read`` and ``EnvText`` raise."""
    content = file.read()
    return None if content is None else EnvText(content, file.path)


def _content(prepared: Prepared) -> bytes | None:
    return None if prepared.text is None else prepared.text.content


def _written(prepared: Prepared, owner: Owner, variables: dict[str, int | str]) -> bytes:
    request, text = prepared.request, prepared.text or EnvText(b"", prepared.file.path)
    new = block.written(
        text,
        owner.block_id,
        variables,
        kin=owner.kin,
        comment_out=request.comment_out,
        take_over=request.take_over,
    )
    prepared.file.check_size(new)
    return new


def _owner(connection: StoreConnection, prepared: Prepared, path: str) -> Owner:
    """Whose the block of the directory is, which the store has at a path.

    Raises ``NewerRecord`` or ``UnusableRecord``.
    """
    if companion.warning(companion.state(connection)) is not None:
        raise _unusable(connection)
    found = directories.block_id(connection, path)
    if found is not None and not _ID.fullmatch(found):
        raise UnusableRecord(
            "this is no id of a block", path=connection.path, table="directories", column="block_id", key=path
        )
    # What lies in the directory is stored where that is.
    kin = (
        path + each.removeprefix(prepared.directory) if paths.is_within(each, prepared.directory) else each
        for each in prepared.kin
    )
    return Owner(found or "", directories.block_ids(connection, kin))


def _unusable(connection: StoreConnection) -> TropError:
    if companion.state(connection) == "newer":
        return NewerRecord(connection.path, found=companion.version(connection), supported=COMPANION.latest)
    return UnusableRecord("the table is not as trop makes it", path=connection.path, table="directories")


def _whose(connection: StoreConnection, prepared: Prepared) -> tuple[str, Owner]:
    """The directory as the store has it, and whose its block is: also of one that was moved and has nothing here yet.

    Raises ``Unprepared`` for a look at the file system.
    """
    reserving = prepared.reserving
    path = arriving.stored_path(connection, reserving.arriving, reserving.again)
    if reservations.anything_at(connection, path) or reserving.target.explicit:
        return path, _owner(connection, prepared, path)
    former = arriving.former_place(connection, reserving.arriving, reserving.again)
    return path, _owner(connection, prepared, former or path)


def _missing(connection: StoreConnection, prepared: Prepared, path: str) -> tuple[str, ...]:
    """What is not reserved of that which is asked for, a sentence each."""
    reserving = prepared.reserving
    tags = (
        [reserving.request.tag] if not reserving.for_group else [each.tag for each in reserving.settings.group.services]
    )
    stored = {row.tag for row in reservations.select(connection, Selection(path))}
    return tuple(
        f"nothing is reserved for {path}" + (f" (tag {tag})" if tag is not None else "")
        for tag in tags
        if tag not in stored
    )


def _differences(prepared: Prepared, owner: Owner, variables: dict[str, int | str]) -> tuple[str, ...]:
    """Why the file is not up to date, a sentence each; nothing if it is."""
    text = prepared.text
    if text is None:
        return ("there is no such file",)
    try:
        found = block.find(text, variables)
        if found is None:
            return ("the file has no block of trop's",)
        if block.written(text, owner.block_id, variables, kin=owner.kin) == text.content:
            return ()
    except UnfitEnvFile as error:
        return tuple(map(str, error.problems))
    values = {name: str(value) for name, value in variables.items()}
    return (
        *(
            f"{name} is {found.values.get(name, 'not in the block')}, and should be {value}"
            for name, value in values.items()
            if found.values.get(name) != value
        ),
        *(f"{name} is in the block, and belongs to nothing any more" for name in found.values.keys() - values),
    ) or ("the block is not as trop writes it",)
