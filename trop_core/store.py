"""The data directory: which one it is, and running transactions on the store in it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trop_core import paths
from trop_core.database.connection import Database
from trop_core.database.failures import system_failure
from trop_core.database.handles import create_file
from trop_core.errors.store import NoDataDirectory
from trop_core.errors.system import PermissionDenied, SystemFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience

DATABASE_NAME = "trop.db"
CONFIG_NAME = "config.yaml"


def data_directory(named: str | None, environment: Mapping[str, str], *, base: str) -> str:
    """The data directory, absolute. Looks, creates nothing.

    It is what the caller names, else ``TROP_DATA_DIR``, else ``~/.trop`` where that holds a store, else the system's
    place for a user's data. ``base`` is where a relative name starts. Raises ``InvalidPath`` for what cannot be one.
    """
    named = named if named is not None else environment.get("TROP_DATA_DIR") or None
    if named is not None:
        return paths.explicit(named, base=base)
    legacy = paths.explicit("~/.trop", base=base)
    if os.path.lexists(os.path.join(legacy, DATABASE_NAME)):
        return legacy
    usual = paths.explicit("~/.local/share/trop", base=base)
    if (
        sys.platform == "linux"
        and not os.environ.get("XDG_DATA_HOME")
        and os.path.lexists(os.path.join(usual, DATABASE_NAME))
    ):
        # What platformdirs would answer. To import it takes a fifth of the time of a whole reservation.
        return usual
    import platformdirs

    return paths.explicit(str(platformdirs.user_data_path("trop")), base=base)


def make_directory(path: str) -> None:
    """Make a data directory with mode 0700, and what is missing above it; one that exists stays as it is.

    Raises ``SystemFailure`` or ``PermissionDenied``.
    """
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise SystemFailure("create", path=path, reason="it is not a directory") from error
    except OSError as error:
        raise system_failure(error, "create", path) from error


class Store:
    """The store in one data directory, with connections that stay open between calls: one, and one for dry runs.

    Belongs to the thread that uses it first; ``close`` it in the end.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.path = os.path.join(directory, DATABASE_NAME)
        self._database: Database | None = None
        self._rehearsing: Database | None = None

    def close(self) -> None:
        """Close the connections that are open."""
        for database in (self._database, self._rehearsing):
            if database is not None:
                database.close()
        self._database = self._rehearsing = None

    @contextmanager
    def write(self, patience: Patience, operation: str, *, create: bool) -> Iterator[StoreConnection]:
        """One write transaction. A store that does not exist is created, or is ``NoDataDirectory``.

        Raises what opening and ``Database.write`` raise; nothing has changed then.
        """
        with self._opened(patience, create=create).write(patience, operation) as connection:
            yield connection

    @contextmanager
    def rehearse(self, patience: Patience, operation: str, *, create: bool) -> Iterator[StoreConnection]:
        """A write transaction that is rolled back, and fails where ``write`` would. Creates nothing.

        A store that does not exist is an empty one, if it could be created.
        """
        if self.exists():
            if self._rehearsing is None:
                self._rehearsing = Database.connect(self.path, patience=patience)
            with self._rehearsing.rehearse(patience, operation) as connection:
                yield connection
            return
        if not create:
            raise NoDataDirectory(self.path)
        self.check_creatable()
        database = Database.in_memory()
        try:
            with database.rehearse(patience, operation) as connection:
                yield connection
        finally:
            database.close()

    @contextmanager
    def read(self, patience: Patience, *, create: bool) -> Iterator[StoreConnection]:
        """One read transaction. A store that does not exist is an empty one, or is ``NoDataDirectory``.

        Creates nothing; an older schema is brought to the latest version.
        """
        if self.exists():
            with self._opened(patience, create=False).read(patience) as connection:
                yield connection
            return
        if not create:
            raise NoDataDirectory(self.path)
        database = Database.in_memory()
        try:
            with database.read(patience) as connection:
                yield connection
        finally:
            database.close()

    def look(
        self, patience: Patience, operation: str, *, create: bool, dry_run: bool
    ) -> AbstractContextManager[StoreConnection]:
        """One transaction for a call that reads the store and changes something else.

        A dry run leaves a store of an older version as it is.
        """
        if dry_run:
            return self.rehearse(patience, operation, create=create)
        return self.read(patience, create=create)

    def exists(self) -> bool:
        """Whether there is a store. Raises ``PermissionDenied`` or ``SystemFailure`` where the system will not tell."""
        try:
            os.stat(self.path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise system_failure(error, "look for the store at", self.path) from error
        return True

    def _opened(self, patience: Patience, *, create: bool) -> Database:
        if self._database is not None and not os.path.lexists(self.path):
            self.close()
        if self._database is None:
            if not self.exists():
                if not create:
                    raise NoDataDirectory(self.path)
                make_directory(self.directory)
                create_file(self.path)
            self._database = Database.open(self.path, create=False, patience=patience)
        return self._database

    def check_creatable(self) -> None:
        """Raise what creating the store would raise, as far as the system tells beforehand."""
        ancestor = self.directory
        while not os.path.lexists(ancestor):
            ancestor = os.path.dirname(ancestor)
        if not os.path.isdir(ancestor):
            raise SystemFailure("create", path=self.directory, reason="it is not a directory")
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise PermissionDenied("create", path=self.directory, reason="Permission denied")
