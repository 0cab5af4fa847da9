"""Taking a command back: until it takes effect it is dropped, and from then on what comes of it is told."""

from __future__ import annotations

import asyncio
import threading

import pytest

from trop_core.errors.base import Cancelled
from trop_server.transport.lanes import Ticket


@pytest.fixture
def ticket() -> Ticket:
    return Ticket()


def test_what_has_taken_effect_is_told_though_it_was_taken_back(ticket: Ticket) -> None:
    in_effect, go_on = threading.Event(), threading.Event()

    def command() -> str:
        ticket.take_effect()
        in_effect.set()
        go_on.wait(30)
        return "done"

    async def session() -> str:
        waiting = asyncio.ensure_future(ticket.while_harmless(asyncio.to_thread(command)))
        await asyncio.to_thread(in_effect.wait, 30)
        ticket.cancel()
        go_on.set()
        return await waiting

    assert asyncio.run(session()) == "done"


def test_what_was_taken_back_before_has_no_effect_any_more(ticket: Ticket) -> None:
    has_begun, go_on, refused = threading.Event(), threading.Event(), threading.Event()

    def command() -> None:
        has_begun.set()
        go_on.wait(30)
        try:
            ticket.take_effect()
        except Cancelled:
            refused.set()

    async def session() -> None:
        waiting = asyncio.ensure_future(ticket.while_harmless(asyncio.to_thread(command)))
        await asyncio.to_thread(has_begun.wait, 30)
        ticket.cancel()
        with pytest.raises(Cancelled):
            await waiting
        go_on.set()

    # It ends when all of its threads have ended.
    asyncio.run(session())
    assert refused.is_set()
