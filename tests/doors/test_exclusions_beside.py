"""Configuration files that several processes change at once, whose writers are killed, or that cannot be written."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import yaml
from support.messages import cancellation, command
from support.patience import PATIENCE
from support.processes import child
from support.sandbox import TROP, error_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

OLD = "# The shop's.\nproject: shop   # kept\nexcluded_ports: [10]\n"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """This process holds the lock on a directory, as one does that changes a file there."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def excluded_in(file: Path) -> set[int]:
    found: set[int] = set()
    for entry in yaml.safe_load(file.read_text())["excluded_ports"]:
        low, _, high = str(entry).partition("..")
        found |= set(range(int(low), int(high or low) + 1))
    return found


# Several at once

FORTY = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door

work, data = sys.argv[1], Path(sys.argv[2])
surroundings = {"caller": Caller(Door.TERMINAL, work), "arguments": {"maximum_lock_wait_seconds": 60.0}}
# Everything is loaded before the start.
perform(data, "exclude", {"ports": "10", "dryRun": True}, **surroundings)
waiting, start = os.pipe()
children = []
for number in range(40):
    child = os.fork()
    if child == 0:
        os.close(start)
        os.read(waiting, 1)
        # Every fourth one adds to the end, the others close gaps.
        port = 1000 + 10 * number if number % 4 == 0 else 20 + number
        perform(data, "exclude", {"ports": str(port)}, **surroundings)
        os._exit(0)
    children.append(child)
# The barrier: all of them read the end of this pipe at once.
os.close(start)
print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_of_forty_processes_that_exclude_at_once_none_loses_an_entry(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text(OLD)

    with child(FORTY, sandbox.work, sandbox.data) as process:
        codes = process.end().split()

    assert codes == ["0"] * 40
    asked = {1000 + 10 * number if number % 4 == 0 else 20 + number for number in range(40)}
    assert excluded_in(file) == asked | {10}
    assert file.read_text().startswith("# The shop's.\nproject: shop   # kept\n")
    assert [path.name for path in sandbox.work.iterdir()] == ["trop.yaml"]


def test_real_programs_that_all_wait_for_the_lock_change_the_file_one_after_the_other(sandbox: Sandbox) -> None:
    """Also where they reach it by another name, and whatever they change in it."""
    real, linked = sandbox.directory("real"), sandbox.directory("linked")
    (real / "trop.yaml").write_text("excluded_ports: [9, 7, 8]\n")
    (linked / "trop.yaml").symlink_to(real / "trop.yaml")
    with locked(real):
        running = [
            sandbox.begin("exclude", str(100 + 2 * number), "--busy-timeout", "60", cwd=(real, linked)[number % 2])
            for number in range(6)
        ]
        running.append(sandbox.begin("compact-exclusions", "trop.yaml", "--busy-timeout", "60", cwd=linked))
    ends = [process.communicate(timeout=PATIENCE) for process in running]

    assert [process.returncode for process in running] == [0] * 7, ends
    assert excluded_in(real / "trop.yaml") == {7, 8, 9, *range(100, 112, 2)}
    assert (linked / "trop.yaml").is_symlink()


def test_processes_that_all_make_the_global_file_lose_nothing(sandbox: Sandbox) -> None:
    running = [sandbox.begin("exclude", str(100 + 2 * n), "--global", "--busy-timeout", "60") for n in range(5)]
    ends = [process.communicate(timeout=PATIENCE) for process in running]

    assert [process.returncode for process in running] == [0] * 5, ends
    assert excluded_in(sandbox.data / "config.yaml") == {*range(100, 110, 2)}


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["real", "dry run"])
def test_who_waits_in_vain_for_the_lock_is_told_so(sandbox: Sandbox, dry_run: list[str]) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text(OLD)

    with locked(sandbox.work):
        done = sandbox.trop("exclude", "6000", "--busy-timeout", "0.2", *dry_run)
        at_once = sandbox.trop("compact-exclusions", "trop.yaml", "--busy-timeout", "0", *dry_run)

    message, hint = error_lines(done)
    where = f'the directory "{sandbox.work}" was locked by another process'
    assert (done.returncode, at_once.returncode) == (2, 2)
    assert message == f"{where} for 0.2 s while trying to change the configuration"
    assert "--busy-timeout" in hint
    assert file.read_text() == OLD


def test_who_waits_for_the_lock_can_take_the_call_back(sandbox: Sandbox, client: Client) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text(OLD)

    with locked(sandbox.work):
        client.send(command(1, "trop.exclude", {"ports": "6000"}), cancellation(1))
        answer = client.answer(1)

    assert answer["error"]["code"] == -32800
    assert file.read_text() == OLD
    assert client.call("trop.exclude", {"ports": "6000"})["changed"]


