"""The record of what was done, while many do something at once, and a restore among them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.history import replayed, stored
from support.patience import PATIENCE
from support.sandbox import TROP

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")

PROCESSES = 40
FIRST = 20_000
DO_AND_UNDO = f"""set -e
{TROP} reserve --min $0 --max $0
{TROP} release >/dev/null
{TROP} undo >/dev/null
{TROP} reserve
"""
"""With a port that no neighbour takes while it is given up."""
WRITE = f"""
n={FIRST}
while [ ! -e enough ]; do
  n=$((n + 1))
  {TROP} reserve --tag w$n --min $n --max $n || exit
done
"""


def test_forty_processes_undo_what_they_did_and_nobody_elses(sandbox: Sandbox) -> None:
    """The last of them all is hardly ever one's own: an undo that took it would change what somebody else has."""
    places = [sandbox.directory(f"place-{number}") for number in range(PROCESSES)]
    begun = [
        sandbox.begin_program("sh", "-c", DO_AND_UNDO, str(FIRST + number), cwd=place, TROP_BUSY_TIMEOUT="60")
        for number, place in enumerate(places)
    ]

    outputs = [process.communicate(timeout=PATIENCE) for process in begun]

    assert [process.returncode for process in begun] == [0] * PROCESSES, [err for _, err in outputs if err]
    rows = stored(sandbox.database)
    assert rows == replayed(sandbox.database)
    assert {path: row[0] for (path, _), row in rows.items()} == {
        str(place): FIRST + number for number, place in enumerate(places)
    }
    assert [out for out, _ in outputs] == [f"{FIRST + number}\n" * 2 for number in range(PROCESSES)]
    assert sandbox.integrity() == "ok"


def test_a_store_is_restored_under_two_servers_a_reader_and_a_writer(
    sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    sandbox.reserve("--tag", "kept")
    copy = str(sandbox.root / "copy.db")
    assert sandbox.trop("backup", copy).returncode == 0
    sandbox.reserve("--tag", "newer")
    servers = [start(TROP_BUSY_TIMEOUT="60") for _ in range(2)]
    for server in servers:
        server.initialize(str(sandbox.work))
        assert tags(server) == {"kept", "newer"}
    writer = sandbox.begin_program("sh", "-c", WRITE, TROP_BUSY_TIMEOUT="60")
    assert writer.stdout is not None

    with closing(sqlite3.connect(sandbox.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        seen = reader.execute("SELECT count(*) FROM reservations").fetchone()
        for _ in range(3):
            writer.stdout.readline()
        servers[0].call("trop.restore", {"file": copy})
        for _ in range(3):
            last = int(writer.stdout.readline())
        assert reader.execute("SELECT count(*) FROM reservations").fetchone() == seen

    (sandbox.work / "enough").touch()
    out, err = writer.communicate(timeout=PATIENCE)
    assert writer.returncode == 0, err
    last = int(out.split()[-1]) if out else last
    rows = stored(sandbox.database)
    assert rows == replayed(sandbox.database)
    there = {tag for _, tag in rows}
    # What was reserved before the restore is gone, what was reserved after it is there; the writer's last was after it.
    written = sorted(int(tag[1:]) for tag in there if tag.startswith("w"))
    assert written == list(range(written[0], last + 1))
    assert written[0] > FIRST + 1
    assert there == {"kept", *(f"w{number}" for number in written)}
    for server in servers:
        assert tags(server) == there

    # It is taken back as any other operation; what the writer did since is not touched by that.
    ((number,),) = sandbox.query("SELECT max(id) FROM operations WHERE command = 'trop.restore'")
    servers[1].call("trop.undo", {"id": number})
    assert {tag for _, tag in stored(sandbox.database)} == there | {
        "newer",
        *(f"w{n}" for n in range(FIRST + 1, written[0])),
    }
    assert stored(sandbox.database) == replayed(sandbox.database)
    assert sandbox.integrity() == "ok"


def tags(server: Client) -> set[str]:
    return {row["tag"] for row in server.call("trop.list", {})["reservations"]}
