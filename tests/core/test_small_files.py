"""Small files are read without waiting and within bounds, whatever stands in their place."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest
from support.zoo import ZOO, little_memory, put

from trop_core import small_files
from trop_core.small_files import Unread

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

REASONS = {
    "a huge file": "too_large",
    "a loop of links": "failed",
    "a chain of links": "failed",
    "a file of the kernel's": "failed",
}


@pytest.mark.parametrize("animal", ZOO)
def test_what_is_no_small_file_has_no_content(tmp_path: Path, animal: str) -> None:
    put(animal, tmp_path / "file")

    with little_memory():
        found = small_files.read(str(tmp_path / "file"), most=1024)

    assert isinstance(found, Unread)
    assert found.reason == REASONS.get(animal, "irregular")


@pytest.mark.parametrize(("size", "fits"), [(0, True), (1023, True), (1024, True), (1025, False), (200_000, False)])
def test_the_bound_is_the_last_size_that_is_read(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)

    found = small_files.read(str(tmp_path / "file"), most=1024)

    assert found == (b"x" * size if fits else Unread("too_large"))


def test_a_file_in_several_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)

    assert small_files.read(str(tmp_path / "file"), most=1024 * 1024) == content


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="this system makes up no files")
def test_a_file_that_has_no_size_is_bounded_all_the_same() -> None:
    whole = small_files.read("/proc/self/maps", most=1024 * 1024)

    assert isinstance(whole, bytes)
    assert whole
    assert small_files.read("/proc/self/maps", most=100) == Unread("too_large")


def test_of_a_file_that_grows_on_no_more_is_read_than_one_byte_above_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    asked: list[int] = []

    def endless(_: int, size: int) -> bytes:
        asked.append(size)
        assert sum(asked) <= 100_001, "it reads on and on"
        return b"x" * size

    monkeypatch.setattr(os, "read", endless)

    assert small_files.read(str(file), most=100_000) == Unread("too_large")
    assert sum(asked) == 100_001


@pytest.mark.timeout(20)
def test_a_pipe_that_takes_the_place_of_a_file_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"x")
    os.mkfifo(pipe)
    open_now = os.open

    def open_late(path: str, flags: int) -> int:
        pipe.replace(file)
        return open_now(path, flags)

    monkeypatch.setattr(os, "open", open_late)

    assert small_files.read(str(file), most=100) == Unread("irregular")


def test_links_to_a_small_file_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "link").symlink_to("file")

    assert small_files.read(str(tmp_path / "link"), most=1024) == b"content"


@pytest.mark.parametrize("name", ["nothing", "file/below", "dangling", "with\0nul", "half-a-character-\ud800"])
def test_what_is_not_there_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")

    found = small_files.read(f"{tmp_path}/{name}", most=1024)

    assert isinstance(found, Unread)
    assert found.reason == "missing"


def test_what_the_system_said_is_kept(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    found = small_files.read(str(tmp_path / "loop"), most=1024)

    assert isinstance(found, Unread)
    assert found.error is not None
    assert found.error.errno == errno.ELOOP


def test_a_writer_of_a_pipe_is_left_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    opened = threading.Event()

    def write() -> None:
        descriptor = os.open(pipe, os.O_WRONLY)
        opened.set()
        os.close(descriptor)

    writer = threading.Thread(target=write)
    writer.start()

    found = small_files.read(str(pipe), most=1024)

    assert found == Unread("irregular")
    assert not opened.is_set()
    os.close(os.open(pipe, os.O_RDONLY))
    writer.join()


def test_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2000)
    free = os.dup(0)
    os.close(free)

    for animal in ZOO:
        place = tmp_path / animal
        ZOO[animal](place)
        small_files.read(str(place), most=1024)
    small_files.read(str(tmp_path / "file"), most=1024)
    small_files.read(str(tmp_path / "file"), most=4096)

    again = os.dup(0)
    os.close(again)
    assert again == free
