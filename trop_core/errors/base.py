"""What every error has, and the two that belong to no noun."""

from __future__ import annotations

from trop_core.errors.spelling import flag_name
from trop_core.light_types import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from trop_core.errors.spelling import Spelling


class TropError(Exception):
    """The base of everything that trop refuses or fails to do."""

    kind: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    warnings: tuple[str, ...] = ()
    """What the caller should know besides, a sentence each."""

    def message(self, spell: Spelling = flag_name) -> str:
        """What happened to what, in one sentence."""
        raise NotImplementedError

    def hint(self, spell: Spelling = flag_name) -> str:
        """What to do next."""
        raise NotImplementedError

    def lines(self, spell: Spelling = flag_name) -> tuple[str, ...]:
        """The message in the lines that it has. A line feed in one of them is part of a text that it quotes."""
        return (self.message(spell),)

    def details(self) -> dict[str, object]:
        """The values that the error is about, by the names of the contract; reservations as they are."""
        return {}

    def __str__(self) -> str:
        return self.message()


class InternalError(TropError):
    """Something that cannot happen did: a defect of trop itself."""

    kind = "internal"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def message(self, spell: Spelling = flag_name) -> str:
        return f"trop failed in a way it should not: {self.what}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Please report this; TROP_LOG_MODE=verbose, or --verbose, shows where it happened."


class Cancelled(TropError):
    """The caller took the call back before it had committed; everything was rolled back."""

    kind = "cancelled"

    def message(self, spell: Spelling = flag_name) -> str:
        return "cancelled: nothing has changed"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Call again when you want it after all."
