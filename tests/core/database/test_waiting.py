"""What of a wait counts: only what another process keeps a call waiting for."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from trop_core.database.waiting import LockClock, Patience
from trop_core.errors.store import LockTimeout

if TYPE_CHECKING:
    from pathlib import Path


def test_it_stands_still_while_a_call_of_this_process_holds_the_lock() -> None:
    clock = LockClock()
    runs = [clock.running]

    with clock.waiting():
        runs.append(clock.running)
        with clock.holding:
            runs.append(clock.running)
            clock.find_held()
            runs.append(clock.running)
    runs.append(clock.running)

    assert runs == [False, True, False, False, False]


def test_who_sleeps_over_the_end_of_a_call_of_this_process_is_not_kept_waiting_by_another() -> None:
    clock = LockClock()
    runs: list[bool] = []

    with clock.waiting():
        with clock.holding:
            pass
        runs.append(clock.running)
        clock.find_held()
        runs.append(clock.running)

    assert runs == [False, True]


def test_a_commit_holds_the_lock_while_it_is_tried(tmp_path: Path) -> None:
    """A slow disk is no other process: whoever waits beside it has all its time left."""
    clock = LockClock()
    ran: list[bool] = []

    class Slow(sqlite3.Connection):
        def execute(self, sql: str, parameters: object = ()) -> sqlite3.Cursor:
            ran.append(clock.running)
            return super().execute(sql)

    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None, factory=Slow)
    connection.execute("BEGIN IMMEDIATE")
    with clock.waiting():
        clock.find_held()
        Patience(0, clock=clock).commit(connection, "try")
    connection.close()

    assert ran == [False, False]


def test_a_commit_that_a_reader_keeps_waiting_ends_with_its_time(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    writer.execute("CREATE TABLE t (x)")
    reader = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(LockTimeout):
        Patience(0).commit(writer, "try")

    reader.execute("COMMIT")
    Patience(0).commit(writer, "try")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (1,)
    reader.close()
    writer.close()
