"""What is mounted where, as far as the system tells.

Imports nothing that Python has not loaded when it starts, since the express lane needs it, too.
"""

import os


def is_mounted_alone(path: str) -> bool:
    """Whether a file is mounted under this name by itself, as containers do it. Looks at the file system.

    False where the system does not tell. https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    own = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    escaped = os.fsencode(own)
    for character in (b"\\", b" ", b"\t", b"\n"):
        escaped = escaped.replace(character, b"\\%03o" % ord(character))
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            return any(line.split(b" ", 5)[4] == escaped for line in mounts)
    except (OSError, IndexError):
        return False
