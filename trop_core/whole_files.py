"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os

from trop_core.database.failures import system_failure


def write(path: str, text: str) -> None:
    """Write a file, or replace it, with mode 0600.

    Raises ``SystemFailure`` or ``PermissionDenied``; what was there before is then there still.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        # What a killed process with the same number left behind.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise system_failure(error, "write", path) from error
