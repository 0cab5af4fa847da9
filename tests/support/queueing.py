"""The queue at a data directory, from outside: whoever locks the directory is its head."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def first_of_all(directory: Path) -> Iterator[None]:
    """Be the head of a directory's queue, and stay it. Raises ``BlockingIOError`` where somebody else is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def somebody_is_first(directory: Path) -> bool:
    """Whether a directory's queue has a head."""
    try:
        with first_of_all(directory):
            return False
    except BlockingIOError:
        return True
