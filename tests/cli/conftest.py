"""What the tests of the command line share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.running import TELL, told_by
from support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sandbox import Sandbox


@pytest.fixture
def terminal(sandbox: Sandbox) -> Iterator[Callable[..., Terminal]]:
    """Starts commands, each in a terminal of its own; they are gone when the test ends."""
    opened: list[Terminal] = []

    def start(*command: str, **environment: str | None) -> Terminal:
        opened.append(Terminal(sandbox, *command, cwd=None, **environment))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def tell(sandbox: Sandbox) -> Callable[..., Any]:
    """Runs a program that tells what it was given; the words are trop's options, ``--`` and the program's."""

    def run(*words: str) -> Any:
        place = words.index("--") if "--" in words else len(words)
        before, after = words[:place], words[place + 1 :]
        return told_by(sandbox.trop("run", *before, "--", sys.executable, "-c", TELL, *after))

    return run
