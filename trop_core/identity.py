"""Which directory it is, whatever its path: one that is moved or renamed within its file system keeps its identity.

An inode alone does not tell: the next directory that is made may get that of one which was removed. With the time of
birth it does. The file system is told by its own id, since device numbers change when it is mounted again.
"""

from __future__ import annotations

import os
import stat
import sys
from functools import cache

from trop_core import mounts, paths
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

    Statx = Callable[[int, bytes, int, int, ctypes.Array[ctypes.c_char]], int]


class Identity(NamedTuple):
    """What a directory keeps when it is moved; ``born`` is in nanoseconds since the epoch.

    Inodes can exceed what SQLite's numbers hold, so they are texts.
    """

    file_system: str
    inode: str
    born: int


class Glance(NamedTuple):
    """The part of an identity that costs two system calls. Another directory may have it after this one is removed."""

    file_system: str
    inode: str


def glance(path: str) -> Glance | None:
    """What stands at a path now, at a glance; None for a link, for what is no directory, and where nothing is told.

    A file system without an id of its own (0: some network and user-space ones) counts as telling nothing.
    May hang where a network mount is dead: never call it under a lock.
    """
    found = _look(path)
    return None if found is None else found[0]


def identify(path: str) -> Identity | None:
    """Which directory stands at a path now; None where ``glance`` is, and where the system tells no time of birth.

    None as well for a path that leads through a link: it names another path's directory. May hang where a network
    mount is dead: never call it under a lock.
    """
    found = _look(path)
    if found is None or _leads_through_a_link(path):
        return None
    at_a_glance, device = found
    born = (
        _born_on_linux(path, at_a_glance.inode, device) if sys.platform == "linux" else _born(path, at_a_glance.inode)
    )
    return None if not born else Identity(*at_a_glance, born)


def is_gone_from(path: str, file_system: str) -> bool:
    """Whether a directory is gone from a path, and would be seen there if it were not.

    That is: missing or no directory, links followed, while the nearest directory above it that exists lies on this
    file system. Seen from a sandbox, or while a volume is not mounted, what is missing has not gone away. Anything that
    the system will not tell counts as not gone. May hang where a network mount is dead: never call it under a lock.
    """
    ancestor = _nearest(path)
    if ancestor == path or paths.directory_state(ancestor) is not paths.DirectoryState.PRESENT:
        return False
    return _file_system(ancestor) == file_system


def can_be_renamed(path: str, place: str) -> bool:
    """Whether a directory that is gone from a path, and was found at a place, can have been renamed from one to other.

    A rename never leaves its mount, and a sandbox may show the directory under another one, while it stands where it
    always has. So the nearest directory above the path has to lie on the mount of the place; or the place is where the
    directory lies in its file system, as one that a sandbox leaves in its place. Nor does anything speak for a rename
    where the path ends as that: whoever sees more of the file system sees the directory at the path.

    Where ``/`` is not the root of a mount, as after chroot(2), a path is one from here only if what was right above it
    is here. What the system does not tell (Linux before 5.8, other systems) counts as if it were so. May hang where a
    network mount is dead: never call it under a lock.
    """
    if sys.platform != "linux":
        return True
    nearest = _nearest(path)
    if (nearest == "/" or nearest != os.path.dirname(path)) and not _mount("/").may_begin_here:
        return False
    old, new = _mount(nearest).number, _mount(place).number
    if old is None or new is None:
        return True
    within = mounts.place_in_file_system(place, new)
    if within is None:
        return old == new
    own, is_whole = within
    if old == new:
        return is_whole or not path.endswith(own)
    return place.endswith(own) and not path.endswith(own)


def _nearest(path: str) -> str:
    """A path if anything is there, else the nearest one above it of which the system does not say that it is gone."""
    while paths.directory_state(path) is paths.DirectoryState.GONE and path not in ("", "/"):
        path = os.path.dirname(path)
    return path


def _look(path: str) -> tuple[Glance, int] | None:
    """What stands at a path at a glance, and the number of its device."""
    try:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            return None
    except (OSError, ValueError):
        return None
    file_system = _file_system(path)
    return None if file_system is None else (Glance(file_system, str(status.st_ino)), status.st_dev)


def _file_system(path: str) -> str | None:
    try:
        number = os.statvfs(path).f_fsid
    except (OSError, ValueError):
        return None
    # Two file systems with the id 0 could not be told apart.
    return str(number) if number else None


def _leads_through_a_link(path: str) -> bool:
    try:
        return os.path.realpath(path, strict=True) != path
    except OSError:
        return True


