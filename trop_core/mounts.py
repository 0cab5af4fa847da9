"""What is mounted where, as far as the system tells.

Imports nothing that Python has not loaded when it starts, since the express lane needs it, too.
"""

import os

_MOUNTS = "/proc/self/mountinfo"
"""https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html"""
_NUMBER, _ROOT, _POINT = 0, 3, 4
_SPELLED = ((b"\\", b"\\134"), (b" ", b"\\040"), (b"\t", b"\\011"), (b"\n", b"\\012"))


def is_mounted_alone(path: str) -> bool:
    """Whether a file is mounted under this name by itself, as containers do it. Looks at the file system.

    False where the system does not tell.
    """
    own = os.fsencode(os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)))
    for plain, spelled in _SPELLED:
        own = own.replace(plain, spelled)
    topmost = b""
    for mount in _mounts():
        # In the order of mounting: a later one hides what it is mounted over.
        point = mount[_POINT]
        if own == point or own.startswith(point.rstrip(b"/") + b"/"):
            topmost = point
    return topmost == own


def place_in_file_system(path: str, number: int) -> "tuple[str, bool] | None":
    """Where a path lies in its file system, and whether its mount, whose number is given, shows all of that.

    None where the system does not tell. Looks at the file system.
    """
    for mount in _mounts():
        if mount[_NUMBER] == b"%d" % number:
            root, point = mount[_ROOT], mount[_POINT]
            for plain, spelled in reversed(_SPELLED):
                root, point = root.replace(spelled, plain), point.replace(spelled, plain)
            below = os.path.relpath(os.path.realpath(path), os.fsdecode(point))
            return os.path.normpath(os.path.join(os.fsdecode(root), below)), root == b"/"
    return None


def _mounts() -> "list[list[bytes]]":
    """The fields of each line; none where there is no such file."""
    try:
        with open(_MOUNTS, "rb") as mounts:
            return [fields for line in mounts if len(fields := line.split(b" ")) > _POINT]
    except OSError:
        return []
