"""The client is told what its folders have reserved, after every change of the store, whoever made it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.messages import ServerError
from support.patience import PATIENCE
from support.window import CHANGED, LOGGED, ending, keys, next_of, open_folder, said, tagged, told

from trop_server.lsp.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

    from trop_core.models import Reservation

WATCHING = {"notifications": True}
CANNOT_BE_TOLD = "changes of the store cannot be told"


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@pytest.fixture
def watcher(start: Callable[..., Client], sandbox: Sandbox) -> Client:
    """A server that tells of changes, with the folder ``work`` open. What comes from now on is told."""
    client = start()
    client.initialize(str(sandbox.work), initializationOptions=WATCHING)
    client.call("trop.list")
    return client


def put_in_place(new: Path, path: Path) -> None:
    """Replace a store as one has to: with what belongs to the old one."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(new, path)


def another_store(sandbox: Sandbox, *arguments: str) -> tuple[Path, int]:
    """A store in another place with a reservation for ``work``, and its port."""
    place = sandbox.root / "elsewhere"
    port = sandbox.reserve("--data-dir", str(place), *arguments)
    with closing(sqlite3.connect(place / "trop.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return place / "trop.db", port


def test_another_process_reserves_and_releases(watcher: Client, sandbox: Sandbox) -> None:
    work = str(sandbox.work)

    port = sandbox.reserve()
    reserved = told(watcher, bool)
    tagged_port = sandbox.reserve("--tag", "web")
    both = told(watcher, lambda found: len(found) == 2)
    sandbox.trop("release")
    told(watcher, lambda found: not found)

    assert keys(reserved) == [(work, None, port)]
    assert keys(both) == [(work, None, port), (work, "web", tagged_port)]


def test_what_is_told_is_what_a_list_would_tell(watcher: Client, sandbox: Sandbox) -> None:
    sandbox.reserve("--project", "shop", "--task", "login", "--tag", "web")

    (reservation,) = told(watcher, bool)

    assert [reservation] == watcher.call("trop.list")["reservations"]


def test_what_the_server_itself_changes_is_told(watcher: Client, sandbox: Sandbox) -> None:
    port = watcher.call("trop.reserve", {"tag": "web"})["reservation"]["port"]

    reserved = told(watcher, bool)
    watcher.call("trop.release")
    told(watcher, lambda found: not found)

    assert keys(reserved) == [(str(sandbox.work), "web", port)]


def test_nothing_is_told_before_something_changes(start: Callable[..., Client], sandbox: Sandbox) -> None:
    first = sandbox.reserve()
    client = start()
    client.initialize(str(sandbox.work), initializationOptions=WATCHING)
    client.call("trop.list")

    second = sandbox.reserve("--tag", "web")
    message = next_of(client, CHANGED)

    work = str(sandbox.work)
    assert keys(message["params"]["reservations"]) == [(work, None, first), (work, "web", second)]


def test_a_folder_that_comes_or_goes_is_no_change_of_the_store(watcher: Client, sandbox: Sandbox) -> None:
    sandbox.make_store()
    told(watcher, lambda found: not found)
    other = sandbox.directory("other")

    open_folder(watcher, other)
    port = sandbox.reserve(cwd=other)
    reserved = told(watcher, bool)

    assert keys(reserved) == [(str(other), None, port)]


def test_other_directories_are_left_out_but_their_change_is_told(watcher: Client, sandbox: Sandbox) -> None:
    port = sandbox.reserve()
    told(watcher, bool)
    below, beside = sandbox.directory("below"), sandbox.root / "beside"

    sandbox.reserve("--path", str(below))
    after_one_below = next_of(watcher, CHANGED)["params"]["reservations"]
    sandbox.reserve("--path", str(beside), "--allow-unrelated-path")
    after_one_beside = next_of(watcher, CHANGED)["params"]["reservations"]

    assert keys(after_one_below) == keys(after_one_beside) == [(str(sandbox.work), None, port)]


def test_a_folder_counts_as_it_is_spelled_and_under_its_one_name(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    project, link = sandbox.directory("project"), sandbox.root / "link"
    link.symlink_to(project)
    client = start()
    client.initialize(str(link), initializationOptions=WATCHING)
    client.call("trop.list")

    spelled = sandbox.reserve("--path", str(link), "--allow-unrelated-path")
    canonical = sandbox.reserve(cwd=project)
    both = told(client, lambda found: len(found) == 2)

    assert keys(both) == [(str(link), None, spelled), (str(project), None, canonical)]


def test_a_store_that_is_created_and_removed_is_noticed(watcher: Client, sandbox: Sandbox) -> None:
    assert not sandbox.data.exists()

    port = sandbox.reserve()
    created = told(watcher, bool)
    for file in sandbox.data.iterdir():
        file.unlink()
    told(watcher, lambda found: not found)
    sandbox.data.rmdir()
    again = sandbox.reserve("--tag", "again")
    created_again = told(watcher, bool)

    assert keys(created) == [(str(sandbox.work), None, port)]
    assert keys(created_again) == [(str(sandbox.work), "again", again)]


def test_a_store_that_is_replaced_is_noticed(watcher: Client, sandbox: Sandbox) -> None:
    sandbox.reserve()
    told(watcher, bool)
    new, port = another_store(sandbox, "--tag", "new")

    put_in_place(new, sandbox.database)
    replaced = told(watcher, tagged("new"))
    second = sandbox.reserve("--tag", "second")
    written = told(watcher, lambda found: len(found) == 2)

    assert keys(replaced) == [(str(sandbox.work), "new", port)]
    assert keys(written)[1] == (str(sandbox.work), "second", second)


def test_a_store_that_is_emptied_is_noticed(watcher: Client, sandbox: Sandbox) -> None:
    sandbox.reserve()
    told(watcher, bool)

    done = sandbox.trop("init", "--overwrite")
    told(watcher, lambda found: not found)

    assert done.returncode == 0


@pytest.mark.parametrize("damage", ["noise", "a newer version", "a damaged row"])
def test_a_store_that_cannot_be_read_is_logged_once_and_watched_on(
    watcher: Client, sandbox: Sandbox, damage: str
) -> None:
    port = sandbox.reserve()
    told(watcher, bool)
    whole = sandbox.root / "whole.db"
    with closing(sqlite3.connect(sandbox.database)) as connection, closing(sqlite3.connect(whole)) as copy:
        connection.backup(copy)

    for number in range(2):
        if damage == "noise":
            noise = sandbox.root / "noise.db"
            noise.write_bytes(b"noise" * (4096 + number))
            put_in_place(noise, sandbox.database)
        elif damage == "a newer version":
            sandbox.execute("UPDATE metadata SET value = '99'")
            sandbox.execute("UPDATE reservations SET task = ?", [(str(number),)])
        else:
            sandbox.execute("UPDATE reservations SET project = CAST(x'ff' AS TEXT), task = ?", [(str(number),)])
        if number == 0:
            logged = next_of(watcher, LOGGED)["params"]["message"]
    # The server looks again after each of them, and would say so each time if it did not know that it has.
    for _ in range(20):
        with pytest.raises(ServerError):
            watcher.call("trop.reserve", {"dryRun": True})
    put_in_place(whole, sandbox.database)
    mended = told(watcher, lambda found: bool(found) and found[0]["port"] == port)

    assert logged.startswith(CANNOT_BE_TOLD)
    assert watcher.logged().count(CANNOT_BE_TOLD) == 1
    assert keys(mended) == [(str(sandbox.work), None, port)]
    assert "Traceback" not in watcher.logged()


def test_a_client_that_does_not_ask_for_it_is_told_nothing(start: Callable[..., Client], sandbox: Sandbox) -> None:
    silent, told_of = start(), start()
    silent.initialize(str(sandbox.work))
    told_of.initialize(str(sandbox.work), initializationOptions=WATCHING)
    silent.call("trop.list")
    told_of.call("trop.list")

    for tags in (["one"], ["one", "other"]):
        sandbox.reserve("--tag", tags[-1])
        told(told_of, tagged(*tags))
    silent.call("trop.reserve")

    assert said(silent, CHANGED) == []


def test_two_servers_tell_of_each_other(start: Callable[..., Client], sandbox: Sandbox) -> None:
    clients = start(), start()
    for client in clients:
        client.initialize(str(sandbox.work), initializationOptions=WATCHING)
        client.call("trop.list")

    for client, tags in zip(clients, (["by-one"], ["by-one", "by-other"]), strict=True):
        client.call("trop.reserve", {"tag": tags[-1]})
        for either in clients:
            told(either, tagged(*tags))

    assert [row[1] for row in sandbox.rows()] == ["by-one", "by-other"]


def test_watching_creates_nothing(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start()

    client.initialize(str(sandbox.work), initializationOptions=WATCHING)
    client.call("trop.list")

    assert not sandbox.data.exists()


def test_whatever_a_look_meets_the_next_one_may_fare_better(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.reserve()
    work = str(sandbox.work)
    failures = [RuntimeError("can't start new thread"), ValueError("a defect"), ValueError("a defect")]

    def folders() -> list[str]:
        if failures:
            raise failures.pop(0)
        return [work]

    async def watch() -> list[Reservation]:
        told: asyncio.Future[list[Reservation]] = asyncio.get_running_loop().create_future()
        watcher = Watcher(lambda: str(sandbox.database), folders, may_tell=lambda seconds: True, tell=told.set_result)
        watcher.start()
        await watcher.ready()
        sandbox.execute("UPDATE reservations SET task = 'changed'")
        async with asyncio.timeout(PATIENCE):
            return await told

    (reservation,) = asyncio.run(watch())

    assert (reservation.path, reservation.task) == (work, "changed")
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert logged == [
        ("WARNING", f"{CANNOT_BE_TOLD}: cannot begin a thread: the system lets no more of them begin"),
        ("ERROR", f"{CANNOT_BE_TOLD}: trop failed in a way it should not: ValueError: a defect"),
    ]


def test_watching_holds_nothing_between_two_looks(watcher: Client, sandbox: Sandbox) -> None:
    sandbox.reserve()
    told(watcher, bool)

    with closing(sqlite3.connect(sandbox.database, timeout=20)) as connection:
        sandbox.reserve("--tag", "web")
        told(watcher, lambda found: len(found) == 2)
        busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert (busy, pages, moved) == (0, 0, 0)
    assert sandbox.database.with_name("trop.db-wal").stat().st_size == 0


def test_after_shutdown_nothing_is_told(watcher: Client, sandbox: Sandbox, start: Callable[..., Client]) -> None:
    other = start()
    other.initialize(str(sandbox.work), initializationOptions=WATCHING)
    other.call("trop.list")
    watcher.request("shutdown")

    sandbox.reserve()
    told(other, bool)
    sandbox.reserve("--tag", "web")
    told(other, lambda found: len(found) == 2)
    watcher.notify("exit")

    assert watcher.wait() == 0
    assert [message for message in watcher.rest() if message.get("method") == CHANGED] == []
