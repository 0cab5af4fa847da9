"""Many processes at one store: one migrates, the others wait, and waiting ends in time."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.patience import AT_ONCE
from support.processes import child
from support.transactions import WaitedFor, begin, open_store, rehearse, write

from trop_core.cancellation import CancellationToken
from trop_core.database import reservations
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.errors.store import LockTimeout, UnsupportedSchemaVersion
from trop_core.models import ReservationKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")


OPEN_TOGETHER = """
import os, sys
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
# All of this is read before the start, so that what follows happens at the same time.
import trop_core.database.migrations.executor, trop_core.database.migrations.registry, trop_core.database.backup
from trop_core.database.handles import create_file

path, count, create = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "create"
start, go = os.pipe()
ready, tell = os.pipe()
answers, answer = os.pipe()
children = []
for number in range(count):
    child = os.fork()
    if child == 0:
        try:
            os.close(go)
            os.write(tell, b".")
            os.read(start, 1)
            if create:
                create_file(path)
            database = Database.connect(path, patience=Patience(30))
            result = database.migrate_to_latest(Patience(30))
            with database.write(Patience(30), "add a row") as connection:
                row = (f"/process/{number}", 60000 + number)
                connection.execute("INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 1, 2)", row)
            database.close()
            os.write(answer, f"{'done' if result is None or not result.migrations_applied else 'migrated'}\\n".encode())
        except BaseException as error:
            os.write(answer, f"{type(error).__name__}: {error}\\n".encode())
        os._exit(0)
    children.append(child)
os.close(start)
os.close(tell)
os.close(answer)
for _ in children:
    os.read(ready, 1)
os.close(go)
for child in children:
    os.waitpid(child, 0)
print(os.fdopen(answers).read(), end="")
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_of_twenty_processes_that_open_one_old_store_one_migrates(tmp_path: Path, journal: str) -> None:
    rows = stores.rows_of_the_field(2000)
    path = stores.make_v1(tmp_path / "trop.db", rows, journal=journal)

    with child(OPEN_TOGETHER, path, 20, "open") as processes:
        answers = processes.end().splitlines()

    assert sorted(answers) == ["done"] * 19 + ["migrated"]
    assert stores.backups_in(tmp_path) == ["trop.db.v1.bak"]
    added = [(f"/process/{number}", "", 60000 + number, None, None, 1, 2) for number in range(20)]
    assert stores.rows_in(path) == sorted(stores.as_version_2(rows) + added, key=repr)


def test_forty_processes_make_one_store_together(tmp_path: Path) -> None:
    path = tmp_path / "trop.db"

    with child(OPEN_TOGETHER, path, 40, "create") as processes:
        answers = processes.end().splitlines()

    assert sorted(answers) == ["done"] * 39 + ["migrated"]
    assert len(stores.rows_in(path)) == 40
    assert stores.snapshot(tmp_path)["trop.db"].mode == 0o600
    assert stores.backups_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["open", "read", "write", "rehearse"])
def test_a_store_that_another_process_makes_while_its_version_is_read_is_not_taken_for_damaged(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "trop.db"
    path.touch()
    database = Database.connect(str(path))
    made: list[str] = []

    def make_it(statement: str) -> None:
        if "sqlite_master" in statement and not made:
            made.append(statement)
            # Where the first look already holds the lock, the other one finds it locked, and nothing can go wrong.
            with suppress(LockTimeout):
                Database.open(str(path), patience=Patience(0)).close()

    database._connection.set_trace_callback(make_it)  # the only place to stand between two statements
    if kind == "open":
        database.migrate_to_latest()
    else:
        with begin(database, kind, Patience(5)) as connection:
            assert reservations.listing(connection) == []
    database.close()

    assert made


WAYS = [write, rehearse]


@pytest.mark.parametrize("seconds", [0, 0.2])
@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize(
    ("make", "attempt"),
    [(stores.make_v1, open_store), *((make, way) for way in WAYS for make in (stores.make_v1, stores.make_v2))],
)
def test_a_lock_that_another_process_holds_is_a_lock_timeout_in_time(
    tmp_path: Path,
    *,
    make: Callable[..., Path],
    attempt: Callable[[Path, Patience], None],
    journal: str,
    begin: str,
    seconds: float,
) -> None:
    path = make(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)], journal=journal)
    before = stores.snapshot(tmp_path)

    with stores.locked(path, begin) as holder:
        started = time.monotonic()
        with pytest.raises(LockTimeout) as refused:
            attempt(path, Patience(seconds))
        waited = time.monotonic() - started
        holder.say()
        holder.expect("released")

    assert seconds <= waited
    assert refused.value.details()["timeoutSeconds"] == seconds
    assert refused.value.retryable
    assert stores.snapshot(tmp_path)["trop.db"] == before["trop.db"]
    assert stores.backups_in(tmp_path) == []


