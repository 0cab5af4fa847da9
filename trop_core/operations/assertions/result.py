"""What the assertions share: their result, and the words for what is the case."""

from __future__ import annotations

from trop_core import fields
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import Reservation, Violation
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.models import ReservationKey


class AssertionResult(Record):
    """Whether what was asserted holds. That it does not is an answer and no error."""

    holds: bool = fields.outcome("Whether what was asserted is the case; with not, whether it is not.")
    explanation: str = fields.outcome("What is the case, for a person.")
    reservation: Reservation | None = fields.outcome("The reservation that was found, if any.", default=None)
    violations: tuple[Violation, ...] = fields.outcome(
        "What is wrong with the store, the first 1,000 of it; with any, the assertion does not hold, nor does its not.",
        default=(),
    )
    truncated: bool = fields.outcome("Whether there are more violations than are listed.", default=False)
    warnings: tuple[str, ...] = fields.outcome("What the caller should know, a sentence each.", default=())


def named(key: ReservationKey) -> str:
    """A key as a message shows it."""
    return quoted(key.path) + (f" (tag {quoted(key.tag)})" if key.tag is not None else "")
