"""What may stand in the place of a small file, and is none."""

from __future__ import annotations

import os
import resource
import socket
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _socket(path: Path) -> None:
    """A socket; the path of one must not be long, so it is made from within its directory."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _loop(path: Path) -> None:
    other = path.with_name(f"{path.name}-and-back")
    other.symlink_to(path)
    path.symlink_to(other)


def _chain(path: Path) -> None:
    """More links than any system follows, and more than Python's own functions can."""
    links = path.with_name(f"{path.name}-chain")
    links.mkdir()
    (links / "0").write_text("")
    for number in range(1, 2000):
        (links / str(number)).symlink_to(str(number - 1))
    path.symlink_to(links / "1999")


def _link_to_pipe(path: Path) -> None:
    pipe = path.with_name(f"{path.name}-pipe")
    os.mkfifo(pipe)
    path.symlink_to(pipe)


ZOO: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a link to a pipe": _link_to_pipe,
    "a socket": _socket,
    "a device without an end": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a huge file": _huge,
    "a loop of links": _loop,
    "a chain of links": _chain,
    "a directory": lambda path: path.mkdir(),
}
"""Each makes one of them at a path where nothing is yet. All can be made by anybody who may write there."""

if os.path.exists("/proc/self/mem"):
    ZOO["a file of the kernel's"] = lambda path: path.symlink_to("/proc/self/mem")


def put(animal: str, path: Path) -> None:
    """Put one of them in the place of a file, which need not be there."""
    path.unlink(missing_ok=True)
    ZOO[animal](path)


@contextmanager
def little_memory(most: int = 256 * 1024 * 1024) -> Iterator[None]:
    """Let this process have no more than some bytes more than it has now, where the system can be told so."""
    if sys.platform != "linux":
        yield
        return
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
