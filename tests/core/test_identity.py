"""Which directory it is: kept by whatever moves it, and never taken over by another one."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.requirements import missing

from trop_core import identity
from trop_core.identity import Glance, Identity, can_be_renamed, glance, identify, is_gone_from

if TYPE_CHECKING:
    from collections.abc import Iterator


def identified(path: Path) -> Identity:
    """The identity of a directory that must have one: the tests run on file systems that tell it."""
    found = identify(str(path))
    assert found is not None
    return found


@contextmanager
def mounted(*arguments: str) -> Iterator[Path]:
    """A mount of one's own. Needs root; a failure where the tests must not be skipped."""
    place = Path(tempfile.mkdtemp(prefix="trop-mount-")).resolve()
    command = ["mount", *arguments, str(place)]
    done = (
        sys.platform == "linux"
        and os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )
    try:
        if not done:
            missing(f"this user cannot do {' '.join(command)}")
        yield place
    finally:
        if done:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path.resolve()


@pytest.fixture
def directory(place: Path) -> Path:
    (place / "parent" / "app").mkdir(parents=True)
    return place / "parent" / "app"


def test_an_identity_is_what_the_system_says(directory: Path) -> None:
    status, told = (
        os.lstat(directory),
        subprocess.run(["stat", "--format", "%W", str(directory)], check=False, capture_output=True, text=True),
    )

    found = identified(directory)

    assert found[:2] == (str(os.statvfs(directory).f_fsid), str(status.st_ino))
    assert glance(str(directory)) == Glance(found.file_system, found.inode)
    if told.returncode == 0:
        assert found.born // 1_000_000_000 == int(told.stdout)


def test_an_identity_outlives_what_does_not_make_another_directory(directory: Path, place: Path) -> None:
    before = identified(directory)

    directory.chmod(0o500)
    directory.chmod(0o700)
    (directory / "file").write_text("content")
    os.utime(directory, (1, 1))

    assert identified(directory) == before


def test_a_directory_that_is_moved_keeps_its_identity(directory: Path, place: Path) -> None:
    before = identified(directory)
    moved = place / "elsewhere" / "site"
    moved.parent.mkdir()

    subprocess.run(["mv", str(directory), str(moved)], check=True)

    assert identified(moved) == before
    assert identify(str(directory)) is None
    assert is_gone_from(str(directory), before.file_system)


def test_a_directory_whose_parent_is_renamed_keeps_its_identity(directory: Path, place: Path) -> None:
    before = identified(directory)

    directory.parent.rename(place / "renamed")

    assert identified(place / "renamed" / "app") == before
    assert is_gone_from(str(directory), before.file_system)


def test_two_directories_that_change_places_keep_their_identities(place: Path) -> None:
    one, other, aside = place / "one", place / "other", place / "aside"
    one.mkdir()
    other.mkdir()
    before = identified(one), identified(other)

    one.rename(aside)
    other.rename(one)
    aside.rename(other)

    assert (identified(other), identified(one)) == before
    assert not is_gone_from(str(one), before[0].file_system)


def test_a_new_directory_is_never_taken_for_one_that_was_removed(place: Path) -> None:
    seen = set()

    for _ in range(500):
        (place / "app").mkdir()
        found = identified(place / "app")
        assert found not in seen
        seen.add(found)
        (place / "app").rmdir()


def test_a_copy_has_an_identity_of_its_own(directory: Path, place: Path) -> None:
    subprocess.run(["cp", "-a", str(directory), str(place / "copy")], check=True)

    assert identified(place / "copy") != identified(directory)


def test_a_link_has_none_and_nothing_is_identified_through_one(directory: Path, place: Path) -> None:
    (place / "link").symlink_to(directory)
    (place / "above").symlink_to(directory.parent)

    assert (glance(str(place / "link")), identify(str(place / "link"))) == (None, None)
    assert identify(str(place / "above" / "app")) is None
    assert glance(str(place / "above" / "app")) == glance(str(directory))


@pytest.mark.parametrize("path", ["missing", "file", "file/below", "loop", "broken", "socket\0name"])
def test_what_is_no_directory_has_none(place: Path, path: str) -> None:
    (place / "file").touch()
    (place / "loop").symlink_to(place / "loop")
    (place / "broken").symlink_to(place / "missing")

    assert (glance(f"{place}/{path}"), identify(f"{place}/{path}")) == (None, None)


def test_a_name_that_is_no_utf_8_is_looked_at_as_well(place: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (place / name).mkdir()

    assert identify(f"{place}/{name}") is not None


# What the system tells


def test_file_systems_are_told_apart_and_a_remount_changes_nothing(directory: Path) -> None:
    with mounted("-t", "tmpfs", "tmpfs") as disk:
        (disk / "app").mkdir()
        found = identified(disk / "app")
        subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)

        assert found.file_system != identified(directory).file_system
        assert identified(disk / "app") == found


