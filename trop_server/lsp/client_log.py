"""Log records to the client's log, as ``window/logMessage``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol.types import LogMessageParams, MessageType

from trop_core.errors.spelling import escaped

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES = {
    logging.ERROR: MessageType.Error,
    logging.WARNING: MessageType.Warning,
    logging.INFO: MessageType.Info,
}


def log_to_client(send: Callable[[LogMessageParams], None]) -> None:
    """Let the client see what this program logs from now on, also what is no warning."""
    ours = logging.getLogger("trop_server")
    ours.addHandler(_ClientLogHandler(send))
    ours.setLevel(logging.INFO)


class _ClientLogHandler(logging.Handler):
    """Hands each record to ``send``, as one line; may be called from any thread. Tracebacks stay on stderr."""

    def __init__(self, send: Callable[[LogMessageParams], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        level = max((known for known in _TYPES if known <= record.levelno), default=logging.INFO)
        self._send(LogMessageParams(type=_TYPES[level], message=escaped(record.getMessage())))
