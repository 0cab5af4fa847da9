"""Whether another directory's program is on one of the ports that a program is to be started with."""

from __future__ import annotations

from trop_core.errors.ports import PortOccupied
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.looking.given_ports import occupants

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.models import Reservation
    from trop_core.operations.looking.given_ports import Occupant


def check(rows: Collection[Reservation], settings: Settings, context: Context) -> tuple[str, ...]:
    """Look who listens on the ports of reservations; returns warnings, one for each port of which nobody can tell.

    Looks at sockets, processes and the store for some seconds at most, and writes nothing. What listens there and
    belongs to the directory itself is in nobody's way. Raises ``PortOccupied`` for what is another directory's.
    """
    if not settings.occupancy.looks:
        return (f"nobody looked whether something listens on the ports: that is switched off {settings.unlooked}",)
    seen = occupants(rows, settings.occupancy, context)
    for row in rows:
        holder = seen[row.port].occupant
        if seen[row.port].occupied is not False and holder is not None and holder.relation == "other":
            advice = "Nothing was started; without --check it would be."
            raise PortOccupied(row.port, holder, path=row.path, advice=advice)
    return tuple(told for row in rows if (told := _unclear(row.port, seen[row.port])) is not None)


def _unclear(port: int, seen: Occupant) -> str | None:
    """That nobody can tell whose a port is, as a sentence; None if it is free, or the directory's own is there."""
    if seen.occupied is False or (seen.occupant is not None and seen.occupant.relation == "own"):
        return None
    if not seen.occupied:
        return f"whether something listens on port {port} cannot be told"
    if seen.occupant is None:
        return f"something listens on port {port}, and whose it is cannot be told"
    name = "" if seen.occupant.name is None else f" ({seen.occupant.name})"
    return f"process {seen.occupant.pid}{name} listens on port {port}, and whose it is cannot be told"