def test_who_waits_gets_the_lock_when_it_is_released(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)])

    with stores.locked(path) as holder:
        token = WaitedFor()
        release = after(token.waited, holder.say)
        database = Database.open(str(path), patience=Patience(30, token))
        release.join()
    database.close()

    assert token.waited.is_set()
    assert stores.version_of(path) == "2"


def after(event: threading.Event, action: Callable[[], None]) -> threading.Thread:
    """A thread that waits for an event and then does something."""

    def wait_and_act() -> None:
        assert event.wait(30)
        action()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


@pytest.mark.parametrize("attempt", [open_store, write, rehearse])
def test_who_waits_stops_at_once_when_the_call_is_taken_back(
    tmp_path: Path, attempt: Callable[[Path, Patience], None]
) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)])
    token = WaitedFor()

    with stores.locked(path):
        cancel = after(token.waited, token.cancel)
        started = time.monotonic()
        with pytest.raises(Cancelled):
            attempt(path, Patience(60, token))
        cancel.join()

    assert time.monotonic() - started < AT_ONCE
    assert stores.version_of(path) == "1"


@pytest.mark.parametrize("attempt", [open_store, write, rehearse])
def test_a_call_that_was_taken_back_before_it_began_does_nothing(
    tmp_path: Path, attempt: Callable[[Path, Patience], None]
) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", "web", 5000, None, None, 1, 2)])
    before = stores.snapshot(tmp_path)
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        attempt(path, Patience(5, token))

    assert stores.snapshot(tmp_path) == before


FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE tell(i)"


