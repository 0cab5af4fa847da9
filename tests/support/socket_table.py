"""What holds a port, as the system's table of sockets has it; and what is put there for it."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from support.sockets import (
    DUAL_STACK,
    HAS_IPV6,
    ONE_FAMILY,
    TCP,
    UDP,
    V4,
    Server,
    free_port,
    holding,
)
from trop_core.models import PortRange
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.sockets import read_sockets

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
    """Whether the table says that a port is occupied."""
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
