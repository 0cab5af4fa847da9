"""Files of variables that several processes write at once, whose writers are killed, or that cannot be written."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.operations import perform
from support.patience import PATIENCE
from support.processes import child
from support.sandbox import TROP, Sandbox, error_lines
from support.users import GROUP, USER, as_the_user

from trop_core.caller import Caller, Door

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "# mine\nSECRET=x"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """This process holds the lock on a directory, as one does that changes a file there."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# Several at once

FORTY = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door

work, data = sys.argv[1], Path(sys.argv[2])
surroundings = {
    "caller": Caller(Door.TERMINAL, work),
    "arguments": {"maximum_lock_wait_seconds": 60.0},
}
# Everything is loaded before the start.
perform(data, "env", {"write": ".env", "dryRun": True}, **surroundings)
waiting, start = os.pipe()
children = []
for number in range(40):
    child = os.fork()
    if child == 0:
        os.close(start)
        os.read(waiting, 1)
        # Every fourth one takes the block out again.
        perform(data, "env", {"write": ".env", "remove": number % 4 == 0}, **surroundings)
        os._exit(0)
    children.append(child)
# The barrier: all of them read the end of this pipe at once.
os.close(start)
print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_forty_processes_that_write_at_once_leave_one_right_block(sandbox: Sandbox) -> None:
    file = sandbox.work / ".env"
    file.write_text(SECRET)

    with child(FORTY, sandbox.work, sandbox.data) as process:
        codes = process.end().split()
    sandbox.trop("env", "--write", ".env")

    assert codes == ["0"] * 40
    text = file.read_text()
    assert text.startswith(SECRET + "\n# trop-begin ")
    assert (text.count("trop-begin"), text.count("\nPORT=5000\n"), text.count("trop-end")) == (1, 1, 1), text
    assert os.listdir(sandbox.work) == [".env"]
    assert sandbox.trop("env", "--write", ".env", "--check").returncode == 0


def test_who_waits_in_vain_for_the_lock_is_told_so_and_reserves_nothing(sandbox: Sandbox) -> None:
    (sandbox.work / ".env").write_text(SECRET)

    with locked(sandbox.work):
        done = sandbox.trop("env", "--write", ".env", "--busy-timeout", "0.2")
        checked = sandbox.trop("env", "--write", ".env", "--check", "--busy-timeout", "0")

    assert done.returncode == 2
    where = f'the directory "{sandbox.work}" was locked by another process'
    assert error_lines(done)[0] == f"{where} for 0.2 s while trying to write the variables"
    assert checked.returncode == 1
    assert (sandbox.work / ".env").read_text() == SECRET
    assert not sandbox.rows()


def test_what_somebody_saves_while_the_store_is_waited_for_is_kept(sandbox: Sandbox) -> None:
    file = sandbox.work / ".env"
    file.write_text("A=1\n")
    with sandbox.locked():
        waiting = sandbox.begin("env", "--write", ".env", "--busy-timeout", "60")
        with child(WAIT_UNTIL_LOCKED, sandbox.work) as other:
            other.expect("locked")
        # The file may have been read by now, or not: in either case this is kept.
        file.write_text("A=1\nSECRET=x\n")
    _, told = waiting.communicate(timeout=PATIENCE)

    assert waiting.returncode == 0, told
    assert file.read_text().startswith("A=1\nSECRET=x\n# trop-begin ")


WAIT_UNTIL_LOCKED = """
import fcntl, os, select, sys
descriptor = os.open(sys.argv[1], os.O_RDONLY)
while True:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        break
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    select.select([], [], [], 0.01)
print("locked", flush=True)
"""


# Killed

KILL_AT_EACH_CALL = """
import os, signal, sys
from pathlib import Path
from support.doomed import killed_at_call
from support.operations import perform
from trop_core.caller import Caller, Door

work, data, old = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].encode() or None
file = work / ".env"


def env(**more):
    surroundings = {"caller": Caller(Door.TERMINAL, str(work))}
    return perform(data, "env", {"write": ".env", **more}, **surroundings)


def lay_out():
    file.unlink(missing_ok=True)
    if old is not None:
        file.write_bytes(old)


# The store has an id for the block, so that what is written is always the same.
env()
new = (old + b"\\n" if old else b"") + file.read_bytes()[: -1 if old else None]
killed, outcomes = 0, []
while True:
    lay_out()
    end = killed_at_call(env, killed)
    assert end in (0, -signal.SIGKILL), end
    outcome = file.read_bytes() if file.exists() else None
    assert outcome in (old, new), (killed, outcome)
    outcomes.append("new" if outcome == new else "old")
    others = {path.name for path in work.iterdir()} - {".env"}
    assert others <= {"..env.trop.tmp"}, others
    # What was left behind is in nobody's way, and gone after the next change.
    lay_out()
    env()
    assert file.read_bytes() == new, killed
    assert [path.name for path in work.iterdir()] == [".env"], killed
    if end == 0:
        break
    killed += 1
print(killed, *outcomes)
"""


