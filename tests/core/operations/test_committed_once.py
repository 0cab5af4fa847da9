"""What happens right after a commit: files are pulled away, or the call is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import stores
from support.processes import child
from support.rows import fill, row, rows_of

if TYPE_CHECKING:
    from pathlib import Path

PULLING = """
import json, os, sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door
from trop_core.database import handles

data, suffixes, name, values = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])


class Pulling(handles.StoreConnection):
    def execute(self, sql, *more):
        cursor = super().execute(sql, *more)
        if sql == "COMMIT":
            while suffixes:
                os.unlink(f"{data}/trop.db{suffixes.pop()}")
        return cursor


vars(handles)["StoreConnection"] = Pulling
perform(data, name, values, caller=Caller(Door.TERMINAL, "/w"))
assert not suffixes
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with two reservations, each made by an operation of its own."""
    directory = tmp_path / "data"
    fill(directory, [row("/w/a", 5000)])
    for path in ("/w/b", "/w/c"):
        reserve = f'{{"path": "{path}", "skipOccupancyCheck": true, "allowUnrelatedPath": true}}'
        with child(PULLING, directory, "[]", "reserve", reserve) as process:
            process.end()
    return directory


def test_an_undo_takes_back_one_operation(data: Path) -> None:
    with child(PULLING, data, '["-shm"]', "undo", '{"any": true, "force": true}') as process:
        process.end()

    assert [path for path, *_ in rows_of(data)] == ["/w/a", "/w/b"]


def test_a_migrate_does_not_miss_what_it_has_moved(data: Path) -> None:
    with child(PULLING, data, '["-shm"]', "migrate", '{"from": "/w/a", "to": "/w/z"}') as process:
        process.end()

    assert [path for path, *_ in rows_of(data)] == ["/w/b", "/w/c", "/w/z"]


def test_what_went_away_with_the_store_is_done_in_a_new_one(data: Path) -> None:
    reserve = '{"path": "/w/d", "skipOccupancyCheck": true, "allowUnrelatedPath": true}'
    with child(PULLING, data, '["", "-shm", "-wal"]', "reserve", reserve) as process:
        process.end()

    assert [path for path, *_ in rows_of(data)] == ["/w/d"]


TAKING_BACK = """
import sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.database import handles

data, folder = sys.argv[1:]
token = CancellationToken()


class TakenBack(handles.StoreConnection):
    def execute(self, sql, *more):
        cursor = super().execute(sql, *more)
        if sql == "COMMIT":
            token.cancel()
        return cursor


vars(handles)["StoreConnection"] = TakenBack
perform(Path(data), "env", {"write": ".env"}, caller=Caller(Door.TERMINAL, folder), token=token)
assert token.cancelled
"""


def test_what_is_reserved_for_a_file_stands_in_it_even_if_the_call_is_taken_back_by_then(
    data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()

    with child(TAKING_BACK, data, folder) as process:
        process.end()

    [port] = [row[2] for row in rows_of(data) if row[0] == str(folder)]
    assert f"PORT={port}\n" in folder.joinpath(".env").read_text()


INTERRUPTED = """
import sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door
from trop_core.database import handles

data, file, statement = sys.argv[1:]


class Interrupted(handles.StoreConnection):
    def execute(self, sql, *more):
        cursor = super().execute(sql, *more)
        if sql.startswith(statement):
            raise KeyboardInterrupt
        return cursor


vars(handles)["StoreConnection"] = Interrupted
try:
    perform(Path(data), "restore", {"file": file}, caller=Caller(Door.TERMINAL, "/w"))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(("statement", "is_done"), [("DELETE FROM reservations", False), ("COMMIT", True)])
def test_an_interrupted_restore_keeps_the_backup_of_what_it_has_replaced(
    data: Path, tmp_path: Path, statement: str, is_done: bool
) -> None:
    before = rows_of(data)
    fill(tmp_path / "old", [row("/w/old", 5003)])

    with child(INTERRUPTED, data, tmp_path / "old" / "trop.db", statement) as process:
        process.expect("interrupted")

    assert (rows_of(data) == before) is not is_done
    assert [stores.rows_in(data / name) for name in stores.backups_in(data)] == ([before] if is_done else [])
