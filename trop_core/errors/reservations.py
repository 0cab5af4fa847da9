"""What is reserved, and stands in the way or is missing."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted, shell_word
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling
    from trop_core.light_types import Protocol

    class Reserved(Protocol):
        """What an error says of a reservation; ``models.Reservation`` is one."""

        @property
        def port(self) -> int: ...

        @property
        def path(self) -> str: ...

        @property
        def tag(self) -> str | None: ...


class StickyField(TropError):
    """Project or task of a reservation would change, and nothing permits it."""

    kind = "sticky_field"

    def __init__(
        self, field: str, *, path: str, tag: str | None, stored: str | None, requested: str | None, by: str
    ) -> None:
        super().__init__(field, stored, requested)
        self.field = field
        self.path = path
        self.tag = tag
        self.stored = stored
        self.requested = requested
        self.by = by

    def message(self, spell: Spelling = flag_name) -> str:
        where = quoted(self.path) + (f" (tag {quoted(self.tag)})" if self.tag is not None else "")
        has = f"has the {self.field} {quoted(self.stored)}" if self.stored is not None else f"has no {self.field}"
        wish = f"would become {quoted(self.requested)}" if self.requested is not None else "would be cleared"
        return f"the reservation of {where} {has}, which {wish}"

    def hint(self, spell: Spelling = flag_name) -> str:
        said = self.by if self.by.isupper() else spell(self.by)
        return f"Leave {said} away to keep it, or add {spell(f'allow_change_{self.field}')} to change it."

    def details(self) -> dict[str, object]:
        return {"field": self.field, "stored": self.stored, "requested": self.requested}


class NotFound(TropError):
    """The reservation that the call is about does not exist."""

    kind = "not_found"

    def __init__(self, path: str, *, advice: str, tag: str | None = None) -> None:
        super().__init__(path)
        self.path = path
        self.advice = advice
        self.tag = tag

    def message(self, spell: Spelling = flag_name) -> str:
        what = "nothing" if self.tag is None else f"nothing with the tag {quoted(self.tag)}"
        if self.tag == "":
            what = "no port without a tag"
        return f"{what} is reserved for {quoted(self.path)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class UnknownTag(NotFound):
    """A placeholder names a tag that nothing is reserved with; ``known`` are those that there are."""

    def __init__(self, path: str, tag: str, *, placeholder: str, known: Sequence[str]) -> None:
        named = f"Tags there are: {', '.join(map(quoted, known[:10]))}." if known else "There is no other tag, either."
        reserve = f"Reserve it first (trop reserve --tag {shell_word(tag)})"
        literal = f"or write {{{placeholder}}} where the text itself is meant"
        super().__init__(path, advice=f"{named} {reserve}, {literal}.", tag=tag)
        self.placeholder = placeholder

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{super().message(spell)}, and {quoted(self.placeholder)} stands for its port"

    def details(self) -> dict[str, object]:
        return {"path": self.path, "tag": self.tag}


class ReservationConflict(TropError):
    """Reservations stand where the call would put others."""

    kind = "reservation_conflict"

    def __init__(self, what: str, conflicts: Sequence[Reserved], *, total: int | None = None) -> None:
        super().__init__(what, conflicts)
        self.what = what
        self.conflicts = tuple(conflicts)
        self.total = len(self.conflicts) if total is None else total

    def message(self, spell: Spelling = flag_name) -> str:
        return self.what

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Release what is in the way, or replace it with {spell('force')}."

    def details(self) -> dict[str, object]:
        return {"conflicts": list(self.conflicts)}


class ReservedPorts(ReservationConflict):
    """Ports that are to be excluded are reserved."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Release what is in the way, or exclude the ports all the same with {spell('force')}."


class AssertionNotMet(TropError):
    """What the caller asserted does not hold."""

    kind = "assertion_failed"

    def __init__(self, what: str, *, advice: str = "trop list shows what is reserved.") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice

    def message(self, spell: Spelling = flag_name) -> str:
        return self.what

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice
