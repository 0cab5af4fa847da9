"""The system's table of sockets, read while real sockets hold ports.

Where the system cannot be brought to refuse, or a process to end at the right moment, an audit hook in a child process
does it.
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.requirements import needs_namespaces
from support.sockets import (
    DUAL_STACK,
    HAS_IPV6,
    ONE_FAMILY,
    REUSEADDR,
    REUSEPORT,
    TCP,
    UDP,
    V4,
    V6,
    Server,
    free_port,
    holding,
    on_linux,
    run_child,
    time_wait,
)

from trop_core.models import PortRange
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.occupancy import OccupancyProbe
from trop_core.ports.sockets import ONLY_OWN, OWNER_UNTOLD, HeldPort, read_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = OccupancyChecks()
ME = pwd.getpwuid(os.geteuid()).pw_name

SERVERS = [server for server in (*ONE_FAMILY, *DUAL_STACK) if HAS_IPV6 or server.family == V4]
OTHER_ADDRESSES = [Server(kind, V4, "127.0.0.2") for kind in (TCP, UDP)] if sys.platform == "linux" else []

HOLDER = """
import socket, sys
held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
held.bind(("127.0.0.1", int(sys.argv[1])))
held.listen()
print("held", flush=True)
sys.stdin.read()
"""


def held_at(port: int, checks: OccupancyChecks = EVERYTHING) -> list[tuple[str, str, str, int | None]]:
    """What holds a port: protocol, family, address and process id."""
    return [line[1:5] for line in read_sockets(PortRange(port, port), checks).sockets]


def occupied(port: int, checks: OccupancyChecks = EVERYTHING) -> bool:
    return port in read_sockets(PortRange(port, port), checks).occupied


def line(server: Server) -> tuple[str, str, str, int | None]:
    """How the table has a server of this process."""
    family = "ipv4" if server.family == V4 else "ipv6"
    return ("tcp" if server.kind == TCP else "udp", family, server.address, os.getpid())


@contextmanager
def another_process(port: int, before: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that listens on a port of 127.0.0.1 and lets others do so, too."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + HOLDER, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@contextmanager
def connected(
    *options: tuple[int, int], source: tuple[str, int] | None = None
) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """A listener on 127.0.0.1, a client of its, and what it has accepted."""
    with ExitStack() as stack:
        listener = stack.enter_context(holding(Server(TCP, V4, "127.0.0.1"), free_port(), *options))
        client = stack.enter_context(socket.create_connection(listener.getsockname(), source_address=source))
        accepted = stack.enter_context(listener.accept()[0])
        yield listener, client, accepted


@pytest.mark.parametrize("server", [*SERVERS, *OTHER_ADDRESSES], ids=str)
def test_a_server_is_in_the_table_with_its_process(server: Server) -> None:
    port = free_port()

    with holding(server, port):
        during = held_at(port)
    after = held_at(port)

    assert during == [line(server)]
    assert line(server) not in after


def test_name_and_user_of_a_process_are_told() -> None:
    port = free_port()

    with another_process(port) as process:
        table = read_sockets(PortRange(port, port), EVERYTHING)

        name = Path(f"/proc/{process.pid}/comm").read_text().strip() if sys.platform == "linux" else None
    assert [(held.pid, held.user) for held in table.sockets] == [(process.pid, ME)]
    assert name is None or table.sockets[0].name == name
    assert (table.complete, table.warnings) == (True, ())


@pytest.mark.parametrize(("first", "last", "seen"), [(-1, -1, 0), (0, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_only_the_range_is_looked_at(first: int, last: int, seen: int) -> None:
    port = free_port()

    with holding(Server(UDP, V4, "127.0.0.1"), port):
        table = read_sockets(PortRange(port + first, port + last), EVERYTHING)

    assert len([held for held in table.sockets if held.pid == os.getpid()]) == seen


@pytest.mark.parametrize("server", [*SERVERS, *OTHER_ADDRESSES], ids=str)
@pytest.mark.parametrize(
    "checks",
    [
        OccupancyChecks(),
        OccupancyChecks(check_all_interfaces=True),
        OccupancyChecks(skip=True),
        OccupancyChecks(skip_tcp=True),
        OccupancyChecks(skip_udp=True),
        OccupancyChecks(skip_ip4=True),
        OccupancyChecks(skip_ip6=True),
        OccupancyChecks(skip_ip4=True, skip_ip6=True),
        OccupancyChecks(skip_tcp=True, check_all_interfaces=True),
    ],
    ids=lambda checks: ",".join(name for name, value in checks._asdict().items() if value) or "all",
)
def test_the_table_and_a_bind_agree(server: Server, checks: OccupancyChecks) -> None:
    port = free_port()
    hidden = checks.skip or (checks.skip_ip4 and checks.skip_ip6)
    wildcard_of_one_family = server.address == "::" and not server.dual_stack and checks.skip_ip6

    with holding(server, port):
        by_table = occupied(port, checks)
        by_bind = OccupancyProbe(checks).is_occupied(port)

    if wildcard_of_one_family and not hidden and not (checks.skip_ip4 or by_bind):
        # The one difference: the table does not tell that this socket takes no IPv4.
        assert by_table
    else:
        assert by_table == by_bind


@pytest.mark.parametrize(
    "checks", [OccupancyChecks(skip_tcp=True), OccupancyChecks(skip_ip4=True)], ids=["protocol", "family"]
)
def test_what_is_skipped_is_not_in_the_table(checks: OccupancyChecks) -> None:
    port = free_port()

    with holding(Server(TCP, V4, "127.0.0.1"), port):
        seen = held_at(port, checks)

    assert seen == []


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
@pytest.mark.parametrize(("address", "told"), [("::ffff:127.0.0.1", "127.0.0.1"), ("::ffff:0.0.0.0", "0.0.0.0")])
def test_an_ipv4_address_inside_ipv6_is_told_as_what_it_is(address: str, told: str) -> None:
    port = free_port()

    with holding(Server(TCP, V6, address, dual_stack=True), port):
        seen = held_at(port)
        agree = [
            (occupied(port, checks), OccupancyProbe(checks).is_occupied(port))
            for checks in (EVERYTHING, OccupancyChecks(skip_ip4=True), OccupancyChecks(skip_ip6=True))
        ]

    assert seen == [("tcp", "ipv4", told, os.getpid())]
    assert agree == [(True, True), (False, False), (True, True)]


@on_linux
def test_another_address_of_loopback_is_shown_and_does_not_occupy() -> None:
    port = free_port()

    with holding(Server(TCP, V4, "127.0.0.2"), port):
        table = read_sockets(PortRange(port, port), EVERYTHING)

    assert [held.address for held in table.sockets] == ["127.0.0.2"]
    assert table.occupied == frozenset()


def test_a_connection_in_time_wait_holds_nothing() -> None:
    with time_wait() as port:
        seen = held_at(port)
        by_bind = OccupancyProbe(EVERYTHING).is_occupied(port)

    assert seen == []
    assert not by_bind


def test_what_a_listener_has_accepted_is_part_of_it() -> None:
    with connected() as (listener, _, _):
        port = listener.getsockname()[1]

        seen = held_at(port)

    assert seen == [("tcp", "ipv4", "127.0.0.1", os.getpid())]


@pytest.mark.parametrize(
    ("address", "family"), [("0.0.0.0", V4), pytest.param("::", V6, marks=pytest.mark.skipif(not HAS_IPV6, reason=""))]
)
def test_what_a_wildcard_listener_has_accepted_is_part_of_it(address: str, family: socket.AddressFamily) -> None:
    port = free_port()

    with (
        holding(Server(TCP, family, address, dual_stack=family == V6), port) as listener,
        socket.create_connection(("127.0.0.1", port)),
        listener.accept()[0],
    ):
        seen = [held_address for _, _, held_address, _ in held_at(port)]

    assert seen == [address]


def test_the_port_of_a_client_is_occupied() -> None:
    with connected() as (_, client, _):
        port = client.getsockname()[1]

        seen = held_at(port)
        agree = occupied(port), OccupancyProbe(EVERYTHING).is_occupied(port)

    assert ("tcp", "ipv4", "127.0.0.1", os.getpid()) in seen
    assert agree == (True, True)


def test_a_client_whose_server_has_hung_up_still_holds_its_port() -> None:
    with connected() as (_, client, accepted):
        port = client.getsockname()[1]
        accepted.close()
        assert client.recv(1) == b""

        agree = occupied(port), OccupancyProbe(EVERYTHING).is_occupied(port)

    assert agree == (True, True)


def test_a_connection_that_is_half_closed_is_held_as_long_as_its_process_holds_it() -> None:
    port = free_port()
    with connected(source=("127.0.0.1", port)) as (_, client, accepted):
        client.shutdown(socket.SHUT_WR)
        assert accepted.recv(1) == b""

        half_closed = occupied(port)
        client.close()
        closed = occupied(port)

    assert (half_closed, closed) == (True, False)


def test_a_connection_without_its_listener_holds_the_port() -> None:
    """Whether it could be bound over depends on an option that the table does not tell."""
    with connected() as (listener, _, _):
        port = listener.getsockname()[1]
        listener.close()

        by_table = occupied(port)
        by_bind = OccupancyProbe(EVERYTHING).is_occupied(port)

    assert (by_table, by_bind) == (True, True)


def test_a_connection_without_its_listener_that_shared_its_address_counts_too() -> None:
    with connected(REUSEADDR) as (listener, _, _):
        port = listener.getsockname()[1]
        listener.close()

        by_table = occupied(port)

    assert by_table


def test_twins_of_one_process_are_one_line_and_those_of_two_processes_two() -> None:
    port = free_port()
    server = Server(TCP, V4, "127.0.0.1")

    with holding(server, port, REUSEPORT), holding(server, port, REUSEPORT):
        of_one = held_at(port)
        with another_process(port) as process:
            of_two = held_at(port)

    assert of_one == [line(server)]
    assert of_two == sorted([line(server), (*line(server)[:3], process.pid)], key=lambda held: held[3] or 0)


def test_the_lines_are_in_order() -> None:
    first = free_port()
    with ExitStack() as stack:
        ports = [first, first + 1] if can_have(first + 1) else [first]
        for port in reversed(ports):
            for server in reversed([server for server in SERVERS if not server.dual_stack]):
                if server.address in ("127.0.0.1", "::1"):
                    stack.enter_context(holding(server, port))
        table = read_sockets(PortRange(first, first + 1), EVERYTHING)

    lines = [held[:4] for held in table.sockets if held.pid == os.getpid()]
    assert lines == sorted(lines)
    assert len(lines) == len(ports) * (4 if HAS_IPV6 else 2)


def can_have(port: int) -> bool:
    try:
        for server in SERVERS:
            with holding(server, port):
                pass
    except OSError:
        return False
    return True


def test_nothing_is_read_when_every_check_is_skipped() -> None:
    script = """
