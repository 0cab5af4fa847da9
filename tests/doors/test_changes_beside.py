"""``init --overwrite`` and ``migrate`` beside other processes, and ``init`` where the system refuses."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.operations import perform
from support.patience import PATIENCE
from support.processes import child
from support.requirements import small_disk
from support.rows import fill, row, rows_of

from trop_core.config.template import config_template
from trop_core.errors.base import TropError

if TYPE_CHECKING:
    from support.sandbox import Sandbox

# Processes that have the store open

BUSY_WRITER = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.catalogue import operation
from trop_core.operations.call import Call
from trop_core.store import Store

directory, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
store, reserve = Store(directory), operation("reserve")
context = Context(Caller(Door.TERMINAL, "/"), directory, {}, {"maximum_lock_wait_seconds": 60.0}, CancellationToken())
print("ready", flush=True)
sys.stdin.readline()
for number in range(rounds):
    values = {"path": f"/{name}/{number}", "min": 1, "max": 65535, "skipOccupancyCheck": True}
    result = Call(reserve, reserve.parse(values), context._replace(token=CancellationToken())).run(store)
    # Only what was printed was told.
    print(result.reservation.path, result.reservation.port, flush=True)
# As trop and trop-server end.
os._exit(0)
"""


def paths_in(path: Path) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT path, port FROM reservations"))


def test_nothing_that_anybody_was_told_is_lost_while_the_store_is_emptied_again_and_again(sandbox: Sandbox) -> None:
    """Each reservation is in the store or in one of the backups; the one that was idle all the time goes on, too."""
    fill(sandbox.data, [row("/before", 60_000)])
    inode = sandbox.database.stat().st_ino
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(child(BUSY_WRITER, sandbox.data, f"writer-{number}", 150)) for number in range(3)
        ]
        idle = stack.enter_context(child(BUSY_WRITER, sandbox.data, "idle", 1))
        for writer in [*writers, idle]:
            writer.expect("ready")

        for writer in writers:
            writer.say()
        first = [writer.line() for writer in writers]
        overwrites = [sandbox.trop("init", "--overwrite", "--busy-timeout", "60") for _ in range(6)]
        rest = [writer.line() for writer in writers for _ in range(149)]
        for writer in writers:
            writer.end()
        idle.say()
        after_all = idle.line()
        idle.end()

    told = {tuple(line.split()) for line in [*first, after_all, *rest]}
    backups = [sandbox.data / name for name in stores.backups_in(sandbox.data)]
    kept = set().union(*(paths_in(path) for path in [sandbox.database, *backups]))
    assert [done.returncode for done in overwrites] == [0] * 6, [done.stderr for done in overwrites]
    assert len(backups) == 6
    assert len(told) == 3 * 150 + 1
    assert kept == {(path, int(port)) for path, port in told} | {("/before", 60_000)}
    assert after_all.split()[0] in {path for path, _ in paths_in(sandbox.database)}
    assert sandbox.database.stat().st_ino == inode
    assert {stores.integrity_of(path) for path in [sandbox.database, *backups]} == {"ok"}


def test_of_many_that_empty_the_store_at_once_each_makes_its_backup(sandbox: Sandbox) -> None:
    fill(sandbox.data, [row("/before", 5000)])

    processes = [sandbox.begin("init", "--overwrite", "--busy-timeout", "60") for _ in range(10)]
    ended = [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in processes]

    backups = stores.backups_in(sandbox.data)
    assert [code for _, code in ended] == [0] * 10, ended
    assert len(backups) == 10
    assert [paths_in(sandbox.data / name) for name in backups].count({("/before", 5000)}) == 1
    assert sandbox.rows() == []


def test_a_store_that_took_the_place_of_what_was_no_database_is_not_moved_aside(sandbox: Sandbox) -> None:
    """Two find the damage, one moves it aside, somebody reserves: the other one must not move that away."""
    sandbox.data.mkdir()
    sandbox.database.write_bytes(b"never a database " * 300)
    holder = subprocess.Popen(
        ["flock", str(sandbox.data), "sh", "-c", "echo held; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    process = sandbox.begin("init", "--overwrite", "--busy-timeout", "60")
    while str(sandbox.data) not in _open_directories(process.pid):
        assert process.poll() is None, process.communicate()
    sandbox.database.unlink()
    fill(sandbox.data, [row("/told", 5000)])
    holder.communicate("\n", timeout=PATIENCE)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert "move aside" not in said
    assert paths_in(sandbox.data / "trop.db.bak") == {("/told", 5000)}
    assert sandbox.rows() == []


def _open_directories(process: int) -> set[str]:
    found = set()
    with contextlib.suppress(FileNotFoundError, PermissionError):
        for descriptor in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(f"/proc/{process}/fd/{descriptor}"))
    return found


def test_what_is_no_database_is_moved_aside_by_one_of_many(sandbox: Sandbox) -> None:
    noise = b"never a database " * 300
    sandbox.data.mkdir()
    sandbox.database.write_bytes(noise)

    processes = [sandbox.begin("init", "--overwrite", "--busy-timeout", "60") for _ in range(8)]
    ended = [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in processes]

    assert [code for _, code in ended] == [0] * 8, ended
    assert [path.read_bytes() for path in sandbox.data.glob("*.damaged*")] == [noise]
    assert sandbox.rows() == []
    assert sandbox.integrity() == "ok"


# Damaged files


def damaged_places(content: bytes) -> list[tuple[str, int, int]]:
    """Names, and where the damage begins and how long it is, in bytes; to the end of the file where it is negative."""
    pages = len(content) // 4096
    # https://sqlite.org/fileformat.html, "The Database Header".
    single = [
        ("how many pages are free", 38, 1),
        ("which page is free", 35, 1),
        ("version of the schema", 40, 1),
        ("format of the schema", 47, 1),
    ]
    texts = [("a path", content.index(b"/a/0300"), 1), ("a path elsewhere", content.rindex(b"/a/0300"), 1)]
    each = [(f"page {number + 1}", number * 4096, 4096) for number in range(pages)]
    cut = [(f"cut to {size}", size, -1) for size in (0, 50, 100, 512, 4095, 4096, 3 * 4096 + 7, (pages - 1) * 4096)]
    return [*single, *texts, *each, *cut]


def test_overwriting_a_damaged_store_gives_a_sound_one_and_keeps_the_damaged_bytes(tmp_path: Path) -> None:
    """Single bytes, every page, and the file cut at odd places; what was there is in the backup or moved aside."""
    fill(tmp_path / "template", [row(f"/a/{number:04}", number + 1) for number in range(600)])
    content = (tmp_path / "template" / "trop.db").read_bytes()
    places = damaged_places(content)
    assert len(places) > 20
    for name, begin, length in places:
        directory = tmp_path / name
        directory.mkdir()
        damaged = content[:begin] + (b"\xa5" * length + content[begin + length :] if length > 0 else b"")
        (directory / "trop.db").write_bytes(damaged)

        rehearsed = perform(directory, "init", {"overwrite": True, "dryRun": True})
        assert (directory / "trop.db").read_bytes() == damaged, name
        result = perform(directory, "init", {"overwrite": True})

        assert rehearsed.actions == result.actions, name
        kept = Path(result.actions[0].path)
        assert kept.exists(), name
        if result.actions[0].kind == "moveAside":
            assert kept.read_bytes() == damaged, name
        else:
            # SQLite makes one page of an empty file, and rounds a broken one up or down.
            assert abs(len(kept.read_bytes()) - len(damaged)) <= 4096, name
        assert rows_of(directory) == [], name
        assert stores.integrity_of(directory / "trop.db") == "ok", name
        perform(directory, "reserve", {"path": "/a", "skipOccupancyCheck": True})


# Where the system refuses

AS_NOBODY = """
import json, os, sys
from pathlib import Path
from support.operations import perform
import trop_core.config.template, trop_core.plans, trop_core.database.rebuilding, trop_core.operations.store.init
import trop_core.config.environment, trop_core.config.files, trop_core.config.interpreter, trop_core.git
from trop_core.errors.base import TropError
directory = Path(sys.argv[1])
for call in json.loads(sys.argv[2]):
    try:
        perform(directory, "init", {**call, "dryRun": True}) if "warm" in call else None
    except TropError:
        pass
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for call in json.loads(sys.argv[2]):
    for dry_run in (True, False):
        try:
            done = perform(directory, "init", {**call, "dryRun": dry_run})
            print("done", *(action.kind for action in done.actions))
        except TropError as error:
            print(error.kind, error.message())
"""


@pytest.mark.parametrize("call", ["{}", '{"withConfig": true}', '{"overwrite": true}'])
@pytest.mark.parametrize("state", ["no store", "store", "version 1", "no database"])
@pytest.mark.parametrize("closed", ["directory", "file", "both"])
def test_without_permission_init_says_so_in_a_dry_run_too_and_changes_nothing(
    public_place: Path, state: str, closed: str, call: str
) -> None:
    data = public_place / "data"
    data.mkdir()
    if state == "store":
        fill(data, [row("/a", 5000)])
    elif state == "version 1":
        stores.make_v1(data / "trop.db", [("/a", None, 5000, None, None, 1, 2)])
    elif state == "no database":
        (data / "trop.db").write_bytes(b"never a database " * 300)
    for path, closing_it in ((data, "directory"), (data / "trop.db", "file")):
        if path.exists():
            os.chown(path, *(0, 0) if closed in (closing_it, "both") else (65534, 65534))
            path.chmod(0o755 if path.is_dir() else 0o644)
    before = stores.snapshot(data)

    with child(AS_NOBODY, data, f"[{call}]") as process:
        rehearsed, real = process.end().splitlines()

    if not real.startswith("migration_failed"):
        assert rehearsed == real
    assert rehearsed.split()[0] == real.split()[0]
    if not real.startswith("done"):
        assert real.split()[0] in ("permission_denied", "database_corrupt", "migration_failed"), real
        assert stores.snapshot(data, without=["trop.db-shm", "trop.db-wal"]) == before


WITH_A_UMASK = """
import os, sys
from pathlib import Path
from support.operations import perform
def work(directory):
    for name, values in (
        ("reserve", {"path": "/a"}),
        ("init", {"withConfig": True}),
        ("backup", {}),
        ("list", {}),
        ("init", {"overwrite": True, "withConfig": True}),
        ("reserve", {"path": "/b"}),
    ):
        perform(directory, name, values)
work(Path(sys.argv[1]) / "loading")
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
os.umask(int(sys.argv[2], 8))
work(Path(sys.argv[1]) / "theirs" / "deeper" / "data")
print("done")
"""


@pytest.mark.parametrize("umask", ["177", "377", "777", "000"])
def test_whatever_the_umask_takes_the_files_are_for_their_owner_to_use_and_for_nobody_else(
    public_place: Path, umask: str
) -> None:
    (public_place / "theirs").mkdir()
    os.chown(public_place / "theirs", 65534, 65534)

    with child(WITH_A_UMASK, public_place, umask) as process:
        process.expect("done")

    data = public_place / "theirs" / "deeper" / "data"
    assert data.stat().st_mode & 0o7777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o7777 for path in data.iterdir()}
    assert {"trop.db", "trop.db.bak", "config.yaml"} < set(modes)
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("spare", [0, 4, 40, 130, 200, 260, 320], ids="{} KiB to spare".format)
def test_on_a_full_disk_the_store_is_emptied_with_its_backup_or_stays_as_it_is(spare: int) -> None:
    rows = [row(f"/a/{number:04}", number + 1) for number in range(1_000)]
    with small_disk() as disk:
        fill(disk, rows)
        room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(max(0, room - spare * 1024)))

        try:
            perform(disk, "init", {"overwrite": True})
            outcome = "done"
        except TropError as error:
            outcome = error.kind
        (disk / "filler").unlink()

        backups = stores.backups_in(disk)
        if outcome == "done":
            assert rows_of(disk) == []
            assert paths_in(disk / backups[0]) == {(path, port) for path, _, port, *_ in rows}
        else:
            assert outcome in ("io_error", "migration_failed")
            assert backups == []
            assert rows_of(disk) == rows
        assert stores.integrity_of(disk / "trop.db") == "ok"
        assert outcome == ("done" if spare >= 320 else "io_error" if spare <= 40 else outcome)


