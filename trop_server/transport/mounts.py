"""Which file system a path is on, told by its name alone: to look at one that hangs would hang."""

from __future__ import annotations

import os
import time

_SECONDS = 1.0
"""For how long the system's table of mounts is taken for what it was."""


class Mounts:
    """The places where file systems are mounted, as the system lists them. Belongs to one thread."""

    def __init__(self) -> None:
        self._points: set[str] = set()
        self._until = 0.0

    def under(self, place: str) -> str:
        """Where the file system is mounted that a path is on, links aside; "/" where nothing else is known."""
        self._refresh()
        point = os.path.normpath(place)
        while point not in self._points and (above := os.path.dirname(point)) != point:
            point = above
        return point or "/"

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._until:
            return
        import psutil  # Slow to import, and needed only where something hangs.

        try:
            self._points = {partition.mountpoint for partition in psutil.disk_partitions(all=True)}
        except OSError:
            self._points = set()  # No such table is to be had: then all is on one file system.
        self._until = now + _SECONDS
