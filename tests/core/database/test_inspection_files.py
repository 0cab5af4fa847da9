"""``assert-data-dir --validate`` on files that are damaged, locked, written to meanwhile, or may not be read."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.operations import perform
from support.processes import Child, child
from support.rows import fill, row
from support.validation import ROWS, V1_ROWS, found_in, validate

from trop_core.cancellation import CancellationToken
from trop_core.database import read_only
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.errors.store import LockTimeout, NoDataDirectory

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.database.handles import StoreConnection


def test_a_file_that_is_no_database_is_told_of(path: Path) -> None:
    path.write_bytes(b"never a database " * 300)

    assert found_in(path) == {(None, None, None): "file is not a database"}


def test_a_file_that_was_cut_off_is_told_of(path: Path) -> None:
    stores.make_v2(path, [(f"/{n:05}", "", 1 + n, None, None, 1, 2) for n in range(5000)])
    os.truncate(path, path.stat().st_size // 2)

    assert found_in(path) == {(None, None, None): "database disk image is malformed"}


def _pages_of(path: Path, name: str) -> tuple[int, int]:
    """The size of a page, and the number of the page that a table or an index begins with."""
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return size, page


@pytest.mark.parametrize(
    "name", ["reservations", "metadata", "idx_reservations_project", "sqlite_autoindex_reservations_2"]
)
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_page_that_was_overwritten_is_told_of_whichever_it_is(path: Path, name: str, journal: str) -> None:
    rows = [(f"/{n:05}", "", 1 + n, f"p{n}", None, 1, 2) for n in range(2000)]
    stores.make_v2(path, rows, journal=journal)
    size, page = _pages_of(path, name)
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)

    before = stores.snapshot(path.parent)
    result = validate(path)

    assert not result.holds
    assert result.violations
    assert stores.snapshot(path.parent) == before


def test_a_row_that_an_index_has_lost_is_told_of_with_its_table(path: Path) -> None:
    stores.make_v2(path, ROWS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        index = connection.execute("SELECT * FROM sqlite_master WHERE name = 'idx_reservations_project'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'idx_reservations_project'")
    stores.run(path, "INSERT INTO reservations VALUES ('/c', '', 5003, 'p', NULL, 1, 2)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)

    found = {(table, message) for table, _, _, message in validate(path).violations}

    assert ("reservations", "row 4 missing from index idx_reservations_project") in found
    assert {table for table, _ in found} == {"reservations"}


# What nobody has opened, what others have open, and what they left behind

LEAVE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA ignore_check_constraints = ON")
connection.execute(sys.argv[2])
print("written", flush=True)
sys.stdin.readline()
os._exit(0)
"""
"""A process that writes, and then ends without closing the file: what it wrote stays in the -wal."""

BAD = "UPDATE reservations SET port = 70000 WHERE path = '/b'"
BAD_PORT = {("reservations", "port", "/b"): "70000 is no port"}


@pytest.mark.parametrize("lost", [(), ("-shm",)], ids=["as it was left", "without its -shm"])
def test_what_is_in_the_wal_of_a_process_that_crashed_is_seen(path: Path, lost: tuple[str, ...]) -> None:
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    for suffix in lost:
        os.unlink(f"{path}{suffix}")
    before = stores.snapshot(path.parent, without=["trop.db-shm"])

    found = {tuple(violation[:3]): violation.message for violation in validate(path).violations}

    assert found == BAD_PORT
    assert stores.snapshot(path.parent, without=["trop.db-shm"]) == before
    assert set(os.listdir(path.parent)) == {"trop.db", "trop.db-wal"} | ({"trop.db-shm"} if not lost else set())


def test_what_is_in_the_wal_of_a_process_that_is_alive_is_seen(path: Path) -> None:
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        found = {tuple(violation[:3]): violation.message for violation in validate(path).violations}

    assert found == BAD_PORT


def test_a_wal_without_its_end_is_read_as_sqlite_would(path: Path) -> None:
    """The last transaction was not written wholly: it never was."""
    stores.make_v2(path, ROWS)
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    os.unlink(f"{path}-shm")
    os.truncate(f"{path}-wal", os.stat(f"{path}-wal").st_size - 100)

    assert found_in(path) == {}


