"""A client that holds a server to the contract."""

from __future__ import annotations

import os
import random
import select
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from support.client import Client, OutputEnded
from support.fuzz.contract import Case, Expected, Id, Json, State
from support.fuzz.pieces import cut
from support.messages import request, unframe
from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable


IN_FLIGHT = 150
"""Cases that are sent before their answers are read."""


class Conversation:
    """A client that sends many cases before it reads, and checks every single message that comes back."""

    def __init__(self, client: Client, seed: int) -> None:
        self._client = client
        self._seed = seed
        self._received = bytearray()
        self._waiting: dict[tuple[type, Id], deque[tuple[Case, Expected]]] = {}
        self._without_id: deque[tuple[Case, Expected]] = deque()
        self._tokens: dict[tuple[type, Id], str] = {}
        self.state = State.BEFORE
        self.answered: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()

    def hold(self, cases: Iterable[Case]) -> None:
        """Send cases, in pieces of any size, and wait until each has its answers."""
        rng = random.Random(self._seed)
        batch: list[Case] = []
        for case in cases:
            batch.append(case)
            if len(batch) == IN_FLIGHT:
                self._hold(rng, batch)
                batch = []
        self._hold(rng, batch)

    def request(self, method: str, params: Json) -> None:
        """One more request, that has to give a result."""
        self._client.send(request("by hand", method, params))
        while True:
            message = self._next("by hand")
            if "method" not in message:
                break
        assert message["id"] == "by hand", message
        assert "result" in message, message

    def _hold(self, rng: random.Random, cases: list[Case]) -> None:
        for case in cases:
            for expected in case.expected:
                if expected.id is None:
                    self._without_id.append((case, expected))
                else:
                    self._waiting.setdefault(_key(expected.id), deque()).append((case, expected))
        for piece in cut(rng, b"".join(case.data for case in cases)):
            self._write(piece, cases)
        while self._waiting or self._without_id:
            self._take(self._next(self._unanswered()))

    def _write(self, data: bytes, cases: list[Case]) -> None:
        view = memoryview(data)
        while view:
            readable, writable, _ = select.select([self._client.output], [self._client.input], [], PATIENCE)
            assert readable or writable, f"{self._seed=}: the server takes nothing among cases {_numbers(cases)}"
            if readable:
                self._read()
            if writable:
                view = view[os.write(self._client.input, view[:65536]) :]

    def _next(self, waiting_for: str) -> dict[str, Json]:
        deadline = time.monotonic() + PATIENCE
        while (message := self._complete()) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._client.output], [], [], remaining)[0]:
                raise AssertionError(f"seed {self._seed}: no answer within {PATIENCE} s to {waiting_for}")
            self._read()
        return message

    def _read(self) -> None:
        chunk = os.read(self._client.output, 1 << 20)
        if not chunk:
            raise OutputEnded(f"seed {self._seed}: the server has gone; unanswered are {self._unanswered()}")
        self._received += chunk

    def _complete(self) -> dict[str, Json] | None:
        return unframe(self._received)

    def _take(self, message: dict[str, Json]) -> None:
        if "method" in message:
            self._notified(message)
            return
        message_id = message["id"]
        queue = self._without_id if message_id is None else self._waiting.get(_key(message_id))
        assert queue, f"seed {self._seed}: nobody waits for the answer {_short(message)}"
        case, expected = queue.popleft()
        if not queue and message_id is not None:
            del self._waiting[_key(message_id)]
        try:
            expected.check(message, self.state)
            self._check_progress(expected, message)
        except Exception as error:
            raise AssertionError(
                f"seed {self._seed}, case {case.number}: {error}\nsent: {_short(case.data)}\ncame: {_short(message)}"
            ) from error
        outcome = str(message["error"]["code"]) if "error" in message else "result"
        self.answered[outcome] += 1
        if expected.result is not None and "error" not in message:
            self.succeeded[expected.result.name] += 1

    def _notified(self, message: dict[str, Json]) -> None:
        if message["method"] != "$/progress":
            assert message["method"] == "window/logMessage", message
            return
        token = _key(message["params"]["token"])
        kind = message["params"]["value"]["kind"]
        before = {"begin": (None,), "report": ("begin", "report"), "end": ("begin", "report")}[kind]
        assert self._tokens.get(token) in before, f"seed {self._seed}: {_short(message)} out of turn"
        self._tokens[token] = kind

    def _check_progress(self, expected: Expected, answer: dict[str, Json]) -> None:
        """Work that ended well had begun and ended for who wanted to hear of it; what was refused need not have."""
        if expected.token is not None:
            last = self._tokens.pop(_key(expected.token), None)
            assert last == "end" or (last is None and "error" in answer), f"the progress stopped at {last}"

    def finish(self) -> None:
        """Fail if anything comes that nobody waits for, up to the end of the output."""
        while select.select([self._client.output], [], [], PATIENCE)[0]:
            chunk = os.read(self._client.output, 1 << 20)
            if not chunk:
                break
            self._received += chunk
        while (message := self._complete()) is not None:
            self._take(message)
        assert not self._received, bytes(self._received[:200])
        assert not self._tokens, self._tokens

    def _unanswered(self) -> str:
        entries = [entry for queue in self._waiting.values() for entry in queue] + list(self._without_id)
        return "; ".join(f"case {case.number}: {_short(case.data)}" for case, _ in entries[:3])


def _key(message_id: Id) -> tuple[type, Id]:
    return type(message_id), message_id


def _numbers(cases: list[Case]) -> str:
    return f"{cases[0].number} to {cases[-1].number}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 3000 else f"{text[:2000]} … {text[-900:]}"
