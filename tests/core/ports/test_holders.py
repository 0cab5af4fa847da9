"""What the system tells of processes, when they end meanwhile, are hidden, or do not answer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.requirements import needs_root
from support.servers import SECRET, server
from support.sockets import free_port, on_linux, run_child

from trop_core.looks import at_each
from trop_core.ports.holders import Process, around, read_processes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_process_is_told_with_where_it_and_its_parents_stand(tmp_path: Path) -> None:
    above, below = tmp_path / "above", tmp_path / "below"
    above.mkdir()
    below.mkdir()

    with server(free_port(), below, started_from=above) as pid:
        told = read_processes([pid, pid])

    assert list(told) == [pid]
    assert told[pid].directories[:3] == (str(below), str(above), os.getcwd())
    assert (told[pid].command or "").endswith(SECRET)


def test_what_counts_are_the_directories_themselves_and_all_above() -> None:
    assert around([Process(1, directories=("/a/b", "/c")), Process(2, directories=("/",)), Process(3)]) == {
        "/a/b",
        "/a",
        "/c",
        "/",
    }


def test_without_processes_nothing_is_asked() -> None:
    script = """
from trop_core.ports.holders import read_processes
print(json.dumps([read_processes([]), "psutil" in sys.modules]))
"""

    assert run_child(script) == [{}, False]


def test_a_number_that_no_process_has_tells_nothing() -> None:
    none = 2**22 + 1  # beyond PID_MAX_LIMIT of linux/threads.h

    assert read_processes([none]) == {none: Process(none)}


def test_a_command_line_is_told_up_to_what_a_person_reads(tmp_path: Path) -> None:
    with server(free_port(), tmp_path, before=f"{'#' * 100_000}\n") as pid:
        command = read_processes([pid])[pid].command

    assert command is not None
    assert (len(command), command[-1]) == (1001, "…")


@on_linux
@pytest.mark.parametrize("looks", range(1, 10))
def test_a_process_that_ends_while_it_is_asked_about_has_nothing_but_its_number(looks: int) -> None:
    script = f"""
import subprocess
import psutil
from trop_core.ports.holders import Process, read_processes
process = subprocess.Popen([sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
process.stdout.readline()
looks = 0

def end(event, arguments):
    global looks
    if event in ("open", "os.readlink") and str(arguments[0]).startswith(f"/proc/{{process.pid}}/"):
        looks += 1
        if looks == {looks}:
            process.kill()
            process.wait()

sys.addaudithook(end)
told = read_processes([process.pid])
ended = process.returncode is not None
process.kill()
print(json.dumps([told == {{process.pid: Process(process.pid)}}, ended]))
"""

    seen: Any = run_child(script)

    nothing, ended = seen
    assert nothing == ended
    assert ended or looks > 4, "psutil looks less often than that"


@on_linux
def test_nobody_looks_past_a_parent_whose_directory_is_hidden(tmp_path: Path) -> None:
    needs_root()
    # A process of this user below one of root's: as a server is that was started through sudo.
    script = f"""
import psutil
from trop_core.ports.holders import read_processes
read_processes([os.getpid()])  # loads, as root, what another user may not be able to read
child = os.fork()
if not child:
    os.setuid(65534)
    os.chdir("/tmp")
    hidden = read_processes([os.getpid()])[os.getpid()]
    print(json.dumps([hidden.directories, hidden.command is not None]), flush=True)
    os._exit(0)
os.chdir({str(tmp_path)!r})
os.waitpid(child, 0)
"""

    told: Any = run_child(script)

    assert told == [["/tmp"], True]


def test_what_hangs_is_left_behind_and_the_rest_is_told() -> None:
    answers = threading.Event()

    def look(thing: str) -> str:
        if thing in ("b", "d"):
            answers.wait()
        return thing.upper()

    found = at_each("abcde", look, patience=0.05)
    answers.set()

    assert found == {"a": "A", "c": "C", "e": "E"}


def test_after_a_few_that_hang_nothing_more_is_waited_for() -> None:
    answers = threading.Event()

    def look(thing: str) -> str:
        if thing != "a":
            answers.wait()
        return thing

    found = at_each("abcdefgh", look, patience=0.05)
    answers.set()

    assert found == {"a": "a"}


def test_what_a_look_raises_is_raised() -> None:
    def look(thing: str) -> str:
        raise ValueError(thing)

    with pytest.raises(ValueError, match="a"):
        at_each("ab", look)
