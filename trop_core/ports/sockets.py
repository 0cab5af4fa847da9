"""What holds ports on this machine, read from the system's table of sockets. Binds nothing.

What counts agrees with what ``occupancy`` finds out by binding, as far as the table tells:

- TCP: what listens, and a connection as long as a process holds it: a client's own port cannot be bound either. A
  connection that a listener on its port has accepted is part of that listener. What the system keeps of a connection
  that is closed (TIME_WAIT and the like) holds nothing.
- UDP: whatever is bound.
- Loopback (127.0.0.1, ::1) and the wildcards; any other address only with ``check_all_interfaces``.

The table does not tell a socket's options, and so the two differ in a few corners. A connection whose listener is gone
holds its port here, and can be bound over if that listener had SO_REUSEADDR; what is left of a client's connection
holds nothing here, and cannot be bound over for a minute. ``::`` may or may not take IPv4: it counts for both. A TCP
socket that is bound, but neither listens nor is connected, is not in the table of Linux.
"""

from __future__ import annotations

import os

from trop_core.errors.spelling import escaped
from trop_core.errors.system import SocketsUnreadable
from trop_core.light_types import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import psutil

    from trop_core.errors.spelling import Spelling
    from trop_core.models import PortRange
    from trop_core.ports.checks import OccupancyChecks

T = TypeVar("T")

Protocol = Literal["tcp", "udp"]
Family = Literal["ipv4", "ipv6"]

ONLY_OWN = (
    "the system shows this user the sockets of its own processes only: what the processes of others hold is missing"
)
OWNER_UNTOLD = (
    "the system tells only root and its owner which process holds a socket: "
    "where none is named, it is another user's or the system's own"
)

_WILDCARDS = {"ipv4": "0.0.0.0", "ipv6": "::"}  # noqa: S104 - compared with, not bound
_PROBED = frozenset({*_WILDCARDS.values(), "127.0.0.1", "::1"})
_MAPPED = "::ffff:"
_CLOSING = frozenset({"FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSING", "LAST_ACK"})
"""The states, as psutil names them, in which a connection may outlive the process that closed it."""
_LONGEST_NAME = 15
"""Characters of a process's name that Linux keeps: TASK_COMM_LEN of linux/sched.h, without its end."""


class HeldPort(NamedTuple):
    """A socket that holds a port: on which local address, and of which process, as far as the system tells."""

    port: int
    protocol: Protocol
    family: Family
    address: str
    pid: int | None
    name: str | None
    user: str | None


class SocketTable(NamedTuple):
    """What holds ports, each once, in the order of port, protocol, family, address and process id.

    ``occupied`` are those of the ports that count as occupied. ``complete`` says whether a port that is missing is
    free: not where the system hides the sockets of other users. ``warnings`` tell of what it hides.
    """

    sockets: tuple[HeldPort, ...] = ()
    occupied: frozenset[int] = frozenset()
    complete: bool = True
    warnings: tuple[str, ...] = ()

    def is_occupied(self, port: int) -> bool | None:
        """Whether something occupies a port; None where nothing is seen and the system hides what may be there."""
        if port in self.occupied:
            return True
        return False if self.complete else None


class _Entry(NamedTuple):
    """One line of the table."""

    port: int
    protocol: Protocol
    family: Family
    address: str
    pid: int | None
    status: str


class Owner(NamedTuple):
    """Name and user of a process, escaped; None for each that the system does not tell."""

    name: str | None = None
    user: str | None = None


def told_of_unreadable(error: SocketsUnreadable, spell: Spelling) -> str:
    """The warning that a call has no table of sockets, and goes on without."""
    return f"nobody can look whether a port is occupied: {error.message(spell)}"


def is_in_the_way(held: HeldPort, checks: OccupancyChecks) -> bool:
    """Whether a socket that holds a port keeps it from being given away."""
    return checks.check_all_interfaces or held.address in _PROBED


