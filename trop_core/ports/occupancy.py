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

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _socket import socket

    from trop_core.errors.spelling import Spelling
    from trop_core.ports.checks import OccupancyChecks

_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_NOT_ON_THIS_MACHINE = frozenset(
    {errno.EAFNOSUPPORT, errno.EPFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EADDRNOTAVAIL}
)


class _Unmade(Exception):
    """There is no socket to bind: what went wrong says nothing about any port."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


class _Endpoint(NamedTuple):
    """One address over one protocol, to which ports are bound for a try."""

    protocol: str
    version: str
    address: str
    create: type[socket]
    family: int
    kind: int
    options: tuple[tuple[int, int], ...]

    @property
    def half(self) -> str:
        """Protocol and family, which one can look at by themselves, or not."""
        return f"{self.protocol} on {self.version}"

    def try_bind(self, port: int) -> None:
        """Bind the port and let go of it again.

        Raises the ``OSError`` of whatever prevents it, inside of ``_Unmade`` where that was not the bind.
        """
        attempt = self._made()
        try:
            attempt.bind((self.address, port))
        finally:
            attempt.close()

    def _made(self) -> socket:
        try:
            made = self.create(self.family, self.kind)
        except OSError as error:
            raise _Unmade(error) from error
        try:
            for level, option in self.options:
                made.setsockopt(level, option, 1)
        except OSError as error:
            made.close()
            raise _Unmade(error) from error
        return made


class OccupancyProbe:
    """Asks the system whether ports are occupied, as far as ``checks`` lets it and the system answers.

    ``privileged`` collects the ports that may not be bound for want of privileges.
    """

    def __init__(self, checks: OccupancyChecks) -> None:
        self.privileged: set[int] = set()
        self._checks = checks
        self._endpoints: list[_Endpoint] | None = None
        self._first_unprivileged: int | None = None
        self._unexpected: dict[int | None, str] = {}
        self._unseen: dict[str, list[str]] = {}

    def told(self, spell: Spelling) -> tuple[str, ...]:
        """What the caller should know of the answers so far.

        One warning for all that nobody can look at (a sandbox, no descriptors left), and one for each kind of error
        that made a port count as occupied, with the first port where it happened.
        """
        warnings = tuple(self._unexpected.values())
        if self._unseen:
            reason = "; ".join(f"over {', '.join(halves)}: {failure}" for failure, halves in self._unseen.items())
            without = f"{spell('skip_occupancy_check')} does without looking"
            told = f"nobody can look whether a port is occupied, {reason}: what was not looked at counts as free"
            warnings += (f"{told}, and {without}",)
        return warnings

    def is_occupied(self, port: int) -> bool:
        """Whether there is an ``obstacle``."""
        return self.obstacle(port) is not None

    def obstacle(self, port: int) -> str | None:
        """Why ``port`` (1 to 65535) cannot be bound on one of the addresses and protocols that are checked, or None.

        None, too, when every check is skipped. Where the machine lacks an address, or nobody can look over a protocol
        and a family, that is left out for the life of this object. Any error that tells nothing of the kind counts as
        occupied. Nothing is bound when the call returns; while it runs, the port is, for microseconds.
        """
        if self._endpoints is None:
            self._endpoints = _endpoints(self._checks)
        for endpoint in tuple(self._endpoints):
            # Nobody can look at its half since an address before it in this very list was tried.
            if endpoint not in self._endpoints:
                continue
            try:
                endpoint.try_bind(port)
            except _Unmade as unmade:
                if unmade.error.errno in _NOT_ON_THIS_MACHINE:
                    self._endpoints.remove(endpoint)
                else:
                    self._give_up(endpoint, f"making a socket failed with {_named(unmade.error)}")
            except OSError as error:
                if error.errno in _NOT_ON_THIS_MACHINE:
                    self._endpoints.remove(endpoint)
                elif error.errno not in _FORBIDDEN:
                    self._note_unexpected(error, endpoint, port)
                    return "occupied"
                elif port < self._first_for_everybody():
                    from trop_core.ports.privileges import below

                    self.privileged.add(port)
                    return below(self._first_for_everybody())
                else:
                    self._give_up(endpoint, f"binding port {port} failed with {_named(error)}")
        return None

    def _first_for_everybody(self) -> int:
        if self._first_unprivileged is None:
            from trop_core.ports.privileges import first_unprivileged_port

            self._first_unprivileged = first_unprivileged_port()
        return self._first_unprivileged

    def _give_up(self, endpoint: _Endpoint, failure: str) -> None:
        assert self._endpoints is not None
        self._endpoints = [other for other in self._endpoints if other.half != endpoint.half]
        self._unseen.setdefault(failure, []).append(endpoint.half)

    def _note_unexpected(self, error: OSError, endpoint: _Endpoint, port: int) -> None:
        if error.errno != errno.EADDRINUSE and error.errno not in self._unexpected:
            self._unexpected[error.errno] = (
                f"port {port} counts as occupied, and so does any other port where this happens: binding it for "
                f"{endpoint.protocol} on {endpoint.address} failed with {_named(error)}"
            )


def _named(error: OSError) -> str:
    code = error.errno or 0
    return f"{errno.errorcode.get(code, code)} ({os.strerror(code)})"


def _endpoints(checks: OccupancyChecks) -> list[_Endpoint]:
    """What to try, the most telling first: nearly every server that holds a port listens on TCP over IPv4.

    None at all where everything is skipped.
    """
    if checks.skip:
        return []
    # The extension module itself: `socket` around it takes ten times as long to import, and adds nothing needed here.
    import _socket

    families: list[tuple[str, int, str, str, tuple[tuple[int, int], ...]]] = []
    if not checks.skip_ip4:
        families.append(("IPv4", _socket.AF_INET, "0.0.0.0", "127.0.0.1", ()))  # noqa: S104 - for microseconds
    if not checks.skip_ip6 and _socket.has_ipv6:
        v6_only = ((_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY),)
        families.append(("IPv6", _socket.AF_INET6, "::", "::1", v6_only))
    # TCP without SO_REUSEADDR would take the remains of a closed connection for a server; UDP with it would miss one.
    protocols: list[tuple[str, int, bool, tuple[tuple[int, int], ...]]] = []
    if not checks.skip_tcp:
        wildcard_is_separate = sys.platform != "linux"
        reuse = ((_socket.SOL_SOCKET, _socket.SO_REUSEADDR),)
        protocols.append(("TCP", _socket.SOCK_STREAM, wildcard_is_separate, reuse))
    if not checks.skip_udp:
        protocols.append(("UDP", _socket.SOCK_DGRAM, False, ()))
    return [
        _Endpoint(protocol, version, address, _socket.socket, family, kind, family_options + protocol_options)
        for protocol, kind, wildcard_is_separate, protocol_options in protocols
        for version, family, wildcard, loopback, family_options in families
        for address in ((wildcard, loopback) if checks.check_all_interfaces or wildcard_is_separate else (loopback,))
    ]
