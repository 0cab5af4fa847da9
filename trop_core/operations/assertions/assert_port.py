"""Assert that a port is reserved, or is not."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.assertions.result import AssertionResult, named
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection


class AssertPortRequest(Record):
    """Which port."""

    port: int = fields.port("The port, whoever it is reserved for.", required=True)
    not_: bool = fields.flag("Assert that the port is not reserved.")


class Prepared(NamedTuple):
    """The request, with the settings of the call."""

    request: AssertPortRequest
    settings: Settings


def prepare(request: AssertPortRequest, context: Context) -> Prepared:
    """Read the user's configuration."""
    return Prepared(request, context.settings(None))


def read(connection: StoreConnection, prepared: Prepared) -> AssertionResult:
    """Look for the port, and leave its reservation as it is."""
    port, negated = prepared.request.port, prepared.request.not_
    found = reservations.holder(connection, port)
    if found is None:
        return AssertionResult(holds=negated, explanation=f"port {port} is not reserved")
    return AssertionResult(
        holds=not negated, explanation=f"port {port} is reserved for {named(found.key)}", reservation=found
    )


OPERATION = Operation(
    name="assert_port",
    title="Assert Port",
    description="Tells whether a port is reserved, and for whom. Whether anything listens on it does not matter.",
    request=AssertPortRequest,
    result=AssertionResult,
    work=Query(prepare=prepare, read=read),
)