def test_a_directory_that_was_moved_across_file_systems_is_another_one(directory: Path) -> None:
    before = identified(directory)
    with mounted("-t", "tmpfs", "tmpfs") as disk:
        subprocess.run(["mv", str(directory), str(disk / "app")], check=True)

        assert identified(disk / "app") != before


def test_a_directory_that_is_mounted_at_two_places_is_one(directory: Path) -> None:
    with mounted("--bind", str(directory)) as second:
        assert identified(second) == identified(directory)
        assert not is_gone_from(str(directory), identified(second).file_system)


def test_another_thread_that_puts_directories_in_the_place_makes_no_mixture(place: Path) -> None:
    """Whatever is told belongs to one directory: the time of one and the inode of another is nobody's identity."""
    names = [place / "one", place / "other"]
    for name in names:
        name.mkdir()
    known = {identified(name) for name in names}
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            names[0].rename(place / "aside")
            names[1].rename(names[0])
            (place / "aside").rename(names[1])

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        found = {identify(str(names[0])) for _ in range(3000)}
    finally:
        stop.set()
        thread.join()

    assert found - {None} <= known


@pytest.mark.skipif(sys.platform != "linux", reason="statx is Linux's own")
class TestStatx:
    def test_without_the_c_library_s_function_the_system_call_tells_the_same(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = identify(str(directory))
        call = identity._system_call(ctypes.CDLL(None))
        if call is None:
            missing("the number of the system call is not known for this machine")

        monkeypatch.setattr(identity, "_statx", lambda: call)

        assert identify(str(directory)) == before is not None

    def test_a_library_without_the_function_is_asked_for_the_system_call(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Old:
            def __init__(self, *arguments: object, **options: object) -> None:
                self.syscall = library.syscall

        library = ctypes.CDLL(None)
        before = identify(str(directory))
        monkeypatch.setattr(ctypes, "CDLL", Old)
        identity._statx.cache_clear()
        try:
            after = identify(str(directory))
        finally:
            identity._statx.cache_clear()

        assert after == before is not None

    @pytest.mark.parametrize("machine", ["vax", "x86_64"])
    def test_a_machine_whose_number_is_not_known_has_no_system_call(
        self, machine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "here", "1", "1", machine)))
        monkeypatch.setattr(ctypes, "sizeof", lambda _: 4)

        assert identity._system_call(ctypes.CDLL(None)) is None

    @pytest.mark.parametrize("failure", [ImportError, OSError])
    def test_without_ctypes_there_is_no_identity_but_a_glance(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
    ) -> None:
        def fail(*arguments: object, **options: object) -> None:
            raise failure

        monkeypatch.setattr(ctypes, "CDLL", fail)
        identity._statx.cache_clear()
        try:
            assert identify(str(directory)) is None
        finally:
            identity._statx.cache_clear()
        assert glance(str(directory)) is not None

    @pytest.mark.parametrize(
        ("start", "value"),
        [
            pytest.param(0, bytes(4), id="the time of birth is not told"),
            pytest.param(80, bytes(12), id="it is 0, as in many images"),
            pytest.param(28, b"\x00\xa0", id="a link stands there by now"),
            pytest.param(32, b"\x01" * 8, id="another directory stands there by now"),
            pytest.param(136, b"\x01" * 8, id="something was mounted there meanwhile"),
        ],
    )
    def test_an_answer_that_does_not_say_all_of_it_is_no_identity(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, start: int, value: bytes
    ) -> None:
        real = identity._statx()
        assert real is not None

        def changed(at: int, path: bytes, flags: int, mask: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
            answer = real(at, path, flags, mask, buffer)
            ctypes.memmove(ctypes.addressof(buffer) + start, value, len(value))
            return answer

        monkeypatch.setattr(identity, "_statx", lambda: changed)

        assert identify(str(directory)) is None

    def test_a_call_that_the_system_refuses_is_no_identity(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity, "_statx", lambda: lambda *_: -1)

        assert identify(str(directory)) is None


class TestElsewhere:
    """Systems whose ordinary answer has the time of birth, as macOS."""

    class Status:
        def __init__(self, status: os.stat_result, born: float) -> None:
            self.st_mode, self.st_ino, self.st_dev, self.st_birthtime = (
                status.st_mode,
                status.st_ino,
                status.st_dev,
                born,
            )

    @pytest.mark.parametrize(("born", "known"), [(1_700_000_000.25, 1_700_000_000_250_000_000), (0.0, None)])
    def test_the_time_of_birth_is_that_of_the_ordinary_answer(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, born: float, known: int | None
    ) -> None:
        real = os.lstat
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(os, "lstat", lambda path: self.Status(real(path), born))

        found = identify(str(directory))

        assert (None if found is None else found.born) == known

    def test_a_directory_that_goes_away_meanwhile_has_none(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert identity._born(str(directory), "0") is None
        assert identity._born(str(directory / "missing"), "0") is None


def test_a_file_system_without_an_id_has_no_identities(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(directory)
    values = [*real[:10], 0]
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(values))

    assert (glance(str(directory)), identify(str(directory))) == (None, None)
    assert not is_gone_from(str(directory / "missing"), "0")


def test_where_the_file_system_cannot_be_asked_nothing_is_told(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> os.statvfs_result:
        raise PermissionError

    monkeypatch.setattr(os, "statvfs", refuse)

    assert (glance(str(directory)), identify(str(directory))) == (None, None)
    assert not is_gone_from(str(directory / "missing"), "1")


# Gone


def file_system_of(path: Path) -> str:
    return str(os.statvfs(path).f_fsid)


@pytest.mark.parametrize("path", ["missing", "missing/below/it", "file", "file/below", "broken", "broken/below"])
def test_what_is_missing_or_no_directory_is_gone(place: Path, path: str) -> None:
    (place / "file").touch()
    (place / "broken").symlink_to(place / "missing")

    assert is_gone_from(f"{place}/{path}", file_system_of(place))
    assert not is_gone_from(f"{place}/{path}", "1")


def test_what_is_there_is_not_gone_through_a_link_either(directory: Path, place: Path) -> None:
    (place / "link").symlink_to(directory)

    assert not is_gone_from(str(directory), file_system_of(place))
    assert not is_gone_from(str(place / "link"), file_system_of(place))
    assert not is_gone_from("/", file_system_of(Path("/")))
    assert not is_gone_from("", file_system_of(Path("/")))


def test_what_cannot_be_looked_at_is_not_gone(place: Path) -> None:
    (place / "loop").symlink_to(place / "loop")

    assert not is_gone_from(str(place / "loop"), file_system_of(place))
    assert not is_gone_from(str(place / "loop" / "below"), file_system_of(place))


def test_what_lies_on_a_volume_that_is_not_mounted_is_not_gone(place: Path) -> None:
    with mounted("-t", "tmpfs", "tmpfs") as disk:
        (disk / "app").mkdir()
        found = identified(disk / "app")
        (disk / "app").rmdir()
        assert is_gone_from(str(disk / "app"), found.file_system)
        subprocess.run(["umount", str(disk)], check=True)
        try:
            assert not is_gone_from(str(disk / "app"), found.file_system)
        finally:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True)


# Renamed


def test_a_directory_can_be_renamed_within_a_mount_and_to_no_other_one(directory: Path, place: Path) -> None:
    gone = str(place / "parent" / "gone" / "below")

    with mounted("--bind", str(directory.parent)) as second:
        assert can_be_renamed(gone, str(directory))
        assert can_be_renamed(str(second / "gone"), str(second / "app"))
        assert not can_be_renamed(gone, str(second / "app"))
        # What lies where it does in its file system is no second sight of it.
        assert can_be_renamed(str(second / "gone"), str(directory))


def test_a_link_above_leads_to_the_mount_that_counts(directory: Path, place: Path) -> None:
    with mounted("--bind", str(directory.parent)) as second:
        (place / "link").symlink_to(second)

        assert can_be_renamed(str(place / "link" / "gone"), str(second / "app"))
        assert not can_be_renamed(str(place / "gone"), str(second / "app"))


def test_without_statx_or_on_another_system_every_place_counts_as_one_mount(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted("--bind", str(directory.parent)) as second:
        gone = str(second / "gone")
        monkeypatch.setattr(identity, "_statx", lambda: None)
        assert can_be_renamed(gone, str(directory))
        assert can_be_renamed(f"{gone}\0", str(directory))
        monkeypatch.undo()
        monkeypatch.setattr(sys, "platform", "darwin")
        assert can_be_renamed(gone, str(directory))


@pytest.mark.skipif(sys.platform != "linux", reason="statx is Linux's own")
@pytest.mark.parametrize(
    ("changes", "deep", "across"),
    [
        pytest.param({}, True, False, id="all is told"),
        pytest.param({0: bytes(4)}, True, True, id="an older kernel tells no mount"),
        pytest.param({8: bytes(8)}, False, False, id="the root is none of a mount"),
        pytest.param({8: bytes(8), 56: bytes(8)}, True, False, id="whether it is one is not told"),
    ],
)
def test_what_the_system_tells_of_mounts_counts(
    directory: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[int, bytes], deep: bool, across: bool
) -> None:
    real = identity._statx()
    assert real is not None

    def changed(at: int, path: bytes, flags: int, mask: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
        answer = real(at, path, flags, mask, buffer)
        for start, value in changes.items():
            ctypes.memmove(ctypes.addressof(buffer) + start, value, len(value))
        return answer

    with mounted("--bind", str(directory.parent)) as second:
        monkeypatch.setattr(identity, "_statx", lambda: changed)

        assert can_be_renamed(str(directory.parent / "gone"), str(directory))
        assert can_be_renamed(str(directory.parent / "gone" / "below"), str(directory)) is deep
        assert can_be_renamed(str(directory.parent / "gone"), str(second / "app")) is across
