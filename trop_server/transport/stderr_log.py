"""What a server logs to stderr, which may be a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from trop_core.errors.spelling import escaped

if TYPE_CHECKING:
    from types import TracebackType

    Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_to_stderr() -> None:
    """Log warnings and worse, those of libraries, too. What a record quotes is one line of text, and is not obeyed."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(levelname)s %(name)s: %(message)s"))
    # The handler's as well as the root's: a logger below may let through more, for others who listen to it.
    handler.setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


class _Plain(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Raised) -> str:  # noqa: N802 - as logging calls it
        return "\n".join(map(escaped, super().formatException(ei).split("\n")))
