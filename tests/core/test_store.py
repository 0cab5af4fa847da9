"""The data directory, and the store in it."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest
from support import stores
from support.processes import child

from trop_core.database import reservations
from trop_core.database.waiting import Patience
from trop_core.errors.paths import InvalidPath
from trop_core.errors.schema_migrations import MigrationBlocked
from trop_core.errors.store import DatabaseCorrupt, LockTimeout, NoDataDirectory, NoHome, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure
from trop_core.models import Reservation
from trop_core.paths import home_directory
from trop_core.store import DataDirectory, Store, data_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.errors.base import TropError

A = Reservation(5000, "/a", None, None, None, 1, 2)
ROW = ("/a", "", 5000, None, None, 1, 2)

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="XDG is how Linux does it")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    for name in ("XDG_DATA_HOME", "TROP_DATA_DIR", "SNAP_REAL_HOME"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that does not exist yet, nor the directories that lead to it."""
    opened = Store(str(tmp_path / "some" / "where"))
    yield opened
    opened.close()


def directory_of(store: Store) -> Path:
    return Path(store.directory)


def insert(store: Store) -> None:
    with store.write(Patience(5), "reserve", create=True) as connection:
        reservations.insert(connection, A)


def found(**variables: str) -> str:
    """The data directory that nobody names."""
    return data_directory(None, variables, base="/base").path


def hold_a_store(*directories: Path) -> None:
    for each in directories:
        each.mkdir(parents=True)
        (each / "trop.db").touch()


def test_the_data_directory_is_what_the_caller_names_before_all_else(home: Path) -> None:
    hold_a_store(home / ".trop")

    named = data_directory("/named", {"TROP_DATA_DIR": "/environment"}, base="/base")
    environment = data_directory(None, {"TROP_DATA_DIR": "/environment"}, base="/base")

    assert (named.path, environment.path, found()) == ("/named", "/environment", str(home / ".trop"))
    assert (named.warnings, environment.warnings) == ((), ())


def test_a_store_of_the_tool_of_the_same_name_behind_a_link_counts(home: Path, tmp_path: Path) -> None:
    (home / ".trop").mkdir()
    (home / ".trop" / "trop.db").symlink_to(tmp_path / "missing.db")

    assert found() == str(home / ".trop")


def test_a_store_in_the_systems_place_is_where_platformdirs_says_it_is(home: Path) -> None:
    place = platformdirs.user_data_path("trop")
    hold_a_store(place)

    assert found() == str(place)


@LINUX
def test_of_several_stores_the_first_counts_and_a_warning_names_them_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    places = [home / "data" / "trop", home / ".local" / "share" / "trop", home / ".trop"]
    hold_a_store(*places)

    seen = []
    for place in places:
        seen.append(data_directory(None, {}, base="/base"))
        (place / "trop.db").unlink()

    assert [each.path for each in seen] == [str(place) for place in places]
    (warning,) = seen[0].warnings
    assert warning == (
        f'there are stores in "{places[0]}" and in "{places[1]}" and in "{places[2]}": the one in "{places[0]}" '
        "counts, and nothing else is read; TROP_DATA_DIR names another one"
    )
    assert len(seen[1].warnings) == 1
    assert str(places[0]) not in seen[1].warnings[0]
    assert seen[2].warnings == ()


@LINUX
def test_one_store_under_two_names_is_one(home: Path) -> None:
    hold_a_store(home / ".local" / "share" / "trop")
    (home / ".trop").symlink_to(home / ".local" / "share" / "trop")

    assert data_directory(None, {}, base="/base").warnings == ()


@LINUX
def test_where_a_store_is_made_does_not_depend_on_a_variable_that_not_every_process_has(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    (home / "data" / "trop").mkdir(parents=True)

    assert found() == str(home / ".local" / "share" / "trop")
    assert [entry.name for entry in home.iterdir()] == ["data"]


@LINUX
def test_a_store_is_made_in_the_systems_place_where_the_usual_one_cannot_be_made(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "a" / ".." / "data"))
    (home / ".local").touch()

    possible = found()
    (home / "data").touch()
    neither = found()

    assert possible == str(home / "data" / "trop")
    assert neither == str(home / ".local" / "share" / "trop")


@LINUX
@pytest.mark.parametrize("place", ["snap/code/170/.local/share", ".var/app/com.code/data", "real/snap/code/share"])
def test_the_place_of_a_packaged_program_is_not_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (home / "real").symlink_to(home)
    hold_a_store(home / place / "trop")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / place))

    assert data_directory(None, {}, base="/base") == DataDirectory(str(home / ".local" / "share" / "trop"))