# The configuration

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from support.operations import perform
import trop_core.config.template

directory, function, moment = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
die = lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL)
done = getattr(os, function)
perform(directory, "init", {"withConfig": True, "overwrite": True, "dryRun": True})
from trop_core import whole_files
replacement = whole_files.replacement
def doomed(path, content):
    setattr(os, function, die if moment == "before" else lambda *a, **o: (done(*a, **o), die()))
    return replacement(path, content)
whole_files.replacement = doomed
perform(directory, "init", {"withConfig": True, "overwrite": True})
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("function", ["open", "fsync", "replace"])
@pytest.mark.parametrize("old", [None, "disable_autoprune: true\n"], ids=["new", "replaced"])
def test_a_kill_leaves_the_configuration_whole_or_as_it_was(
    sandbox: Sandbox, old: str | None, function: str, moment: str
) -> None:
    sandbox.data.mkdir()
    config = sandbox.data / "config.yaml"
    if old is not None:
        config.write_text(old)

    with child(KILLED_WHILE_WRITING, sandbox.data, function, moment) as process:
        assert process.process.wait(60) == -signal.SIGKILL

    written = (function, moment) == ("replace", "after")
    found = config.read_text() if config.exists() else None
    assert found == (config_template() if written else old)
    again = sandbox.trop("init", "--with-config", "--overwrite")
    assert again.returncode == 0, again.stderr
    assert config.read_text() == config_template()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


