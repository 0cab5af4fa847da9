"""Real sockets that hold ports, as servers and clients leave them, and children in another world."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.patience import PATIENCE
from support.requirements import needs_namespaces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ROOT = Path(__file__).parents[2]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
V4, V6 = socket.AF_INET, socket.AF_INET6
REUSEADDR = (socket.SOL_SOCKET, socket.SO_REUSEADDR)
REUSEPORT = (socket.SOL_SOCKET, socket.SO_REUSEPORT)
FREEBIND = (socket.IPPROTO_IPV6, 78)
"""IPV6_FREEBIND of linux/in6.h: holds an address that no interface has (yet)."""


def _has_ipv6() -> bool:
    try:
        with socket.socket(V6, TCP) as attempt:
            attempt.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()
"""Whether this machine has IPv6 on its loopback interface."""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8, and namespaces")


@dataclass(frozen=True)
class Server:
    """A socket that holds a port, as a server opens it."""

    kind: socket.SocketKind
    family: socket.AddressFamily
    address: str
    dual_stack: bool = False

    def __str__(self) -> str:
        name = f"{'tcp' if self.kind == TCP else 'udp'}-{self.address}"
        return name + "-dual-stack" if self.dual_stack else name


ONE_FAMILY = [
    Server(kind, family, address)
    for kind in (TCP, UDP)
    for family, address in ((V4, "127.0.0.1"), (V4, "0.0.0.0"), (V6, "::1"), (V6, "::"))
]
DUAL_STACK = [Server(kind, V6, "::", dual_stack=True) for kind in (TCP, UDP)]

EVERYWHERE = [server for server in ONE_FAMILY if server.address in ("0.0.0.0", "::")]

every_server = pytest.mark.parametrize("server", ONE_FAMILY + DUAL_STACK, ids=str)
every_server_of_one_family = pytest.mark.parametrize("server", ONE_FAMILY, ids=str)


@contextmanager
def holding(server: Server, port: int, *options: tuple[int, int]) -> Iterator[socket.socket]:
    """The server's socket, bound to the port and listening where the protocol has that."""
    with socket.socket(server.family, server.kind) as held:
        for level, option in options:
            held.setsockopt(level, option, 1)
        if server.family == V6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if server.dual_stack else 1)
        held.bind((server.address, port))
        if server.kind == TCP:
            held.listen()
        yield held


_QUIET = range(30_000, 32_000)
"""Below what Linux and macOS give to clients by themselves: nobody but a test comes to hold one of these meanwhile."""


def free_port() -> int:
    """A port that nothing holds over any protocol, family or address."""
    choice = random.SystemRandom()
    for _ in range(1000):
        port = choice.choice(_QUIET)
        if is_free(port):
            return port
    raise AssertionError("no port is free")


def free_block() -> int:
    """The first of a hundred ports that nothing holds, and that no other process of the tests asks for while this runs.

    A port on which a test has just served stays held for a minute (TIME_WAIT), and then the next block is taken.
    Without a claim that would be the one on which a neighbour stands.
    """
    first = os.getpid() % _BLOCKS
    for attempt in range(_BLOCKS):
        number = (first + attempt) % _BLOCKS
        # From 10,100 on there is no port that browsers do not open.
        block = 10_100 + number * 100
        if _claims(number) and all(map(is_free, range(block, block + 100))):
            return block
    raise AssertionError("no hundred ports in a row are free")


_BLOCKS = 200
_CLAIMED: dict[int, socket.socket] = {}


def _claims(block: int) -> bool:
    """Whether a block is this process's, as long as it runs: it holds a port that stands for the block."""
    if block not in _CLAIMED:
        claim = socket.socket(V4, TCP)
        try:
            claim.bind(("127.0.0.1", 9_800 + block))
        except OSError:
            claim.close()
            return False
        _CLAIMED[block] = claim
    return True


def is_free(port: int) -> bool:
    """Whether nothing holds a port over any protocol, family or address."""
    return all(can_hold(server, port) for server in EVERYWHERE)


def can_hold(server: Server, port: int) -> bool:
    """Whether the port is free for such a server, as far as this machine has its family."""
    if server.family == V6 and not HAS_IPV6:
        return True
    try:
        with holding(server, port):
            return True
    except OSError:
        return False


@contextmanager
def time_wait() -> Iterator[int]:
    """A port where no server listens any more, but a connection that the server closed is in TIME_WAIT."""
    port = free_port()
    with (
        holding(Server(TCP, V4, "127.0.0.1"), port, REUSEADDR) as listener,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        accepted, _ = listener.accept()
        accepted.close()
        assert client.recv(1) == b""
    with socket.socket(V4, TCP) as plain, pytest.raises(OSError, match="in use"):
        plain.bind(("127.0.0.1", port))
    yield port


def run_child(script: str, *apart: str, namespace: bool = False) -> object:
    """What a child process prints as JSON; in a network namespace of its own, with loopback up, if asked.

    ``apart`` are options of unshare that give it more of its own.
    """
    if namespace:
        apart = ("-n", *apart)
    if apart:
        needs_namespaces()
    # SIOCGIFFLAGS and SIOCSIFFLAGS, from linux/sockios.h; IFF_UP is 1.
    loopback_up = """
import fcntl, struct
with socket.socket() as control:
    request = fcntl.ioctl(control, 0x8913, struct.pack("16s24x", b"lo"))
    name, flags, rest = struct.unpack("16sH22s", request)
    fcntl.ioctl(control, 0x8914, struct.pack("16sH22s", name, flags | 1, rest))
"""
    prelude = f"""
import errno, json, os, socket, sys
sys.path.insert(0, {str(ROOT)!r})
from trop_core.errors.spelling import flag_name
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.occupancy import OccupancyProbe
{loopback_up if namespace else ""}
"""
    command = [sys.executable, "-c", prelude + script]
    if apart:
        command = ["unshare", *apart, *command]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def listening(ports: Collection[int]) -> Iterator[None]:
    """Something listens on these ports: over TCP, on IPv4, on loopback."""
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield
