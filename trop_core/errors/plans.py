"""Plans: what a dry run has promised, and is not what would be done."""

from __future__ import annotations

from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.errors.spelling import Spelling


class _Unfit(TropError):
    """A plan that cannot be carried out; nothing was done."""

    def hint(self, spell: Spelling = flag_name) -> str:
        plan = spell("plan")
        told = f"Make another dry run, look at what it says, and give the plan that comes with it as {plan}"
        # In JSON the token stands in the result.
        return f"{told}: {spell('dry_run')} --verbose prints it." if plan == flag_name("plan") else f"{told}."


class PlanUsed(_Unfit):
    """The plan was carried out before."""

    kind = "plan_used"

    def __init__(self, operation: int) -> None:
        super().__init__(operation)
        self.operation = operation

    def message(self, spell: Spelling = flag_name) -> str:
        return f"this plan was carried out already, as operation {self.operation}: nothing was done"

    def details(self) -> dict[str, object]:
        return {"operation": self.operation}


class PlanExpired(_Unfit):
    """The plan is too old."""

    kind = "plan_expired"

    def message(self, spell: Spelling = flag_name) -> str:
        return "this plan is too old to be carried out: nothing was done"


class PlanChanged(_Unfit):
    """Something else would be done now, or by this call, than what was planned."""

    kind = "plan_changed"

    def __init__(self, now: str) -> None:
        super().__init__(now)
        self.now = now

    def message(self, spell: Spelling = flag_name) -> str:
        return f"this is not what was planned: nothing was done. Now it would be: {self.now}"

    def details(self) -> dict[str, object]:
        return {"now": self.now}


class PlanNeeded(InvalidArgument):
    """An agent would take something away, and nothing tells which directories are its own."""

    def __init__(self) -> None:
        super().__init__("plan", expected="the plan of a dry run, for nothing tells here what is yours", missing=True)

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            f"Call it with {spell('dry_run')} first, see what would go, and call it again with the token of the plan "
            f"that comes with that as {spell('plan')}."
        )


class PlanNotKept(_Unfit):
    """That the plan was carried out cannot be noted: the store's record is a newer trop's, or damaged."""

    kind = "plan_changed"

    def message(self, spell: Spelling = flag_name) -> str:
        return "that this plan was used cannot be noted in the store, so nothing was done"

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            f"Call it without {spell('plan')} if it is to be done all the same; trop assert-data-dir with "
            f"{spell('validate')} tells what is wrong with the store's record."
        )
