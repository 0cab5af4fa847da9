"""Frames on their way out: a client that does not read holds up nobody else."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CROWDED = 8 * 1024 * 1024
"""Bytes that may wait to be written before no more requests are read."""


class Output:
    """Writes whole messages to a descriptor, in order. Safe to use from several threads.

    A short one is written at once, where the system says that this keeps nobody waiting. All others are, by a thread of
    their own.
    """

    def __init__(self, descriptor: int, on_broken: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._room = _room_of(descriptor)
        self._messages: deque[bytes] = deque()
        self._waiting = 0
        self._broken = False
        self._changed = threading.Condition()
        self._hopeful: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        threading.Thread(target=self._work, name="output", daemon=True).start()

    def send(self, message: bytes) -> None:
        """Write a message as soon as the client reads. Once the client has gone, nothing happens."""
        with self._changed:
            if self._broken:
                return
            if not self._waiting and self._has_room(message):
                message = self._written(message)
            if message:
                self._messages.append(message)
                self._waiting += len(message)
                self._changed.notify_all()

    def wait_until_uncrowded(self, timeout: float) -> bool:
        """Wait while too much is waiting to be written; False if it still is after ``timeout`` seconds."""
        if self._waiting < CROWDED:
            return True
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

    def _has_room(self, message: bytes) -> bool:
        """Whether a message can be written without any waiting, as far as the system tells: pipe(7), poll(2)."""
        if self._room is None or len(message) > select.PIPE_BUF:
            return False
        return self._room.poll(0) == [(self._descriptor, select.POLLOUT)]

    def _written(self, message: bytes) -> bytes:
        """Write a message now; returns what is left to be written, of which the thread finds out what is wrong."""
        try:
            return message[os.write(self._descriptor, message) :]
        except OSError:
            return message

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


def _room_of(descriptor: int) -> select.poll | None:
    """What tells whether a descriptor has room; None for one of a kind that may have too little all the same."""
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    return room


def _write_all(descriptor: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # Whoever shares the descriptor with us has made it one that keeps nobody waiting.
            room = select.poll()
            room.register(descriptor, select.POLLOUT)
            room.poll()