@LINUX
def test_a_relative_place_is_not_looked_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold_a_store(home / "data" / "trop")
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_DATA_HOME", "data")

    assert found() == str(home / ".local" / "share" / "trop")


@LINUX
def test_inside_of_a_snap_home_is_the_real_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold_a_store(home / ".trop")
    monkeypatch.setenv("SNAP_REAL_HOME", str(home))
    monkeypatch.setenv("HOME", str(home / "snap" / "code" / "170"))

    assert found() == str(home / ".trop")
    assert home_directory() == str(home)


@LINUX
@pytest.mark.parametrize("place", [".local/share/trop", ".trop"])
def test_a_place_that_cannot_be_looked_at_is_an_error(home: Path, place: str) -> None:
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).symlink_to(home / place)

    with pytest.raises(SystemFailure, match="Too many levels of symbolic links") as failed:
        found()

    assert failed.value.path == str(home / place / "trop.db")


@LINUX
def test_a_place_that_would_not_count_anyway_is_told_of_if_it_cannot_be_looked_at(home: Path) -> None:
    hold_a_store(home / ".local" / "share" / "trop")
    (home / ".trop").symlink_to(home / ".trop")

    path, (warning,), _ = data_directory(None, {}, base="/base")

    assert path == str(home / ".local" / "share" / "trop")
    assert warning == f'cannot look for the store at "{home}/.trop/trop.db": Too many levels of symbolic links'


@pytest.mark.parametrize("home_is", ["/", "//", "/."])
def test_without_a_home_there_is_no_place_for_a_store_but_a_named_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, home_is: str
) -> None:
    monkeypatch.setenv("HOME", home_is)

    with pytest.raises(NoHome):
        found()

    assert found(TROP_DATA_DIR="/named") == "/named"
    assert home_directory() is None


@pytest.mark.parametrize("home_is", ["", "relative"])
def test_a_home_that_is_no_path_is_looked_up_where_the_system_keeps_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, home_is: str
) -> None:
    monkeypatch.setenv("HOME", home_is)

    assert home_directory() == pwd.getpwuid(os.getuid()).pw_dir


@pytest.mark.parametrize(
    ("named", "expected"),
    [("sub", "/base/sub"), ("../sub", "/sub"), ("./a//b/", "/base/a/b"), ("/x/./y", "/x/y"), ("~/d", "{home}/d")],
)
def test_a_named_data_directory_becomes_absolute(home: Path, named: str, expected: str) -> None:
    assert data_directory(named, {}, base="/base").path == expected.format(home=home)
    assert found(TROP_DATA_DIR=named) == expected.format(home=home)


def test_an_empty_variable_counts_as_absent_and_an_empty_argument_is_refused(home: Path) -> None:
    assert found(TROP_DATA_DIR="").startswith(str(home))
    with pytest.raises(InvalidPath):
        data_directory("", {}, base="/base")


@pytest.mark.parametrize("umask", [0, 0o22, 0o177, 0o277, 0o777], ids=oct)
def test_writing_creates_directory_and_store_for_their_owner_only(store: Store, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        insert(store)
    finally:
        os.umask(before)

    assert (tmp_path / "some").stat().st_mode & 0o7777 == 0o777 & ~umask | 0o700
    assert directory_of(store).stat().st_mode & 0o7777 == 0o700
    assert Path(store.path).stat().st_mode & 0o7777 == 0o600
    assert stores.rows_in(Path(store.path)) == [ROW]


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir(mode=0o750)
    directory.chmod(0o750)
    store = Store(str(directory))

    insert(store)
    store.close()

    assert directory.stat().st_mode & 0o7777 == 0o750


def test_creating_can_be_forbidden(store: Store, tmp_path: Path) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: store.write(Patience(5), "reserve", create=False),
        lambda: store.rehearse(Patience(5), "reserve", create=False),
        lambda: store.read(Patience(5), create=False),
    ]
    for attempt in attempts:
        with pytest.raises(NoDataDirectory), attempt():
            pytest.fail("a transaction began")

    assert list(tmp_path.iterdir()) == []


def test_reading_and_rehearsing_a_missing_store_find_it_empty_and_create_nothing(store: Store, tmp_path: Path) -> None:
    with store.read(Patience(5), create=True) as connection:
        read = reservations.listing(connection)
    with store.rehearse(Patience(5), "reserve", create=True) as connection:
        reservations.insert(connection, A)
        rehearsed = reservations.listing(connection)

    assert (read, rehearsed) == ([], [A])
    assert list(tmp_path.iterdir()) == []


