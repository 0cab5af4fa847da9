"""Paths, folders, and which of them a call may touch."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling


class InvalidPath(TropError):
    """A path that cannot be stored without loss, or that the operation cannot take."""

    kind = "invalid_path"

    def __init__(self, path: str, reason: str, *, advice: str = "Give a path to a directory.", alone: bool = False):
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.advice = advice
        self.alone = alone

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{quoted(self.path)} cannot be used as a path: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class AmbiguousFolder(TropError):
    """Several workspace folders are open, and the call does not say which one is meant."""

    kind = "ambiguous_folder"

    def __init__(self, folders: Sequence[str]) -> None:
        super().__init__(folders)
        self.folders = tuple(folders)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{len(self.folders)} folders are open and none was named: {', '.join(map(quoted, self.folders))}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Name one of them with {spell('folder')}."

    def details(self) -> dict[str, object]:
        return {"folders": list(self.folders)}


class UnrelatedPath(TropError):
    """A mutating call on a path that is neither an anchor directory nor above or below one.

    ``is_gone`` tells that there is no anchor because the directory that would be it was removed.
    """

    kind = "unrelated_path"

    def __init__(self, path: str, anchors: Sequence[str], *, is_gone: bool = False) -> None:
        super().__init__(path, anchors)
        self.path = path
        self.anchors = tuple(anchors)
        self.is_gone = is_gone

    def message(self, spell: Spelling = flag_name) -> str:
        if self.is_gone:
            return f"{quoted(self.path)} is related to nothing: the working directory no longer exists"
        where = ", ".join(map(quoted, self.anchors)) or "any open folder (none is open)"
        return f"{quoted(self.path)} is neither above nor below {where}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"If this path is what you mean, add {spell('allow_unrelated_path')}."

    def details(self) -> dict[str, object]:
        return {"path": self.path, "anchors": list(self.anchors)}
