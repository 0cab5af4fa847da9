"""Whose the sockets of the system's table are: what is told of their processes, and what where that is not told.

Where the system cannot be brought to refuse, or a process to end at the right moment, an audit hook in a child process
does it.
"""

from __future__ import annotations

import pwd
import sys
from pathlib import Path
from typing import Any

import pytest
from support.requirements import needs_namespaces
from support.socket_table import (
    EVERYTHING,
    HOLDER,
    ME,
    another_process,
)
from support.sockets import (
    TCP,
    V4,
    Server,
    free_port,
    holding,
    on_linux,
    run_child,
)

from trop_core.models import PortRange
from trop_core.ports.sockets import ONLY_OWN, OWNER_UNTOLD, read_sockets


def test_name_and_user_of_a_process_are_told() -> None:
    port = free_port()

    with another_process(port) as process:
        table = read_sockets(PortRange(port, port), EVERYTHING)

        name = Path(f"/proc/{process.pid}/comm").read_text().strip() if sys.platform == "linux" else None
    assert [(held.pid, held.user) for held in table.sockets] == [(process.pid, ME)]
    assert name is None or table.sockets[0].name == name
    assert (table.complete, table.warnings) == (True, ())


@on_linux
@pytest.mark.parametrize("look", [1, 2], ids=["first", "second"])
def test_a_process_that_ends_while_it_is_looked_at_keeps_its_line_without_a_name(look: int) -> None:
    port = free_port()
    script = f"""
import subprocess
from trop_core.models import PortRange
from trop_core.ports.sockets import read_sockets
import psutil
process = subprocess.Popen([sys.executable, "-c", {HOLDER!r}, "{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
process.stdout.readline()
looks = 0

def end(event, arguments):
    global looks
    if event == "open" and str(arguments[0]).startswith(f"/proc/{{process.pid}}/"):
        looks += 1
        if looks == {look}:
            process.kill()
            process.wait()

sys.addaudithook(end)
table = read_sockets(PortRange({port}, {port}), OccupancyChecks())
assert process.returncode is not None
print(json.dumps([[held.pid == process.pid, held.name, held.user] for held in table.sockets]))
"""

    assert run_child(script) == [[True, None, None]]


@on_linux
def test_a_name_that_a_terminal_would_obey_is_made_harmless() -> None:
    port = free_port()
    # PR_SET_NAME of linux/prctl.h
    rename = 'import ctypes; ctypes.CDLL(None).prctl(15, b"\\x1b[31m\\xff\\n)", 0, 0, 0)\n'

    with another_process(port, before=rename):
        table = read_sockets(PortRange(port, port), EVERYTHING)

    assert [held.name for held in table.sockets] == ["\\x1b[31m\\udcff\\n)"]


AS_NOBODY = """
import psutil, pwd
from trop_core.models import PortRange
from trop_core.ports.sockets import read_sockets

def sockets(port):
    table = read_sockets(PortRange(port, port), OccupancyChecks())
    return [[held[1:] for held in table.sockets], sorted(table.occupied), table.complete, table.warnings]
"""


@on_linux
def test_another_users_process_is_seen_without_its_name_and_that_is_told_once() -> None:
    needs_namespaces()
    port = free_port()
    script = f"""{AS_NOBODY}
os.seteuid(65534)
print(json.dumps(sockets({port})))
"""

    with holding(Server(TCP, V4, "127.0.0.1"), port):
        seen = run_child(script)

    assert seen == [[["tcp", "ipv4", "127.0.0.1", None, None, None]], [port], True, [OWNER_UNTOLD]]


@on_linux
def test_root_is_not_told_to_be_root_where_a_process_lives_in_another_world() -> None:
    port = free_port()
    script = f"""{AS_NOBODY}
print(json.dumps(sockets({port})))
"""

    with holding(Server(TCP, V4, "127.0.0.1"), port):
        seen = run_child(script, "-p", "-f", "--mount-proc")

    assert seen == [[["tcp", "ipv4", "127.0.0.1", None, None, None]], [port], True, []]


@on_linux
def test_root_sees_the_name_of_another_users_process() -> None:
    needs_namespaces()
    port = free_port()

    with another_process(port, before="import os, socket; os.setuid(65534)\n") as process:
        table = read_sockets(PortRange(port, port), EVERYTHING)

    [held] = table.sockets
    assert (held.pid, held.user, table.warnings) == (process.pid, pwd.getpwuid(65534).pw_name, ())
    assert held.name


@on_linux
def test_where_the_system_refuses_the_whole_table_the_processes_that_it_shows_are_asked() -> None:
    port = free_port()
    script = f"""{AS_NOBODY}
held = socket.create_server(("127.0.0.1", {port}))
refused = []

def refuse(event, arguments):
    if event == "open" and arguments[0] == "/proc/net/tcp" and not refused:
        refused.append(True)
        raise psutil.AccessDenied

sys.addaudithook(refuse)
print(json.dumps([os.getpid(), sockets({port}), sockets({port})]))
"""

    seen: Any = run_child(script)
    pid, partial, whole = seen

    assert partial[0][0][:4] == ["tcp", "ipv4", "127.0.0.1", pid]
    assert partial[1:] == [[port], False, [ONLY_OWN]]
    assert whole[1:] == [[port], True, []]


@on_linux
@pytest.mark.parametrize(
    ("event", "error", "reason"),
    [
        ("open", "PermissionError(13, 'Permission denied')", "Permission denied"),
        ("os.listdir", "psutil.AccessDenied()", "not even this user's own processes are shown"),
    ],
    ids=["no table", "no processes"],
)
def test_a_table_that_cannot_be_read_at_all_is_an_error_that_says_so(event: str, error: str, reason: str) -> None:
    script = f"""{AS_NOBODY}
from trop_core.errors.base import TropError
held = socket.create_server(("127.0.0.1", 0))

def refuse(event, arguments):
    path = str(arguments[0]) if arguments else ""
    if event == {event!r} and (path == "/proc/net/tcp" or path.endswith("/fd")):
        raise {error}

sys.addaudithook(refuse)
try:
    sockets(5000)
except TropError as refusal:
    print(json.dumps([refusal.kind, refusal.message(), refusal.hint(), refusal.details()]))
"""

    told = run_child(script)

    assert told == [
        "io_error",
        f"cannot read the system's table of sockets: {reason}",
        "On Linux, /proc has to be mounted and readable for this user. Reserving works without it.",
        {"reason": reason},
    ]
