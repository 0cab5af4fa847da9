"""One call in its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support_core import fill, perform, row, rows_of

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
