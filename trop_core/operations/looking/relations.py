"""How the processes that hold ports relate to the directories that the ports are reserved for."""

from __future__ import annotations

from trop_core.errors.paths import InvalidPath
from trop_core.holder import Relation  # noqa: TC001 - the schema is made of them
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.looks import at_each
from trop_core.paths import canonical
from trop_core.ports.holders import Process, foremost, related
from trop_core.ports.sockets import Family, Protocol, is_in_the_way

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from trop_core.holder import Holder
    from trop_core.ports.checks import OccupancyChecks
    from trop_core.ports.sockets import HeldPort

_SECONDS = 0.5
"""How long links in the paths of reservations are followed: where that takes longer, a path has its one name."""


class RelatedSocket(NamedTuple):
    """A socket that holds a port: on which local address, of which process, and whose, as far as the system tells."""

    port: int
    protocol: Protocol
    family: Family
    address: str
    pid: int | None
    name: str | None
    user: str | None
    command: str | None
    working_directory: str | None
    relation: Relation
    directory: str | None


class Relations(NamedTuple):
    """All that says whose processes are that hold ports.

    ``paths`` are what ports are reserved for, and ``names`` those paths with the links in them followed; ``reserved``
    are those of the directories around the processes that have reservations.
    """

    processes: Mapping[int, Process]
    paths: Mapping[int, str]
    names: Mapping[str, str]
    reserved: Collection[str]

    def of_socket(self, held: HeldPort) -> RelatedSocket:
        """A socket with whose it is."""
        holder = self._of(held.port, held.pid)
        if holder is None:
            return RelatedSocket(*held, command=None, working_directory=None, relation="unknown", directory=None)
        return RelatedSocket(*held, holder.command, holder.working_directory, holder.relation, holder.directory)

    def holder(self, sockets: Iterable[HeldPort], checks: OccupancyChecks) -> Holder | None:
        """Who occupies the port that some sockets hold: of several, one who does not belong there. None if unknown."""
        return foremost([self._of(held.port, held.pid) for held in sockets if is_in_the_way(held, checks)])

    def _of(self, port: int, pid: int | None) -> Holder | None:
        if pid is None:
            return None
        path = self.paths.get(port)
        own = () if path is None else (path, self.names.get(path, path))
        return related(self.processes.get(pid, Process(pid)), own, self.reserved, port_of=path)


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """The names of directories with the links in them followed, as far as the system tells in time."""
    wanted = sorted(set(paths))
    return at_each(wanted, name_of, patience=_SECONDS) if wanted else {}


def name_of(path: str) -> str:
    """The name of a directory with the links in it followed. May hang where that is on a dead mount."""
    try:
        return canonical(path)
    except (InvalidPath, OSError):
        return path