def test_a_store_stays_open_and_is_the_same_for_all_calls(store: Store) -> None:
    insert(store)

    with store.read(Patience(5), create=False) as connection:
        first = reservations.listing(connection)
    with store.rehearse(Patience(5), "release", create=False) as connection:
        reservations.delete(connection, [A.key])
        assert reservations.listing(connection) == []
    with store.write(Patience(5), "release", create=False) as connection:
        second = reservations.listing(connection)

    assert first == second == [A]


def test_a_store_that_was_removed_with_its_directory_is_made_anew(store: Store) -> None:
    insert(store)
    shutil.rmtree(store.directory)

    insert(store)

    assert stores.rows_in(Path(store.path)) == [ROW]


def test_a_store_whose_file_was_removed_is_made_anew(store: Store) -> None:
    insert(store)
    Path(store.path).unlink()

    with store.read(Patience(5), create=True) as connection:
        found = reservations.listing(connection)
    insert(store)

    assert found == []
    assert stores.rows_in(Path(store.path)) == [ROW]
    assert stores.integrity_of(Path(store.path)) == "ok"


def test_a_closed_store_opens_again(store: Store) -> None:
    insert(store)
    store.close()
    store.close()

    with store.read(Patience(5), create=False) as connection:
        assert reservations.listing(connection) == [A]


def v1(path: Path) -> None:
    stores.make_v1(path, [("/a", None, 5000, None, None, 1, 2)])


def blocked(path: Path) -> None:
    stores.make_v1(path, [("/a", "", 0, None, None, 1, 2)])


def newer(path: Path) -> None:
    stores.run(stores.make_v2(path), "UPDATE metadata SET value = '3'")


def noise(path: Path) -> None:
    path.write_bytes(b"noise" * 1000)


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (blocked, MigrationBlocked),
        (newer, UnsupportedSchemaVersion),
        (noise, DatabaseCorrupt),
        (directory, SystemFailure),
    ],
)
def test_a_dry_run_fails_where_the_real_run_does_with_the_same_error(
    tmp_path: Path, make: Callable[[Path], None], expected: type[TropError]
) -> None:
    make(tmp_path / "trop.db")
    before = stores.snapshot(tmp_path)
    store = Store(str(tmp_path))

    errors = []
    for begin in (store.write, store.rehearse):
        with pytest.raises(expected) as failed, begin(Patience(5), "reserve", create=True):
            pytest.fail("a transaction began")
        errors.append((failed.value.message(), failed.value.hint(), failed.value.details()))
    store.close()

    assert errors[0] == errors[1]
    assert stores.snapshot(tmp_path) == before


@pytest.mark.parametrize("make", [v1, stores.make_v2])
def test_a_locked_store_is_a_lock_timeout_for_both(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "trop.db")
    store = Store(str(tmp_path))

    errors = []
    with stores.locked(tmp_path / "trop.db"):
        for begin in (store.write, store.rehearse):
            with pytest.raises(LockTimeout) as failed, begin(Patience(0), "reserve", create=True):
                pytest.fail("a transaction began")
            errors.append(failed.value.kind)
    store.close()

    assert errors == ["lock_timeout"] * 2


def test_a_dry_run_of_an_old_store_leaves_it_old_byte_for_byte(tmp_path: Path) -> None:
    v1(tmp_path / "trop.db")
    before = stores.snapshot(tmp_path)
    store = Store(str(tmp_path))

    with store.rehearse(Patience(5), "reserve", create=True) as connection:
        found = reservations.listing(connection)
    store.close()

    assert found == [A]
    assert stores.snapshot(tmp_path) == before


def test_a_file_where_the_directory_should_be_is_told_by_both(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for name in ("file", "file/below"):
        store = Store(str(tmp_path / name))
        for begin in (store.write, store.rehearse):
            with pytest.raises(SystemFailure), begin(Patience(5), "reserve", create=True):
                pytest.fail("a transaction began")


AS_NOBODY = """
import os, sys
import trop_core.database.locks
import trop_core.database.migrations.executor
import trop_core.database.migrations.registry
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
from trop_core.paths import home_directory
from trop_core.store import Store
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for name in ("write", "rehearse"):
    try:
        with getattr(Store(sys.argv[1]), name)(Patience(5), "reserve", create=True):
            print(name, "began")
    except TropError as error:
        print(name, error.kind)
"""


@pytest.mark.parametrize("below", ["new", "a/b/new", "closed/new"])
def test_a_directory_that_may_not_be_created_is_permission_denied_for_both(public_place: Path, below: str) -> None:
    (public_place / "closed").mkdir(mode=0o700)

    with child(AS_NOBODY, public_place / below) as process:
        output = process.end()

    assert output.split("\n") == ["write permission_denied", "rehearse permission_denied", ""]
    assert [entry.name for entry in public_place.iterdir()] == ["closed"]
