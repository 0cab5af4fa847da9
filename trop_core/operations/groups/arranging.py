"""The ports of a group's services, with the store and the system as they are: which stay, which come, and what goes."""

from __future__ import annotations

from trop_core.database import reservations
from trop_core.errors.ports import GroupExhausted
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.operations.reserving import room
from trop_core.ports.arrangement import Arrangement, Unplaced, drifted, extend, lay_out

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from trop_core.database.handles import StoreConnection
    from trop_core.models import PortRange, Reservation
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.operations.moving.arrival import Arrival
    from trop_core.operations.reserving.preparation import Prepared
    from trop_core.ports.exclusions import Exclusions
    from trop_core.ports.services import Group


class StoreGround:
    """The ports as they are for one group: ``own`` are those of its services, ``freed`` those of what is dropped."""

    def __init__(
        self, connection: StoreConnection, prepared: Prepared[Any], own: Collection[int], freed: Collection[int] = ()
    ) -> None:
        self._connection = connection
        self._prepared = prepared
        self._open = {*own, *freed}

    @property
    def ports(self) -> PortRange:
        """The configured range."""
        return self._prepared.ports

    @property
    def excluded(self) -> Exclusions:
        """What the configuration excludes."""
        return self._prepared.settings.excluded_ports

    @property
    def avoided(self) -> Exclusions:
        """What the configuration avoids."""
        return self._prepared.avoidance.ports

    def taken(self, minimum: int, maximum: int) -> Iterator[list[int]]:
        """What is reserved for others, in chunks that are not empty."""
        for chunk in reservations.taken_ports(self._connection, minimum, maximum):
            others = [port for port in chunk if port not in self._open]
            if others:
                yield others

    def obstacle(self, port: int) -> str | None:
        """Whom a port is reserved for, or that it is excluded."""
        return room.why_taken(self._connection, self._prepared, port, own=self._open, occupation=lambda _port: None)

    def is_occupied(self, port: int) -> bool:
        """What the system says."""
        return self._prepared.probe.is_occupied(port)

    def occupation(self, port: int) -> str | None:
        """What the system says, in words."""
        return self._prepared.probe.obstacle(port)


def arrange(
    connection: StoreConnection,
    prepared: Prepared[Any],
    group: Group,
    stored: Mapping[str, Reservation],
    *,
    anew: bool = False,
    freed: Collection[int] = (),
) -> Arrangement | Unplaced:
    """The services' ports; ``stored`` are the reservations of those that have one. Reads."""
    ports = {tag: row.port for tag, row in stored.items()}
    start = max(group.base or 0, prepared.ports.minimum)
    ground = StoreGround(connection, prepared, ports.values(), freed)
    return (lay_out if anew else extend)(group.services, ports, start, ground)


def choose(
    connection: StoreConnection,
    prepared: Prepared[Any],
    group: Group,
    stored: Mapping[str, Reservation],
    arrival: Arrival,
    *,
    anew: bool = False,
) -> tuple[Arrangement, tuple[Removal, ...]]:
    """The services' ports, and what is dropped for them where there is no room.

    Raises ``GroupExhausted``, or ``Unprepared`` for a look at the directories of all reservations.
    """
    found = arrange(connection, prepared, group, stored, anew=anew)
    if isinstance(found, Arrangement):
        return found, ()
    keep = {row.key for row in stored.values()}
    dropped: tuple[Removal, ...] = ()
    for dropped in room.removals(connection, prepared, keep=keep, arrival=arrival, for_group=True):
        if len(dropped) < len(found.tags):
            continue
        freed = [removal.reservation.port for removal in dropped]
        after_cleanup = arrange(connection, prepared, group, stored, anew=anew, freed=freed)
        if isinstance(after_cleanup, Arrangement):
            return after_cleanup, dropped
    freed = [removal.reservation.port for removal in dropped]
    lacking = arrange(connection, prepared, group, stored, anew=anew, freed=freed) if dropped else found
    if isinstance(lacking, Arrangement):
        return lacking, dropped
    raise GroupExhausted(tags=lacking.tags, **room.counts(prepared, lacking.found, for_group=True))


def told_of(prepared: Prepared[Any], group: Group, found: Arrangement) -> tuple[str, ...]:
    """What a caller should know of the ports that were found: preferences and distances that could not be kept."""
    preferred = {service.tag: service.preferred for service in group.services}
    obstacles = tuple(
        f"{tag} gets {found.ports[tag]}: its preferred port {preferred[tag]} is {reason}"
        for tag, reason in found.obstacles.items()
    )
    avoided = tuple(
        warning
        for tag, port in preferred.items()
        if port is not None and found.ports[tag] == port
        for warning in room.told_of_avoided(prepared, port)
    )
    scattered = tuple(
        f"{tag} gets {found.ports[tag]}: its distance to the other services could not be kept"
        for tag in found.scattered
        if tag not in found.obstacles
    )
    return (*obstacles, *avoided, *scattered)


def told_of_drift(
    connection: StoreConnection, prepared: Prepared[Any], group: Group, stored: Mapping[str, Reservation]
) -> tuple[str, ...]:
    """What a caller that reserves should know of stored ports that the file would have elsewhere. Reads."""
    force = prepared.context.spell("force")
    return tuple(
        f"{tag} keeps {stored[tag].port}, and its file would have it at {port}: {force} lays the group out anew"
        for tag, port in drift(connection, prepared, group, stored).items()
    )


def drift(
    connection: StoreConnection, prepared: Prepared[Any], group: Group, stored: Mapping[str, Reservation]
) -> dict[str, int]:
    """Where the file would have stored services that stand elsewhere, by tag. Reads.

    A port that laying the group out anew would not give, because it cannot be had, is not among them.
    """
    ports = {tag: row.port for tag, row in stored.items()}
    wanted = drifted(group.services, ports, prepared.ports.minimum)
    if not wanted:
        return {}
    anew = arrange(connection, prepared, group, stored, anew=True).ports
    return {tag: port for tag, port in wanted.items() if anew.get(tag) == port}
