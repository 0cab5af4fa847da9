"""Whether a port is occupied, asked of real sockets.

Where another machine is needed (one without IPv6, one with low ports kept for root), a child process is given a network
namespace of its own. Where the system cannot be brought to fail (no buffers left), an audit hook fails in its place.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE
from support.sockets import (
    DUAL_STACK,
    FREEBIND,
    ONE_FAMILY,
    REUSEADDR,
    REUSEPORT,
    ROOT,
    TCP,
    UDP,
    V4,
    V6,
    Server,
    every_server,
    every_server_of_one_family,
    free_port,
    holding,
    on_linux,
    run_child,
    time_wait,
)

from trop_core.errors.spelling import flag_name
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.occupancy import OccupancyProbe

if TYPE_CHECKING:
    import socket


HALVES = ("TCP on IPv4", "TCP on IPv6", "UDP on IPv4", "UDP on IPv6")


def without(server: Server) -> tuple[OccupancyChecks, OccupancyChecks]:
    """Every check but those of the server's protocol; every check but those of its family."""
    return (
        OccupancyChecks(skip_tcp=server.kind == TCP, skip_udp=server.kind == UDP),
        OccupancyChecks(skip_ip4=server.family == V4, skip_ip6=server.family == V6),
    )


def only(kind: socket.SocketKind, family: socket.AddressFamily) -> OccupancyChecks:
    """No check but those of one protocol over one family."""
    return OccupancyChecks(skip_tcp=kind != TCP, skip_udp=kind != UDP, skip_ip4=family != V4, skip_ip6=family != V6)


def unseen(failure: str, *halves: str) -> str:
    """What is told where nobody can look."""
    return (
        f"nobody can look whether a port is occupied, over {', '.join(halves)}: {failure}: what was not looked at "
        "counts as free, and --skip-occupancy-check does without looking"
    )


def warning(port: int, protocol: str, address: str, code: str) -> str:
    """What is told of an error that says nothing about the port."""
    return (
        f"port {port} counts as occupied, and so does any other port where this happens: binding it for {protocol} on "
        f"{address} failed with {code} ({os.strerror(getattr(errno, code))})"
    )


def test_a_port_that_nothing_holds_is_free() -> None:
    probe = OccupancyProbe(OccupancyChecks())

    occupied = probe.is_occupied(free_port())

    assert not occupied
    assert probe.told(flag_name) == ()


@every_server
def test_a_server_occupies_its_port(server: Server) -> None:
    port = free_port()
    probe = OccupancyProbe(OccupancyChecks())

    with holding(server, port):
        occupied = probe.is_occupied(port)

    assert occupied
    assert probe.told(flag_name) == ()


@every_server
def test_a_server_occupies_its_port_with_all_interfaces_checked(server: Server) -> None:
    port = free_port()

    with holding(server, port):
        occupied = OccupancyProbe(OccupancyChecks(check_all_interfaces=True)).is_occupied(port)

    assert occupied


