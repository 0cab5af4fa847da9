"""A document in its surroundings: what its values come to, and what its services have. Pure; computed when asked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import count

from trop_core.config.documents.document import Document
from trop_core.config.documents.meaning import service_of
from trop_core.config.merging import settings_of
from trop_core.config.schema import SERVICES
from trop_core.config.search import told_of_near_miss
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import PortRange
from trop_core.operations.documents.surroundings import unmarked
from trop_core.operations.looking.entries import StatusEntry, entries_of
from trop_core.operations.looking.sighting import Sighting
from trop_core.ports.allocation import lowest_free
from trop_core.ports.arrangement import drifted, extend, lay_out
from trop_core.ports.avoidance import Avoidance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.outline import Entry
    from trop_core.config.settings import Settings
    from trop_core.models import Reservation
    from trop_core.operations.documents.surroundings import Surroundings
    from trop_core.ports.exclusions import Exclusions
    from trop_core.ports.services import Service

SERVICES_PATH = tuple(SERVICES.split("."))


class Situation:
    """What a document comes to. Nothing in here changes: another text, or other surroundings, make another one."""

    def __init__(self, document: Document, surroundings: Surroundings) -> None:
        self.document = document
        self.surroundings = surroundings

    @property
    def directory(self) -> str | None:
        """The directory that the services are reserved for."""
        return self.surroundings.place.directory

    @cached_property
    def settings(self) -> Settings:
        """What all layers come to, with the text as it is in the place of the file."""
        place = self.surroundings.place
        return settings_of(place.user, place.project(self.document.layer), place.above, place.directory)

    @cached_property
    def rows(self) -> tuple[Reservation, ...]:
        """What is reserved for the directory."""
        return () if self.directory is None else self.surroundings.stock.at(self.directory)

    @cached_property
    def projects(self) -> frozenset[str]:
        """The projects that the directory is known to belong to, by the settings and by what is reserved for it."""
        found = (self.settings.project, *(row.project for row in self.rows))
        return frozenset(project for project in found if project is not None)

    @cached_property
    def stored(self) -> dict[str, Reservation]:
        """The reservations that have a tag, by it."""
        return {row.tag: row for row in self.rows if row.tag is not None}

    @property
    def services(self) -> tuple[Service, ...]:
        """The services of the text whose offset can be used."""
        found = () if self.document.group is None else self.document.group.services
        # Of a wrong one the reader leaves None.
        return tuple(service for service in found if service.offset is not None)

    @property
    def is_in_force(self) -> bool:
        """Whether the services of the text are the directory's: not where the project's stronger file has others.

        Nor those of a file with nearly the right name, which is not read.
        """
        is_read = told_of_near_miss(self.document.file) is None
        return self.document.group is not None and is_read and not self.is_overruled

    @property
    def is_overruled(self) -> bool:
        """Whether the project's stronger file has services in the place of those of the text."""
        return "reservations" in self.surroundings.place.stronger

    @property
    def can_reserve(self) -> bool:
        """Whether it is known what is reserved, and the services of the text are those that would be."""
        return self.surroundings.stock.is_known and self.is_in_force

    @property
    def is_refused(self) -> bool:
        """Whether whatever the text says cannot be reserved: for another file, or where it lies."""
        place = self.surroundings.place
        return bool(place.failures) or not (place.is_related or self.settings.allow_unrelated_path)

    @cached_property
    def saved(self) -> Document | None:
        """The document as its file holds it, which is this very one where that is its text; None where it is none yet.

        None as well where the file is not there any more, or may not be read.
        """
        content, document = self.surroundings.place.saved, self.document
        if content is None:
            return None
        if unmarked(content) == unmarked(document.text.encode("utf-8", "surrogatepass")):
            return document
        # What is no UTF-8 has to stay none: it is refused.
        return Document(content.decode("utf-8", "surrogateescape"), file=document.file, allowed=document.allowed)

    @property
    def is_saved(self) -> bool:
        """Whether the file holds the text as it is, and so does the one beside it."""
        return self.saved is self.document and self.surroundings.place.is_beside_saved

    @cached_property
    def ports_of_interest(self) -> frozenset[int]:
        """The ports of which it matters who is on them: those that are reserved here, and those that are preferred."""
        preferred = (service.preferred for service in self.services)
        return frozenset([*(row.port for row in self.rows), *(port for port in preferred if port is not None)])

    @cached_property
    def entries(self) -> dict[str | None, StatusEntry]:
        """Each service and each reservation of the directory with its state, by its tag."""
        stock, system = self.surroundings.stock, self.surroundings.system
        seen = Sighting(self.ports_of_interest, system.table)
        holders = {row.port: system.holder(row.port, stock, self.settings) for row in self.rows}
        found = entries_of(self.rows, self.document.group, self.directory or "", seen, holders)
        return {entry.tag: entry for entry in found}

    @cached_property
    def places(self) -> dict[str, Entry]:
        """Where each service stands, by its tag."""
        below = self.document.outline.below(SERVICES_PATH)
        return {tag.strip(): entry for entry in below if (tag := service_of(entry.path)) is not None}

    @cached_property
    def tags(self) -> frozenset[str]:
        """The tags of all services, of those as well that are wrong, or stand where only an alias leads."""
        group = self.document.group
        return frozenset([*self.places, *(service.tag for service in (() if group is None else group.services))])

    @cached_property
    def drifted(self) -> dict[str, int]:
        """Where laying the group out anew would put stored services that stand elsewhere, by tag."""
        if not self.stored:
            return {}
        ports = self._kept
        wanted = drifted(self.services, ports, self.settings.port_min)
        if not wanted:
            return {}
        anew = lay_out(self.services, ports, self._start, _Ground(self)).ports
        return {tag: port for tag, port in wanted.items() if anew.get(tag) == port}

    @cached_property
    def coming(self) -> dict[str, int]:
        """The ports that the services without one would get if the group were reserved now, by tag.

        None where not all of them get one: then the call is refused.
        """
        if not self.can_reserve or self.is_refused or not self.document.is_usable:
            return {}
        ports = self._kept
        found = extend(self.services, ports, self._start, _Ground(self)).ports
        if any(service.tag not in found for service in self.services):
            return {}
        return {tag: port for tag, port in found.items() if tag not in ports}

    @cached_property
    def avoidance(self) -> Avoidance:
        """The ports that are passed over where trop chooses."""
        return Avoidance.of(self.settings.avoid, lambda: self.surroundings.system.ephemeral)

    def next_offset(self, tag: str | None) -> int:
        """The lowest offset that no service of the text has, but for one."""
        taken = {service.offset for service in self.services if service.tag != tag}
        return next(offset for offset in count() if offset not in taken)

    @cached_property
    def lowest_free_port(self) -> int | None:
        """The lowest port of the range that nobody has and no service of the text prefers; None where there is none.

        None as well where it is not known what is reserved.
        """
        if not self.surroundings.stock.is_known:
            return None
        ground = _Ground(self, but=self.ports_of_interest)
        found = lowest_free(
            ground.ports,
            ground.taken(ground.ports.minimum, ground.ports.maximum),
            ground.excluded,
            ground.is_occupied,
            ground.avoided,
        )
        return found if isinstance(found, int) else None

    @property
    def _kept(self) -> dict[str, int]:
        return {service.tag: self.stored[service.tag].port for service in self.services if service.tag in self.stored}

    @property
    def _start(self) -> int:
        base = None if self.document.group is None else self.document.group.base
        return max(base or 0, self.settings.port_min)


