"""Assert that a directory has a reservation, or has none."""

from __future__ import annotations

from trop_core import fields
from trop_core.catalogue import Operation, Query
from trop_core.database import reservations
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import ReservationKey
from trop_core.operations.assertions.result import AssertionResult, named
from trop_core.operations.moving.arrival import Arriving, stored_path, told_of_origin
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection


class AssertReservationRequest(Record):
    """Which reservation. Without a tag, the one that has none."""

    folder: str | None = fields.path(
        "The directory, as an editor knows it: links are followed. If left away, the open folder."
    )
    path: str | None = fields.path("The directory, exactly as spelled: links are not followed.")
    tag: str | None = fields.name("The reservation with this tag; without it, the one that has no tag.")
    not_: bool = fields.flag("Assert that there is no such reservation.")


class Prepared(NamedTuple):
    """The request with its directory."""

    key: ReservationKey
    target: Target
    negated: bool
    settings: Settings
    arriving: Arriving

    def again(self, arriving: Arriving) -> Prepared:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


def prepare(request: AssertReservationRequest, context: Context) -> Prepared:
    """Find the directory."""
    target, _ = context.target_and_settings(request.folder, request.path, tolerant=True)
    settings = context.settings(None)
    arriving = Arriving.at(target, context, follow=settings.follow_moves)
    return Prepared(ReservationKey(target.path, request.tag), target, request.not_, settings, arriving)


def read(connection: StoreConnection, prepared: Prepared) -> AssertionResult:
    """Look for the reservation, and leave its time of last use as it is."""
    target = prepared.target
    key = prepared.key._replace(path=stored_path(connection, prepared.arriving, prepared.again))
    found = reservations.find(connection, key)
    if found is not None:
        return AssertionResult(
            holds=not prepared.negated,
            explanation=f"port {found.port} is reserved for {named(key)}",
            reservation=found,
        )
    warnings: tuple[str, ...] = ()
    if target.canonical != target.path and reservations.find(connection, key._replace(path=target.canonical)):
        warnings = (f"{target.path} leads to {target.canonical}, which has this reservation",)
    warnings += told_of_origin(connection, prepared.arriving, prepared.again)
    return AssertionResult(
        holds=prepared.negated, explanation=f"nothing is reserved for {named(key)}", warnings=warnings
    )


OPERATION = Operation(
    name="assert_reservation",
    title="Assert Reservation",
    description=(
        "Tells whether a directory has a reservation, and which port it is. Unlike reserving, it creates and refreshes "
        "nothing."
    ),
    request=AssertReservationRequest,
    result=AssertionResult,
    work=Query(prepare=prepare, read=read),
)
