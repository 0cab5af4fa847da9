"""What is seen of the ports that a directory has: one read of the system's table of sockets for all of them."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import HIGHEST_PORT, LOWEST_PORT, PortRange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.errors.spelling import Spelling
    from trop_core.holder import Holder
    from trop_core.models import Reservation
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import HeldPort, SocketTable


class Sighting(NamedTuple):
    """What was seen once of some ports.

    ``table`` is None where nobody looked, or could. ``processes`` are those that hold the ports, and ``names`` the
    directories that the ports are reserved for with the links in them followed. ``warnings`` tell what is not shown.
    """

    ports: frozenset[int] = frozenset()
    table: SocketTable | None = None
    processes: Mapping[int, Process] = {}
    names: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()

    @property
    def privileged(self) -> Collection[int]:
        """No ports: to read the table takes no privileges for a port."""
        return ()

    def told(self, spell: Spelling) -> tuple[str, ...]:
        """Nothing besides ``warnings``: what cannot be seen counts as free here."""
        return ()

    def is_occupied(self, port: int) -> bool:
        """Whether something is seen on a port: as a probe tells it, with nothing bound for the answer."""
        return self.table is not None and self.table.is_occupied(port) is True

    def obstacle(self, port: int) -> str | None:
        """The same, as a reason."""
        return "in use" if self.is_occupied(port) else None

    def occupied(self, port: int) -> bool | None:
        """Whether something occupies a port; None where that cannot be told."""
        return None if self.table is None or port not in self.ports else self.table.is_occupied(port)

    def holders(
        self, connection: StoreConnection, rows: Collection[Reservation], settings: Settings
    ) -> dict[int, Holder | None]:
        """Who holds the ports of reservations, by the port; only ports that are occupied are in it. Reads the store."""
        if self.table is None or not self.processes:
            return {}
        from trop_core.database import reservations
        from trop_core.operations.looking.relations import Relations
        from trop_core.ports.holders import around

        relations = Relations(
            processes=self.processes,
            paths={row.port: row.path for row in rows},
            names=self.names,
            reserved=reservations.paths_among(connection, around(self.processes.values())),
        )
        by_port: dict[int, list[HeldPort]] = {}
        for held in self.table.sockets:
            by_port.setdefault(held.port, []).append(held)
        return {
            row.port: relations.holder(by_port[row.port], settings.occupancy)
            for row in rows
            if row.port in by_port and self.occupied(row.port)
        }


def look(rows: Collection[Reservation], settings: Settings, context: Context) -> Sighting:
    """Look at the ports of reservations: reads the table of sockets, and asks the processes that hold one of them.

    Binds nothing, and comes to its end within some seconds. Where the check is switched off, or the system shows
    nothing, a warning says so.
    """
    ports = frozenset(row.port for row in rows)
    if not ports:
        return Sighting()
    if not settings.occupancy.looks:
        told = f"whether something listens on the ports was not looked at: that is switched off {settings.unlooked}"
        return Sighting(ports, warnings=(told,))
    from trop_core.errors.system import SocketsUnreadable
    from trop_core.operations.looking.relations import names_of
    from trop_core.ports.sockets import told_of_unreadable

    try:
        # Of the others it is of interest as well whether they are free: the file may want them.
        table = context.sockets(PortRange(LOWEST_PORT, HIGHEST_PORT), settings.occupancy, owners=False)
    except SocketsUnreadable as error:
        return Sighting(ports, warnings=(told_of_unreadable(error, context.spell),))
    pids = {held.pid for held in table.sockets if held.port in ports and held.pid is not None}
    if not pids:
        return Sighting(ports, table, warnings=table.warnings)
    return Sighting(ports, table, context.processes(pids), names_of(row.path for row in rows), table.warnings)
