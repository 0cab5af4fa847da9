"""The data directory, and the store in it."""

from __future__ import annotations

import os
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
from trop_core.errors.store import DatabaseCorrupt, LockTimeout, NoDataDirectory, UnsupportedSchemaVersion
from trop_core.errors.system import SystemFailure
from trop_core.models import Reservation
from trop_core.store import Store, data_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trop_core.errors.base import TropError

A = Reservation(5000, "/a", None, None, None, 1, 2)
ROW = ("/a", "", 5000, None, None, 1, 2)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    for name in ("XDG_DATA_HOME", "TROP_DATA_DIR"):
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


def test_the_data_directory_is_what_the_caller_names_before_all_else(home: Path) -> None:
    (home / ".trop").mkdir()
    (home / ".trop" / "trop.db").touch()

    named = data_directory("/named", {"TROP_DATA_DIR": "/environment"}, base="/base")
    environment = data_directory(None, {"TROP_DATA_DIR": "/environment"}, base="/base")
    legacy = data_directory(None, {}, base="/base")
    (home / ".trop" / "trop.db").unlink()
    system = data_directory(None, {}, base="/base")

    assert (named, environment, legacy) == ("/named", "/environment", str(home / ".trop"))
    if sys.platform == "linux":
        assert system == str(home / ".local" / "share" / "trop")
    assert list(home.iterdir()) == [home / ".trop"]


def test_a_legacy_store_behind_a_link_counts(home: Path, tmp_path: Path) -> None:
    (home / ".trop").mkdir()
    (home / ".trop" / "trop.db").symlink_to(tmp_path / "missing.db")

    assert data_directory(None, {}, base="/base") == str(home / ".trop")


def test_a_store_in_the_systems_place_is_where_platformdirs_says_it_is(home: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    place = platformdirs.user_data_path("trop")
    place.mkdir(parents=True)
    (place / "trop.db").touch()

    assert data_directory(None, {}, base="/base") == str(place)


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is how Linux does it")
def test_a_store_in_the_usual_place_does_not_hide_another_place_that_is_set(home: Path, monkeypatch: Any) -> None:
    (home / ".local" / "share" / "trop").mkdir(parents=True)
    (home / ".local" / "share" / "trop" / "trop.db").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "elsewhere"))

    assert data_directory(None, {}, base="/base") == str(home / "elsewhere" / "trop")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is how Linux does it")
def test_the_systems_place_follows_xdg(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "a" / ".." / "data"))

    assert data_directory(None, {}, base="/base") == str(home / "data" / "trop")


@pytest.mark.parametrize(
    ("named", "expected"),
    [("sub", "/base/sub"), ("../sub", "/sub"), ("./a//b/", "/base/a/b"), ("/x/./y", "/x/y"), ("~/d", "{home}/d")],
)
def test_a_named_data_directory_becomes_absolute(home: Path, named: str, expected: str) -> None:
    assert data_directory(named, {}, base="/base") == expected.format(home=home)
    assert data_directory(None, {"TROP_DATA_DIR": named}, base="/base") == expected.format(home=home)


def test_an_empty_variable_counts_as_absent_and_an_empty_argument_is_refused(home: Path) -> None:
    assert data_directory(None, {"TROP_DATA_DIR": ""}, base="/base").startswith(str(home))
    with pytest.raises(InvalidPath):
        data_directory("", {}, base="/base")


def test_writing_creates_directory_and_store_for_their_owner_only(store: Store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        insert(store)
    finally:
        os.umask(before)

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
import trop_core.database.migrations.executor
import trop_core.database.migrations.registry
from trop_core.database.waiting import Patience
from trop_core.errors.base import TropError
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
