"""Frames on their way out, written by a thread of their own: a client that does not read holds up nobody else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CROWDED = 8 * 1024 * 1024
"""Bytes that may wait to be written before no more requests are read."""


class Output:
    """Writes whole messages to a descriptor, in order. Safe to use from several threads."""

    def __init__(self, descriptor: int, on_broken: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._messages: deque[bytes] = deque()
        self._waiting = 0
        self._broken = False
        self._changed = threading.Condition()
        self._hopeful: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        threading.Thread(target=self._work, name="output", daemon=True).start()

    def send(self, message: bytes) -> None:
        """Write a message as soon as the client reads. Once the client has gone, nothing happens."""
        with self._changed:
            if not self._broken:
                self._messages.append(message)
                self._waiting += len(message)
                self._changed.notify_all()

    def wait_until_uncrowded(self, timeout: float) -> bool:
        """Wait while too much is waiting to be written; False if it still is after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting < CROWDED, timeout)

    async def room(self) -> None:
        """Return once not too much is waiting to be written any more: at once, as a rule."""
        while True:
            with self._changed:
                if self._waiting < CROWDED:
                    return
                event = asyncio.Event()
                self._hopeful.append((asyncio.get_running_loop(), event))
            await event.wait()

    def flush(self, timeout: float) -> None:
        """Wait until everything is written, for ``timeout`` seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._messages)
                message = self._messages.popleft()
            try:
                _write_all(self._descriptor, message)
            except OSError:
                with self._changed:
                    self._broken = True
                    self._messages.clear()
                    self._waiting = 0
                    self._tell()
                self._on_broken()
                return
            with self._changed:
                self._waiting -= len(message)
                self._tell()

    def _tell(self) -> None:
        self._changed.notify_all()
        if self._waiting < CROWDED:
            for loop, event in self._hopeful:
                loop.call_soon_threadsafe(event.set)
            self._hopeful.clear()


def _write_all(descriptor: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[os.write(descriptor, view) :]
