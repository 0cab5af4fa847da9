"""The ports of a group's services: what is stored stays, and what is missing is put beside it.

Pure: what is stored, reserved, excluded and occupied goes in, ports come out. The group's *base* is the port at which
a service with the offset 0 stands, or would stand.
"""

from __future__ import annotations

from collections import Counter

from trop_core.light_types import TYPE_CHECKING, NamedTuple, Protocol
from trop_core.models import LOWEST_PORT
from trop_core.ports.allocation import Exhausted, lowest_free
from trop_core.ports.pattern import lowest_base

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from trop_core.models import PortRange
    from trop_core.ports.exclusions import Exclusions
    from trop_core.ports.services import Service


class Ground(Protocol):
    """What is known of the ports that a group may get. The group's own stored ports are nobody else's."""

    @property
    def ports(self) -> PortRange:
        """The range from which ports are chosen."""

    @property
    def excluded(self) -> Exclusions:
        """Ports that are given to nobody."""

    @property
    def avoided(self) -> Exclusions:
        """Ports that are given only to those who ask for them."""

    def taken(self, minimum: int, maximum: int) -> Iterable[Sequence[int]]:
        """The ports that are reserved for others, in ascending order, in chunks."""

    def obstacle(self, port: int) -> str | None:
        """Why a port cannot be had by a service that prefers it (reserved for others, excluded), or None."""

    def is_occupied(self, port: int) -> bool:
        """Whether something listens on a port, or nobody may."""

    def occupation(self, port: int) -> str | None:
        """That a port is occupied, in the words for one who prefers it, or None."""


class Arrangement(NamedTuple):
    """The port of each service, by its tag.

    ``obstacles`` says why some did not get what they prefer, ``scattered`` are those whose distance to the base could
    not be kept.
    """

    ports: dict[str, int]
    obstacles: dict[str, str]
    scattered: tuple[str, ...] = ()


class Unplaced(NamedTuple):
    """Services for which no port of the range is left, and what stands in their way; the others have their ports."""

    ports: dict[str, int]
    tags: tuple[str, ...]
    found: Exhausted


def stored_base(services: Iterable[Service], stored: Mapping[str, int], minimum: int) -> int | None:
    """The base at which most of the stored services without a preference stand, the lowest of several; None without.

    Of several, those from ``minimum``, where the range begins, go first: below it no group was ever laid out. Where all
    that are stored have a preference, those that did not get it tell: they stand where the group was laid out.
    """
    placed = [service for service in services if service.tag in stored]
    for telling in (
        [service for service in placed if service.preferred is None],
        [service for service in placed if service.preferred not in (None, stored[service.tag])],
    ):
        # A service whose offset has grown may stand lower than its offset.
        found = (stored[service.tag] - service.offset for service in telling)
        bases = Counter(base for base in found if base >= LOWEST_PORT)
        if bases:
            return min(bases, key=lambda base: (-bases[base], base < minimum, base))
    return None


def drifted(services: Iterable[Service], stored: Mapping[str, int], minimum: int) -> dict[str, int]:
    """Where the file would have stored services that stand elsewhere, by tag: what they prefer, else their place.

    Whether they could have it plays no part. A service with a preference may stand at its place as well.
    """
    base = stored_base(services, stored, minimum)
    wanted = {}
    for service in services:
        port = stored.get(service.tag)
        if port is None:
            continue
        place = None if base is None else base + service.offset
        if service.preferred is not None and port != service.preferred:
            wanted[service.tag] = service.preferred
        elif service.preferred is None and place is not None and port != place:
            wanted[service.tag] = place
    return wanted


def extend(
    services: Sequence[Service], stored: Mapping[str, int], start: int, ground: Ground
) -> Arrangement | Unplaced:
    """The ports of a group of which some services, or none, have theirs: those stay.

    A missing service gets what it prefers; else its place at the stored base; where nothing stored gives a base, the
    places at the lowest base from ``start`` at which all of those fit; else the lowest free port of the range.
    """
    ports = {service.tag: stored[service.tag] for service in services if service.tag in stored}
    obstacles: dict[str, str] = {}
    missing = [service for service in services if service.tag not in ports]
    for service in missing:
        _prefer(service, ports, obstacles, ground, own=None)
    base = stored_base(services, stored, ground.ports.minimum)
    rest = [service for service in missing if service.tag not in ports]
    if base is None:
        base = _lowest_base(rest, ports.values(), start, ground)
    return _fill(services, stored, Arrangement(ports, obstacles), base, ground)