from trop_core.models import PortRange
from trop_core.ports.sockets import read_sockets
table = read_sockets(PortRange(1, 65535), OccupancyChecks(skip=True))
print(json.dumps([len(table.sockets), table.complete, table.warnings, "psutil" in sys.modules]))
"""

    assert run_child(script) == [0, True, [], False]


@on_linux
def test_the_table_is_read_once_and_each_process_asked_once_and_only_those_in_the_range() -> None:
    """Counted in files that are opened, with one socket in the range and with fifty."""
    script = """
from trop_core.models import PortRange
from trop_core.ports.sockets import read_sockets
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(50)]
ports = sorted(server.getsockname()[1] for server in held)
import psutil
psutil.Process().name()
opened = []
sys.addaudithook(lambda event, arguments: event == "open" and opened.append(str(arguments[0])))

def count(ports, owners=True):
    opened.clear()
    mine = [held for held in read_sockets(ports, OccupancyChecks(), owners=owners).sockets if held.pid == os.getpid()]
    own = [name for name in opened if name.startswith(f"/proc/{os.getpid()}/")]
    return len(mine), opened.count("/proc/net/tcp"), len(own)

one, all_of_them = count(PortRange(ports[0], ports[0])), count(PortRange(ports[0], ports[-1]))
none = count(PortRange(1, 1))
print(json.dumps([one, all_of_them, none, count(PortRange(ports[0], ports[-1]), owners=False)]))
"""

    counted: Any = run_child(script)
    one, many, none, unasked = counted

    assert one[0] == 1
    assert many[0] == 50
    assert one[1:] == many[1:]
    assert one[1] == 1
    assert one[2] > 0
    assert none == [0, 1, 0]
    assert unasked == [50, 1, 0]


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


@on_linux
def test_a_machine_without_ipv6_has_a_table_all_the_same() -> None:
    script = """
from trop_core.models import PortRange
from trop_core.ports.sockets import read_sockets
with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as switch:
    switch.write("1")
server = socket.create_server(("127.0.0.1", 5001))
table = read_sockets(PortRange(1, 65535), OccupancyChecks())
print(json.dumps([[held[:4] for held in table.sockets], sorted(table.occupied), table.warnings]))
"""

    seen = run_child(script, namespace=True)

    assert seen == [[[5001, "tcp", "ipv4", "127.0.0.1"]], [5001], []]


def test_a_line_holds_what_is_told_in_the_order_of_the_columns() -> None:
    assert HeldPort._fields == ("port", "protocol", "family", "address", "pid", "name", "user")
