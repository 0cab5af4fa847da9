"""Reserve what a directory has, and give out the variables that a program is started with."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Mutation, Operation, Procedure
from trop_core.errors.arguments import Contradiction, UnaccompaniedFlag
from trop_core.light_types import TYPE_CHECKING, Any, Literal, NamedTuple
from trop_core.models import Reservation
from trop_core.operations.reserving.preparation import GroupOutcome
from trop_core.operations.starting import choice
from trop_core.operations.starting.child_environment import PORT
from trop_core.operations.starting.choice import ChoiceRequest
from trop_core.ports.compose_names import compose_name, naming_port
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.reserving.preparation import Prepared
    from trop_core.operations.starting.choice import Choice
    from trop_core.operations.starting.env_file import Keeping
    from trop_core.ports.services import Group

FileOutcome = Literal["created", "updated", "unchanged", "removed", "outdated"]


class EnvRequest(ChoiceRequest):
    """Which of a directory's reservations is meant, and whether it has to be a group."""

    services: bool = fields.flag("Insist on the services of the project; it is an error if none are described.")

    write: str | None = fields.path(
        "A file of variables, such as .env, in which they are kept: in a block of its own, all else stays as it is. "
        "A relative name starts in the directory of the call."
    )
    check: bool = fields.flag("With write: tell whether the file is up to date; reserve nothing and write nothing.")
    remove: bool = fields.flag("With write: take the block out of the file; reserve nothing.")
    comment_out: bool = fields.flag("With write: make comments of the lines outside of the block that set the same.")
    take_over: bool = fields.flag("With write: take the block of another directory for this one's.")
    allow_tracked: bool = fields.flag("With write: change the file also if git tracks it.")

    def __post_init__(self) -> None:
        if self.check and self.remove:
            raise Contradiction("check", "remove", expected="either this or remove, not both")
        if self.write is None:
            for name in ("check", "remove", "comment_out", "take_over", "allow_tracked"):
                if getattr(self, name):
                    raise UnaccompaniedFlag(name, "write", expected="a file to be named as well, with write")
        if self.services and self.tag is not None:
            raise Contradiction("services", "tag", expected="either this or a tag, not both")


class EnvResult(Record):
    """The variables, and the reservations that they come from."""

    directory: str = fields.outcome("The directory that the ports are reserved for.")
    port: int | None = fields.outcome(
        "The port that needs no tag: the only one, or that of the service whose variable is PORT, else that of the "
        "one called web; null where there is none of them."
    )
    name: str | None = fields.outcome(
        "A name for what runs here: project and task, and a port that nobody else has; null where nothing is reserved."
    )
    environment: dict[str, int | str] = fields.outcome(
        "The variables: PORT for the port that needs no tag, one for each service, and what the project's file makes "
        "from the ports."
    )
    reservations: tuple[Reservation, ...] = fields.outcome(
        "What is reserved for the program: the services in the order of their file, or the one reservation."
    )
    others: tuple[Reservation, ...] = fields.outcome("What the same directory has reserved besides; it is only read.")
    outcome: GroupOutcome | None = fields.outcome(
        "created: nothing was stored; reused: it had these ports; extended: some services were missing; updated: a "
        "project or task changed; reallocated: a new port; moved: the directory was elsewhere before; null "
        "where nothing was to be reserved."
    )
    file: str | None = fields.outcome("The file in which the variables are kept, as it was named.", default=None)
    file_outcome: FileOutcome | None = fields.outcome(
        "created: the file was made; updated: the block was written into it, or changed; unchanged: it was up to date, "
        "or had no block to remove; removed: the block was taken out; outdated: it was only checked, and is not up to "
        "date.",
        default=None,
    )
    file_differences: tuple[str, ...] = fields.outcome("Why the file is not up to date, a sentence each.", default=())
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


class Plan(NamedTuple):
    """What is reserved, and what comes of it."""

    choice: Choice
    name: str
    environment: dict[str, int | str]


def prepare(request: EnvRequest, context: Context) -> Prepared[Any]:
    """Find out what the directory has."""
    return choice.prepare(request, context, services=request.services)


def plan(connection: StoreConnection, prepared: Prepared[Any]) -> Plan:
    """Decide what to store, and make the variables. Reads; writes nothing."""
    chosen = choice.plan(connection, prepared)
    settings = prepared.settings
    described = settings.group if settings.config_directory == prepared.target.path else None
    name = _name(chosen, chosen.group or described)
    environment: dict[str, int | str] = {} if chosen.main_port is None else {PORT: chosen.main_port}
    if chosen.group is not None:
        from trop_core.operations.groups import exports

        environment.update(exports.variables(chosen.group, chosen.rows, chosen.others, chosen.group.made))
    return Plan(chosen, name, environment)


def execute(connection: StoreConnection, plan: Plan, context: Context) -> None:
    """Do what the plan says."""
    choice.execute(connection, plan.choice, context)


def report(plan: Plan, dry_run: bool) -> EnvResult:
    """What the caller gets to know of a plan."""
    chosen = plan.choice
    return EnvResult(
        directory=chosen.directory,
        port=chosen.main_port,
        name=plan.name,
        environment=plan.environment,
        reservations=chosen.rows,
        others=chosen.others,
        outcome=chosen.plan.outcome,
        dry_run=dry_run,
        warnings=chosen.plan.warnings,
    )


def _nothing(directory: str) -> EnvResult:
    """The result for a directory of which nothing is reserved, or asked."""
    return EnvResult(
        directory=directory,
        port=None,
        name=None,
        environment={},
        reservations=(),
        others=(),
        outcome=None,
        dry_run=False,
        warnings=(),
    )


def _on_file(request: EnvRequest) -> Procedure | None:
    """The work of a request that names a file."""
    if request.write is None:
        return None
    return keeping().procedure()


def keeping() -> Keeping:
    """How the variables are kept in a file."""
    from trop_core.operations.starting.env_file import Keeping

    return Keeping(_RESERVING, _nothing)


def _name(chosen: Choice, group: Group | None) -> str:
    """The name of what runs here, the same that COMPOSE_PROJECT_NAME may have in the directory's group."""
    services = () if group is None else (service.tag for service in group.services)
    port = naming_port(services, {row.tag: row.port for row in (*chosen.rows, *chosen.others)})
    assert port is not None
    first = chosen.rows[0]
    return compose_name(first.project, first.task, first.path, port)


_RESERVING = Mutation(
    prepare=prepare,
    plan=plan,
    execute=execute,
    report=report,
    only_touches=lambda plan: choice.only_touches(plan.choice),
)

OPERATION = Operation(
    name="env",
    title="Give Out Variables",
    description=(
        "Reserves what a folder has, its project's services or its one port, and returns the environment variables "
        "that a program is started with in it. On request it keeps them in a file, such as .env, in a block of its own."
    ),
    request=EnvRequest,
    result=EnvResult,
    work=_RESERVING,
    other_work=_on_file,
)
