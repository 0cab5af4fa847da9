"""The log of what was done, and taking it back."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.paths import UnrelatedPath
from trop_core.errors.spelling import escaped, flag_name, quoted
from trop_core.light_types import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling

    class Undone(Protocol):
        """What an error says of an operation; ``trop_core.database.operation_log.Logged`` is one."""

        @property
        def id(self) -> int: ...

        @property
        def command(self) -> str: ...

        @property
        def summary(self) -> str: ...

    class InTheWay(Protocol):
        """What an error says of a reservation; ``trop_core.database.undoing.InTheWay`` is one."""

        @property
        def path(self) -> str: ...

        @property
        def tag(self) -> str | None: ...

        @property
        def port(self) -> int: ...

        @property
        def reason(self) -> str: ...


_MOST_NAMED = 5


class NothingToUndo(TropError):
    """There is no such operation on record, or none that changed anything there."""

    kind = "not_found"

    def __init__(
        self, number: int | None, *, exists: bool = False, path: str | None = None, told: str | None = None
    ) -> None:
        super().__init__(number, path)
        self.number = number
        self.exists = exists
        self.path = path
        self.told = told

    def message(self, spell: Spelling = flag_name) -> str:
        if self.told is not None:
            return f"nothing can be undone: {self.told}"
        if self.exists:
            return f"operation {self.number} has changed nothing"
        if self.number is not None:
            return f"there is no operation {self.number} on record"
        where = "" if self.path is None else f" to what is reserved at or below {quoted(self.path)}"
        return f"nothing that could be undone was done{where}"

    def hint(self, spell: Spelling = flag_name) -> str:
        if self.number is None and self.path is not None:
            return f"trop history shows what was done elsewhere; {spell('any')} takes back the last of that."
        return "trop history shows what was done. Another program's changes are not on record."

    def details(self) -> dict[str, object]:
        return {"id": self.number, "path": self.path}


class UnrelatedUndo(UnrelatedPath):
    """An operation has touched a directory that has nothing to do with where the call that undoes it comes from."""

    def __init__(self, operation: Undone, refused: UnrelatedPath) -> None:
        super().__init__(refused.path, refused.anchors, is_gone=refused.is_gone)
        self.operation = operation

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{_described(self.operation)} cannot be undone from here: {super().message(spell)}"


class UndoConflict(TropError):
    """Something has changed since that keeps an operation from being taken back as a whole."""

    kind = "undo_conflict"

    def __init__(self, operation: Undone, conflicts: Sequence[InTheWay], *, undone_by: int | None = None) -> None:
        super().__init__(operation, conflicts)
        self.operation = operation
        self.conflicts = tuple(conflicts)
        self.undone_by = undone_by

    def message(self, spell: Spelling = flag_name) -> str:
        if self.undone_by is not None:
            return f"operation {self.operation.id} was undone already, by operation {self.undone_by}"
        named = [_told(conflict) for conflict in self.conflicts[:_MOST_NAMED]]
        more = ["…"] if len(self.conflicts) > _MOST_NAMED else []
        what = f"{_described(self.operation)} cannot be undone as a whole, so nothing was done"
        return f"{what}: {'; '.join(named + more)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        if self.undone_by is not None:
            return f"To do it again, undo operation {self.undone_by}."
        return (
            "trop history shows what was done since; what is not in it, another program did. Undo that first, or put "
            "right by hand what is named."
        )

    def details(self) -> dict[str, object]:
        conflicts = [
            {"path": each.path, "tag": each.tag, "port": each.port, "reason": each.reason} for each in self.conflicts
        ]
        return {"operation": self.operation.id, "conflicts": conflicts}


def _described(operation: Undone) -> str:
    """``operation 3 (trop.release: 2 removed)``."""
    return f"operation {operation.id} ({escaped(operation.command)}: {escaped(operation.summary)})"


def _told(conflict: InTheWay) -> str:
    tag = "" if conflict.tag is None else f" (tag {quoted(conflict.tag)})"
    return f"{quoted(conflict.path)}{tag} {conflict.reason}"
