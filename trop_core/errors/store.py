"""The store: its lock, its file and what stands in it."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted
from trop_core.errors.system import SystemFailure
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.errors.spelling import Spelling


class LockTimeout(TropError):
    """Another process held the store, or what else ``what`` names, for longer than the caller wanted to wait."""

    kind = "lock_timeout"
    retryable = True

    def __init__(self, *, timeout_seconds: float, operation: str, what: str = "the store") -> None:
        super().__init__(timeout_seconds, operation)
        self.timeout_seconds = timeout_seconds
        self.operation = operation
        self.what = what

    def message(self, spell: Spelling = flag_name) -> str:
        locked, trying = f"{self.what} was locked by another process", f"while trying to {self.operation}"
        if not self.timeout_seconds:
            return f"{locked} {trying}, and this call does not wait"
        return f"{locked} for {self.timeout_seconds:g} s {trying}"

    def hint(self, spell: Spelling = flag_name) -> str:
        more = "longer" if self.timeout_seconds else "for it"
        return f"Nothing has changed. Try again, or wait {more} with TROP_BUSY_TIMEOUT (or trop's --busy-timeout)."

    def details(self) -> dict[str, object]:
        return {"timeoutSeconds": self.timeout_seconds, "operation": self.operation}


class NoDataDirectory(TropError):
    """There is no store, and creating one is disabled."""

    kind = "no_data_directory"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def message(self, spell: Spelling = flag_name) -> str:
        return f"there is no store at {quoted(self.path)}, and creating one by the way is disabled"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Create it with trop init, or name another directory with --data-dir or TROP_DATA_DIR."

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class StoreRemoved(NoDataDirectory):
    """There is no store any more where a call has waited for one: whoever may create one begins anew."""


class NoHome(TropError):
    """Nobody named a data directory, and the user has no home in which one could be."""

    kind = "no_data_directory"

    def message(self, spell: Spelling = flag_name) -> str:
        return "there is no place for the store: this user has no home directory"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Set HOME to the user's home, or name a directory for the store with TROP_DATA_DIR or --data-dir."

    def details(self) -> dict[str, object]:
        return {"path": None}


class NoLocks(SystemFailure):
    """The file system has no locks, or no memory that processes share: SQLite takes that for a lock of another."""

    def __init__(self, path: str, *, file_system: str, reason: str) -> None:
        super().__init__("lock", path=path, reason=f"{file_system} does not let files be locked and shared ({reason})")

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Name a directory on a local file system with TROP_DATA_DIR."


class OtherNames(SystemFailure):
    """The store's file has more than one name: SQLite keeps a -wal and a -shm beside each, and none knows of another's.

    ``advice`` is what to do.
    """

    def __init__(self, path: str, *, reason: str, advice: str) -> None:
        super().__init__("use", path=path, reason=f"{reason}, and what is stored under one name is lost under another")
        self.advice = advice

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Nothing has changed. {self.advice}, or name another directory with TROP_DATA_DIR."

    @classmethod
    def mounted(cls, path: str) -> OtherNames:
        """That of a file that is mounted by itself."""
        return cls(path, reason="it is a mount of its own", advice="Mount the directory that it is in instead")

    @classmethod
    def linked(cls, path: str) -> OtherNames:
        """That of a file with hard links."""
        advice = "Remove its other names, which find -samefile tells"
        return cls(path, reason="it has other names (hard links)", advice=advice)


class DatabaseCorrupt(TropError):
    """The store holds something that it cannot hold; it is left as it is."""

    kind = "database_corrupt"

    def __init__(
        self,
        reason: str,
        *,
        path: str,
        table: str | None = None,
        column: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.table = table
        self.column = column
        self.key = key

    def message(self, spell: Spelling = flag_name) -> str:
        where = ".".join(part for part in (self.table, self.column) if part)
        row = f" at {quoted(self.key)}" if self.key is not None else ""
        return f"the store {quoted(self.path)} is damaged: {where + row + ': ' if where else ''}{self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing was changed. Mend it with the sqlite3 program, or start anew with trop init --overwrite, which "
            "keeps the damaged file, and then trop restore a backup (trop.db*.bak* beside it)."
        )

    def details(self) -> dict[str, object]:
        return {"path": self.path, "table": self.table, "column": self.column, "key": self.key}


class DamagedRecord(DatabaseCorrupt):
    """The record of what was done holds something that it cannot hold; the reservations are not concerned."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing was changed, and the reservations are sound. Delete that row with the sqlite3 program; what it "
            "was about cannot be undone then."
        )


class UnsupportedSchemaVersion(TropError):
    """The store was written by a newer trop than this one."""

    kind = "unsupported_schema_version"

    def __init__(self, path: str, *, found: int, supported: int) -> None:
        super().__init__(path, found, supported)
        self.path = path
        self.found = found
        self.supported = supported

    def message(self, spell: Spelling = flag_name) -> str:
        return (
            f"the store {quoted(self.path)} has schema version {self.found}, and this trop knows versions "
            f"up to {self.supported}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing was changed. Update trop, or name another data directory with --data-dir or TROP_DATA_DIR."

    def details(self) -> dict[str, object]:
        return {"found": self.found, "supported": self.supported}
