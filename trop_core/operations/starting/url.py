"""Reserve what a directory has, and tell the address of its port."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Mutation, Operation
from trop_core.errors.arguments import InvalidArgument
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.models import Reservation
from trop_core.operations.reserving.preparation import GroupOutcome
from trop_core.operations.starting import choice
from trop_core.operations.starting.choice import ChoiceRequest
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.operations.reserving.preparation import Prepared
    from trop_core.operations.starting.choice import Choice

MOST_NAMED = 10


class UrlRequest(ChoiceRequest):
    """Whose address is meant."""

    tag: str | None = fields.name(
        "The reservation with this tag. If left away, that of the only service of the project or of the one called "
        "web, or the port without a tag where it describes none."
    )


class UrlResult(Record):
    """The address, and the reservation that it comes from."""

    url: str = fields.outcome("The address, such as http://localhost:5000/.")
    port: int = fields.outcome("The port in it.")
    reservation: Reservation = fields.outcome("The reservation of the port.")
    outcome: GroupOutcome = fields.outcome("What had to be done for it, as trop.env tells it.")
    dry_run: bool = fields.outcome("Whether this only tells what would happen.")
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.")


def url_of(port: int) -> str:
    """The address of what listens on a port of this machine."""
    return f"http://localhost:{port}/"


def prepare(request: UrlRequest, context: Context) -> Prepared[Any]:
    """Find out what the directory has."""
    return choice.prepare(request, context)


def plan(connection: StoreConnection, prepared: Prepared[Any]) -> Choice:
    """Decide what to store. Reads; writes nothing. Raises ``InvalidArgument`` where no service is foremost."""
    chosen = choice.plan(connection, prepared)
    if chosen.main_port is None:
        from trop_core.ports.services import MAIN_SERVICE

        tags = [row.tag or "" for row in chosen.rows]
        named = ", ".join(tags[:MOST_NAMED]) + (", …" if len(tags) > MOST_NAMED else "")
        expected = f"one of the services, of which none is called {MAIN_SERVICE}: {named}"
        raise InvalidArgument("tag", expected=expected, missing=True)
    return chosen


def execute(connection: StoreConnection, chosen: Choice, context: Context) -> None:
    """Do what the plan says."""
    choice.execute(connection, chosen, context)


def report(chosen: Choice, dry_run: bool) -> UrlResult:
    """What the caller gets to know of a plan."""
    port = chosen.main_port
    assert port is not None
    return UrlResult(
        url=url_of(port),
        port=port,
        reservation=next(row for row in chosen.rows if row.port == port),
        outcome=chosen.plan.outcome,
        dry_run=dry_run,
        warnings=chosen.plan.warnings,
    )


OPERATION = Operation(
    name="url",
    title="Tell the Address",
    description=(
        "Reserves what a folder has, as trop.env does, and returns the address of its port: of the only one, of the "
        "service called web, or of the one with a tag."
    ),
    request=UrlRequest,
    result=UrlResult,
    work=Mutation(prepare=prepare, plan=plan, execute=execute, report=report, only_touches=choice.only_touches),
)
