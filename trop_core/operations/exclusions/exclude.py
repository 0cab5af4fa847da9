"""Exclude ports: no reservation is given them any more."""

from __future__ import annotations

from contextlib import closing

from trop_core import fields
from trop_core.catalogue import Operation, Procedure
from trop_core.database import reservations
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.reservations import ReservedPorts
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.exclusions import exclusion_file
from trop_core.ports.exclusions import Exclusions, spelled
from trop_core.records import Record
from trop_core.store import Store

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience
    from trop_core.models import Reservation
    from trop_core.ports.exclusions import Range

_MOST_NAMED = 5


class ExcludeRequest(Record):
    """Which ports, and for whom."""

    ports: str = fields.ports("A port such as 5001, or a range such as 5005..5009, both ends included.")
    folder: str | None = fields.path(
        "A directory of the project whose trop.yaml is changed, as an editor knows it. The open folder if left away."
    )
    global_: bool = fields.flag("Exclude them for all projects: in config.yaml of the data directory.")
    force: bool = fields.flag("Exclude ports that are reserved, too; their reservations stay. Allow an unrelated path.")
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")

    def __post_init__(self) -> None:
        _ = self.range

    @property
    def range(self) -> Range:
        """The ports. Raises ``InvalidArgument`` for a range whose first port is above its last."""
        first, _, last = self.ports.partition("..")
        found = int(first), int(last or first)
        if found[0] > found[1]:
            expected = f"a range whose first port is not above its last, such as {last}..{first}"
            raise InvalidArgument("ports", expected=expected, given=self.ports)
        return found


class ExcludeResult(Record):
    """What the file excludes now."""

    file: str = fields.outcome("The configuration file.")
    ports: str = fields.outcome("The ports that were asked for.")
    added: tuple[str, ...] = fields.outcome("Those of them that the file did not exclude before, as ports and ranges.")
    changed: bool = fields.outcome("Whether the file was changed, or would be.")
    truncated: bool = fields.outcome("Whether more was added than is listed.", default=False)
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class ExcludePlan(NamedTuple):
    """The ports, and the file that gets them."""

    ports: Range
    file: str
    data_directory: str
    force: bool
    dry_run: bool
    settings: Settings


def prepare(request: ExcludeRequest, context: Context) -> ExcludePlan:
    """Find the file: that of the project, or the one of the data directory.

    Raises ``NoProjectFile`` where the directory has no project file, and what finding the directory raises.
    """
    if request.global_:
        settings = context.settings(None)
        file = exclusion_file.global_file(context.data_directory)
    else:
        target = context.target(request.folder, None)
        settings = context.settings(target.path)
        context.guard(target, allowed=request.force or settings.allow_unrelated_path)
        file = exclusion_file.project_file(settings, target.path, context)
    return ExcludePlan(request.range, file, context.data_directory, request.force, request.dry_run, settings)


def run(plan: ExcludePlan, patience: Patience) -> ExcludeResult:
    """Add the ports to the file. Reads the store; a file that has them already is not touched.

    Raises ``ReservedPorts`` if some of them are reserved and the call does not force it, and what opening the store and
    changing the file raise.
    """
    reserved = _reserved(plan, patience)
    if reserved and not plan.force:
        raise ReservedPorts(_refusal(plan.ports, reserved), reserved)
    change = exclusion_file.change(plan.file, patience, add=Exclusions.of([plan.ports]), dry_run=plan.dry_run)
    return ExcludeResult(
        file=plan.file,
        ports=spelled(plan.ports),
        added=change.added,
        changed=change.changed,
        dry_run=plan.dry_run,
        warnings=tuple(f"port {row.port} stays reserved for {_named(row)}" for row in reserved),
    )


def _reserved(plan: ExcludePlan, patience: Patience) -> list[Reservation]:
    create = not plan.settings.disable_autoinit
    with (
        closing(Store(plan.data_directory)) as store,
        store.look(patience, "exclude", create=create, dry_run=plan.dry_run) as connection,
    ):
        return reservations.within(connection, *plan.ports)


def _refusal(ports: Range, reserved: list[Reservation]) -> str:
    if ports[0] == ports[1]:
        return f"port {ports[0]} is reserved for {_named(reserved[0])}"
    shown = ", ".join(f"{row.port} for {_named(row)}" for row in reserved[:_MOST_NAMED])
    more = ", …" if len(reserved) > _MOST_NAMED else ""
    verb = "is" if len(reserved) == 1 else "are"
    return f"{len(reserved)} of the ports {spelled(ports)} {verb} reserved: {shown}{more}"


def _named(row: Reservation) -> str:
    return row.path + (f" (tag {row.tag})" if row.tag is not None else "")


OPERATION = Operation(
    name="exclude",
    title="Exclude Ports",
    description=(
        "Adds a port or a range to the exclusions in the project's trop.yaml, or for all projects: no reservation is "
        "given such a port. Ports that are reserved are refused. Everything else in the file stays as it is."
    ),
    request=ExcludeRequest,
    result=ExcludeResult,
    work=Procedure(prepare=prepare, run=run, edits_beside=True),
)
