"""What the subcommands that look at ports tell a person."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.exclusions import tell_change
from trop_server.cli.printing import is_terminal, one_per_line
from trop_server.cli.tables import in_utc, render_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trop_core.models import Reservation
    from trop_core.operations.looking.port_info import PortInfoResult
    from trop_core.operations.looking.relations import RelatedSocket
    from trop_core.operations.looking.scan import ScannedSocket
    from trop_server.cli.session import Session
    from trop_server.cli.tables import Cell


def port_info(session: Session) -> str:
    """What is known of a port, in lines for people; how to learn more goes to stderr."""
    result: PortInfoResult = session.perform_subcommand()
    if result.reservation is None:
        lines = [f"Port {result.port} is not reserved."]
    else:
        lines = [*_reservation(result.reservation, result.directory_exists)]
    if result.sockets is not None:
        lines += _users(result.sockets, result.occupied, reserved=result.reservation is not None)
    elif not session.options.field_include_occupancy:
        session.tell("To see who uses the port now, add --include-occupancy.")
    return one_per_line(lines)


def scan(session: Session) -> str:
    """Who occupies the ports of the range, in the format that is asked for."""
    result = session.perform_subcommand()
    if not result.sockets:
        session.tell(f"Nothing was found that occupies a port from {result.min} to {result.max}.")
    if result.file is not None:
        tell_change(session, result)
    assert session.settings is not None
    form = session.settings.output_format
    names, cells = (_SHOWN, _shown) if form == "table" else (_KEYS, _told)
    return render_records(names, [*map(cells, result.sockets)], form, to_terminal=is_terminal())


_SHOWN = ("port", "protocol", "family", "address", "pid", "name", "user", "reserved", "directory", "relation")

_KEYS = (
    *("port", "status", "reserved", "protocol", "address_family", "scope", "address"),
    *("process_id", "process_name", "user", "owner_status", "directory", "relation"),
)
"""What a program reads: up to ``owner_status`` as the Rust tool names it. https://github.com/plx/trop"""


def _shown(held: ScannedSocket) -> list[Cell]:
    return [getattr(held, name) for name in _SHOWN]


def _told(held: ScannedSocket) -> list[Cell]:
    """A socket under the names of ``_KEYS``."""
    from ipaddress import ip_address

    address = ip_address(held.address.partition("%")[0])
    scope = "localhost" if address.is_loopback else "wildcard" if address.is_unspecified else "interface"
    status = "occupied (reserved)" if held.reserved else "occupied"
    where: list[Cell] = [held.port, status, held.reserved, held.protocol, held.family, scope, held.address]
    owner_status = "unknown" if held.pid is None else "known"
    return [*where, held.pid, held.name, held.user, owner_status, held.directory, held.relation]


def _reservation(row: Reservation, directory_exists: bool | None) -> Iterator[str]:
    yield f"Port {row.port} is reserved for {row.path}" + (f" (tag {row.tag})." if row.tag is not None else ".")
    yield f"  directory:  {_DIRECTORY[directory_exists]}"
    yield f"  project:    {row.project or '-'}"
    yield f"  task:       {row.task or '-'}"
    yield f"  created:    {in_utc(row.created_at)} UTC"
    yield f"  last used:  {in_utc(row.last_used_at)} UTC"


_DIRECTORY = {
    True: "exists",
    False: "is gone; trop prune drops the reservations of such directories",
    None: "the system does not say whether it exists",
}


def _users(sockets: Sequence[RelatedSocket], occupied: bool | None, *, reserved: bool) -> Iterator[str]:
    if not sockets:
        yield "Nothing uses it now." if occupied is False else "No use of it is to be seen."
        return
    yield "In use by:"
    for number, held in enumerate(sockets, 1):
        yield f"  {held.protocol} {held.address}: {_process(held)}"
        if held.pid is not None and all(later.pid != held.pid for later in sockets[number : number + 1]):
            yield from _whose(held, reserved=reserved)
    if not occupied:
        yield "This does not count as occupied: --check-all-interfaces counts such addresses, too."


def _whose(held: RelatedSocket, *, reserved: bool) -> Iterator[str]:
    """Once for sockets of one process that follow each other."""
    if held.command is not None:
        yield f"    command:     {held.command}"
    if held.working_directory is not None:
        yield f"    runs in:     {held.working_directory}"
    if held.relation == "own":
        yield f"    belongs to:  {held.directory}, as the port does"
    elif held.relation == "other":
        yield f"    belongs to:  {held.directory}, which has {'other reservations' if reserved else 'reservations'}"
    else:
        yield "    belongs to:  no directory with reservations that is known of"


def _process(held: RelatedSocket) -> str:
    if held.pid is None:
        return "a process that the system does not tell"
    named = f" ({held.name})" if held.name is not None else ""
    return f"process {held.pid}{named}" + (f" of {held.user}" if held.user is not None else "")
