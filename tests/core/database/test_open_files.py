"""What a process knows of the files that it has open, and giving them up while others are at work with them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.processes import child

from trop_core.database.connection import Database
from trop_core.database.file_set import FileSet
from trop_core.database.handles import IN_MEMORY, connect
from trop_core.database.waiting import LockClock, Patience

if TYPE_CHECKING:
    from pathlib import Path

HOLDING = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="the system does not tell which files a process has open"
)
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_that_took_anothers_place_while_it_was_opened_is_known_by_more_than_its_number(
    path: Path, suffix: str
) -> None:
    stores.make_v2(path)
    name = f"{path}{suffix}"
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM reservations").fetchall()
        other.execute("BEGIN IMMEDIATE")
        os.link(name, f"{path}-first")
        files = FileSet(str(path))
        # As if the number of the first, which is free as soon as nobody has the file, were given to the third.
        with open(f"{path}-second", "wb") as second:
            second.truncate(os.stat(name).st_size)
        os.replace(f"{path}-second", name)
        with open(name, "rb"):
            os.replace(f"{path}-first", name)
            files.note()

            assert files.are_gone()


def test_who_has_the_whole_file_for_itself_for_a_moment_is_waited_for(path: Path) -> None:
    stores.make_v2(path, [("/a", "", 5000, None, None, 1, 2)], journal="delete")
    database = Database.connect(str(path))
    with child(HOLDING, path) as other:
        other.expect("held")
        path.with_name("trop.db-shm").touch()

        with database.read(Patience(60, clock=LockClock(started=other.say))) as connection:
            rows = connection.execute("SELECT path, port FROM reservations").fetchall()
    database.close()

    assert rows == [("/a", 5000)]


def test_every_statement_that_was_not_read_to_its_end_is_ended_however_many_there_are() -> None:
    with closing(connect(IN_MEMORY)) as connection:
        connection.execute("BEGIN")
        left = [connection.execute("VALUES (1), (2)") for _ in range(500)]
        for cursor in left:
            assert cursor.fetchone() == (1,)
            connection.execute("VALUES (3), (4)").fetchone()

        connection.roll_back()

        assert not connection.in_transaction
        for cursor in left:
            with pytest.raises(sqlite3.ProgrammingError):
                cursor.fetchone()
