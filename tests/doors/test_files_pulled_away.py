"""The store's files are removed, replaced or cut off under a server: no port is given twice, and none is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.messages import command, request, result
from support.patience import PATIENCE
from support.processes import child
from support.sandbox import error_lines
from support.window import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")


def reserve(client: Client, path: Path) -> int:
    port: int = client.call("trop.reserve", {"path": str(path)})["reservation"]["port"]
    return port


def listed(client: Client) -> dict[str, int]:
    """What the server sees, by the names of the directories; asked several times at once, so of several threads."""
    client.send(*(request(number, "workspace/executeCommand", {"command": "trop.list"}) for number in range(12)))
    answers = [result(client.answer(number))["reservations"] for number in range(12)]
    assert all(answer == answers[0] for answer in answers)
    return {os.path.basename(row["path"]): row["port"] for row in answers[0]}


def three_servers(start: Callable[..., Client], sandbox: Sandbox) -> list[Client]:
    clients = [start(TROP_BUSY_TIMEOUT="60") for _ in range(3)]
    for client in clients:
        client.initialize(str(sandbox.work))
    return clients


def end(client: Client) -> None:
    client.request("shutdown")
    client.notify("exit")
    assert client.wait() == 0


def stored(sandbox: Sandbox) -> dict[str, int]:
    return {os.path.basename(row[0]): row[2] for row in stores.rows_in(sandbox.database)}


def checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def remove_shm(path: Path) -> None:
    os.unlink(f"{path}-shm")


def remove_wal(path: Path) -> None:
    os.unlink(f"{path}-wal")


def remove_both(path: Path) -> None:
    os.unlink(f"{path}-shm")
    os.unlink(f"{path}-wal")


def replace_shm(path: Path) -> None:
    with open(f"{path}-new", "wb") as file:
        file.truncate(32768)
    os.replace(f"{path}-new", f"{path}-shm")


def cut_wal(path: Path) -> None:
    os.truncate(f"{path}-wal", 0)


HARMS = [remove_shm, remove_wal, remove_both, replace_shm, cut_wal]


def move_and_link(path: Path, to: Path) -> None:
    """Have the database elsewhere: SQLite keeps the others beside where a link leads to, and not beside the link."""
    to.parent.mkdir()
    path.rename(to)
    path.symlink_to(to)


def leave_a_link(path: Path) -> None:
    move_and_link(path, path.parent / "moved" / path.name)


@pytest.mark.parametrize("is_linked", [False, True], ids=["plain", "linked"])
@pytest.mark.parametrize("harm", [*HARMS, leave_a_link], ids=lambda harm: harm.__name__)
def test_no_port_is_given_twice_and_none_is_lost(
    sandbox: Sandbox, client: Client, harm: Callable[[Path], None], *, is_linked: bool
) -> None:
    a, b, c, d = (sandbox.directory(name) for name in "abcd")
    file = sandbox.database
    if is_linked:
        sandbox.make_store()
        file = sandbox.data.parent / "elsewhere" / "real.db"
        move_and_link(sandbox.database, file)
    assert reserve(client, a) == 5000
    assert listed(client) == {"a": 5000}
    # What is in the -wal alone is lost with it; what is told here is about what comes after.
    checkpoint(sandbox.database)

    harm(file)
    assert sandbox.reserve(cwd=b) == 5001
    assert reserve(client, c) == 5002
    assert sandbox.reserve(cwd=d) == 5003

    expected = {"a": 5000, "b": 5001, "c": 5002, "d": 5003}
    assert listed(client) == expected
    end(client)
    assert stored(sandbox) == expected
    assert stores.integrity_of(sandbox.database) == "ok"


def test_a_link_that_leads_to_another_store_is_followed(sandbox: Sandbox, client: Client) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    sandbox.make_store()
    one, other = (sandbox.data.parent / name / "trop.db" for name in ("one", "other"))
    move_and_link(sandbox.database, one)
    assert reserve(client, a) == 5000
    sandbox.database.unlink()
    sandbox.reserve(cwd=b)
    move_and_link(sandbox.database, other)

    assert reserve(client, a) == 5001
    assert listed(client) == {"a": 5001, "b": 5000}
    end(client)
    assert {os.path.basename(row[0]): row[2] for row in stores.rows_in(one)} == {"a": 5000}
    assert {os.path.basename(row[0]): row[2] for row in stores.rows_in(other)} == {"a": 5001, "b": 5000}


@pytest.mark.parametrize("harm", [remove_shm, remove_wal, remove_both, replace_shm], ids=lambda harm: harm.__name__)
def test_a_server_that_only_ends_destroys_nothing(
    sandbox: Sandbox, client: Client, harm: Callable[[Path], None]
) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    reserve(client, a)
    checkpoint(sandbox.database)
    harm(sandbox.database)
    assert sandbox.reserve(cwd=b) == 5001

    end(client)

    assert stored(sandbox) == {"a": 5000, "b": 5001}


def test_several_servers_go_on_together(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    clients = three_servers(start, sandbox)
    names = iter(f"d{number:02}" for number in range(100))
    expected: dict[str, int] = {}
    for turn in range(4):
        for client in clients:
            name = next(names)
            expected[name] = reserve(client, sandbox.directory(name))
        remove_shm(sandbox.database) if turn % 2 else replace_shm(sandbox.database)

    assert sorted(expected.values()) == list(range(5000, 5012))
    for client in clients:
        assert listed(client) == expected
        end(client)
    assert stored(sandbox) == expected


@pytest.mark.parametrize("harm", [remove_wal, cut_wal], ids=lambda harm: harm.__name__)
def test_a_wal_that_is_gone_is_made_anew_once_all_have_let_go_of_its_index(
    sandbox: Sandbox, start: Callable[..., Client], harm: Callable[[Path], None]
) -> None:
    clients = three_servers(start, sandbox)
    names = iter(f"d{number:02}" for number in range(100))
    for turn in range(3):
        if turn:
            harm(sandbox.database)
        since = {name: reserve(client, sandbox.directory(name)) for client, name in zip(clients, names, strict=False)}

    expected = listed(clients[0])
    assert expected.items() >= since.items()
    for client in clients:
        assert listed(client) == expected
        end(client)
    assert stored(sandbox) == expected
    assert stores.integrity_of(sandbox.database) == "ok"


HOLDING = """\
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("UPDATE reservations SET last_used_at = last_used_at + 1")
print("held", flush=True)
sys.stdin.readline()
os._exit(0)
"""


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_program_that_keeps_the_index_of_a_wal_that_is_gone_is_told_of(sandbox: Sandbox, made_anew: bool) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    assert sandbox.reserve(cwd=a) == 5000

    with child(HOLDING, sandbox.database) as other:
        other.expect("held")
        remove_wal(sandbox.database)
        if made_anew:
            open(f"{sandbox.database}-wal", "xb").close()
        refused = sandbox.trop("reserve", "--busy-timeout", "0.2", cwd=b)
        other.say()
        other.end()

    assert (refused.returncode, refused.stdout) == (5, "")
    message, hint = error_lines(refused)
    assert message == (
        f'cannot use "{sandbox.database}-shm": the -wal that it belongs to was removed or cut off, '
        "and a program has it open"
    )
    assert hint == (
        "Nothing has changed. End the programs that have the store open (lsof, or fuser, names them), then try again. "
        "What only that -wal held is gone."
    )
    assert sandbox.reserve(cwd=b) == 5001
    assert stored(sandbox) == {"a": 5000, "b": 5001}


@pytest.mark.parametrize("harm", [remove_shm, replace_shm], ids=lambda harm: harm.__name__)
def test_nothing_is_lost_while_files_are_pulled_away_all_the_time(
    sandbox: Sandbox, start: Callable[..., Client], harm: Callable[[Path], None]
) -> None:
    clients = three_servers(start, sandbox)
    reserve(clients[0], sandbox.work)
    expected = {str(sandbox.work): 5000}
    numbers = iter(range(10_000))
    for _ in range(30):
        sent = []
        for client in clients:
            for number in islice(numbers, 4):
                path = str(sandbox.work / f"d{number}")
                client.send(command(number, "trop.reserve", {"path": path}))
                sent.append((client, number, path))
            with suppress(FileNotFoundError):  # nobody has made it again yet
                harm(sandbox.database)
        for client, number, path in sent:
            expected[path] = result(client.answer(number))["reservation"]["port"]

    assert {row[0]: row[2] for row in stores.rows_in(sandbox.database)} == expected
    assert len(set(expected.values())) == len(expected)


def test_a_store_that_was_cut_to_nothing_is_seen_by_all_as_that(sandbox: Sandbox, client: Client) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    reserve(client, a)
    checkpoint(sandbox.database)

    os.truncate(sandbox.database, 0)
    assert listed(client) == {}
    assert sandbox.reserve(cwd=b) == 5000
    assert reserve(client, a) == 5001

    assert listed(client) == {"a": 5001, "b": 5000}
    end(client)
    assert stored(sandbox) == {"a": 5001, "b": 5000}


@pytest.mark.parametrize("size", [96, 136, 4096, 16384])
def test_a_shm_that_was_cut_off_is_in_the_way_and_named(sandbox: Sandbox, client: Client, size: int) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    assert reserve(client, a) == 5000

    os.truncate(f"{sandbox.database}-shm", size)
    listing = sandbox.trop("list", "--format", "csv")
    refused = sandbox.trop("reserve", cwd=b)

    assert str(a) in listing.stdout, listing.stderr
    assert (refused.returncode, refused.stdout) == (5, "")
    assert f'cannot use "{sandbox.database}-shm": a part of it is missing' in refused.stderr
    remove_shm(sandbox.database)
    assert sandbox.reserve(cwd=b) == 5001
    # The server may have ended: the system kills who reads where nothing is left. What it has stored is there.
    assert stored(sandbox) == {"a": 5000, "b": 5001}


@pytest.mark.parametrize("harm", [lambda path: os.truncate(path, 0), os.unlink], ids=["cut to nothing", "removed"])
def test_a_server_that_nobody_asks_for_anything_is_in_nobodys_way(
    sandbox: Sandbox, client: Client, harm: Callable[[Path], None]
) -> None:
    a, b = (sandbox.directory(name) for name in "ab")
    reserve(client, a)
    checkpoint(sandbox.database)

    harm(sandbox.database)

    deadline = time.monotonic() + PATIENCE
    while (done := sandbox.trop("reserve", "--busy-timeout", "5", cwd=b)).returncode and time.monotonic() < deadline:
        pass
    assert done.stdout == "5000\n", done.stderr
    assert listed(client) == {"b": 5000}


def test_servers_that_look_on_let_go_of_the_index_of_a_wal_that_was_cut_off(
    sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    clients = [start() for _ in range(2)]
    for client in clients:
        client.initialize(str(sandbox.work), initializationOptions={"notifications": True})
        client.call("trop.list")
    assert reserve(clients[0], sandbox.work) == 5000
    for client in clients:
        told(client, bool)
    checkpoint(sandbox.database)

    cut_wal(sandbox.database)
    assert sandbox.reserve("--tag", "web", "--busy-timeout", "60") == 5001

    for client in clients:
        assert len(told(client, lambda rows: len(rows) == 2)) == 2


def test_what_changes_after_the_files_were_replaced_is_told(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    client = start()
    client.initialize(str(sandbox.work), initializationOptions={"notifications": True})
    client.call("trop.list")
    assert reserve(client, sandbox.work) == 5000
    told(client, bool)
    checkpoint(sandbox.database)

    remove_shm(sandbox.database)
    assert sandbox.reserve("--tag", "web") == 5001

    assert len(told(client, lambda rows: len(rows) == 2)) == 2