@pytest.mark.parametrize("old", ["SECRET=x", ""], ids=["a file", "no file"])
def test_a_process_killed_before_or_after_any_call_leaves_the_old_file_or_the_new_one(
    sandbox: Sandbox, old: str
) -> None:
    with child(KILL_AT_EACH_CALL, sandbox.work, sandbox.data, old) as process:
        killed, *outcomes = process.end().split()

    assert int(killed) >= 12
    assert outcomes == sorted(outcomes, reverse=True), "the old file came after the new one"
    assert set(outcomes) == {"old", "new"}


KILL_AT_EACH_STATEMENT = """
import shutil, sys
from pathlib import Path
from support.doomed import kill_at_each_statement
from support.operations import perform
from trop_core.caller import Caller, Door

work, data = Path(sys.argv[1]), Path(sys.argv[2])
file = work / ".env"


def env(**more):
    surroundings = {"caller": Caller(Door.TERMINAL, str(work))}
    return perform(data, "env", {"write": ".env", **more}, **surroundings)


perform(data, "reserve", {"path": str(work / "other"), "allowUnrelatedPath": True})
template = data.with_name("template")
shutil.copytree(data, template)


def lay_out():
    shutil.rmtree(data)
    shutil.copytree(template, data)
    file.write_text("SECRET=x")


def look(number):
    text = file.read_text()
    # Whatever block is there is this directory's: the next call does not take it for another's.
    assert env().file_outcome == ("updated" if text == "SECRET=x" else "unchanged"), (number, text)
    return "old" if text == "SECRET=x" else "new"


print(*kill_at_each_statement(lay_out, env, look))
"""


def test_a_process_killed_at_any_statement_leaves_no_block_whose_id_nobody_has(sandbox: Sandbox) -> None:
    with child(KILL_AT_EACH_STATEMENT, sandbox.work, sandbox.data) as process:
        outcomes = process.end().split()

    assert len(outcomes) > 10
    assert outcomes == sorted(outcomes, reverse=True)
    assert outcomes[-1] == "new"


# Refused by the system


def test_a_full_disk_leaves_the_file_as_it_was(sandbox: Sandbox) -> None:
    """No process of this kind may write more than a few bytes into a file of this kind: to it, the disk is full."""
    file = sandbox.work / ".env"
    file.write_text("A=1\n" * 50_000)
    sandbox.reserve()

    done = subprocess.run(
        [TROP, "env", "--write", ".env"],
        cwd=sandbox.work,
        # What measures coverage would have to write files, too.
        env=sandbox.environment(**dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 5, done.stderr
    assert error_lines(done)[0] == f'cannot write "{file}": File too large'
    assert file.read_text() == "A=1\n" * 50_000
    assert os.listdir(sandbox.work) == [".env"]


def test_a_file_that_nobody_may_write_is_refused_unless_it_is_up_to_date(sandbox: Sandbox) -> None:
    file = sandbox.work / ".env"
    file.write_text(SECRET)
    file.chmod(0o400)

    refused = sandbox.trop("env", "--write", ".env")
    rows_then = sandbox.rows()
    file.chmod(0o600)
    sandbox.trop("env", "--write", ".env")
    file.chmod(0o400)
    unchanged = sandbox.trop("env", "--write", ".env")

    assert refused.returncode == 5
    assert "TROP_DATA_DIR" not in refused.stderr
    assert not rows_then
    assert (unchanged.returncode, unchanged.stderr) == (0, f"Nothing to do: {file} stays as it is.\n")


@pytest.mark.parametrize("given", [{}, {"remove": True}], ids=["write", "remove"])
def test_another_user_s_file_is_refused_where_it_would_become_this_one_s(
    public_place: Path, given: dict[str, object]
) -> None:
    """Its owner cannot be kept by who is not root; of a file of one's own, mode and owner are."""
    sandbox = Sandbox(public_place)
    sandbox.data.mkdir()
    for place in (sandbox.work, sandbox.data):
        os.chown(place, USER, GROUP)
    for name in ("theirs.env", "own.env"):
        (sandbox.work / name).write_text(SECRET)
        os.chown(sandbox.work / name, USER, GROUP)
        (sandbox.work / name).chmod(0o666)
    if given:
        assert as_the_user(sandbox, "env", "--write", "theirs.env").returncode == 0
    os.chown(sandbox.work / "theirs.env", 0, 0)
    before = (sandbox.work / "theirs.env").read_bytes()

    theirs = as_the_user(sandbox, "env", "--write", "theirs.env", *(f"--{name}" for name in given))
    own = as_the_user(sandbox, "env", "--write", "own.env")

    assert theirs.returncode == 5, theirs.stderr
    assert "it belongs to another user or group" in theirs.stderr
    assert (sandbox.work / "theirs.env").read_bytes() == before
    assert own.returncode == 0, own.stderr
    assert (sandbox.work / "own.env").read_text().startswith(SECRET)
    found = (sandbox.work / "own.env").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (USER, GROUP, 0o666)


def test_root_keeps_the_owner_of_a_file(public_place: Path) -> None:
    file = public_place / ".env"
    file.write_text(SECRET)
    os.chown(file, 65534, 65533)
    file.chmod(0o640)

    surroundings = {"caller": Caller(Door.TERMINAL, str(public_place))}
    result = perform(public_place / "data", "env", {"write": ".env"}, **surroundings)

    found = file.stat()
    assert result.file_outcome == "updated"
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65533, 0o640)
