"""What the subcommands that look at ports tell a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trop_server.cli.exclusions import tell_change
from trop_server.cli.printing import is_terminal, one_per_line
from trop_server.cli.tables import in_utc, render_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trop_core.models import Reservation
    from trop_core.operations.looking.port_info import PortInfoResult
    from trop_core.ports.sockets import HeldPort
    from trop_server.cli.session import Session


def port_info(session: Session) -> str:
    """What is known of a port, in lines for people; how to learn more goes to stderr."""
    result: PortInfoResult = session.perform_subcommand()
    if result.reservation is None:
        lines = [f"Port {result.port} is not reserved."]
    else:
        lines = [*_reservation(result.reservation, result.directory_exists)]
    if result.sockets is not None:
        lines += _users(result.sockets, result.occupied)
    elif not session.options.field_include_occupancy:
        session.tell("To see who uses the port now, add --include-occupancy.")
    return one_per_line(lines)


def scan(session: Session) -> str:
    """Who occupies the ports of the range, in the format that is asked for."""
    from trop_core.operations.looking.scan import ScannedSocket

    result = session.perform_subcommand()
    if not result.sockets:
        session.tell(f"Nothing was found that occupies a port from {result.min} to {result.max}.")
    if result.file is not None:
        tell_change(session, result)
    assert session.settings is not None
    return render_records(
        ScannedSocket._fields, result.sockets, session.settings.output_format, to_terminal=is_terminal()
    )


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


def _users(sockets: Sequence[HeldPort], occupied: bool | None) -> Iterator[str]:
    if not sockets:
        yield "Nothing uses it now." if occupied is False else "No use of it is to be seen."
        return
    yield "In use by:"
    for held in sockets:
        yield f"  {held.protocol} {held.address}: {_process(held)}"
    if not occupied:
        yield "This does not count as occupied: --check-all-interfaces counts such addresses, too."


def _process(held: HeldPort) -> str:
    if held.pid is None:
        return "a process that the system does not tell"
    named = f" ({held.name})" if held.name is not None else ""
    return f"process {held.pid}{named}" + (f" of {held.user}" if held.user is not None else "")
