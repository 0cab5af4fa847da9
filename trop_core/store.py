"""The data directory: which one it is, and running transactions on the store in it."""

from __future__ import annotations

import _sqlite3 as sqlite3
import os
import stat
import sys
from contextlib import ExitStack, contextmanager

from trop_core import paths
from trop_core.database.connection import Database
from trop_core.database.failures import denial, is_busy, system_failure, translate
from trop_core.database.file_set import DATABASE_NAME
from trop_core.database.handles import create_file
from trop_core.errors.base import TropError
from trop_core.errors.schema_migrations import MigrationFailed
from trop_core.errors.store import LockTimeout, NoDataDirectory, NoHome, NoLocks
from trop_core.errors.system import PermissionDenied, SystemFailure
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from trop_core.database.handles import StoreConnection
    from trop_core.database.waiting import Patience


class DataDirectory(NamedTuple):
    """Where the store is, or would be made, absolute; and what the caller should know of other places.

    Where there is no such place, ``path`` is empty, and ``failure`` is why.
    """

    path: str
    warnings: tuple[str, ...] = ()
    failure: TropError | None = None


def data_directory(
    named: str | None, environment: Mapping[str, str], *, base: str | None, tolerant: bool = False
) -> DataDirectory:
    """The data directory. Looks, creates nothing.

    It is what the caller names, else ``TROP_DATA_DIR``, else the user's one place, which does not depend on what
    started this process: the first of several that holds a store. ``base`` is where a relative name starts, if there is
    such a place. Raises ``InvalidPath`` for what cannot be one, ``NoHome``, and ``PermissionDenied`` or
    ``SystemFailure`` for a place that cannot be looked at and would count if it held a store; for who is ``tolerant``
    that is the ``failure`` of what is returned.
    """
    try:
        return _data_directory(named, environment, base)
    except TropError as failure:
        if not tolerant:
            raise
        return DataDirectory("", failure=failure)


def _data_directory(named: str | None, environment: Mapping[str, str], base: str | None) -> DataDirectory:
    named = named if named is not None else environment.get("TROP_DATA_DIR") or None
    if named is not None:
        return DataDirectory(paths.explicit(named, base=base))
    home = paths.home_directory()
    if home is None:
        raise NoHome
    places = _places(paths.check_storable(home))
    for number, place in enumerate(places, 1):
        if _holds_store(place):
            return DataDirectory(place, _told_of_others(place, places[number:]))
    first, usual = places[0], _usual(home)
    if usual in places and (first == usual or _can_be_made(usual) or not _can_be_made(first)):
        # Not every process of this user may have the variable that names the first one.
        return DataDirectory(usual)
    return DataDirectory(first)


def _usual(home: str) -> str:
    return f"{home}/.local/share/trop"


def _places(home: str) -> tuple[str, ...]:
    """Where a user's store may be, the place that counts first first: what platformdirs says, and older habits."""
    legacy = f"{home}/.trop"
    if sys.platform != "linux":
        import platformdirs

        return paths.explicit(str(platformdirs.user_data_path("trop")), base="/"), legacy
    # platformdirs would say the same. To import it takes a fifth of the time of a whole reservation.
    named = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(named) or _is_of_one_program(named, home):
        return _usual(home), legacy
    return tuple(dict.fromkeys((paths.explicit(f"{named}/trop", base="/"), _usual(home), legacy)))


def _is_of_one_program(directory: str, home: str) -> bool:
    """Whether a directory belongs to one program that snap or flatpak packaged, and with snap to one version of it."""
    below = [f"{home}/snap", f"{home}/.var/app"]
    names = {os.path.normpath(directory), os.path.realpath(directory)}
    return any(paths.is_within(name, each) for name in names for each in (*below, *map(os.path.realpath, below)))


def _holds_store(place: str) -> bool:
    """Whether there is a store. Raises ``PermissionDenied`` or ``SystemFailure`` where the system will not tell."""
    path = os.path.join(place, DATABASE_NAME)
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise system_failure(error, "look for the store at", path) from error
    return True


