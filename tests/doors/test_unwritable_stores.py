"""A store that can be read and not written: what only reads answers, leaves no trace, and a dry run tells the truth."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.messages import ServerError
from support.processes import child
from support.requirements import read_only_mount, small_disk
from support.sandbox import Sandbox
from support.users import GROUP, USER, as_the_user

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.client import Client

    Run = Callable[..., subprocess.CompletedProcess[str]]
    Ground = Callable[[Sandbox], AbstractContextManager[Run]]

WEB = ("/w/web", "", 5000, "shop", None, 1, 2)
API = ("/w/api", "", 5001, "blog", None, 1, 2)

LEAVE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO reservations VALUES ('/w/api', '', 5001, 'blog', NULL, 1, 2)")
print("written", flush=True)
sys.stdin.read()
os._exit(0)
"""
"""Leaves a -wal with what the file itself does not have, and a -shm."""

READS = {
    "list --format csv": "/w/api",
    "list-projects": "blog\nshop",
    "assert-port 5001": "5001",
    "assert-reservation --path /w/api": "5001",
    "port-info 5001": "/w/api",
    "status --path /w/api": "5001",
}


@pytest.fixture
def sandbox(public_place: Path) -> Sandbox:
    made = Sandbox(public_place)
    made.data.mkdir()
    made.data.chmod(0o755)
    made.work.chmod(0o755)
    return made


def snapshot(sandbox: Sandbox) -> dict[str, stores.Entry]:
    """What lies in the data directory; what a -shm that nobody has open holds counts for nothing."""
    return stores.snapshot(sandbox.data, without=["trop.db-shm"])


def filled(sandbox: Sandbox, state: str) -> None:
    """A store with two rows, of which one may be in the -wal alone."""
    if state == "of an older version":
        stores.make_v1(sandbox.database, [("/w/web", None, *WEB[2:]), ("/w/api", None, *API[2:])])
    else:
        stores.make_v2(sandbox.database, [WEB] if "-wal" in state else [WEB, API])
    if "-wal" in state:
        with child(LEAVE, sandbox.database) as process:
            process.expect("written")
            process.end()
    if state == "with a -wal alone":
        os.unlink(f"{sandbox.database}-shm")


STATES = ["closed", "of an older version", "with a -wal alone", "with a -wal and a -shm"]


@contextmanager
def foreign_file(sandbox: Sandbox) -> Iterator[Run]:
    for path in sandbox.data.iterdir():
        path.chmod(0o644)
    yield partial(as_the_user, sandbox)


@contextmanager
def closed_directory(sandbox: Sandbox) -> Iterator[Run]:
    for path in sandbox.data.iterdir():
        path.chmod(0o666)
    yield partial(as_the_user, sandbox)


@contextmanager
def own_file_to_be_read_alone(sandbox: Sandbox) -> Iterator[Run]:
    for path in (sandbox.data, *sandbox.data.iterdir()):
        os.chown(path, USER, GROUP)
        path.chmod(0o755 if path == sandbox.data else 0o400)
    yield partial(as_the_user, sandbox)


@contextmanager
def read_only(sandbox: Sandbox) -> Iterator[Run]:
    with read_only_mount(sandbox.data):
        yield sandbox.trop


@contextmanager
def full_disk(sandbox: Sandbox) -> Iterator[Run]:
    """All of the store is moved to a small disk, which is then filled."""
    with small_disk() as disk:
        for path in sandbox.data.iterdir():
            shutil.copy2(path, disk)
        shutil.rmtree(sandbox.data)
        sandbox.data.symlink_to(disk)
        with suppress(OSError), (disk / "fill").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        yield sandbox.trop
        for path in disk.iterdir():
            path.unlink()


WRITABLE = (closed_directory, "with a -wal and a -shm")
"""What lies beside the store exists, and nothing has to be made."""
GROUNDS = [
    pytest.param(ground, state, id=f"{ground.__name__}-{state}")
    for ground in (foreign_file, closed_directory, own_file_to_be_read_alone, read_only, full_disk)
    for state in STATES
    if (ground, state) != WRITABLE
]


