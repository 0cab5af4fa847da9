"""What the system refuses."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted
from trop_core.light_types import TYPE_CHECKING

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


class InputDenied(PermissionDenied):
    """A file that the call was told to read, and that this user may not."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Make it readable for this user, or leave it away."


class SidecarInTheWay(PermissionDenied):
    """A file that SQLite keeps beside the store, and that this user may not write."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. It belongs to the store: make it writable for whoever may write to that. If it is a "
            "-shm, it may also be removed once no program has the store open. A -wal may hold reservations: never "
            "remove one that is not empty."
        )


class SidecarNoFile(SystemFailure):
    """What has the name of a file that SQLite keeps beside the store, and is a directory, a link or a FIFO."""

    def __init__(self, path: str) -> None:
        super().__init__("use", path=path, reason="it is no regular file")

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Move it away: nothing but a file of SQLite's belongs there."


class SidecarLeftBehind(SystemFailure):
    """A -shm, which some process has open, without the -wal that it belongs to."""

    def __init__(self, path: str) -> None:
        reason = "the -wal that it belongs to was removed or cut off, and a program has it open"
        super().__init__("use", path=path, reason=reason)

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. End the programs that have the store open (lsof, or fuser, names them), then try "
            "again. What only that -wal held is gone."
        )


class TooManyOpenFiles(SystemFailure):
    """The process may not open as many files as it needs."""

    def __init__(self, what: str, *, path: str) -> None:
        super().__init__(what, path=path, reason="this process may not open any more files")

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Allow it more open files (ulimit -n shows how many there may be), then try again."


class Withheld(SystemFailure):
    """The system does not give something that has no path: ``path`` says in words what."""

    def message(self, spell: Spelling = flag_name) -> str:
        return f"cannot {self.what} {self.path}: {self.reason}"

    def details(self) -> dict[str, object]:
        return {"reason": self.reason}


class TooFewThreads(Withheld):
    """The system lets no more threads begin, one of which was needed."""

    def __init__(self) -> None:
        super().__init__("begin", path="a thread", reason="the system lets no more of them begin")

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Allow this user, or its container, more processes (ulimit -u and pids.max show how many there may be), "
            "or more memory, then try again."
        )


class NoTemporaryDirectory(Withheld):
    """There is no place for what is needed for a moment only."""

    def __init__(self) -> None:
        super().__init__("make", path="a temporary directory", reason="the system has no place for one")

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Name a directory that this user may write to with TMPDIR, then try again."


class Unforeseen(SystemFailure):
    """The system refused something where that was not reckoned with: how far the call had come is not known."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "See that the disk has space and that the file system is in order, then try again. "
            "trop list shows what is reserved."
        )


class MountedFile(SystemFailure):
    """A file cannot be replaced, for it is mounted under its name by itself, as containers do it."""

    def __init__(self, path: str) -> None:
        super().__init__("replace", path=path, reason="it is a mount of its own")

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. Write the file where it is mounted from, or mount the directory that it is in "
            f"instead. Without {spell('with_config')} it stays as it is."
        )


class NotTakenBack(SystemFailure):
    """Something failed, and what had been done until then could not be taken back either.

    ``left`` is where that which was at ``path`` is now.
    """

    def __init__(self, failure: str, *, path: str, reason: str, left: str) -> None:
        super().__init__("put back", path=path, reason=reason)
        self.failure = failure
        self.left = left

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{self.failure}; and {quoted(self.path)} cannot be put back as it was: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"What it was is {quoted(self.left)} now. Put it back by hand, or do the same once more."

    def details(self) -> dict[str, object]:
        return {**super().details(), "left": self.left}


class AnswerLost(SystemFailure):
    """The answer of a call could not be given, and what the call was for is done."""

    def __init__(self, reason: str) -> None:
        super().__init__("write the answer to", path="stdout", reason=reason)

    def hint(self, spell: Spelling = flag_name) -> str:
        return "What was asked for is done; only the answer is missing. Call again with a stdout that can be written."


class NoAnswer(SystemFailure):
    """The system says nothing in time, neither good nor bad."""

    def __init__(self, path: str) -> None:
        super().__init__("look at", path=path, reason="the system does not answer in time")

    def hint(self, spell: Spelling = flag_name) -> str:
        return "See whether it lies on a network mount that is dead: mount that again, or unmount it."


class SocketsUnreadable(Withheld):
    """The system does not show its table of sockets, not even in part."""

    def __init__(self, reason: str) -> None:
        super().__init__("read", path="the system's table of sockets", reason=reason)

    def hint(self, spell: Spelling = flag_name) -> str:
        return "On Linux, /proc has to be mounted and readable for this user. Reserving works without it."


class NoBrowser(SystemFailure):
    """There is no browser that shows an address in a window of its own."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__("open", path=url, reason=reason)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"no browser opens {self.path}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Open the address yourself, or name a browser with BROWSER; trop url prints the address alone."

    def details(self) -> dict[str, object]:
        return {"url": self.path, "reason": self.reason}
