"""Rights that what is made has, whatever the umask takes away."""

from __future__ import annotations

import os
import stat


def allow_owner(made: str | int, rights: int) -> None:
    """Give its owner these rights to a file or a directory that was just made, by name or descriptor.

    A umask that takes them would leave behind what cannot be used. Raises ``OSError``.
    """
    mode = stat.S_IMODE(os.stat(made).st_mode)
    if mode & rights != rights:
        os.chmod(made, mode | rights)
