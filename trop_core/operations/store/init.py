"""Create the data directory and the store in it, bring a store to the latest schema, or start anew."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal, NamedTuple

from trop_core import fields, whole_files
from trop_core.catalogue import Operation, Procedure
from trop_core.database import rebuilding
from trop_core.database.connection import Database
from trop_core.database.handles import create_file
from trop_core.database.migrations.registry import LATEST_VERSION
from trop_core.records import Record
from trop_core.store import CONFIG_NAME, Store, make_directory

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience


class InitRequest(Record):
    """Where to create what."""

    data_dir: str | None = fields.path("The directory to create. The one that is used anyway if left away.")
    with_config: bool = fields.flag("Write a config.yaml in which every setting is explained, too.")
    overwrite: bool = fields.flag(
        "Empty an existing store, after a backup; with a configuration, replace that as well."
    )
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")


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
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


class InitPlan(NamedTuple):
    """The request, with its directory resolved."""

    directory: str
    with_config: bool
    overwrite: bool
    dry_run: bool
    settings: Settings


def prepare(request: InitRequest, context: Context) -> InitPlan:
    """Find the directory. Its own configuration says how long to wait for the lock."""
    directory = context.data_directory if request.data_dir is None else context.caller.resolve(request.data_dir)
    # Whether stores are created by the way is not asked here, so that even a bad answer does not matter.
    environment = {name: value for name, value in context.environment.items() if name != "TROP_DISABLE_AUTOINIT"}
    return InitPlan(
        directory,
        request.with_config,
        request.overwrite,
        request.dry_run,
        context._replace(data_directory=directory, environment=environment).settings(None),
    )


def run(plan: InitPlan, patience: Patience) -> InitResult:
    """Do what is missing; run twice, the second run finds nothing to do.

    A dry run looks at the same things and fails where the real run would, and creates nothing.
    """
    store = Store(plan.directory)
    # Looked at first: a store is not emptied for a call that cannot be carried out.
    configuring = _config(plan)
    actions = _directory(plan, store)
    with ExitStack() as stack:
        if (plan.overwrite or configuring) and os.path.isdir(plan.directory):
            stack.enter_context(whole_files.alone(plan.directory, patience, "init"))
        if configuring and not plan.dry_run:
            # A configuration that cannot be written is no reason to have emptied the store.
            stack.enter_context(_config_written(plan))
        actions += _database(plan, store, patience)
    actions += configuring
    return InitResult(
        data_dir=plan.directory,
        database_path=store.path,
        schema_version=LATEST_VERSION,
        actions=tuple(actions),
        dry_run=plan.dry_run,
    )


def _directory(plan: InitPlan, store: Store) -> list[Action]:
    if os.path.isdir(plan.directory):
        return []
    if plan.dry_run:
        store.check_creatable()
    else:
        make_directory(plan.directory)
    return [Action("createDirectory", plan.directory)]


def _database(plan: InitPlan, store: Store, patience: Patience) -> list[Action]:
    if not store.exists():
        if plan.dry_run and os.path.isdir(plan.directory):
            rebuilding.check_writable_directory("create", store.path)
        elif not plan.dry_run:
            create_file(store.path)
            Database.open(store.path, create=False, patience=patience).close()
        return [Action("createDatabase", store.path)]
    if plan.overwrite:
        return _overwritten(plan, store, patience)
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


def _overwritten(plan: InitPlan, store: Store, patience: Patience) -> list[Action]:
    if rebuilding.opens_as_sqlite(store.path, patience):
        backup = rebuilding.rebuild(store.path, patience, dry_run=plan.dry_run)
        return [Action("backup", backup), Action("rebuildDatabase", store.path)]
    aside = rebuilding.move_aside(store.path, patience, dry_run=plan.dry_run)
    if aside is None:
        return _overwritten(plan, store, patience)
    if not plan.dry_run:
        create_file(store.path)
        Database.open(store.path, create=False, patience=patience).close()
    return [Action("moveAside", aside), Action("createDatabase", store.path)]


def _config(plan: InitPlan) -> list[Action]:
    """What there is to do about the configuration; looks, and writes nothing."""
    if not plan.with_config:
        return []
    path = os.path.join(plan.directory, CONFIG_NAME)
    exists = os.path.lexists(path)
    if exists and not plan.overwrite:
        return []
    if os.path.isdir(plan.directory):
        rebuilding.check_writable_directory("write", path)
    return [Action("replaceConfig" if exists else "createConfig", path)]


def _config_written(plan: InitPlan) -> AbstractContextManager[None]:
    from trop_core.config.template import config_template

    return whole_files.written(os.path.join(plan.directory, CONFIG_NAME), config_template().encode())


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
)
