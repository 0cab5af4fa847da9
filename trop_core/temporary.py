"""A directory for what is needed for a moment."""

from __future__ import annotations

import errno
import tempfile
from contextlib import contextmanager

from trop_core.database.failures import system_failure
from trop_core.errors.system import NoTemporaryDirectory
from trop_core.light_types import TYPE_CHECKING
from trop_core.modes import allow_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def directory() -> Iterator[str]:
    """A new directory that is gone after the block. Raises ``NoTemporaryDirectory`` or ``SystemFailure``."""
    try:
        made = tempfile.TemporaryDirectory(prefix="trop-", ignore_cleanup_errors=True)
        allow_owner(made.name, 0o700)
    except OSError as error:
        if error.errno in _NO_PLACE:
            raise NoTemporaryDirectory from error
        raise system_failure(error, "make", error.filename or "a temporary directory") from error
    with made as place:
        yield place