def read_sockets(ports: PortRange, checks: OccupancyChecks, *, owners: bool = True) -> SocketTable:
    """What holds a port of a range now, as far as ``checks`` wants to know: one read of the table.

    With ``owners``, each process is asked once for its name and its user. With ``checks.skip``, nothing is read and the
    answer is empty. An IPv4 address inside IPv6 (``::ffff:127.0.0.1``) counts and is told as the IPv4 address.

    Where the system refuses the whole table, the processes that it does show are asked one by one. Raises
    ``SocketsUnreadable`` if the table cannot be read either way.
    """
    if checks.skip:
        return SocketTable()
    entries, complete = _read_table()
    held = {
        (entry.port, entry.protocol, entry.family, entry.address, entry.pid)
        for entry in _holding([entry for entry in entries if entry.port in ports and _is_wanted(entry, checks)])
    }
    known: dict[int | None, Owner] = {}
    if owners:
        known = {pid: _owner(pid) for pid in {pid for *_, pid in held} if pid is not None}
    in_order = sorted(held, key=lambda line: (*line[:4], line[4] or 0))
    sockets = tuple(HeldPort(*line, *known.get(line[4], Owner())) for line in in_order)
    return SocketTable(
        sockets=sockets,
        occupied=frozenset(line.port for line in sockets if is_in_the_way(line, checks)),
        complete=complete,
        warnings=_warnings(complete, untold=owners and any(pid is None for *_, pid in held)),
    )


def _read_table() -> tuple[list[_Entry], bool]:
    """All lines of the table, and whether they are all that there are."""
    import psutil

    try:
        return list(_entries((line, line.pid) for line in psutil.net_connections("inet"))), True
    except psutil.AccessDenied:
        # macOS shows the sockets of a process to its owner and to root, and so refuses the table as a whole.
        return list(_entries(_process_by_process())), False
    except OSError as error:
        raise SocketsUnreadable(error.strerror or str(error)) from error


def _process_by_process() -> Iterator[tuple[Any, int]]:
    import psutil

    seen = False
    for process in psutil.process_iter():
        try:
            lines = process.net_connections("inet")
        except (psutil.Error, OSError):
            # It is another user's, or has ended. That something may be missing is told in any case.
            continue
        seen = True
        yield from ((line, process.pid) for line in lines)
    if not seen:
        raise SocketsUnreadable("not even this user's own processes are shown")


def _entries(lines: Iterable[tuple[Any, int | None]]) -> Iterator[_Entry]:
    """What psutil gives, in our words. A socket without a local port holds none."""
    import socket

    protocols: dict[int, Protocol] = {socket.SOCK_STREAM: "tcp", socket.SOCK_DGRAM: "udp"}
    for line, pid in lines:
        if line.laddr:
            address, port = line.laddr
            family: Family = "ipv4" if line.family == socket.AF_INET else "ipv6"
            if address.startswith(_MAPPED):
                family, address = "ipv4", address.removeprefix(_MAPPED)
            yield _Entry(port, protocols[line.type], family, address, pid, line.status)


def _is_wanted(entry: _Entry, checks: OccupancyChecks) -> bool:
    if checks.skip_tcp if entry.protocol == "tcp" else checks.skip_udp:
        return False
    takes_both = entry.address == _WILDCARDS["ipv6"]
    return not (checks.skip_ip4 if entry.family == "ipv4" else checks.skip_ip6 and (checks.skip_ip4 or not takes_both))


def _holding(entries: list[_Entry]) -> Iterator[_Entry]:
    """Those that hold their port by themselves."""
    listening = {
        (entry.port, entry.family, entry.address)
        for entry in entries
        if entry.protocol == "tcp" and entry.status == "LISTEN"
    }
    for entry in entries:
        if entry.protocol == "udp" or entry.status == "LISTEN":
            yield entry
        elif entry.pid is not None or entry.status not in _CLOSING:
            accepted_by = ((entry.family, entry.address), (entry.family, _WILDCARDS[entry.family]), ("ipv6", "::"))
            if listening.isdisjoint((entry.port, *address) for address in accepted_by):
                yield entry


def _owner(pid: int) -> Owner:
    import psutil

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return Owner()
    with process.oneshot():
        return owner(process)


def owner(process: psutil.Process) -> Owner:
    """Who a process is; asks the system. What no longer runs, or is hidden, has neither name nor user."""
    name, user = told(process.name), told(process.username)
    if name is not None and len(name) > _LONGEST_NAME and " " in name:
        # psutil completes a name that the system has cut from the command line, which may be one text with all in it.
        name = name[:_LONGEST_NAME]
    return Owner(name and escaped(name), user and escaped(user))


def told(ask: Callable[[], T]) -> T | None:
    """What the system answers to a question about a process, or None if it does not, or no longer."""
    import psutil

    try:
        return ask()
    except (psutil.Error, OSError):
        return None


def _warnings(complete: bool, *, untold: bool) -> tuple[str, ...]:
    if not complete:
        return (ONLY_OWN,)
    return (OWNER_UNTOLD,) if untold and os.geteuid() != 0 else ()
