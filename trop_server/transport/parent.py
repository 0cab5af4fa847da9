"""Noticing that the client's process is gone, also where it could not close its end of the pipe."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_BETWEEN_LOOKS = 0.5


def watch(process_id: int, when_gone: Callable[[], None]) -> None:
    """Call ``when_gone`` in the event loop once a process is gone. One that is not alive now is not watched."""
    if not is_alive(process_id):
        return
    loop = asyncio.get_running_loop()
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(process_id)
        except OSError:
            # An old kernel, a sandbox that forbids it, or a process that is gone by now: the other way tells.
            pass
        else:
            loop.add_reader(descriptor, _on_exit, loop, descriptor, when_gone)
            return
    _look(loop, process_id, when_gone)


def is_alive(process_id: int) -> bool:
    """Whether a process with this id exists, whoever's it is."""
    if process_id <= 0:
        return False
    try:
        os.kill(process_id, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _on_exit(loop: asyncio.AbstractEventLoop, descriptor: int, when_gone: Callable[[], None]) -> None:
    loop.remove_reader(descriptor)
    os.close(descriptor)
    when_gone()


def _look(loop: asyncio.AbstractEventLoop, process_id: int, when_gone: Callable[[], None]) -> None:
    if is_alive(process_id):
        loop.call_later(_SECONDS_BETWEEN_LOOKS, _look, loop, process_id, when_gone)
    else:
        when_gone()