WRITE = """
import sqlite3, sys
print("writing", flush=True)
number = 0
while True:
    # Opened and closed each time: the -wal and the -shm come and go.
    connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
    for _ in range(20):
        number += 1
        connection.execute("UPDATE reservations SET last_used_at = ?, project = ?", (number, "p" * (number % 500)))
    connection.close()
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_store_that_others_write_to_all_the_time_is_sound(path: Path, journal: str) -> None:
    stores.make_v2(path, [(f"/{n:05}", "", 1 + n, None, None, 1, 2) for n in range(300)], journal=journal)
    patience = {"maximum_lock_wait_seconds": 60.0}

    with child(WRITE, path) as writer:
        writer.expect("writing")
        results = [validate(path, arguments=patience) for _ in range(40)]

    assert [result.violations for result in results] == [()] * 40


@pytest.mark.parametrize("negated", [False, True])
def test_a_store_that_is_locked_against_readers_is_locked_and_not_damaged(path: Path, negated: bool) -> None:
    stores.make_v1(path, V1_ROWS)

    with stores.locked(path, "BEGIN EXCLUSIVE"), pytest.raises(LockTimeout) as caught:
        validate(path, negated=negated, arguments={"maximum_lock_wait_seconds": 0.05})

    assert caught.value.operation == "validate it"


def test_a_writer_holds_up_no_validation(path: Path) -> None:
    stores.make_v2(path, ROWS)

    with stores.locked(path):
        assert validate(path, arguments={"maximum_lock_wait_seconds": 0.0}).holds


INTERRUPTED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE reservations SET project = printf('%.*c', 3000, 'x')")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_transaction_that_waits_to_be_rolled_back_is_said_to(path: Path) -> None:
    """To roll it back is to write."""
    rows = [(f"/{n:05}", None, 1 + n, None, None, 1, 2) for n in range(2000)]
    stores.make_v1(path, rows)
    killed = Child(INTERRUPTED, path)
    assert killed.process.wait(60) == -signal.SIGKILL
    killed.kill()
    before = stores.snapshot(path.parent)
    assert "trop.db-journal" in before

    assert validate(path).violations == ()

    assert stores.snapshot(path.parent) == before
    assert perform(path.parent, "list").reservations
    assert validate(path).violations == ()


def test_taken_back_it_ends(path: Path) -> None:
    stores.make_v2(path, ROWS)
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        validate(path, token=token)


def test_a_name_that_means_something_in_a_uri_is_read_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "a?mode=rwc#%41"
    directory.mkdir()
    path = stores.make_v2(directory / "trop.db", ROWS)

    assert found_in(path) == {}


# Another user

AS_NOBODY = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.errors.base import TropError
directory = Path(sys.argv[1])
perform(directory, "assert_data_dir", {"validate": True})
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for values in ({}, {"validate": True}, {"validate": True, "not": True}):
    try:
        result = perform(directory, "assert_data_dir", values)
        print(result.holds, *[violation.message for violation in result.violations])
    except TropError as error:
        print(error.kind)
"""
"""The first call loads, as root, the modules that another user may not be able to read."""


@pytest.mark.parametrize("shared", [True, False], ids=["as it was left", "without its -shm"])
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        pytest.param(0o600, "permission_denied", id="not to be read"),
        pytest.param(0o644, "False 70000 is no port", id="to be read alone"),
    ],
)
def test_one_who_may_not_write_validates_and_one_who_may_not_read_is_told_so(
    public_place: Path, mode: int, said: str, shared: bool
) -> None:
    path = public_place / "trop.db"
    fill(public_place, [row("/b", 5000)])
    with child(LEAVE, path, BAD) as process:
        process.expect("written")
        process.end()
    if not shared:
        os.unlink(f"{path}-shm")
    for name in os.listdir(public_place):
        (public_place / name).chmod(mode)
    # What is in a -shm that nobody has open counts for nothing: the next one to open it makes it anew.
    before = stores.snapshot(public_place, without=["trop.db-shm"])

    with child(AS_NOBODY, public_place) as process:
        lines = process.end().splitlines()

    assert lines == ["True", said, said]
    assert stores.snapshot(public_place, without=["trop.db-shm"]) == before
    assert os.path.exists(f"{path}-shm") == shared


def test_a_directory_that_may_not_be_entered_is_no_missing_store(public_place: Path) -> None:
    data = public_place / "data"
    fill(data, [row("/b", 5000)])
    data.chmod(0o700)

    with child(AS_NOBODY, data) as process:
        assert process.end().splitlines() == ["permission_denied"] * 3


@pytest.mark.parametrize("changes", [1, 2, 1000])
def test_a_copy_that_somebody_wrote_to_meanwhile_is_made_again_or_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    """No process can be held between the two looks at the file, so the copying itself does what another would."""
    stores.make_v2(path, ROWS)
    copy, left = read_only._copy, iter(range(changes))

    def disturbed(*arguments: Any, **options: Any) -> StoreConnection:
        made = copy(*arguments, **options)
        if (number := next(left, None)) is not None:
            stores.run(
                path, "PRAGMA ignore_check_constraints = ON", f"UPDATE reservations SET created_at = {-1 - number}"
            )
        return made

    monkeypatch.setattr(read_only, "_copy", disturbed)
    wait = {"maximum_lock_wait_seconds": 0.0 if changes == 1000 else 60.0}

    if changes == 1000:
        with pytest.raises(LockTimeout):
            validate(path, arguments=wait)
    else:
        found = {violation.message for violation in validate(path, arguments=wait).violations}
        assert found == {f"{-changes} is no time"}


def test_a_store_that_is_gone_by_the_time_is_missing(path: Path) -> None:
    with pytest.raises(NoDataDirectory), read_only.read_only(str(path), Patience(0), "look at it"):
        pass
