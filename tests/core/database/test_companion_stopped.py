"""Adding the tables beside the file format, stopped in its middle or done by many at once: all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import stores
from support.companion import ROW, write
from support.processes import child

from trop_core.cancellation import CancellationToken
from trop_core.database import companion
from trop_core.database.migrations.companion import v1
from trop_core.errors.base import Cancelled
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.system import SystemFailure

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.database.handles import StoreConnection

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return stores.make_v2(tmp_path / "trop.db", [ROW])


def test_a_disk_that_is_full_fails_as_it_would_without_them(path: Path) -> None:
    before = stores.snapshot(path.parent)

    def fill_up(connection: StoreConnection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        companion.ensure(connection)

    with pytest.raises((MigrationFailed, SystemFailure)):
        write(path, fill_up)

    assert stores.snapshot(path.parent) == before


def test_a_call_that_is_taken_back_meanwhile_is_cancelled(path: Path) -> None:
    token = CancellationToken()
    before = stores.snapshot(path.parent)

    def interrupt(statement: str) -> None:
        if statement.startswith("CREATE INDEX idx_directories"):
            token.cancel()

    def be_taken_back(connection: StoreConnection) -> None:
        connection.set_trace_callback(interrupt)
        companion.ensure(connection)
        connection.execute("UPDATE reservations SET port = 1")

    with pytest.raises(Cancelled):
        write(path, be_taken_back, token)

    assert stores.snapshot(path.parent) == before


KILL_AT_EACH_STATEMENT = """
import shutil, sys
from pathlib import Path
from support import stores
from support.doomed import kill_at_each_statement
from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience

template, path = Path(sys.argv[1]), Path(sys.argv[2])
old = stores.rows_in(template)
new = [*old, ("/new", "", 60000, None, None, 1, 2)]


def begin():
    for leftover in path.parent.iterdir():
        leftover.unlink()
    shutil.copyfile(template, path)


def reserve():
    with Database.connect(str(path)).write(Patience(5), "try") as connection:
        companion.ensure(connection)
        connection.execute("INSERT INTO reservations VALUES ('/new', '', 60000, NULL, NULL, 1, 2)")
        directories.record(connection, directories.Directory("/new", inode="1"))


def look(killed):
    database = Database.connect(str(path))
    with database.read(Patience(5)) as connection:
        state = companion.state(connection)
        noted = directories.find(connection, "/new")
    database.close()
    assert stores.integrity_of(path) == "ok", killed
    if state == "absent":
        assert (sorted(stores.rows_in(path)), noted) == (sorted(old), None), killed
        reserve()
    else:
        assert state == "present" and noted is not None, (killed, state)
    assert sorted(stores.rows_in(path)) == sorted(new), killed
    return state


print(*kill_at_each_statement(begin, reserve, look))
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_process_killed_at_any_statement_leaves_all_of_them_or_none(tmp_path: Path, journal: str) -> None:
    (tmp_path / "template").mkdir()
    (tmp_path / "store").mkdir()
    template = stores.make_v2(
        tmp_path / "template" / "trop.db", stores.as_version_2(stores.rows_of_the_field(50)), journal=journal
    )

    with child(KILL_AT_EACH_STATEMENT, template, tmp_path / "store" / "trop.db") as process:
        outcomes = process.end().split()

    assert len(outcomes) > len(v1.MIGRATION.up_sql) + 6
    assert outcomes == sorted(outcomes), "no tables came after some"
    assert set(outcomes) == {"absent", "present"}


ADD_TOGETHER = """
import os, sys
from trop_core.database import companion, directories
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
import trop_core.database.migrations.executor, trop_core.database.migrations.companion.v1

path, count = sys.argv[1], int(sys.argv[2])
start, go = os.pipe()
answers, answer = os.pipe()
for number in range(count):
    if os.fork() == 0:
        try:
            os.close(go)
            os.read(start, 1)
            with Database.connect(path).write(Patience(60), "try") as connection:
                before = companion.state(connection)
                assert companion.ensure(connection)
                row = (f"/process/{number}", 60000 + number)
                connection.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 1, 2)", row)
                directories.record(connection, directories.Directory(row[0], inode=str(number)))
            os.write(answer, f"{before}\\n".encode())
        except BaseException as error:
            os.write(answer, f"{type(error).__name__}: {error}\\n".encode())
        os._exit(0)
os.close(answer)
os.close(go)
print(os.fdopen(answers).read(), end="")
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_of_forty_processes_that_add_them_at_once_one_does(tmp_path: Path, journal: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [ROW], journal=journal)

    with child(ADD_TOGETHER, path, 40) as processes:
        answers = processes.end().splitlines()

    assert sorted(answers) == ["absent"] + ["present"] * 39
    assert {(row[0], row[2]) for row in stores.rows_in(path, "directories")} == {
        (f"/process/{number}", str(number)) for number in range(40)
    }
    assert len(stores.rows_in(path)) == 41
    assert stores.backups_in(tmp_path) == []
    assert stores.integrity_of(path) == "ok"
