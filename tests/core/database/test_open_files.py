"""What a process knows of the files that it has open, and giving them up while others are at work with them."""

from __future__ import annotations

import gc
import os
import resource
import sqlite3
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.processes import child

from trop_core.database.connection import Database
from trop_core.database.file_set import FileSet
from trop_core.database.handles import IN_MEMORY, connect
from trop_core.database.open_files import IN_USE
from trop_core.database.waiting import LockClock, Patience
from trop_core.database.watch import StoreWatch
from trop_core.errors.system import TooManyOpenFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDING = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""

ADDING = """\
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO reservations VALUES ('/others', '', 5001, NULL, NULL, 1, 2)")
print("added", flush=True)
os._exit(0)
"""


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no more files inside of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as lowest_free:
        limit = lowest_free.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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


HAS_CONFIGURATION = hasattr(sqlite3.Connection, "setconfig")
FIRST, OTHERS = ("/a", "", 5000, None, None, 1, 2), ("/others", "", 5001, None, None, 1, 2)


def pull_away_shm(path: Path) -> None:
    """Remove the -shm, and let somebody else write with another one."""
    os.unlink(f"{path}-shm")
    with child(ADDING, path) as other:
        other.expect("added")


def test_files_that_cannot_be_given_up_now_are_given_up_later(path: Path) -> None:
    stores.make_v2(path, [FIRST])
    database, watch = Database.open(str(path)), StoreWatch()
    watch.look(str(path))
    pull_away_shm(path)

    with no_more_files():
        # From Python 3.12 on, nothing has to be opened in order to give them up.
        with (
            nullcontext() if HAS_CONFIGURATION else pytest.raises(TooManyOpenFiles),
            database.write(Patience(5), "try"),
        ):
            pass
        watch.look(str(path))
        database.close()
    watch.look(str(path))
    watch.close()

    # What is read here is what this process has open: the files that were given up would show a row less.
    assert stores.rows_in(path) == [FIRST, OTHERS]
    assert stores.integrity_of(path) == "ok"


def test_what_cannot_be_given_up_when_it_is_closed_stays_open(path: Path) -> None:
    stores.make_v2(path, [FIRST])
    database = Database.open(str(path))
    pull_away_shm(path)

    with no_more_files():
        database.close()
        del database
        gc.collect()
    IN_USE.leave_replaced(str(path), Patience(5))

    assert stores.rows_in(path) == [FIRST, OTHERS]
    assert stores.integrity_of(path) == "ok"
