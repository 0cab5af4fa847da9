"""Create the data directory and the store in it, bring a store to the latest schema, or start anew."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from trop_core import fields, whole_files
from trop_core.catalogue import Operation, Procedure
from trop_core.config.names import GLOBAL_FILE
from trop_core.database import rebuilding
from trop_core.database.connection import Database
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple
from trop_core.models import GivenPlan
from trop_core.operations.recording import Recording
from trop_core.records import Record
from trop_core.store import Store, make_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience
    from trop_core.whole_files import Replacement


class InitRequest(Record):
    """Where to create what."""

    data_dir: str | None = fields.path("The directory to create. The one that is used anyway if left away.")
    with_config: bool = fields.flag("Write a config.yaml in which every setting is explained, too.")
    overwrite: bool = fields.flag(
        "Empty an existing store, after a backup; with a configuration, replace that as well."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")
    plan: str | None = fields.plan()


ActionKind = Literal[
    "createDirectory",
    "createDatabase",
    "upgradeSchema",
    "backup",
    "rebuildDatabase",
    "moveAside",
    "createConfig",
    "replaceConfig",
]


class Action(NamedTuple):
    """One thing that was done, or would be, and the file or directory that is there by it."""

    kind: ActionKind
    path: str


class InitResult(Record):
    """What is there now."""

    data_dir: str = fields.outcome("The data directory.")
    database_path: str = fields.outcome("The store's file.")
    schema_version: int = fields.outcome("The version of its layout.")
    actions: tuple[Action, ...] = fields.outcome("What was done, or would be, in this order; empty if nothing was.")
    truncated: bool = fields.outcome("Whether there are more actions than are listed.", default=False)
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    plan: GivenPlan | None = fields.planned()
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class InitPlan(NamedTuple):
    """The request, with its directory resolved; and its part in the record."""

    directory: str
    with_config: bool
    overwrite: bool
    dry_run: bool
    settings: Settings
    recording: Recording


def prepare(request: InitRequest, context: Context) -> InitPlan:
    """Find the directory. No file says anything here: a configuration that is wrong can be replaced."""
    directory = context.data_directory if request.data_dir is None else context.caller.resolve(request.data_dir)
    # Where the file system hangs it does so here, and not while others wait for their turn.
    os.path.exists(directory)
    settings = context.settings_without_files("maximum_lock_wait_seconds")
    recording = Recording(OPERATION, request._replace(data_dir=directory), context)
    return InitPlan(directory, request.with_config, request.overwrite, request.dry_run, settings, recording)


def run(plan: InitPlan, patience: Patience) -> InitResult:
    """Do what is missing; run twice, the second run finds nothing to do. What fails leaves everything as it was.

    A dry run looks at the same things and fails where the real run would, and creates nothing.
    """
    store = Store(plan.directory)
    # Looked at first: a store is not emptied for a call that cannot be carried out.
    configuring = _config(plan)
    is_displaced = whole_files.is_displaced(_config_path(plan))
    with ExitStack() as stack:
        actions = _directory(plan, store, stack)
        if (plan.overwrite or configuring or is_displaced or not store.exists()) and os.path.isdir(plan.directory):
            stack.enter_context(whole_files.alone(plan.directory, patience, "init"))
        if is_displaced and not plan.dry_run:
            whole_files.bring_back(_config_path(plan))
        configuration = stack.enter_context(_config_prepared(plan)) if configuring and not plan.dry_run else None
        done = _database(plan, store, patience, configuration)
        actions += done.actions
    actions += configuring
    return InitResult(
        data_dir=plan.directory,
        database_path=store.path,
        schema_version=LATEST_VERSION,
        actions=tuple(actions),
        dry_run=plan.dry_run,
        plan=plan.recording.plan,
        warnings=(*done.warnings, *plan.recording.warnings),
    )


def _directory(plan: InitPlan, store: Store, stack: ExitStack) -> list[Action]:
    if os.path.isdir(plan.directory):
        return []
    if plan.dry_run:
        store.check_creatable()
    else:
        stack.enter_context(_directory_made(plan.directory))
    return [Action("createDirectory", plan.directory)]


@contextmanager
def _directory_made(directory: str) -> Iterator[None]:
    """Make a directory; it goes again, and what was made above it, if an error leaves the block and it is empty."""
    missing = [directory]
    while not os.path.lexists(parent := os.path.dirname(missing[-1])):
        missing.append(parent)
    try:
        make_directory(directory)
        yield
    except BaseException:
        with suppress(OSError):
            for each in missing:
                os.rmdir(each)
        raise


class _Done(NamedTuple):
    """What was done about the store, or would be, and what to tell of it."""

    actions: list[Action]
    warnings: tuple[str, ...] = ()


def _database(plan: InitPlan, store: Store, patience: Patience, configuration: Replacement | None) -> _Done:
    if not store.exists():
        plan.recording.without_rows(dry_run=plan.dry_run)
        if plan.dry_run:
            if os.path.isdir(plan.directory):
                rebuilding.check_writable_directory("create", store.path)
            return _Done([Action("createDatabase", store.path)])
        with _configured(configuration):
            made = rebuilding.create(store.path, patience, plan.recording.keep_nothing)
        # Another process may have been faster.
        return _Done([Action("createDatabase", store.path)]) if made else _database(plan, store, patience, None)
    if plan.overwrite:
        return _overwritten(plan, store, patience, configuration)
    with _configured(configuration):
        return _Done(_upgraded(plan, store, patience))


@contextmanager
def _configured(configuration: Replacement | None) -> Iterator[None]:
    """Put a configuration in place, to stay there if the block ends well."""
    if configuration is not None:
        configuration.put_in_place()
    yield
    if configuration is not None:
        configuration.keep()


def _upgraded(plan: InitPlan, store: Store, patience: Patience) -> list[Action]:
    if plan.dry_run:
        result = rebuilding.planned_upgrade(store.path, patience)
    else:
        database = Database.connect(store.path, patience=patience)
        try:
            result = database.migrate_to_latest(patience)
        finally:
            database.close()
    if result is None:
        return []
    if not result.from_version:
        return [Action("createDatabase", store.path)]
    backup = [] if result.backup_path is None else [Action("backup", result.backup_path)]
    return [*backup, Action("upgradeSchema", store.path)]


def _overwritten(plan: InitPlan, store: Store, patience: Patience, configuration: Replacement | None) -> _Done:
    opens = rebuilding.opens_as_sqlite(store.path, patience)
    if opens:
        rebuild = partial(
            rebuilding.rebuild,
            store.path,
            patience,
            plan.recording,
            dry_run=plan.dry_run,
            configuration=configuration,
        )
        # Damage stays. What looked like it, and was a read that failed, does not come a second time.
        rebuilt = rebuild() or rebuild()
        if rebuilt is not None:
            actions = [Action("backup", rebuilt.backup), Action("rebuildDatabase", store.path)]
            return _Done(actions, _told_of_version(rebuilt.version))
    plan.recording.without_rows(dry_run=plan.dry_run)
    aside = rebuilding.start_anew(
        store.path,
        patience,
        plan.recording.keep_nothing,
        dry_run=plan.dry_run,
        configuration=configuration,
        although_it_opens=opens,
    )
    if aside is None:
        return _overwritten(plan, store, patience, configuration)
    return _Done([Action("moveAside", aside), Action("createDatabase", store.path)])


def _told_of_version(version: int | None) -> tuple[str, ...]:
    if version is None or version <= LATEST_VERSION:
        return ()
    told = f"schema version {version}; this trop makes version {LATEST_VERSION}"
    return (f"a newer trop uses this store ({told}): what only that one keeps in it is in the backup alone",)


def _config(plan: InitPlan) -> list[Action]:
    """What there is to do about the configuration; looks, and writes nothing."""
    if not plan.with_config:
        return []
    path = _config_path(plan)
    exists = os.path.lexists(path) or whole_files.is_displaced(path)
    if exists and not plan.overwrite:
        return []
    if os.path.isdir(plan.directory):
        whole_files.check_replaceable(path)
    return [Action("replaceConfig" if exists else "createConfig", path)]


def _config_prepared(plan: InitPlan) -> AbstractContextManager[Replacement]:
    from trop_core.config.json_schema import shipped_schema
    from trop_core.config.template import config_template

    content = config_template(shipped_schema()).encode()
    return whole_files.replacement(_config_path(plan), content)


def _config_path(plan: InitPlan) -> str:
    return os.path.join(plan.directory, GLOBAL_FILE)


OPERATION = Operation(
    name="init",
    title="Initialize Data Directory",
    description=(
        "Creates the data directory and the store, or brings an existing store to the latest schema. Doing it twice "
        "is harmless. With overwrite, an existing store is backed up and emptied."
    ),
    request=InitRequest,
    result=InitResult,
    work=Procedure(prepare=prepare, run=run),
    destructive=True,
    takes_away=lambda request: request.overwrite,
)
