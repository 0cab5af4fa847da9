"""trop.yaml as it is typed: what a keystroke takes, and what is kept of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from benchmarks.measure import exceeded, in_turn, report
from support.client import Client
from support.documents import Buffer, capabilities
from support.typed_configurations import HUNDRED_LINES, Keystroke

from trop_core.operations.documents.surroundings import Surroundings
from trop_server.lsp.documents.diagnostics import diagnostics
from trop_server.lsp.documents.shelf import Open

if TYPE_CHECKING:
    from pathlib import Path

KEYSTROKES = 100_000
MOST_GROWTH = 8_000_000


def keystroke(_work: Path) -> None:
    """A keystroke in a hundred lines, to its diagnostics, beside what the parser in C takes for the text."""
    kept = Open("file:///work/trop.yaml", 1, HUNDRED_LINES, "utf-16")
    kept.surroundings = Surroundings()
    at = {"line": 0, "character": 9}
    behind = {"line": 0, "character": 10}

    def type_and_erase() -> None:
        for version, (end, text) in enumerate(((at, "x"), (behind, ""))):
            kept.change(version, [{"range": {"start": at, "end": end}, "text": text}])
            situation = kept.compute()
            assert kept.settle(situation)
            assert diagnostics(kept, situation) == []

    def compose() -> None:
        for _ in range(2):
            yaml.compose(HUNDRED_LINES, Loader=yaml.CSafeLoader)

    measured, bare = in_turn(type_and_erase, compose, rounds=200)
    report("two keystrokes in a trop.yaml of a hundred lines (composing it in C)", measured, bare, 3)


def memory(work: Path, environment: dict[str, str]) -> None:
    """What the server keeps of many keystrokes, each followed by what an editor asks for."""
    client = Client(cwd=str(work), env=environment)
    client.initialize(str(work), capabilities=capabilities())
    buffer = Buffer(client, work / "trop.yaml", HUNDRED_LINES)
    place = HUNDRED_LINES.index("large")

    def type_and_erase(times: int) -> int:
        for _ in range(times // 2):
            buffer.type(Keystroke(place, place, "x"))
            buffer.type(Keystroke(place, place + 1, ""))
            buffer.ask("completion", position={"line": 2, "character": 2})
            client.unmatched.clear()
        return client.memory()

    before = type_and_erase(KEYSTROKES // 10)
    grown = type_and_erase(KEYSTROKES) - before
    client.kill()
    print(f"memory after {KEYSTROKES:,} keystrokes: {grown / 1e6:+.1f} MB")
    if grown > MOST_GROWTH:
        exceeded.append("memory of keystrokes")
