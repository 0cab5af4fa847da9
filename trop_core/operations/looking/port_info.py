"""Tell everything that is known of one port."""

from __future__ import annotations

from functools import partial

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.errors.system import SocketsUnreadable
from trop_core.holder import Holder
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.looks import SECONDS, Look
from trop_core.models import PortRange, Reservation
from trop_core.operations.call import Unprepared
from trop_core.operations.looking.occupancy import LookingRequest, occupancy_settings
from trop_core.operations.looking.relations import RelatedSocket, Relations, names_of
from trop_core.paths import DirectoryState
from trop_core.ports.holders import around
from trop_core.ports.privileges import told_of_privileges
from trop_core.ports.sockets import told_of_unreadable
from trop_core.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import SocketTable

_EXISTS = {DirectoryState.PRESENT: True, DirectoryState.GONE: False, DirectoryState.UNKNOWN: None}


class PortInfoRequest(LookingRequest):
    """The port that is asked about."""

    port: int = fields.port("The port that is asked about.", required=True)
    include_occupancy: bool = fields.flag("Tell who uses the port now, too.")
    check_all_interfaces: bool | None = fields.switch(
        "Count what uses the port on any address as occupying it, not just on loopback and on all addresses at once."
    )


class PortInfoResult(Record):
    """What is known of the port."""

    port: int = fields.outcome("The port.")
    reservation: Reservation | None = fields.outcome("The reservation that holds it, or null.")
    directory_exists: bool | None = fields.outcome(
        "Whether the reservation's directory exists; null without a reservation, or where the system does not say."
    )
    occupied: bool | None = fields.outcome(
        "Whether something uses the port in the way of reserving it; null where that was not asked, where nothing is "
        "seen and the system hides what other users' processes hold, or where it shows nothing at all."
    )
    holder: Holder | None = fields.outcome(
        "The process that occupies it, and whose it is; of several, one that does not belong there. Null where nothing "
        "occupies the port, or where it is not known who does."
    )
    sockets: tuple[RelatedSocket, ...] | None = fields.outcome(
        "What uses the port, on whatever address: the local address, the process where the system tells, and whose it "
        "is; null where that was not asked, or where the system shows nothing at all."
    )
    truncated: bool = fields.outcome("Whether there are more sockets than one answer may hold.", default=False)
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Looked(NamedTuple):
    """What the system says of a reservation's directory, and its name with the links in it followed."""

    path: str
    state: DirectoryState
    names: Mapping[str, str] = {}


class Prepared(NamedTuple):
    """All that the answer needs besides the store. ``looked`` is got once it is known which directory it is about."""

    request: PortInfoRequest
    context: Context
    settings: Settings
    table: SocketTable | None
    processes: Mapping[int, Process]
    warnings: tuple[str, ...]
    looked: Looked | None = None

    def look(self, path: str) -> Prepared:
        """The same, with a look at a directory: its state is unknown where the system says nothing in time."""
        look = Look(partial(self.context.directory_state, path))
        state = look.answer(SECONDS, DirectoryState.UNKNOWN)
        return self._replace(looked=Looked(path, state, names_of([path]) if self.processes else {}))


def prepare(request: PortInfoRequest, context: Context) -> Prepared:
    """Read the configuration, and if that is asked for the system's table of sockets, and ask about the processes."""
    settings = context.settings(context.caller.vicinity, tolerant=True, **occupancy_settings(request))
    table, warnings = None, tuple[str, ...]()
    if request.include_occupancy and not settings.occupancy.looks:
        warnings = (f"who uses the port was not looked at: the check is skipped {settings.unlooked}",)
    elif request.include_occupancy:
        try:
            table = context.sockets(PortRange(request.port, request.port), settings.occupancy)
            warnings = table.warnings
        except SocketsUnreadable as error:
            warnings = (told_of_unreadable(error, context.spell),)
    warnings += told_of_privileges(request.port, request.port)
    processes = {} if table is None else context.processes(held.pid for held in table.sockets if held.pid is not None)
    return Prepared(request, context, settings, table, processes, warnings)


def read(connection: StoreConnection, prepared: Prepared) -> PortInfoResult:
    """Find the reservation. Raises ``Unprepared`` where its directory has to be looked at."""
    port, table, looked = prepared.request.port, prepared.table, prepared.looked
    reservation = reservations.holder(connection, port)
    if reservation is not None and (looked is None or looked.path != reservation.path):
        path = reservation.path
        raise Unprepared(lambda: prepared.look(path))
    relations = Relations(
        processes=prepared.processes,
        paths={} if reservation is None else {port: reservation.path},
        names={} if looked is None else looked.names,
        reserved=reservations.paths_among(connection, around(prepared.processes.values())),
    )
    return PortInfoResult(
        port=port,
        reservation=reservation,
        directory_exists=_EXISTS[looked.state] if reservation is not None and looked is not None else None,
        occupied=None if table is None else table.is_occupied(port),
        holder=None if table is None else relations.holder(table.sockets, prepared.settings.occupancy),
        sockets=None if table is None else tuple(map(relations.of_socket, table.sockets)),
        warnings=prepared.warnings,
    )


OPERATION = Operation(
    name="port_info",
    title="Port Info",
    description=(
        "Tells whether a port is reserved and for whom, whether that directory still exists, and on request who uses "
        "the port now, and from which directory. A port that nobody reserved is an answer, too."
    ),
    request=PortInfoRequest,
    result=PortInfoResult,
    work=Query(prepare=prepare, read=read),
)