@every_server
@pytest.mark.parametrize("family", [V4, V6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("kind", [TCP, UDP], ids=["tcp", "udp"])
def test_a_single_check_sees_the_servers_of_its_own_protocol_and_family(
    server: Server, kind: socket.SocketKind, family: socket.AddressFamily
) -> None:
    port = free_port()

    with holding(server, port):
        occupied = OccupancyProbe(only(kind, family)).is_occupied(port)

    assert occupied == (server.kind == kind and (server.family == family or server.dual_stack))


@every_server_of_one_family
def test_a_server_is_not_seen_when_its_protocol_or_its_family_is_skipped(server: Server) -> None:
    port = free_port()
    without_protocol, without_family = without(server)

    with holding(server, port):
        seen_without_protocol = OccupancyProbe(without_protocol).is_occupied(port)
        seen_without_family = OccupancyProbe(without_family).is_occupied(port)

    assert not seen_without_protocol
    assert not seen_without_family


@every_server
@pytest.mark.parametrize(
    "checks",
    [
        pytest.param(OccupancyChecks(skip=True), id="skip"),
        pytest.param(OccupancyChecks(skip=True, check_all_interfaces=True), id="skip-beats-all-interfaces"),
        pytest.param(OccupancyChecks(skip_tcp=True, skip_udp=True), id="both-protocols"),
        pytest.param(OccupancyChecks(skip_ip4=True, skip_ip6=True), id="both-families"),
    ],
)
def test_no_server_is_seen_when_every_check_is_skipped(server: Server, checks: OccupancyChecks) -> None:
    port = free_port()

    with holding(server, port):
        occupied = OccupancyProbe(checks).is_occupied(port)

    assert not occupied


@every_server
@pytest.mark.parametrize(
    "options",
    [
        pytest.param((REUSEADDR,), id="reuseaddr"),
        pytest.param((REUSEPORT,), id="reuseport"),
        pytest.param((REUSEADDR, REUSEPORT), id="both"),
    ],
)
def test_a_server_that_shares_its_address_occupies_its_port(
    server: Server, options: tuple[tuple[int, int], ...]
) -> None:
    port = free_port()

    with holding(server, port, *options):
        occupied = OccupancyProbe(OccupancyChecks()).is_occupied(port)

    assert occupied


@pytest.mark.parametrize("check_all_interfaces", [False, True])
def test_a_connection_in_time_wait_does_not_occupy(check_all_interfaces: bool) -> None:
    probe = OccupancyProbe(OccupancyChecks(check_all_interfaces=check_all_interfaces))

    with time_wait() as port:
        occupied = probe.is_occupied(port)

    assert not occupied


def test_a_port_is_free_again_when_its_server_is_gone() -> None:
    port = free_port()
    probe = OccupancyProbe(OccupancyChecks())

    with holding(Server(TCP, V4, "127.0.0.1"), port):
        before = probe.is_occupied(port)
    after = probe.is_occupied(port)

    assert (before, after) == (True, False)


@pytest.mark.parametrize("held", [False, True], ids=["free", "occupied"])
def test_asking_leaves_nothing_open_and_nothing_bound(held: bool) -> None:
    port = free_port()
    probe = OccupancyProbe(OccupancyChecks(check_all_interfaces=True))
    before = os.listdir("/dev/fd")

    with holding(Server(UDP, V6, "::1"), port) if held else ExitStack():
        probe.is_occupied(port)

    assert os.listdir("/dev/fd") == before
    for server in (*ONE_FAMILY, *DUAL_STACK):
        with holding(server, port):
            pass


@on_linux
@pytest.mark.parametrize(
    ("server", "options", "skipped"),
    [
        pytest.param(server, options, skipped, id=str(server))
        for kind in (TCP, UDP)
        for server, options, skipped in (
            (Server(kind, V4, "127.0.0.2"), (), OccupancyChecks(check_all_interfaces=True, skip_ip4=True)),
            (Server(kind, V6, "fd00::1"), (FREEBIND,), OccupancyChecks(check_all_interfaces=True, skip_ip6=True)),
        )
    ],
)
def test_a_server_on_another_address_is_seen_only_with_all_interfaces(
    server: Server, options: tuple[tuple[int, int], ...], skipped: OccupancyChecks
) -> None:
    port = free_port()

    with holding(server, port, *options):
        by_default = OccupancyProbe(OccupancyChecks()).is_occupied(port)
        with_all_interfaces = OccupancyProbe(OccupancyChecks(check_all_interfaces=True)).is_occupied(port)
        with_its_family_skipped = OccupancyProbe(skipped).is_occupied(port)

    assert (by_default, with_all_interfaces, with_its_family_skipped) == (False, True, False)


@on_linux
@pytest.mark.parametrize(("kind", "expected"), [pytest.param(TCP, True, id="tcp"), pytest.param(UDP, False, id="udp")])
def test_where_a_wildcard_server_hides_from_a_loopback_bind_the_wildcard_is_tried_for_tcp(
    monkeypatch: pytest.MonkeyPatch, kind: socket.SocketKind, expected: bool
) -> None:
    port = free_port()
    monkeypatch.setattr(sys, "platform", "darwin")

    # On Linux, a server on a second address of loopback tells whether the wildcard address was tried.
    with holding(Server(kind, V4, "127.0.0.2"), port):
        occupied = OccupancyProbe(OccupancyChecks()).is_occupied(port)

    assert occupied == expected


@pytest.mark.parametrize(
    ("platform", "check_all_interfaces", "tried"),
    [
        pytest.param("linux", False, [["127.0.0.1", "::1"], ["127.0.0.1", "::1"]], id="linux"),
        pytest.param("linux", True, [["0.0.0.0", "127.0.0.1", "::", "::1"]] * 2, id="linux-all-interfaces"),
        pytest.param("darwin", False, [["0.0.0.0", "127.0.0.1", "::", "::1"], ["127.0.0.1", "::1"]], id="macos"),
        pytest.param("darwin", True, [["0.0.0.0", "127.0.0.1", "::", "::1"]] * 2, id="macos-all-interfaces"),
    ],
)
def test_a_free_port_is_tried_on_every_address_over_tcp_and_over_udp(
    platform: str, check_all_interfaces: bool, tried: list[list[str]]
) -> None:
    port = free_port()
    script = f"""
tried = {{socket.SOCK_STREAM: [], socket.SOCK_DGRAM: []}}

def record(event, arguments):
    if event == "socket.bind":
        tried[arguments[0].type].append(arguments[1][0])

sys.platform = {platform!r}
sys.addaudithook(record)
assert not OccupancyProbe(OccupancyChecks(check_all_interfaces={check_all_interfaces})).is_occupied({port})
print(json.dumps(list(tried.values())))
"""

    seen = run_child(script)

    assert seen == tried


@on_linux
@pytest.mark.parametrize("check_all_interfaces", [False, True])
def test_a_machine_without_ipv6_is_asked_over_ipv4_alone(check_all_interfaces: bool) -> None:
    script = f"""
with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as switch:
    switch.write("1")
server = socket.create_server(("127.0.0.1", 5001))
probe = OccupancyProbe(OccupancyChecks(check_all_interfaces={check_all_interfaces}))
print(json.dumps([probe.is_occupied(5000), probe.is_occupied(5001), probe.is_occupied(5002), probe.told(flag_name)]))
"""

    seen = run_child(script, namespace=True)

    assert seen == [False, True, False, []]


@on_linux
def test_an_address_that_the_machine_lacks_is_not_tried_again() -> None:
    script = """
def ipv6(enabled):
    with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as switch:
        switch.write("0" if enabled else "1")
    with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w") as switch:
        switch.write("0" if enabled else "1")

ipv6(False)
old = OccupancyProbe(OccupancyChecks())
before = old.is_occupied(5000)
ipv6(True)
server = socket.create_server(("::1", 5000), family=socket.AF_INET6)
new = OccupancyProbe(OccupancyChecks())
print(json.dumps([before, old.is_occupied(5000), new.is_occupied(5000)]))
"""

    seen = run_child(script, namespace=True)

    assert seen == [False, False, True]


@on_linux
@pytest.mark.parametrize("limit", [1024, 500])
def test_a_port_that_takes_a_privilege_is_told_as_that_to_a_user_without_it(limit: int) -> None:
    script = f"""
with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
    file.write("{limit}")
below, first = {limit} - 1, {limit}
as_root = OccupancyProbe(OccupancyChecks())
seen_by_root = [as_root.obstacle(below), as_root.obstacle(first), sorted(as_root.privileged)]
os.setuid(65534)
as_nobody = OccupancyProbe(OccupancyChecks())
seen_by_nobody = [as_nobody.obstacle(below), as_nobody.obstacle(first), sorted(as_nobody.privileged)]
print(json.dumps([seen_by_root, seen_by_nobody, as_nobody.told(flag_name)]))
"""

    seen = run_child(script, namespace=True)

    told = f"below {limit}, where binding takes privileges"
    assert seen == [[None, None, []], [told, None, [limit - 1]], []]


def test_without_file_descriptors_nobody_can_look_and_one_warning_says_so() -> None:
    port = free_port()
    script = f"""
import resource
before = OccupancyProbe(OccupancyChecks())
before.is_occupied({port})
server = socket.create_server(("127.0.0.1", {port}))
with open(os.devnull) as lowest_free:
    limit = lowest_free.fileno()
old = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, old[1]))
probe = OccupancyProbe(OccupancyChecks())
during = [probe.is_occupied({port}), probe.is_occupied({port} + 1)]
resource.setrlimit(resource.RLIMIT_NOFILE, old)
print(json.dumps([during, OccupancyProbe(OccupancyChecks()).is_occupied({port}), probe.told(flag_name)]))
"""

    seen = run_child(script)

    told = unseen("making a socket failed with EMFILE (Too many open files)", *HALVES)
    assert seen == [[False, False], True, [told]]


def outcomes_when_binding_fails(code: str, first_port: int) -> object:
    """What a probe of two ports answers, and its warnings, where binds over IPv6 fail with the error of that name."""
    script = f"""
def refuse(event, arguments):
    if event == "socket.bind" and arguments[1][0] == "::1":
        raise OSError(errno.{code}, os.strerror(errno.{code}))

probe = OccupancyProbe(OccupancyChecks())
sys.addaudithook(refuse)
print(json.dumps([probe.is_occupied({first_port}), probe.is_occupied({first_port}), probe.told(flag_name)]))
"""
    return run_child(script)


def test_an_error_that_says_taken_means_occupied() -> None:
    assert outcomes_when_binding_fails("EADDRINUSE", free_port()) == [True, True, []]


@pytest.mark.parametrize("code", ["EACCES", "EPERM"])
def test_a_port_that_everybody_may_bind_and_that_is_forbidden_cannot_be_looked_at(code: str) -> None:
    port = free_port()

    outcomes = outcomes_when_binding_fails(code, port)

    failure = f"binding port {port} failed with {code} ({os.strerror(getattr(errno, code))})"
    assert outcomes == [False, False, [unseen(failure, "TCP on IPv6", "UDP on IPv6")]]


@pytest.mark.parametrize("code", ["EAFNOSUPPORT", "EPROTONOSUPPORT", "EADDRNOTAVAIL"])
def test_an_error_that_says_the_machine_lacks_the_family_means_nothing(code: str) -> None:
    assert outcomes_when_binding_fails(code, free_port()) == [False, False, []]


@pytest.mark.parametrize("code", ["ENOBUFS", "ENOMEM", "EIO"])
def test_any_other_error_means_occupied_and_is_told_once(code: str) -> None:
    port = free_port()

    outcomes = outcomes_when_binding_fails(code, port)

    assert outcomes == [True, True, [warning(port, "TCP", "::1", code)]]


def test_each_kind_of_unexpected_error_is_told() -> None:
    script = """
codes = iter([errno.ENOBUFS, errno.ENOMEM, errno.ENOBUFS])

def refuse(event, arguments):
    if event == "socket.bind":
        code = next(codes)
        raise OSError(code, os.strerror(code))

probe = OccupancyProbe(OccupancyChecks(skip_ip4=True, skip_tcp=True))
sys.addaudithook(refuse)
for port in (5000, 5001, 5002):
    assert probe.is_occupied(port)
print(json.dumps(probe.told(flag_name)))
"""

    told = run_child(script)

    assert told == [warning(5000, "UDP", "::1", "ENOBUFS"), warning(5001, "UDP", "::1", "ENOMEM")]


def test_only_a_probe_that_is_asked_imports_sockets_and_only_the_extension_module() -> None:
    port = free_port()
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.occupancy import OccupancyProbe

def imported():
    return [name for name in ("_socket", "socket") if name in sys.modules]

probe = OccupancyProbe(OccupancyChecks())
OccupancyProbe(OccupancyChecks(skip=True)).is_occupied({port})
print(imported())
probe.is_occupied({port})
print(imported())
"""

    done = subprocess.run(
        [sys.executable, "-S", "-c", script], check=True, capture_output=True, text=True, timeout=PATIENCE
    )

    assert done.stdout == "[]\n['_socket']\n"
