"""One call in its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.operations import perform
from support.rows import fill, row, rows_of

from trop_core.database.migrations import v2
from trop_core.database.migrations.test_util import create_test_db_at_version

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {"occupancy_check.skip": True}


def test_what_is_stored_carries_the_time_of_the_plan_and_not_of_the_preparation(tmp_path: Path) -> None:
    """A call may wait long for the lock; its time must not go back behind one that was stored meanwhile."""
    times = iter([100, 200, 300, 400, 500])

    perform(tmp_path, "reserve", {"path": "/w/new"}, now=lambda: next(times), arguments=SETTINGS)

    ((*_, created_at, last_used_at),) = rows_of(tmp_path)
    assert created_at == last_used_at > 100


def test_a_refreshed_row_carries_the_time_of_the_plan(tmp_path: Path) -> None:
    fill(tmp_path, [row("/w/old", 5000)])
    times = iter([6000, 7000, 8000])

    perform(tmp_path, "reserve", {"path": "/w/old"}, now=lambda: next(times), arguments=SETTINGS)

    assert rows_of(tmp_path) == [("/w/old", "", 5000, None, None, 5000, 7000)]


def test_a_schema_migration_on_the_way_tells_how_far_it_has_come(tmp_path: Path) -> None:
    create_test_db_at_version(1, str(tmp_path / "trop.db")).close()
    reports: list[tuple[int, int]] = []

    perform(tmp_path, "list", progress=lambda *counts: reports.append(counts))

    total = len(v2.MIGRATION.up_sql)
    assert reports == [(done, total) for done in range(1, total + 1)]


def test_a_look_at_all_directories_tells_how_far_it_has_come(tmp_path: Path) -> None:
    fill(tmp_path, [row(f"/gone/{port}", port) for port in range(5000, 5250)])
    reports: list[tuple[int, int]] = []

    perform(
        tmp_path,
        "reserve",
        {"path": "/w/new", "min": 5000, "max": 5249, "clearProject": True, "clearTask": True},
        arguments=SETTINGS,
        progress=lambda *counts: reports.append(counts),
    )

    assert reports == [(100, 250), (200, 250), (250, 250)]
