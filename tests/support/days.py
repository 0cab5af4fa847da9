"""A day of an agent that nobody watches: where it is spent, what happens, and what it may cost.

A call is a turn of a model, and every byte is read by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.agent import Agent
from support.repositories import add_worktree, make_repository
from support.servers import server
from support.sockets import free_block, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from support.sandbox import Sandbox

LARGEST_ANSWER = 1024


class Place:
    """Where a day is spent: a repository with a linked worktree, a store, and agents that come and go."""

    def __init__(self, sandbox: Sandbox, stack: ExitStack) -> None:
        self.sandbox = sandbox
        self.shop = make_repository(sandbox.work / "shop")
        self.login = add_worktree(self.shop, sandbox.work / "shop-login", "login")
        self._stack = stack
        self._agents: list[Agent] = []

    def agent(self, cwd: Path | None = None, tools: str | None = None, **environment: str | None) -> Agent:
        """A session that ends with the day."""
        agent = Agent(self.sandbox, cwd or self.shop, tools, **environment)
        self._stack.callback(agent.end)
        self._agents.append(agent)
        return agent

    def looking_agent(self) -> Agent:
        """A session that looks whether ports are occupied, on a machine that others use as well."""
        return self.agent(TROP_SKIP_OCCUPANCY_CHECK=None)

    def quiet_ports(self, more: str = "") -> int:
        """Give ports of a block of which nobody has one; returns the lowest."""
        lowest = free_block()
        (self.shop / "trop.yaml").write_text(f"ports: {{min: {lowest}, max: {lowest + 99}}}\n{more}\n")
        return lowest

    def serve(self, port: int, directory: Path) -> None:
        """Let a program that stands in a directory listen on a port until the day ends."""
        self._stack.enter_context(server(port, directory))

    def listen(self, port: int) -> None:
        """Let somebody listen on a port until the day ends."""
        self._stack.enter_context(listening([port]))

    @property
    def calls(self) -> int:
        """How many calls all agents made."""
        return sum(agent.calls for agent in self._agents)

    @property
    def most_bytes(self) -> int:
        """The size of the largest answer."""
        return max(agent.most_bytes for agent in self._agents)


class Day(NamedTuple):
    """What happens, and how many calls that may take."""

    happens: Callable[[Place], None]
    calls: int


def each_of(days: list[Day]) -> pytest.MarkDecorator:
    """Let a test spend each of some days."""
    return pytest.mark.parametrize("day", days, ids=lambda day: day.happens.__name__.replace("_", " "))


def spend(day: Day, place: Place) -> None:
    """Let a day happen, and count what it has cost."""
    day.happens(place)

    assert place.calls == day.calls
    assert place.most_bytes <= LARGEST_ANSWER