@pytest.mark.parametrize(("ground", "state"), GROUNDS)
def test_what_only_reads_answers_and_leaves_no_trace(sandbox: Sandbox, ground: Ground, state: str) -> None:
    filled(sandbox, state)
    with ground(sandbox) as run:
        before = snapshot(sandbox)

        for command, expected in READS.items():
            done = run(*command.split())
            assert (done.returncode, expected in done.stdout) == (0, True), (command, done.stdout, done.stderr)
            if ground is not full_disk:
                assert snapshot(sandbox) == before, command
            # A full disk may be written to: what its -wal holds goes into the file, and the -wal then goes.
            assert snapshot(sandbox).keys() <= before.keys(), command


@pytest.mark.parametrize(("ground", "state"), [each for each in GROUNDS if each.values[0] is not full_disk])
def test_a_dry_run_says_what_the_real_run_would(sandbox: Sandbox, ground: Ground, state: str) -> None:
    filled(sandbox, state)
    with ground(sandbox) as run:
        before = snapshot(sandbox)

        dry, real = run("reserve", "--dry-run"), run("reserve")

        assert (dry.returncode, dry.stdout) == (real.returncode, real.stdout) == (5, "")
        assert dry.stderr == real.stderr
        assert "cannot write to" in dry.stderr
        assert snapshot(sandbox) == before


@pytest.mark.parametrize("command", ["init --overwrite", "reserve", "exclude 6001 --global"])
def test_what_fails_on_a_full_disk_is_in_no_readers_way(sandbox: Sandbox, command: str) -> None:
    filled(sandbox, "closed")
    with full_disk(sandbox) as run:
        refused = run(*command.split())
        listed = run("list", "--format", "csv", "--busy-timeout", "0")

    assert (refused.returncode, refused.stdout) == (5, ""), refused.stderr
    assert "another process" not in refused.stderr
    assert (listed.returncode, "/w/web" in listed.stdout) == (0, True), listed.stderr


def test_a_store_that_was_closed_for_a_while_is_written_to_again(sandbox: Sandbox) -> None:
    filled(sandbox, "closed")
    with own_file_to_be_read_alone(sandbox) as run:
        assert "/w/web" in run("list").stdout

        sandbox.database.chmod(0o600)

        done = run("reserve")
        assert (done.returncode, done.stdout) == (0, "5002\n"), done.stderr


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_an_old_store_that_somebody_has_locked_is_read_as_it_is(sandbox: Sandbox, journal: str) -> None:
    rows = [(path, None, port, project, None, 1, 2) for path, _, port, project, *_ in (WEB, API)]
    stores.make_v1(sandbox.database, rows, journal=journal)

    with sandbox.locked():
        answers = {
            command: sandbox.trop(*command.split(), "--busy-timeout", "0.05", cwd=sandbox.work) for command in READS
        }
        written = sandbox.trop("reserve", "--busy-timeout", "0.05", cwd=sandbox.work)
        version = stores.version_of(sandbox.database)
    after = sandbox.trop("list", cwd=sandbox.work)

    for command, expected in READS.items():
        assert (answers[command].returncode, expected in answers[command].stdout) == (0, True), answers[command].stderr
    assert written.returncode == 2
    assert (version, stores.version_of(sandbox.database)) == ("1", "2")
    assert "/w/api" in after.stdout


def test_what_lies_beside_the_store_and_cannot_be_written_is_named(sandbox: Sandbox) -> None:
    filled(sandbox, "with a -wal and a -shm")
    with own_file_to_be_read_alone(sandbox) as run:
        for name in ("trop.db", "trop.db-wal"):
            (sandbox.data / name).chmod(0o600)

        done = run("reserve")

        assert done.returncode == 5
        assert f'cannot write to "{sandbox.database}-shm": Permission denied' in done.stderr
        assert "make it writable" in done.stderr
        assert "/w/api" in run("list").stdout


def test_a_server_reads_what_it_may_not_write(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    filled(sandbox, "closed")
    with read_only(sandbox):
        client = start()
        client.initialize(str(sandbox.work))

        for _ in range(2):
            listed = client.call("trop.list")
            assert [row["port"] for row in listed["reservations"]] == [5001, 5000]
        with pytest.raises(ServerError, match="Read-only file system"):
            client.call("trop.reserve")

        assert client.call("trop.list") == listed
        client.kill()