class _Ground:
    """The ports as a group finds them; ``but`` are ports that count as taken, whoever has them."""

    def __init__(self, situation: Situation, but: frozenset[int] = frozenset()) -> None:
        self._situation = situation
        self._but = but
        tags = {service.tag for service in situation.services}
        self._taken: list[int] | None = None
        self._own = {row.port for row in situation.rows if row.tag in tags}

    @property
    def ports(self) -> PortRange:
        """The range."""
        return PortRange(self._situation.settings.port_min, self._situation.settings.port_max)

    @property
    def excluded(self) -> Exclusions:
        """What is given to nobody."""
        return self._situation.settings.excluded_ports

    @property
    def avoided(self) -> Exclusions:
        """What is given to who asks for it."""
        return self._situation.avoidance.ports

    def taken(self, minimum: int, maximum: int) -> Iterator[list[int]]:
        """The ports that others have."""
        if self._taken is None:
            self._taken = sorted(self._situation.surroundings.stock.by_port.keys() - self._own | self._but)
        found = self._taken[bisect_left(self._taken, minimum) : bisect_right(self._taken, maximum)]
        if found:
            yield found

    def obstacle(self, port: int) -> str | None:
        """Why a service that prefers a port cannot have it."""
        row = self._situation.surroundings.stock.by_port.get(port)
        if row is not None and port not in self._own:
            return "reserved"
        return "excluded" if port in self.excluded else None

    def is_occupied(self, port: int) -> bool:
        """What the system says; what cannot be seen counts as free."""
        return self._situation.surroundings.system.occupied(port) is True

    def occupation(self, port: int) -> str | None:
        """The same, as a reason."""
        return "in use" if self.is_occupied(port) else None