@pytest.mark.parametrize("kind", ["read", "write", "rehearse"])
def test_a_statement_that_runs_is_stopped_when_the_call_is_taken_back(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    token, runs = CancellationToken(), threading.Event()
    cancel = after(runs, token.cancel)

    def run_for_ever() -> None:
        with begin(database, kind, Patience(5, token)) as connection:
            connection.create_function("tell", 1, lambda _: runs.set())
            if kind != "read":
                connection.execute("INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)")
            connection.execute(FOREVER)

    with pytest.raises(Cancelled):
        run_for_ever()
    cancel.join()

    with database.write(Patience(5), "go on") as connection:
        assert reservations.listing(connection) == []
    database.close()


def test_a_statement_that_is_half_read_does_not_keep_the_lock_when_the_call_is_taken_back(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", stores.as_version_2(stores.rows_of_the_field(500)))
    database = Database.open(str(path))
    token = CancellationToken()
    before = stores.rows_in(path)

    def stop_half_way() -> None:
        with database.write(Patience(5, token), "try") as connection:
            connection.execute("DELETE FROM reservations WHERE port = 1")
            chunks = reservations.taken_ports(connection, 1, 65535)
            next(chunks)
            token.cancel()
            token.check()

    with pytest.raises(Cancelled) as stopped:
        stop_half_way()

    assert stopped.value.__context__ is None
    with stores.locked(path):
        pass
    assert stores.rows_in(path) == before
    with database.read(Patience(5)) as connection:
        assert reservations.holder(connection, 1) is not None
    database.close()


def test_a_call_that_is_taken_back_at_its_end_is_not_committed(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    token = CancellationToken()

    def cancel_at_the_end() -> None:
        with database.write(Patience(5, token), "try") as connection:
            connection.execute("INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)")
            token.cancel()

    with pytest.raises(Cancelled):
        cancel_at_the_end()
    database.close()

    assert stores.rows_in(path) == []


def test_a_migration_is_stopped_when_the_call_is_taken_back(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", stores.rows_of_the_field(50))
    before = stores.snapshot(tmp_path)

    class CancelledInside(CancellationToken):
        checks = 0

        def check(self) -> None:
            self.checks += 1
            if self.checks == 12:
                self.cancel()
            super().check()

    with pytest.raises(Cancelled):
        Database.open(str(path), patience=Patience(5, CancelledInside()))

    assert stores.snapshot(tmp_path) == before


def test_a_lock_that_is_missed_inside_a_transaction_is_a_lock_timeout_too(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))

    with pytest.raises(LockTimeout) as refused, database.write(Patience(1), "try"):
        stores.run(path, "PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE")
    database.close()

    assert refused.value.operation == "try"


def test_readers_go_on_while_a_writer_holds_the_lock(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [("/a", "", 5000, None, None, 1, 2)])

    with stores.locked(path, "BEGIN IMMEDIATE"):
        database = Database.open(str(path), patience=Patience(0))
        with database.read(Patience(0)) as connection:
            found = reservations.find(connection, ReservationKey("/a"))
        database.close()

    assert found is not None
    assert found.port == 5000


def test_a_reader_sees_one_state_while_others_write(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    reader, writer = Database.open(str(path)), Database.open(str(path))

    with reader.read(Patience(5)) as connection:
        before = reservations.listing(connection)
        with writer.write(Patience(5), "try") as other:
            other.execute("INSERT INTO reservations VALUES ('/a', '', 5000, NULL, NULL, 1, 2)")
        after = reservations.listing(connection)
    with reader.read(Patience(5)) as connection:
        later = reservations.listing(connection)
    reader.close()
    writer.close()

    assert before == after == []
    assert len(later) == 1


def test_a_reader_of_a_current_store_goes_on_while_it_is_migrated_by_a_newer_program(tmp_path: Path) -> None:
    path = stores.make_v2(tmp_path / "trop.db", [("/a", "", 5000, None, None, 1, 2)])
    reader = Database.open(str(path))

    with reader.read(Patience(5)) as connection:
        stores.run(
            path,
            "BEGIN IMMEDIATE",
            "ALTER TABLE reservations RENAME TO reservations_v3",
            "UPDATE metadata SET value = '3'",
            "COMMIT",
        )
        found = reservations.listing(connection)
    with pytest.raises(UnsupportedSchemaVersion) as refused, reader.read(Patience(5)):
        pass
    reader.close()

    assert len(found) == 1
    assert refused.value.found == 3


@pytest.mark.parametrize("kind", ["read", "write", "rehearse"])
def test_a_newer_version_that_appears_between_two_transactions_is_refused(tmp_path: Path, kind: str) -> None:
    path = stores.make_v2(tmp_path / "trop.db")
    database = Database.open(str(path))
    stores.run(path, "UPDATE metadata SET value = '7'")

    with pytest.raises(UnsupportedSchemaVersion) as refused, begin(database, kind, Patience(5)):
        pytest.fail("the transaction began")

    assert refused.value.details() == {"found": 7, "supported": 2}
    with stores.locked(path):
        pass
    stores.run(path, "UPDATE metadata SET value = '2'")
    with begin(database, kind, Patience(5)) as connection:
        assert reservations.listing(connection) == []
    database.close()


def test_a_newer_version_that_appears_while_the_lock_is_waited_for_is_refused(tmp_path: Path) -> None:
    path = stores.make_v1(tmp_path / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    upgrade = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "connection.execute(\"UPDATE metadata SET value = '3'\")\n"
        "print('locked', flush=True)\n"
        "sys.stdin.readline()\n"
        "connection.execute('COMMIT')\n"
    )
    token = WaitedFor()

    with child(upgrade, path) as newer:
        newer.expect("locked")
        release = after(token.waited, newer.say)
        with pytest.raises(UnsupportedSchemaVersion) as refused:
            Database.open(str(path), patience=Patience(30, token))
        release.join()

    assert refused.value.found == 3
    assert stores.backups_in(tmp_path) == []


def test_opening_and_failing_a_thousand_times_leaks_no_descriptor(tmp_path: Path) -> None:
    stores.make_v2(tmp_path / "trop.db")
    newer = stores.make_v2(tmp_path / "newer.db")
    stores.run(newer, "UPDATE metadata SET value = '3'")
    (tmp_path / "noise.db").write_bytes(b"noise" * 1000)
    before = len(os.listdir("/dev/fd"))

    for _ in range(100):
        with ExitStack() as failures:
            for name in ("newer.db", "noise.db", "missing.db"):
                failures.enter_context(pytest.raises(Exception, match="store"))
                Database.open(str(tmp_path / name), create=False)
        Database.open(str(tmp_path / "trop.db")).close()

    assert len(os.listdir("/dev/fd")) == before
