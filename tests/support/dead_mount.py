"""A directory on a mount that never answers, as that of a file server that is gone."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.requirements import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DETACH = 2


@contextmanager
def dead_mount(directory: Path) -> Iterator[None]:
    """Whoever looks at an existing directory waits until this ends. Skips the test where nothing may be mounted.

    It is a file system in user space whose program reads no request.
    """
    library = ctypes.CDLL(None, use_errno=True)
    try:
        program = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        missing(f"no file systems in user space here: {error}")
    try:
        options = f"fd={program},rootmode=40000,user_id=0,group_id=0".encode()
        if library.mount(b"nobody", os.fsencode(directory), b"fuse", 0, options) != 0:
            missing(f"nothing may be mounted here: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            library.umount2(os.fsencode(directory), _DETACH)
    finally:
        # Whatever waits is told that nobody is there.
        os.close(program)