# Killed

KILL_AT_EACH_CALL = """
import os, signal, sys
from pathlib import Path
from support.doomed import killed_at_call
from support.operations import perform
from trop_core.caller import Caller, Door

work, data, target = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
file = work / "trop.yaml" if target == "project" else data / "config.yaml"
old = None if target == "new" else "# kept\\nexcluded_ports: [10]\\n"
new = "excluded_ports: [20]\\n" if target == "new" else "# kept\\nexcluded_ports: [10, 20]\\n"
values = {"ports": "20", "global": target != "project"}


def exclude(**more):
    return perform(data, "exclude", {**values, **more}, caller=Caller(Door.TERMINAL, str(work)))


def found():
    return file.read_text() if file.exists() else None


data.mkdir(exist_ok=True)
if target == "new":
    exclude(dryRun=True)
killed, outcomes = 0, []
while True:
    file.unlink(missing_ok=True)
    if old is not None:
        file.write_text(old)
        exclude(dryRun=True)
    end = killed_at_call(exclude, killed)
    assert end in (0, -signal.SIGKILL), end
    outcome = found()
    assert outcome in (old, new), (killed, outcome)
    outcomes.append("new" if outcome == new else "old")
    others = {path.name for path in file.parent.iterdir()} - {file.name}
    assert others <= {f".{file.name}.trop.tmp"}, others
    # What was left behind is in nobody's way, and gone after the next change.
    exclude()
    assert found() == new, killed
    perform(data, "exclude", {**values, "ports": "30"}, caller=Caller(Door.TERMINAL, str(work)))
    assert [path.name for path in file.parent.iterdir()] == [file.name], killed
    if end == 0:
        break
    killed += 1
print(killed, *outcomes)
"""


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("target", ["project", "global", "new"])
def test_a_process_killed_before_or_after_any_call_leaves_the_old_file_or_the_new_one(
    sandbox: Sandbox, target: str
) -> None:
    with child(KILL_AT_EACH_CALL, sandbox.work, sandbox.data, target) as process:
        killed, *outcomes = process.end().split()

    assert int(killed) >= 12
    assert outcomes == sorted(outcomes, reverse=True), "the old file came after the new one"
    assert set(outcomes) == {"old", "new"}


# Refused by the system


def test_a_full_disk_leaves_the_file_as_it_was(sandbox: Sandbox) -> None:
    """No process of this kind may write more than a few bytes into a file: to it, the disk is full."""
    file = sandbox.work / "trop.yaml"
    file.write_text(OLD)

    done = subprocess.run(
        [TROP, "exclude", "6000"],
        cwd=sandbox.work,
        # What measures coverage would have to write files, too.
        env=sandbox.environment(**dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8)),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 5, done.stderr
    assert error_lines(done)[0] == f'cannot write "{file}": File too large'
    assert file.read_text() == OLD
    assert [path.name for path in sandbox.work.iterdir()] == ["trop.yaml"]


AS_NOBODY = """
import os, sys, tempfile
from pathlib import Path
from support.operations import perform
from trop_core.caller import Caller, Door
from trop_core.errors.base import TropError
work, data = sys.argv[1], Path(sys.argv[2])
caller = Caller(Door.TERMINAL, work)
# All that will be needed, while it can still be read.
perform(data, "exclude", {"ports": "20", "dryRun": True}, caller=caller)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for dry_run in (True, False):
    try:
        perform(data, "exclude", {"ports": "20", "dryRun": dry_run}, caller=caller)
    except TropError as error:
        print(error.kind)
"""


@pytest.mark.parametrize("what", ["the file", "the directory"])
def test_what_this_user_may_not_write_is_permission_denied(public_place: Path, what: str) -> None:
    file = public_place / "trop.yaml"
    file.write_text(OLD)
    file.chmod(0o666 if what == "the directory" else 0o644)
    public_place.chmod(0o755 if what == "the directory" else 0o777)

    with child(AS_NOBODY, public_place, public_place / "data") as process:
        kinds = process.end().split()

    assert kinds == ["permission_denied"] * 2
    assert file.read_text() == OLD
    assert [path.name for path in public_place.iterdir()] == ["trop.yaml"]


def test_a_file_that_would_become_too_large_to_be_read_is_not_written(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    text = "excluded_ports: []\n"
    file.write_text(text + "#" * (1024 * 1024 - len(text)))
    before = file.read_bytes()

    done = sandbox.trop("exclude", "6000")

    assert done.returncode == 7
    assert "larger than 1048576 bytes" in done.stderr
    assert file.read_bytes() == before
