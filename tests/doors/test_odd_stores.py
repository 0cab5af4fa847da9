"""What stands in the place of a store, or of a part of it, and is none; and stores that somebody reads all the time."""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.requirements import needs_namespaces
from support.sandbox import TROP, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sandbox import Sandbox

ROW = ("/w", "web", 5000, None, None, 1, 2)
COMMANDS = ["reserve", "reserve --dry-run", "list", "init", "init --dry-run", "init --overwrite"]
ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to nothing": (lambda path: path.symlink_to("/nonexistent/x"), "it is a link to a file that does not exist"),
    "a pipe": (os.mkfifo, "it is no regular file"),
    "a directory": (lambda path: path.mkdir(), "it is a directory"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_is_told_of_by_every_command(sandbox: Sandbox, odd: str, command: str) -> None:
    make, said = ODD[odd]
    sandbox.data.mkdir()
    make(sandbox.database)

    done = sandbox.trop(*command.split())

    assert (done.returncode, done.stdout) == (5, "")
    assert f'cannot open "{sandbox.database}": {said}' in done.stderr


@pytest.mark.parametrize("make", [stores.make_v1, stores.make_v2])
@pytest.mark.parametrize("command", ["reserve", "migrate --from /w --to /v", "init --overwrite"])
def test_one_who_only_reads_keeps_a_writer_waiting_no_longer_than_it_wants(
    sandbox: Sandbox, make: Callable[..., Path], command: str
) -> None:
    sandbox.data.mkdir()
    make(sandbox.database, [ROW], journal="delete")
    before = stores.rows_in(sandbox.database)

    with closing(sqlite3.connect(sandbox.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM reservations").fetchall()
        done = sandbox.trop(*command.split(), "--busy-timeout", "0.2")

    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert stores.rows_in(sandbox.database) == before
    assert stores.backups_in(sandbox.data) == []


def test_a_view_in_the_place_of_the_table_is_damage(sandbox: Sandbox) -> None:
    sandbox.reserve()
    stores.run(sandbox.database, "ALTER TABLE reservations RENAME TO r", "CREATE VIEW reservations AS SELECT * FROM r")

    done = sandbox.trop("reserve", "--tag", "web")

    assert (done.returncode, done.stdout) == (6, "")
    assert "is damaged: reservations: it is a view, and no table" in done.stderr


def test_a_row_that_claims_to_be_longer_than_any_can_be_is_damage(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    store = stores.make_v2(sandbox.database, [("/the/only/one", *ROW[1:])])
    _lengthen_row(store, b"/the/only/one")

    listed = sandbox.trop("list")
    checked = sandbox.trop("assert-data-dir", "--validate")
    copied = sandbox.trop("backup", str(sandbox.root / "copy"))

    assert (listed.returncode, listed.stdout) == (6, "")
    assert error_lines(listed)[0].startswith(f'the store "{store}" is damaged: ')
    assert f'error: the store "{store}" is damaged: string or blob too big' in checked.stderr
    assert (copied.returncode, "the store is damaged (string or blob too big)" in copied.stderr) == (0, True)


def _lengthen_row(store: Path, path: bytes) -> None:
    """Have the only row of a store, and the path in it, claim more than SQLite takes; see SQLite's file format."""
    content = bytearray(store.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    columns = b"\x08"  # how long the head of a record of seven columns is
    at = content.index(path)
    while content[at - 8 : at - 7] != columns:
        at = content.index(path, at + 1)
    page = at // size * size
    content[at - 7 : at] = _varint(2 * 1_500_000_000 + 13) + b"\0\0"  # the path's length, and two columns of nothing
    whole = _varint(2_000_000_000)
    cell = at - 8 - 1 - len(whole)  # how long the row is, its number, and the record
    content[cell : cell + len(whole)] = whole
    content[page + 8 : page + 10] = (cell - page).to_bytes(2, "big")
    store.write_bytes(content)


def _varint(number: int) -> bytes:
    pieces = [number & 0x7F]
    while number := number >> 7:
        pieces.insert(0, number & 0x7F | 0x80)
    return bytes(pieces)


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_what_lies_beside_a_store_and_is_no_file_is_named_and_not_waited_for(
    sandbox: Sandbox, kind: str, suffix: str
) -> None:
    port = sandbox.reserve()
    place = sandbox.data / f"trop.db{suffix}"
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(place),
        "link": lambda: place.symlink_to("nowhere"),
        "directory": place.mkdir,
    }
    make[kind]()

    for command in (["reserve"], ["reserve", "--tag", "web"], ["list"], ["init", "--overwrite"]):
        told, advice = error_lines(sandbox.trop(*command))
        assert told == f'cannot use "{place}": it is no regular file'
        assert "Move it away" in advice
    assert str(place) in sandbox.trop("doctor").stdout

    place.rename(sandbox.root / "away")
    assert sandbox.reserve() == port


class TestAStoreWithOtherNames:
    """Each would have a ``-wal`` of its own: what is written under one is lost under another."""

    def test_a_hard_link_is_refused_under_both_names(self, sandbox: Sandbox) -> None:
        sandbox.reserve()
        other = sandbox.root / "other"
        other.mkdir()
        os.link(sandbox.database, other / "trop.db")
        before = sandbox.database.read_bytes()

        for place in (sandbox.data, other):
            for command in COMMANDS[:2]:
                done = sandbox.trop(*command.split(), "--data-dir", str(place))

                assert (done.returncode, done.stdout) == (5, "")
                assert f'cannot use "{place}/trop.db": it has other names (hard links)' in error_lines(done)[0]
        assert sandbox.trop("list").stdout.count("\n") == 2
        assert sandbox.database.read_bytes() == before
        assert os.listdir(other) == ["trop.db"]

        (other / "trop.db").unlink()
        assert sandbox.reserve() == 5000

    def test_one_in_its_own_directory_is_in_nobodys_way(self, sandbox: Sandbox) -> None:
        sandbox.reserve()
        os.link(sandbox.database, sandbox.data / ".trop.db.new")

        assert sandbox.reserve("--tag", "web") == 5001
        assert sandbox.reserve() == 5000

    def test_a_mount_of_the_file_that_another_one_hides_is_none(self, sandbox: Sandbox) -> None:
        needs_namespaces()
        sandbox.reserve()
        place, file = (shlex.quote(str(path)) for path in (sandbox.data, sandbox.database))
        script = f"mount --bind {file} {file} && mount --bind {place} {place} && exec {TROP} reserve"

        assert sandbox.run("unshare", "-m", "sh", "-c", script).stdout == "5000\n"

    @pytest.mark.parametrize("command", COMMANDS[:2])
    def test_a_mount_of_the_file_alone_is_refused(self, sandbox: Sandbox, command: str) -> None:
        needs_namespaces()
        sandbox.reserve()
        other = sandbox.root / "other place"
        other.mkdir()
        (other / "trop.db").touch()
        mount = f"mount --bind {shlex.quote(str(sandbox.database))} {shlex.quote(str(other / 'trop.db'))}"
        script = f"{mount} && exec {TROP} {command} --data-dir {shlex.quote(str(other))}"

        done = sandbox.run("unshare", "-m", "sh", "-c", script)

        assert (done.returncode, done.stdout) == (5, "")
        assert "it is a mount of its own" in done.stderr
        assert "Mount the directory that it is in instead" in done.stderr
        assert os.listdir(other) == ["trop.db"]
        assert sandbox.reserve() == 5000

    def test_the_doctor_tells(self, sandbox: Sandbox) -> None:
        sandbox.reserve()
        os.link(sandbox.database, sandbox.root / "snapshot")

        done = sandbox.trop("doctor")

        assert "it has other names (hard links)" in done.stdout
