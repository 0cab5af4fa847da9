"""The system's table of sockets, read while real sockets hold ports."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import pytest
from support.socket_table import (
    EVERYTHING,
    OTHER_ADDRESSES,
    SERVERS,
    another_process,
    held_at,
    line,
    occupied,
)
from support.sockets import (
    HAS_IPV6,
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
)

from trop_core.models import PortRange
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.occupancy import OccupancyProbe
from trop_core.ports.sockets import HeldPort, read_sockets


@pytest.mark.parametrize("server", [*SERVERS, *OTHER_ADDRESSES], ids=str)
def test_a_server_is_in_the_table_with_its_process(server: Server) -> None:
    port = free_port()

    with holding(server, port):
        during = held_at(port)
    after = held_at(port)

    assert during == [line(server)]
    assert line(server) not in after


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
