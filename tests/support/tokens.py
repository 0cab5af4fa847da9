"""Tokens of calls that tell a test how far a call has come."""

from __future__ import annotations

import threading

from trop_core.cancellation import CancellationToken


class WaitedFor(CancellationToken):
    """A token that tells when somebody waits with it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, and tell that it begins."""
        self.waited.set()
        super().wait(seconds)
