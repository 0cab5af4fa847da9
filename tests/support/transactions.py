"""Transactions of each kind that a database has, and whoever is told that one of them waits."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from trop_core.cancellation import CancellationToken
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from trop_core.database.handles import StoreConnection


def begin(database: Database, kind: str, patience: Patience | None = None) -> AbstractContextManager[StoreConnection]:
    """A transaction of one kind."""
    patience = patience or Patience(5)
    if kind == "read":
        return database.read(patience)
    return database.write(patience, "try") if kind == "write" else database.rehearse(patience, "try")


def open_store(path: Path, patience: Patience | None = None) -> None:
    """Open a store, which brings it to the latest version, and close it."""
    Database.open(str(path), patience=patience).close()


def write(path: Path, patience: Patience | None = None) -> None:
    """Open a store as it is, and begin and end a transaction that writes."""
    _try(path, "write", patience)


def rehearse(path: Path, patience: Patience | None = None) -> None:
    """Open a store as it is, and begin and end a transaction that is taken back."""
    _try(path, "rehearse", patience)


def _try(path: Path, kind: str, patience: Patience | None) -> None:
    with closing(Database.connect(str(path), patience=patience)) as database, begin(database, kind, patience):
        pass


class WaitedFor(CancellationToken):
    """A token that tells when somebody waits with it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, and tell that it begins."""
        self.waited.set()
        super().wait(seconds)