KILLED_WITHOUT_LINKS = """
import errno, os, signal, sys
from pathlib import Path
from support.operations import perform
import trop_core.config.template

def refuse(*arguments, **options):
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

replace = os.replace
def replace_and_die(name, new, **options):
    if new == "config.yaml":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(name, new, **options)

os.link, os.replace = refuse, replace_and_die
perform(Path(sys.argv[1]), "init", {"withConfig": True, "overwrite": True})
"""


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["init"], "ports: {min: 6000}\n"),
        (["init", "--with-config"], "ports: {min: 6000}\n"),
        (["init", "--with-config", "--overwrite", "--dry-run"], None),
        (["init", "--with-config", "--overwrite"], config_template()),
        (["exclude", "--global", "6001"], "ports: {min: 6000}\nexcluded_ports: [6001]\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_configuration_that_a_killed_process_has_left_without_its_name_gets_it_back(
    sandbox: Sandbox, arguments: list[str], found: str | None
) -> None:
    """On a file system without links, replacing a file takes two steps."""
    fill(sandbox.data, [])
    config = sandbox.data / "config.yaml"
    config.write_text("ports: {min: 6000}\n")
    with child(KILLED_WITHOUT_LINKS, sandbox.data) as process:
        assert process.process.wait(60) == -signal.SIGKILL
    assert not config.exists()

    done = sandbox.trop(*arguments)

    assert done.returncode == 0, done.stderr
    assert (config.read_text() if config.exists() else None) == found
    assert (sandbox.data / ".config.yaml.trop.old").exists() is (found is None)


# Everybody at once


@pytest.mark.usefixtures("unmeasured")
def test_forty_processes_that_move_and_reserve_keep_every_port_and_every_row(sandbox: Sandbox) -> None:
    """Ten move a tree there, ten move it back, twenty reserve beside and inside of it."""
    there, back = str(sandbox.directory("there")), str(sandbox.directory("back"))
    tree = [row(f"{there}/{number:03}", 30_000 + number, "web") for number in range(300)]
    fill(sandbox.data, [row(there, 29_999), *tree])
    new = [sandbox.directory(f"new-{number}") for number in range(20)]
    patience = ("--busy-timeout", "60")

    movers = []
    reservers = []
    for number in range(20):
        ends = (there, back) if number % 2 else (back, there)
        recursive = ["--recursive"] if number % 4 < 2 else []
        movers.append(sandbox.begin("migrate", "--from", ends[0], "--to", ends[1], *recursive, *patience))
        where = new[number] if number % 2 else Path(there, f"{number:03}")
        reservers.append(
            sandbox.begin("reserve", "--path", str(where), "--tag", f"t{number}", "--allow-unrelated-path", *patience)
        )
    moved = [(process.communicate(timeout=PATIENCE), process.returncode) for process in movers]
    reserved = [(process.communicate(timeout=PATIENCE), process.returncode) for process in reservers]

    rows = rows_of(sandbox.data)
    ports = [stored[2] for stored in rows]
    assert len(set(ports)) == len(ports) == 301 + 20
    assert {code for _, code in reserved} == {0}, reserved
    assert {int(out) for (out, _), _ in reserved} == {port for port in ports if port < 29_999}
    by_port = {stored[2]: stored for stored in rows}
    for path, tag, port, *rest in tree:
        now = by_port[port]
        assert now[0] in (path, back + path[len(there) :])
        assert (now[1], list(now[3:])) == (tag, rest)
    # What may refuse a move is that the tree is not there just now, and that somebody reserved where it would go.
    assert {code for _, code in moved} <= {0, 6}
    refusals = [err for (_, err), code in moved if code]
    assert all("nothing is reserved for" in err or "where others would move to" in err for err in refusals), refusals
    assert [code for _, code in moved].count(0) >= 2
    assert sandbox.integrity() == "ok"
