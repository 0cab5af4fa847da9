"""What the system refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted

if TYPE_CHECKING:
    from trop_core.errors.spelling import Spelling


class SystemFailure(TropError):
    """The system refused something: ``io_error``, or ``permission_denied`` where that is the reason."""

    kind = "io_error"

    def __init__(self, what: str, *, path: str, reason: str) -> None:
        super().__init__(what, path, reason)
        self.what = what
        self.path = path
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"cannot {self.what} {quoted(self.path)}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. See that the disk has space and the file system is in order, then try again."

    def details(self) -> dict[str, object]:
        return {"path": self.path, "reason": self.reason}


class PermissionDenied(SystemFailure):
    """The system does not let this user do it."""

    kind = "permission_denied"

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = "Nothing has changed. Make it accessible to this user"
        if self.path.endswith(".yaml"):
            return f"{advice}."
        return f"{advice}, or name another directory with TROP_DATA_DIR."


class SidecarInTheWay(PermissionDenied):
    """A file that SQLite keeps beside the store, and that this user may not write."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. It belongs to the store: make it writable for whoever may write to that. If it is a "
            "-shm, it may also be removed once no program has the store open. A -wal may hold reservations: never "
            "remove one that is not empty."
        )


class NoTemporaryDirectory(SystemFailure):
    """Something takes a file for a moment, and there is no place for it."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Set TMPDIR to a directory in which this user may make files."


class AnswerLost(SystemFailure):
    """The answer of a call could not be given, and what the call was for is done."""

    def __init__(self, reason: str) -> None:
        super().__init__("write the answer to", path="stdout", reason=reason)

    def hint(self, spell: Spelling = flag_name) -> str:
        return "What was asked for is done; only the answer is missing. Call again with a stdout that can be written."


class SocketsUnreadable(SystemFailure):
    """The system does not show its table of sockets, not even in part."""

    def __init__(self, reason: str) -> None:
        super().__init__("read", path="the system's table of sockets", reason=reason)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"cannot read {self.path}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "On Linux, /proc has to be mounted and readable for this user. Reserving works without it."

    def details(self) -> dict[str, object]:
        return {"reason": self.reason}
