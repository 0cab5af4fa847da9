"""Commands to which the system refuses something for real: sockets, locks, or ports that take privileges."""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.requirements import missing

if TYPE_CHECKING:
    import socket

_CALLS = {
    "x86_64": {"architecture": 0xC000003E, "socket": 41, "bind": 49, "fcntl": 72, "mmap": 9},
    "aarch64": {"architecture": 0xC00000B7, "socket": 198, "bind": 200, "fcntl": 25, "mmap": 222},
}
"""AUDIT_ARCH of linux/audit.h, and the numbers of the calls."""

# A filter of seccomp(2): the call fails with an error if its arguments are those that are named; all else goes on.
_SECCOMP = """
import ctypes, os, struct, sys, json
asked = json.loads(sys.argv[1])
steps = [(0x20, 0, 0, 4), (0x15, 0, None, asked["architecture"]), (0x20, 0, 0, 0), (0x15, 0, None, asked["call"])]
for position, mask, value in asked["arguments"]:
    steps += [(0x20, 0, 0, 16 + 8 * position), (0x54, 0, 0, mask), (0x15, 0, None, value)]
steps += [(0x06, 0, 0, 0x00050000 | asked["error"]), (0x06, 0, 0, 0x7FFF0000)]
last = len(steps) - 1
code = b"".join(
    struct.pack("HBBI", step, yes, last - place - 1 if no is None else no, value)
    for place, (step, yes, no, value) in enumerate(steps)
)
kept = ctypes.create_string_buffer(code, len(code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(kept))
prctl = ctypes.CDLL(None, use_errno=True).prctl
# PR_SET_NO_NEW_PRIVS, and PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
for order in ((38, 1, 0, 0, 0), (22, 2, ctypes.byref(program), 0, 0)):
    if prctl(*order):
        sys.exit(f"prctl {order[0]}: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
"""

# PR_CAPBSET_DROP of CAP_NET_BIND_SERVICE: what root executes then has all privileges but that one.
_UNPRIVILEGED = """
import ctypes, os, sys
if os.geteuid() == 0 and ctypes.CDLL(None).prctl(24, 10, 0, 0, 0):
    sys.exit("prctl")
os.execv(sys.argv[1], sys.argv[1:])
"""


def refusing_sockets(
    code: str, family: socket.AddressFamily | None = None, kind: socket.SocketKind | None = None
) -> tuple[str, ...]:
    """What goes before a command so that it can make no sockets, or none of a family and a kind."""
    arguments = [] if family is None else [(0, 0xFFFFFFFF, int(family))]
    return _refusing("socket", code, [*arguments, *([] if kind is None else [(1, 0xF, int(kind))])])


def refusing_binds(code: str) -> tuple[str, ...]:
    """What goes before a command so that it can bind nothing."""
    return _refusing("bind", code, [])


def refusing_locks(code: str) -> tuple[str, ...]:
    """What goes before a command so that it can lock no file."""
    return _refusing("fcntl", code, [(1, 0xFFFFFFFF, fcntl.F_SETLK)])


def refusing_shared_memory(code: str) -> tuple[str, ...]:
    """What goes before a command so that it can map no file together with other processes."""
    return _refusing("mmap", code, [(3, 0xF, mmap.MAP_SHARED)])


def _refusing(call: str, code: str, arguments: list[tuple[int, int, int]]) -> tuple[str, ...]:
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        pytest.skip("the calls of this machine are not known here")
    calls = _CALLS[platform.machine()]
    asked = {
        "architecture": calls["architecture"],
        "call": calls[call],
        "error": getattr(errno, code),
        "arguments": arguments,
    }
    before = (sys.executable, "-c", _SECCOMP, json.dumps(asked))
    _try_out(before)
    return before


def without_privileges() -> tuple[str, ...]:
    """What goes before a command so that it may not bind the ports that take privileges."""
    if sys.platform != "linux":
        if os.geteuid() == 0:
            pytest.skip("root is privileged here in any case")
        return ()
    before = (sys.executable, "-c", _UNPRIVILEGED)
    _try_out(before)
    return before


def without_proc() -> tuple[str, ...]:
    """What goes before a command so that the system tells it nothing of its processes and its sockets."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        missing("takes root and unshare -m")
    before = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" "$@"')
    _try_out(before)
    return before


def _try_out(before: tuple[str, ...]) -> None:
    done = subprocess.run([*before, "/bin/true"], check=False, capture_output=True, text=True)
    if done.returncode:
        missing(f"this machine does not let a test be refused anything: {done.stderr.strip()}")