def lay_out(
    services: Sequence[Service], stored: Mapping[str, int], start: int, ground: Ground
) -> Arrangement | Unplaced:
    """The ports of a group as if it had none: at the stored base if they fit there, else at the lowest from ``start``.

    A port on which something listens goes from no service to another: only the service that has it may get it again.
    Where the group fits nowhere as a whole, each service keeps the port that it has.
    """
    ports: dict[str, int] = {}
    obstacles: dict[str, str] = {}
    for service in services:
        _prefer(service, ports, obstacles, ground, own=stored.get(service.tag))
    rest = [service for service in services if service.tag not in ports]
    base = stored_base(services, stored, ground.ports.minimum)
    if base is None or not all(
        _is_free(base + service.offset, ports.values(), ground, own=stored.get(service.tag)) for service in rest
    ):
        base = _lowest_base(rest, ports.values(), start, ground, own=stored)
    if base is not None:
        ports.update((service.tag, base + service.offset) for service in rest)
        return Arrangement({service.tag: ports[service.tag] for service in services}, obstacles)
    for service in rest:
        if service.tag in stored and stored[service.tag] not in ports.values():
            ports[service.tag] = stored[service.tag]
    kept = tuple(service.tag for service in rest if service.tag in ports)
    found = _fill(services, stored, Arrangement(ports, obstacles, kept), None, ground)
    # One that prefers another's port may leave that without any: then all stay as they are.
    return found if isinstance(found, Arrangement) else extend(services, stored, start, ground)


def _prefer(
    service: Service, ports: dict[str, int], obstacles: dict[str, str], ground: Ground, *, own: int | None
) -> None:
    """Give a service what it prefers, or note what is in the way. ``own`` is the port that it has."""
    port = service.preferred
    if port is None:
        return
    reason = ground.obstacle(port)
    if reason is None:
        holder = next((tag for tag, taken in ports.items() if taken == port), None)
        if holder is not None:
            reason = f"the port of {holder}"
        elif port != own:
            reason = ground.occupation(port)
    if reason is None:
        ports[service.tag] = port
    else:
        obstacles[service.tag] = reason


def _is_free(port: int, pinned: Collection[int], ground: Ground, *, own: int | None = None) -> bool:
    """Whether a port of the range can be given to a service that did not ask for it, and has ``own``."""
    return (
        port in ground.ports
        and port not in pinned
        and port not in ground.avoided
        and ground.obstacle(port) is None
        and (port == own or not ground.is_occupied(port))
    )


def _lowest_base(
    services: Collection[Service],
    pinned: Collection[int],
    start: int,
    ground: Ground,
    *,
    own: Mapping[str, int] | None = None,
) -> int | None:
    """The lowest base from ``start`` at which all services fit, or None."""
    if not services:
        return None
    maximum = ground.ports.maximum
    base = lowest_base(
        [service.offset for service in services],
        start=start,
        maximum=maximum,
        taken=ground.taken(start, maximum),
        pinned=pinned,
        exclusions=ground.excluded,
        avoided=ground.avoided,
        is_occupied=ground.is_occupied,
        own={} if own is None else {own[s.tag]: s.offset for s in services if s.tag in own},
    )
    return base if isinstance(base, int) else None


def _fill(
    services: Sequence[Service],
    stored: Mapping[str, int],
    begun: Arrangement,
    base: int | None,
    ground: Ground,
) -> Arrangement | Unplaced:
    """Put those without a port at their places at a base, as far as those are free, and others where there is room."""
    ports = dict(begun.ports)
    lost = []
    for service in services:
        if service.tag in ports:
            continue
        if base is not None and _is_free(base + service.offset, ports.values(), ground):
            ports[service.tag] = base + service.offset
        else:
            lost.append(service.tag)
    whole = ground.ports
    for position, tag in enumerate(lost):
        pinned = sorted(port for port in ports.values() if port in whole)
        found = lowest_free(
            whole,
            _merged(ground.taken(whole.minimum, whole.maximum), pinned),
            ground.excluded,
            ground.is_occupied,
            avoided=ground.avoided,
        )
        if isinstance(found, Exhausted):
            given = sum(port in whole and stored.get(tag) != port for tag, port in ports.items())
            return Unplaced(ports, tuple(lost[position:]), found._replace(reserved=found.reserved - given))
        ports[tag] = found
    # A service alone has no distance to keep.
    scattered = {*begun.scattered, *lost} if len(services) > 1 else set()
    return Arrangement(
        {service.tag: ports[service.tag] for service in services},
        begun.obstacles,
        tuple(service.tag for service in services if service.tag in scattered),
    )


def _merged(chunks: Iterable[Sequence[int]], pinned: Sequence[int]) -> Iterable[Sequence[int]]:
    """Chunks of ascending ports with some more among them."""
    left = list(pinned)
    for chunk in chunks:
        own = [port for port in left if port <= chunk[-1]]
        left = left[len(own) :]
        yield sorted({*chunk, *own}) if own else chunk
    if left:
        yield left
