"""Whether something on this machine holds a port, found out by trying to bind it.

What the options do differs between systems. On Linux, a TCP bind with SO_REUSEADDR fails where anything listens on an
overlapping address, whatever options the listener has (man 7 socket). On macOS and the BSDs it fails only where the
very same address is taken (``in_pcbbind`` in XNU's bsd/netinet/in_pcb.c): a bind to loopback succeeds beside a server
on the wildcard address. There the wildcard addresses are tried for TCP in any case.

Two things stay out of sight: a TCP socket that is bound with SO_REUSEADDR and does not listen yet; and on macOS, for
TCP, a server on one single address other than loopback.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _socket import socket

    from trop_core.ports.checks import OccupancyChecks

_OCCUPIED = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EPERM})
_NOT_ON_THIS_MACHINE = frozenset({errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL})


class _Endpoint(NamedTuple):
    """One address over one protocol, to which ports are bound for a try."""

    protocol: str
    address: str
    create: type[socket]
    family: int
    kind: int
    options: tuple[tuple[int, int], ...]

    def try_bind(self, port: int) -> None:
        """Bind the port and let go of it again; raises the ``OSError`` of whatever prevents it."""
        attempt = self.create(self.family, self.kind)
        try:
            for level, option in self.options:
                attempt.setsockopt(level, option, 1)
            attempt.bind((self.address, port))
        finally:
            attempt.close()


class OccupancyProbe:
    """Asks the system whether ports are occupied, as far as ``checks`` lets it.

    ``warnings`` collects errors that say nothing about the port (no file descriptors left, say): each kind of error
    once, with the first port where it happened.
    """

    def __init__(self, checks: OccupancyChecks) -> None:
        self.warnings: list[str] = []
        self._checks = checks
        self._endpoints: list[_Endpoint] | None = None
        self._unexpected: set[int | None] = set()

    def is_occupied(self, port: int) -> bool:
        """Whether binding ``port`` (1 to 65535) fails on any of the addresses and protocols that are checked.

        False when every check is skipped. "In use" and "permission denied" mean occupied. An address that the machine
        does not have is left out, for the life of this object. Any other error counts as occupied and adds to
        ``warnings``. Nothing is bound when the call returns; while it runs, the port is, for microseconds.
        """
        if self._endpoints is None:
            self._endpoints = _endpoints(self._checks)
        for endpoint in self._endpoints:
            try:
                endpoint.try_bind(port)
            except OSError as error:
                if error.errno in _OCCUPIED:
                    return True
                if error.errno in _NOT_ON_THIS_MACHINE:
                    self._endpoints = [other for other in self._endpoints if other is not endpoint]
                    continue
                self._warn(error, endpoint, port)
                return True
        return False

    def _warn(self, error: OSError, endpoint: _Endpoint, port: int) -> None:
        if error.errno in self._unexpected:
            return
        self._unexpected.add(error.errno)
        code = error.errno or 0
        self.warnings.append(
            f"port {port} counts as occupied, and so does any other port where this happens: binding it for "
            f"{endpoint.protocol} on {endpoint.address} failed with {errno.errorcode.get(code, code)} "
            f"({os.strerror(code)})"
        )


def _endpoints(checks: OccupancyChecks) -> list[_Endpoint]:
    """What to try, the most telling first: nearly every server that holds a port listens on TCP over IPv4.

    None at all where everything is skipped.
    """
    if checks.skip:
        return []
    # The extension module itself: `socket` around it takes ten times as long to import, and adds nothing needed here.
    import _socket

    families: list[tuple[int, str, str, tuple[tuple[int, int], ...]]] = []
    if not checks.skip_ip4:
        families.append((_socket.AF_INET, "0.0.0.0", "127.0.0.1", ()))  # noqa: S104 - for microseconds
    if not checks.skip_ip6 and _socket.has_ipv6:
        v6_only = ((_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY),)
        families.append((_socket.AF_INET6, "::", "::1", v6_only))
    # TCP without SO_REUSEADDR would take the remains of a closed connection for a server; UDP with it would miss one.
    protocols: list[tuple[str, int, bool, tuple[tuple[int, int], ...]]] = []
    if not checks.skip_tcp:
        wildcard_is_separate = sys.platform != "linux"
        reuse = ((_socket.SOL_SOCKET, _socket.SO_REUSEADDR),)
        protocols.append(("TCP", _socket.SOCK_STREAM, wildcard_is_separate, reuse))
    if not checks.skip_udp:
        protocols.append(("UDP", _socket.SOCK_DGRAM, False, ()))
    return [
        _Endpoint(protocol, address, _socket.socket, family, kind, family_options + protocol_options)
        for protocol, kind, wildcard_is_separate, protocol_options in protocols
        for family, wildcard, loopback, family_options in families
        for address in ((wildcard, loopback) if checks.check_all_interfaces or wildcard_is_separate else (loopback,))
    ]
