"""Tell who occupies the ports of a range, and on request exclude those that nobody has reserved."""

from __future__ import annotations

from contextlib import closing

from trop_core import fields
from trop_core.catalogue import Operation, Procedure
from trop_core.database import reservations
from trop_core.holder import Relation  # noqa: TC001 - the schema is made of them
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import PortRange
from trop_core.operations.exclusions import exclusion_file
from trop_core.operations.looking.occupancy import LookingRequest, occupancy_settings
from trop_core.operations.looking.relations import RelatedSocket, Relations, names_of
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.holders import around
from trop_core.ports.privileges import told_of_privileges
from trop_core.ports.sockets import Family, Protocol  # noqa: TC001 - the schema is made of them
from trop_core.records import Record
from trop_core.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import SocketTable


class ScanRequest(LookingRequest):
    """Which ports to look at, and what not to look at."""

    folder: str | None = fields.path(
        "The directory whose configuration gives the range, as an editor knows it. The open folder if left away."
    )
    path: str | None = fields.path("The directory whose configuration gives the range, exactly as spelled.")
    min: int | None = fields.port("The lowest port to look at. By default the lowest one that is given away.")
    max: int | None = fields.port("The highest port to look at. By default the highest one that is given away.")

    autoexclude: bool = fields.flag(
        "Add the ports that are occupied, and neither reserved nor excluded, to the exclusions in the project's "
        "trop.yaml."
    )
    autocompact: bool = fields.flag("Put the exclusions in the project's trop.yaml into order.")
    dry_run: bool = fields.flag("Tell what would be excluded, and change nothing.")

    @property
    def changes_a_file(self) -> bool:
        """Whether exclusions are asked for, and not just who occupies what."""
        return self.autoexclude or self.autocompact

    def __post_init__(self) -> None:
        if self.min is not None and self.max is not None:
            PortRange(self.min, self.max)


class ScannedSocket(NamedTuple):
    """A socket that holds a port of the range, whether that port is reserved here, and whose the process is."""

    port: int
    protocol: Protocol
    family: Family
    address: str
    pid: int | None
    name: str | None
    user: str | None
    reserved: bool
    command: str | None
    working_directory: str | None
    directory: str | None
    relation: Relation


class ScanResult(Record):
    """What was found in the range."""

    min: int = fields.outcome("The lowest port that was looked at.")
    max: int = fields.outcome("The highest port that was looked at.")
    sockets: tuple[ScannedSocket, ...] = fields.outcome(
        "What holds a port, each once: on which local address, which process (null where the system does not tell), "
        "and whose it is. Sorted by port, protocol, family, address and process id."
    )
    file: str | None = fields.outcome("The configuration file whose exclusions were to be changed; null if none was.")
    added: tuple[str, ...] = fields.outcome("What was added to its exclusions, as ports and ranges.")
    changed: bool = fields.outcome("Whether the file was changed, or would be.")
    truncated: bool = fields.outcome("Whether there are more than one answer may hold.", default=False)
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Prepared(NamedTuple):
    """The range, and what holds ports in it. ``table.occupied`` are those that ``reserve`` would pass over.

    ``file`` is the one whose exclusions are to be changed, if any is.
    """

    request: ScanRequest
    data_directory: str
    file: str | None
    settings: Settings
    ports: PortRange
    table: SocketTable
    processes: Mapping[int, Process]
    warnings: tuple[str, ...]


def prepare(request: ScanRequest, context: Context) -> Prepared:
    """Read the configuration and the system's table of sockets, and ask about the processes in it.

    Raises ``SocketsUnreadable`` besides what is refused of the request, and ``NoProjectFile`` where there is no file
    for the exclusions.
    """
    target = context.target(request.folder, request.path)
    settings = context.settings(
        target.path, ports__min=request.min, ports__max=request.max, **occupancy_settings(request)
    )
    file = None
    if request.changes_a_file:
        context.guard(target, allowed=settings.allow_unrelated_path)
        file = exclusion_file.project_file(settings, target.path, context)
    ports = PortRange(settings.port_min, settings.port_max)
    table = context.sockets(ports, settings.occupancy)
    warnings = target.warnings + table.warnings + told_of_privileges(ports.minimum, ports.maximum)
    if settings.occupancy.skip:
        warnings += (f"nothing was looked at: the check is skipped ({settings.origin('occupancy_check.skip')})",)
    processes = context.processes(held.pid for held in table.sockets if held.pid is not None)
    return Prepared(request, context.data_directory, file, settings, ports, table, processes, warnings)


def run(prepared: Prepared, patience: Patience) -> ScanResult:
    """Tell of each socket whether its port is reserved, and change the exclusions in one go if that was asked for.

    Raises what reading the store and changing the file raise; nothing has changed then.
    """
    reserved, relations = _stored(prepared, patience)
    request, change = prepared.request, None
    if prepared.file is not None:
        free = prepared.table.occupied - reserved if request.autoexclude else frozenset[int]()
        change = exclusion_file.change(
            prepared.file,
            patience,
            add=Exclusions.of((port, port) for port in free if port not in prepared.settings.excluded_ports),
            compact=request.autocompact,
            dry_run=request.dry_run,
        )
    return ScanResult(
        min=prepared.ports.minimum,
        max=prepared.ports.maximum,
        sockets=tuple(_scanned(relations.of_socket(held), reserved) for held in prepared.table.sockets),
        file=prepared.file,
        added=change.added if change else (),
        changed=change is not None and change.changed,
        dry_run=request.dry_run,
        warnings=prepared.warnings,
    )


def _scanned(held: RelatedSocket, reserved: Collection[int]) -> ScannedSocket:
    return ScannedSocket(**held._asdict(), reserved=held.port in reserved)


def _stored(prepared: Prepared, patience: Patience) -> tuple[frozenset[int], Relations]:
    """The reserved ports of the range, and what the store says of whose the processes are."""
    ports, create = prepared.ports, not prepared.settings.disable_autoinit
    with (
        closing(Store(prepared.data_directory)) as store,
        store.look(patience, "scan", create=create, dry_run=prepared.request.dry_run) as connection,
    ):
        chunks = reservations.taken_ports(connection, ports.minimum, ports.maximum)
        reserved = frozenset(port for chunk in chunks for port in chunk)
        paths = reservations.paths_of_ports(connection, {held.port for held in prepared.table.sockets})
        around_them = reservations.paths_among(connection, around(prepared.processes.values()))
    # Where the links in a path lead is no matter of the transaction: to follow them may take a while.
    return reserved, Relations(prepared.processes, paths, names_of(paths.values()), around_them)


OPERATION = Operation(
    name="scan",
    title="Scan Ports",
    description=(
        "Tells who occupies the ports of a range: protocol, address, process and user, whether the port is reserved, "
        "and whether the process belongs to the directory that it is reserved for. Reads the system's table of "
        "sockets; binds nothing. On request, adds the occupied ports that nobody reserved to the exclusions in the "
        "project's trop.yaml."
    ),
    request=ScanRequest,
    result=ScanResult,
    work=Procedure(prepare=prepare, run=run, only_reads=lambda request: not request.changes_a_file, edits_beside=True),
)