def _told_of_others(counting: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """The warnings about stores beside the one that counts; about what cannot be looked at, too."""
    found, warnings = [], []
    for place in others:
        try:
            if _holds_store(place) and not _is_one_store(counting, place):
                found.append(place)
        except SystemFailure as error:
            warnings.append(error.message())
    if found:
        from trop_core.errors.spelling import quoted

        names = " and in ".join(map(quoted, (counting, *found)))
        warnings.append(
            f"there are stores in {names}: the one in {quoted(counting)} counts, and nothing else is read; "
            "TROP_DATA_DIR names another one"
        )
    return tuple(warnings)


def _is_one_store(one: str, other: str) -> bool:
    try:
        return os.path.samefile(os.path.join(one, DATABASE_NAME), os.path.join(other, DATABASE_NAME))
    except OSError:
        return False


def _can_be_made(directory: str) -> bool:
    try:
        check_creatable(directory)
    except SystemFailure:
        return False
    return True


def check_creatable(directory: str) -> None:
    """Raise what creating a store in a directory would raise, as far as the system tells beforehand."""
    ancestor = directory
    while not os.path.lexists(ancestor):
        ancestor = os.path.dirname(ancestor)
    if not os.path.isdir(ancestor):
        raise SystemFailure("create", path=directory, reason="it is not a directory")
    if not os.access(ancestor, os.W_OK | os.X_OK):
        raise PermissionDenied("create", path=directory, reason=denial(ancestor))
    if paths.is_for_another(directory):
        from trop_core import ownership

        ownership.check_creatable(directory)


def make_directory(path: str) -> None:
    """Make a data directory with mode 0700, and what is missing above it; one that exists stays as it is.

    What root makes in the home of somebody else is theirs. Raises ``SystemFailure`` or ``PermissionDenied``.
    """
    if paths.is_for_another(path):
        from trop_core import ownership

        if ownership.make_directory(path):
            return
    missing: list[str] = []
    place = path
    while not os.path.lexists(place):
        missing.append(place)
        place = os.path.dirname(place)
    try:
        for each in reversed(missing):
            _make_directory(each, 0o700 if each == path else 0o777)
    except OSError as error:
        raise system_failure(error, "create", path) from error
    if not os.path.isdir(path):
        raise SystemFailure("create", path=path, reason="it is not a directory")


def _make_directory(path: str, mode: int) -> None:
    from trop_core.modes import allow_owner

    try:
        os.mkdir(path, mode)
    except FileExistsError:  # another process was faster
        return
    allow_owner(path, 0o700)


class Store:
    """The store in one data directory, with connections that stay open between calls: one, and one for dry runs.

    For one thread at a time; ``close`` it in the end.
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

    def write(self, patience: Patience, operation: str, *, create: bool) -> AbstractContextManager[StoreConnection]:
        """One write transaction. A store that does not exist is created, or is ``NoDataDirectory``.

        Raises what opening and ``Database.write`` raise; nothing has changed then.
        """
        return self._opened(patience, create=create).write(patience, operation)

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

        Creates nothing; an older schema is brought to the latest version. Where the store cannot be written, the disk
        is full, or the lock that an upgrade needs is held for longer than the call waits, a private copy is read.
        """
        with ExitStack() as stack:
            if not self.exists():
                if not create:
                    raise NoDataDirectory(self.path)
                yield self._begun(Database.in_memory(), stack, patience)
                return
            try:
                connection = stack.enter_context(self._opened(patience, create=False).read(patience))
            except NoLocks:
                raise
            except (SystemFailure, MigrationFailed):
                connection = self._copied(stack, patience)
            except LockTimeout as error:
                from trop_core.database.migrations.executor import OPERATION

                if error.operation != OPERATION:
                    raise
                connection = self._copied(stack, patience)
            yield connection

    @contextmanager
    def look(self, patience: Patience, operation: str, *, create: bool, dry_run: bool) -> Iterator[StoreConnection]:
        """One transaction for a call that reads the store and changes something else.

        A dry run leaves a store of an older version as it is.
        """
        with ExitStack() as stack:
            if not dry_run:
                yield stack.enter_context(self.read(patience, create=create))
                return
            try:
                connection = stack.enter_context(self.rehearse(patience, operation, create=create))
            except NoLocks:
                raise
            except (SystemFailure, MigrationFailed):
                if not self.exists():
                    raise
                connection = self._copied(stack, patience)
            yield connection

    def _copied(self, stack: ExitStack, patience: Patience) -> StoreConnection:
        """A read transaction on a copy of what is stored now."""
        from trop_core.database.read_only import read_only

        try:
            with read_only(self.path, patience, "read it") as connection:
                copy = Database.copy_of(connection)
        except sqlite3.Error as error:
            if is_busy(error):
                raise patience.timed_out("read it") from error
            raise translate(error, self.path) from error
        return self._begun(copy, stack, patience)

    def _begun(self, database: Database, stack: ExitStack, patience: Patience) -> StoreConnection:
        stack.callback(database.close)
        return stack.enter_context(database.read(patience))

    def exists(self) -> bool:
        """Whether there is a store.

        Raises ``PermissionDenied`` or ``SystemFailure`` where the system will not tell, and for what is no file.
        """
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError as error:
            if os.path.islink(self.path):
                reason = "it is a link to a file that does not exist"
                raise SystemFailure("open", path=self.path, reason=reason) from error
            return False
        except OSError as error:
            raise system_failure(error, "look for the store at", self.path) from error
        if not stat.S_ISREG(mode):
            reason = "it is a directory" if stat.S_ISDIR(mode) else "it is no regular file"
            raise SystemFailure("open", path=self.path, reason=reason)
        return True

    def _opened(self, patience: Patience, *, create: bool) -> Database:
        if self._database is not None and not paths.is_there(self.path):
            self.close()
        if self._database is None:
            if not self.exists():
                if not create:
                    raise NoDataDirectory(self.path)
                self._create()
            self._database = Database.open(self.path, create=False, patience=patience)
        return self._database

    def _create(self) -> None:
        from trop_core.database import locks

        make_directory(self.directory)
        locks.check(self.path)
        create_file(self.path)

    def check_creatable(self) -> None:
        """Raise what creating the store would raise, as far as the system tells beforehand."""
        check_creatable(self.directory)