def _born(path: str, inode: str) -> int | None:
    """When a directory was made, as systems other than Linux tell it.

    Always from the number with a fraction: one Python has whole nanoseconds besides, and another would read another
    time from the same store.
    """
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    born: float = getattr(status, "st_birthtime", 0.0)
    is_same = stat.S_ISDIR(status.st_mode) and str(status.st_ino) == inode
    seconds, fraction = divmod(born, 1)
    return int(seconds) * 1_000_000_000 + int(fraction * 1_000_000_000) if is_same else None


# linux/stat.h, linux/fcntl.h: struct statx and what goes with it.
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_TYPE = 0x1
_STATX_INO = 0x100
_STATX_BTIME = 0x800
_STATX_MNT_ID = 0x1000
_STATX_ATTR_MOUNT_ROOT = 0x2000
_WANTED = _STATX_TYPE | _STATX_INO | _STATX_BTIME
_SIZE_OF_STATX = 256
_MASK_AT, _ATTRIBUTES_AT, _MODE_AT, _INODE_AT, _KNOWN_ATTRIBUTES_AT = 0, 8, 28, 32, 56
_BORN_AT, _DEVICE_AT, _MOUNT_AT = 80, 136, 144


def _born_on_linux(path: str, inode: str, device: int) -> int | None:
    """When the directory with this inode and device was made; None if another one stands there by now."""
    found = _answer(path, _AT_SYMLINK_NOFOLLOW, _WANTED)
    if (
        found is None
        or _number(found, _MASK_AT, 4) & _WANTED != _WANTED
        or not stat.S_ISDIR(_number(found, _MODE_AT, 2))
    ):
        return None
    seen = os.makedev(_number(found, _DEVICE_AT, 4), _number(found, _DEVICE_AT + 4, 4))
    if str(_number(found, _INODE_AT, 8)) != inode or seen != device:
        return None
    seconds = int.from_bytes(found[_BORN_AT : _BORN_AT + 8], sys.byteorder, signed=True)
    return seconds * 1_000_000_000 + _number(found, _BORN_AT + 8, 4)


class _Mount(NamedTuple):
    """On which mount a directory lies, None if that is not told; and whether it is, for all that is told, its root."""

    number: int | None
    may_begin_here: bool


def _mount(path: str) -> _Mount:
    """The mount of what a path leads to. The number is good for one look: a later mount may get it."""
    found = _answer(path, 0, _STATX_MNT_ID)
    if found is None:
        return _Mount(None, may_begin_here=True)
    is_told = _number(found, _MASK_AT, 4) & _STATX_MNT_ID
    known, attributes = _number(found, _KNOWN_ATTRIBUTES_AT, 8), _number(found, _ATTRIBUTES_AT, 8)
    return _Mount(
        _number(found, _MOUNT_AT, 8) if is_told else None,
        may_begin_here=bool(attributes & _STATX_ATTR_MOUNT_ROOT or not known & _STATX_ATTR_MOUNT_ROOT),
    )


def _answer(path: str, flags: int, wanted: int) -> bytes | None:
    """What ``statx`` says of a path; None if it says nothing."""
    statx = _statx()
    if statx is None:
        return None
    import ctypes

    buffer = ctypes.create_string_buffer(_SIZE_OF_STATX)
    try:
        return buffer.raw if statx(_AT_FDCWD, os.fsencode(path), flags, wanted, buffer) == 0 else None
    except ValueError:
        return None


def _number(buffer: bytes, start: int, size: int) -> int:
    return int.from_bytes(buffer[start : start + size], sys.byteorder)


@cache
def _statx() -> Statx | None:
    """The C library's ``statx``, or the system call where an older one (musl before 1.2.5) has none; None without."""
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return None
    try:
        function = library.statx
    except AttributeError:
        return _system_call(library)
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
    found: Statx = function
    return found


_NUMBERS_OF_STATX = {"x86_64": 332, "aarch64": 291, "riscv64": 291, "loongarch64": 291, "s390x": 379, "ppc64le": 383}


def _system_call(library: ctypes.CDLL) -> Statx | None:
    import ctypes

    number = _NUMBERS_OF_STATX.get(os.uname().machine)
    # A program of 32 bits has other numbers than the machine that runs it.
    if number is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    call = library.syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
    call.restype = ctypes.c_long

    def statx(directory: int, path: bytes, flags: int, mask: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
        answer: int = call(number, directory, path, flags, mask, buffer)
        return answer

    return statx
