"""The directories that a client works in, where it is one that tells; newer protocols have no such question."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

logger = logging.getLogger(__name__)

ROOTS_CHANGED = "notifications/roots/list_changed"

_PATIENCE = 5.0


class Roots:
    """Asks for them once in a session, and anew when the client has said that they are others.

    A client that takes too long to answer is one without roots until it does: the calls after that do not wait for it.
    """

    def __init__(self) -> None:
        self._question: asyncio.Task[list[str]] | None = None
        self._until = 0.0
        self._is_late = False

    def change(self) -> None:
        """What the client has told holds no longer."""
        question, self._question = self._question, None
        if question is not None:
            question.cancel()

    async def told(self, session: ServerSession) -> list[str]:
        """Their URIs, wherever they are; none of a client that has none, or does not tell."""
        capabilities = session.client_capabilities
        if capabilities is None or capabilities.roots is None or not session.can_send_request:
            return []
        while True:
            if self._question is None:
                self._question = asyncio.ensure_future(_ask(session))
                self._until, self._is_late = time.monotonic() + _PATIENCE, False
            question = self._question
            if question.done():
                return question.result()
            if self._is_late:
                return []
            await asyncio.wait([question], timeout=self._until - time.monotonic())
            if question is self._question and not question.done() and not self._is_late:
                self._is_late = True
                logger.warning("the client has not told its roots within %g seconds", _PATIENCE)


class _Root(BaseModel):
    """One that may be anywhere: the SDK's own takes an answer with one that is no file for none at all."""

    uri: str


class _Told(BaseModel):
    """The answer to the question, as far as it is of interest."""

    roots: list[_Root]


async def _ask(session: ServerSession) -> list[str]:
    try:
        # The SDK's own method does the same and warns, in each session, that the question is on its way out.
        listed = await session.send_request(types.ListRootsRequest(), _Told)
    except (MCPError, ValidationError) as error:
        logger.warning("the client does not tell its roots: %s", error)
        return []
    return [root.uri for root in listed.roots]
