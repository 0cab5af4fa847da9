"""The chain of migrations: unbroken by construction, and extended by handing in a longer one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import stores

from trop_core.database.connection import Database
from trop_core.database.migrations.executor import MigrationExecutor
from trop_core.database.migrations.registry import LATEST_VERSION, BrokenChain, MigrationRegistry
from trop_core.database.migrations.test_util import create_test_db_at_version
from trop_core.database.migrations.types import Migration, MigrationPlan, MigrationResult
from trop_core.database.waiting import Patience
from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.errors.store import UnsupportedSchemaVersion

if TYPE_CHECKING:
    from pathlib import Path

V3 = Migration(
    version=3,
    description="remember the machine",
    up_sql=("ALTER TABLE reservations ADD COLUMN host TEXT", "UPDATE reservations SET host = 'here'"),
    down_sql=("ALTER TABLE reservations DROP COLUMN host",),
    validate=lambda _: None,
)
WITH_V3 = MigrationRegistry((*MigrationRegistry().migrations, V3))


def step(version: int) -> Migration:
    return Migration(version=version, description="", up_sql=(), validate=lambda _: None)


def test_the_products_own_chain_ends_with_the_latest_version() -> None:
    versions = [migration.version for migration in MigrationRegistry().migrations]

    assert versions == [1, 2]
    assert MigrationRegistry().latest == LATEST_VERSION == 2


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([2], id="no beginning"),
        pytest.param([0, 1], id="a version 0"),
        pytest.param([1, 3], id="gap"),
        pytest.param([1, 1], id="duplicate"),
        pytest.param([1, 2, 2, 3], id="duplicate further on"),
        pytest.param([2, 1], id="out of order"),
        pytest.param([1, 2, -3], id="negative"),
    ],
)
def test_a_broken_chain_is_refused_when_the_registry_is_built(versions: list[int]) -> None:
    with pytest.raises(BrokenChain):
        MigrationRegistry(map(step, versions))


@given(st.lists(st.integers(-2, 8), max_size=8))
def test_a_registry_exists_only_for_an_unbroken_chain(versions: list[int]) -> None:
    unbroken = versions == list(range(1, len(versions) + 1))

    try:
        registry = MigrationRegistry(map(step, versions))
    except BrokenChain:
        assert not unbroken
    else:
        assert unbroken
        assert registry.latest == len(versions)


@given(st.integers(0, 6), st.integers(-2, 8), st.integers(-2, 8))
def test_a_plan_has_each_version_between_once_and_in_order(length: int, start: int, end: int) -> None:
    registry = MigrationRegistry(step(version) for version in range(1, length + 1))

    if 0 <= start <= end <= length:
        planned = registry.plan_migration(start, end)

        assert [migration.version for migration in planned] == list(range(start + 1, end + 1))
    else:
        with pytest.raises(ValueError, match="no way from schema version"):
            registry.plan_migration(start, end)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_third_version_is_added_by_handing_in_a_registry(tmp_path: Path, version: int, journal: str) -> None:
    path = tmp_path / "trop.db"
    row = ("/a", "web", 5000, "p", "t", 1, 2)
    if version:
        (stores.make_v1 if version == 1 else stores.make_v2)(path, [row], journal=journal)

    database = Database.open(str(path), registry=WITH_V3)
    with database.write(Patience(5), "add a row") as connection:
        connection.execute("INSERT INTO reservations VALUES ('/b', '', 5001, NULL, NULL, 1, 2, 'there')")
    database.close()

    new = ("/b", "", 5001, None, None, 1, 2, "there")
    assert stores.version_of(path) == "3"
    assert stores.rows_in(path) == ([(*row, "here"), new] if version else [new])
    assert stores.backups_in(tmp_path) == ([f"trop.db.v{version}.bak"] if version else [])


def test_a_store_of_the_third_version_is_too_new_for_the_products_own_registry(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"
    Database.open(str(path), registry=WITH_V3).close()

    with pytest.raises(UnsupportedSchemaVersion) as refused:
        Database.open(str(path))

    assert refused.value.details() == {"found": 3, "supported": 2}


def test_an_open_database_brings_back_what_was_replaced_by_an_older_version(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"
    database = Database.open(str(path), registry=WITH_V3)
    with closing(sqlite3.connect(path)) as target, closing(create_test_db_at_version(1)) as source:
        source.backup(target)

    with database.read(Patience(5)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(reservations)")]
    database.close()

    assert "host" in columns


def test_a_preflight_further_on_in_the_chain_sees_what_the_migrations_before_it_made(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    before = stores.snapshot(tmp_path)
    count = "SELECT count(*) FROM reservations WHERE tag = ''"
    third = Migration(
        version=3,
        description="refuses what version 2 makes",
        up_sql=(),
        validate=lambda _: None,
        preflight=lambda connection: {"untagged": connection.execute(count).fetchone()[0]},
        advice="Give it a tag.",
    )

    with pytest.raises(MigrationBlocked) as refused:
        Database.open(str(path), registry=MigrationRegistry((*MigrationRegistry().migrations, third)))

    assert refused.value.details() == {"from": 1, "to": 3, "violations": {"untagged": 1}}
    assert stores.snapshot(tmp_path) == before


def test_a_plan_shows_what_would_run_and_changes_nothing(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    before = stores.snapshot(tmp_path)

    with stores.locked(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, WITH_V3, path=str(path))
        plan = executor.plan()
        shorter = executor.plan(2, dry_run=True)
        executor.validate_plan(plan)

    assert plan == MigrationPlan(1, 3, WITH_V3.migrations[1:])
    assert shorter == MigrationPlan(1, 2, WITH_V3.migrations[1:2], dry_run=True)
    assert stores.snapshot(tmp_path) == before


def test_a_dry_run_does_everything_but_the_backup_and_the_commit(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(100))
    before = stores.snapshot(tmp_path)

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, WITH_V3, path=str(path))
        result = executor.execute(executor.plan(dry_run=True))

    assert result == MigrationResult(1, 3, (2, 3), result.duration_ms, None)
    assert stores.snapshot(tmp_path) == before


def test_a_plan_that_is_not_the_registrys_own_is_refused(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db")

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=str(path))
        foreign = MigrationPlan(1, 2, (step(2),))

        with pytest.raises(ValueError, match="not those that the registry has"):
            executor.execute(foreign)
        with pytest.raises(ValueError, match="not those that the registry has"):
            executor.validate_plan(foreign)
        with pytest.raises(ValueError, match="no way from schema version"):
            executor.plan(0)


def test_validating_a_plan_runs_its_preflight(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", "", 5000, None, None, 1, 2)])

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=str(path))

        with pytest.raises(MigrationBlocked):
            executor.validate_plan(executor.plan())


def test_a_plan_that_another_process_has_carried_out_meanwhile_does_nothing(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, MigrationRegistry(), path=str(path))
        plan = executor.plan()
        Database.open(str(path)).close()

        result = executor.execute(plan)

        assert not connection.in_transaction
    assert result == MigrationResult(2, 2)
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]


def test_what_is_left_of_a_plan_is_done_when_another_process_has_carried_out_a_part(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        executor = MigrationExecutor(connection, WITH_V3, path=str(path))
        plan = executor.plan()
        Database.open(str(path)).close()

        result = executor.execute(plan)

    assert (result.from_version, result.migrations_applied) == (2, (3,))
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak", "trop.db.v2.bak"]


def test_a_migration_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        V3.version = 4  # type: ignore[misc]
