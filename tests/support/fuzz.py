"""Messages made up from a seed, what the contract answers to each, and a client that holds a server to it.

Every case is made from the seed and its number alone, so that a failure can be made again by itself.
"""

from __future__ import annotations

import json
import os
import random
import select
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonschema import Draft202012Validator

from support.client import PATIENCE, Client, OutputEnded, command, initialize_params, notification, request, required_of
from trop_core.catalogue import Operation, operations
from trop_server.wire.schemas import input_schema, output_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from support.cli import Sandbox

Id = int | str
Json = Any

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED, REQUEST_FAILED, CANCELLED = -32002, -32803, -32800

IN_FLIGHT = 150
"""Cases that are sent before their answers are read."""


class State(Enum):
    """How far a session is. Only in the second one are requests executed."""

    BEFORE = "before initialize"
    OPEN = "initialized"
    AFTER = "after shutdown"


@dataclass(frozen=True)
class Expected:
    """One answer that has to come: with this id, and one of these codes, or a result that ``result`` describes.

    ``handled`` is for what is a request: before ``initialize`` and after ``shutdown`` it gets another answer.
    """

    id: Id | None
    codes: frozenset[int]
    result: Operation | None = None
    handled: bool = False
    token: Id | None = None

    def check(self, answer: dict[str, Json], state: State) -> None:
        """Fail unless this is the answer that the contract gives."""
        codes, may_succeed = self.codes, self.result is not None
        if self.handled and state is not State.OPEN:
            codes, may_succeed = frozenset({NOT_INITIALIZED if state is State.BEFORE else INVALID_REQUEST}), False
        if "error" not in answer:
            assert may_succeed, f"expected one of {set(codes)}, not a result"
            assert answer.keys() == {"jsonrpc", "id", "result"}
            assert self.result is not None
            _check_result(self.result, answer["result"])
            return
        error = answer["error"]
        assert answer.keys() == {"jsonrpc", "id", "error"}
        assert error["code"] in codes, f"expected one of {set(codes)}"
        assert error["message"]
        assert error["data"].keys() == {"kind", "hint", "details", "retryable"}
        assert error["data"]["hint"]
        # Nobody holds the lock for long, and the time to wait for it is a minute.
        assert error["data"]["kind"] not in ("lock_timeout", "internal", "database_corrupt")


@dataclass
class Case:
    """What is sent, and what has to come back."""

    number: int
    data: bytes
    expected: list[Expected] = field(default_factory=list)


class Refused(NamedTuple):
    """Wrong in itself, whatever the session's state: the content, the answer's id and its code."""

    content: Json
    id: Id | None
    code: int


# Making cases


class Maker:
    """Makes the cases of one seed for one sandbox."""

    def __init__(self, seed: int, sandbox: Sandbox) -> None:
        self._seed = seed
        self._root = str(sandbox.root)
        work = str(sandbox.work)
        self._folders = [work, f"{work}/a", f"{work}/ä b"]
        inside = [*self._folders, f"{work}/a/b", f"{work}/link", f"{work}/gone", f"{work}/gone/deeper", f"{work}/file"]
        self._inside = [*inside, "a", ".", "a/../a//b/", "gone", *(f"file://{path}" for path in (work, f"{work}/a"))]
        self._config = f"{work}/trop.yaml"
        self._stores = [str(sandbox.data), f"{self._root}/other", f"{self._root}/other/below", f"{work}/file", "~/made"]
        self._outside = ["/etc", "/no/such", "../../../../../../../../etc", "/proc/self/fd/0", "/dev/null", "~nobody/x"]

    def __call__(self, number: int) -> Case:
        """The case of a number. Two of three call a command, so that half of all reach one behind its schema."""
        rng = random.Random(f"{self._seed}:{number}")
        if number % 3:
            return self._command(rng, number)
        return rng.choices([self._broken, self._unknown, self._silent, self._twice], [55, 20, 20, 5])[0](rng, number)

    # What reaches a command

    def _command(self, rng: random.Random, number: int) -> Case:
        message_id = _id(rng, number)
        operation = rng.choices(operations(), [8 if each.fields else 1 for each in operations()])[0]
        argument = self.argument(rng, operation)
        message = command(message_id, operation.command, argument)
        token: Id | None = None
        if rng.random() < 0.1:
            given: Json = rng.choice([f"token-{number}", number, True, [1], {"jsonrpc": "2.0"}, 1.5])
            message["params"]["workDoneToken"] = given
            token = given if type(given) in (int, str) else None
        if not argument and rng.random() < 0.5:
            message["params"]["arguments"] = rng.choice([None, [], [None], [{}]])
        codes = codes_of(operation, argument)
        sent = [message]
        if rng.random() < 0.1:
            codes |= {CANCELLED}
            sent.append(_cancellation(rng, message_id))
        may_succeed = operation if codes != {INVALID_PARAMS} else None
        expected = Expected(message_id, codes, may_succeed, handled=True, token=token)
        return Case(number, b"".join(_frame(rng, each) for each in sent), [expected])

    def argument(self, rng: random.Random, operation: Operation) -> dict[str, Json]:
        """An argument: most of them as the schema wants it, the others nearly so, or meant to do harm."""
        schema = input_schema(operation)
        properties = schema["properties"]
        chosen = set(rng.sample(sorted(properties), rng.randint(0, min(4, len(properties)))))
        if rng.random() < 0.9:
            chosen -= {"folder"} if "path" in chosen else set()
        chosen |= set(schema["required"])
        argument = {name: self._valid(rng, name, properties[name]) for name in sorted(chosen)}
        kind = rng.random()
        if kind < 0.75:
            return argument
        names = sorted(properties)
        if kind < 0.88:
            name = rng.choice([*names, "bogus", "Folder", "dry_run", "jsonrpc", ""])
            if name in schema["required"] and rng.random() < 0.5:
                del argument[name]
            else:
                argument[name] = rng.choice([0, -1, 65536, 5000.5, True, "5000", "", " ", [], {}, ["a"], None])
            return argument
        name = rng.choice([*names, rng.choice(["jsonrpc", "x" * 5000, "\ud800", "__proto__", "größe"])])
        hostile = self._hostile(rng)
        if name == "dataDir" and isinstance(hostile, str) and hostile in self._outside:
            hostile = "a\0b"  # Whoever names a data directory gets it made: only this sandbox's may be.
        argument[name] = hostile
        if name in ("path", "folder", "from", "to"):
            # Places outside are for the guard to refuse; what lifts it is kept to places inside.
            argument.pop("force", None)
            argument.pop("allowUnrelatedPath", None)
            if operation.name == "migrate" and hostile in self._outside:
                argument["dryRun"] = True
        return argument

    def _valid(self, rng: random.Random, name: str, schema: dict[str, Json]) -> Json:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if "null" in types and rng.random() < 0.1:
            return None
        if "boolean" in types:
            return rng.random() < 0.5
        if "integer" in types:
            return rng.choice([rng.randint(5000, 5040), rng.randint(schema["minimum"], schema.get("maximum", 10**30))])
        if name == "dataDir":
            return rng.choice(self._stores)
        if name == "config":
            return rng.choice([self._config, *self._inside]) if rng.random() < 0.5 else self._config
        if "minLength" in schema:
            return rng.choice(self._inside)
        if name == "ports":
            return rng.choice(["6999", "6990..6999", "6999..6990"])
        if "pattern" in schema:
            return rng.choice(["web", "api", " web ", "größe", "日本", "a" * 255, "--force", "'; DROP TABLE x; --"])
        return rng.choice(["", "x", "[]", '["/", ""]', "\ud800", "x" * 1000])

    def _hostile(self, rng: random.Random) -> Json:
        return rng.choice(
            [
                rng.choice(self._outside),
                "a\0b",
                "\ud800",
                "\x1b[31m\r\n",
                "x" * rng.choice([256, 5000, 70_000]),
                "a/" * 3000,
                "file://elsewhere/x",
                "file:///%FF%FE",
                "http://localhost/",
                "file:",
                10**30,
                -(10**400),
                1e999,
                -0.0,
                _nested(rng.choice([5, 50, 200])),
                {"jsonrpc": "2.0", "id": 1, "method": "exit"},
                {"jsonrpc": "1.0", "result": {"jsonrpc": "2.0"}},
                ["a"] * 2000,
            ]
        )

    # What does not

    def _broken(self, rng: random.Random, number: int) -> Case:
        refused = rng.choice([_no_json, _no_request, _no_id, _no_method, _no_params, _no_version])(
            rng, _id(rng, number)
        )
        return Case(number, _frame(rng, refused.content), [Expected(refused.id, frozenset({refused.code}))])

    def _unknown(self, rng: random.Random, number: int) -> Case:
        message_id = _id(rng, number)
        if rng.random() < 0.5:
            method = rng.choice(
                ["exit", "initialized", "$/cancelRequest", "textDocument/hover", "", "größe", "x" * 999]
            )
            message = request(message_id, method, rng.choice([None, {}, [], [1], {"id": message_id}, _nested(50)]))
            code = METHOD_NOT_FOUND
        else:
            arguments: list[Json] = [[{}, {}], {}, "x", 5, False, [[]], ["x"], [0]]
            wrong: list[Json] = [
                None,
                [],
                {},
                {"command": None},
                {"command": 5, "arguments": []},
                {"command": "trop.nothing", "arguments": [{}]},
                {"command": "", "arguments": [{}]},
                {"command": "TROP.LIST"},
                *({"command": "trop.list", "arguments": each} for each in arguments),
                {"jsonrpc": "2.0", "id": number, "method": "shutdown"},
            ]
            message = request(message_id, "workspace/executeCommand", rng.choice(wrong))
            code = INVALID_PARAMS
        return Case(number, _frame(rng, message), [Expected(message_id, frozenset({code}), handled=True)])

    def _silent(self, rng: random.Random, number: int) -> Case:
        folder = {"uri": f"file://{rng.choice(self._folders[1:])}", "name": "x"}
        removed = {"added": [], "removed": [{**folder, "uri": f"file://{each}"} for each in self._folders[1:]]}
        change = rng.choice([{"added": [folder], "removed": []}, removed, removed])
        message_id = _id(rng, number)
        silent: list[Json] = [
            notification("nobody/knowsThis", rng.choice([None, {}, [1], _nested(100)])),
            notification("workspace/executeCommand", {"command": "trop.init", "arguments": [{"overwrite": True}]}),
            notification("shutdown"),
            notification("initialize", initialize_params()),
            notification("workspace/didChangeWorkspaceFolders", {"event": change}),
            notification("workspace/didChangeWorkspaceFolders", rng.choice([None, [], {"event": 5}, {"event": {}}])),
            notification("$/setTrace", rng.choice([{"value": "off"}, {"value": 5}, None])),
            notification("textDocument/didOpen", rng.choice([None, {}, {"textDocument": {"uri": 5}}])),
            notification("textDocument/didChange", rng.choice([None, {"textDocument": {}, "contentChanges": [{}]}])),
            notification("notebookDocument/didOpen", rng.choice([[], {"notebookDocument": None}])),
            _cancellation(rng, rng.choice([message_id, None, True, 1.0, [], {}, "nobody"])),
            notification("$/cancelRequest", rng.choice([None, [], [1], {}])),
            notification("window/workDoneProgress/cancel", rng.choice([None, {}, {"token": rng.choice([1, "x", []])}])),
            {"jsonrpc": "2.0", "id": message_id, "result": rng.choice([None, 5, {"jsonrpc": "2.0"}])},
            {"jsonrpc": "2.0", "id": message_id, "error": rng.choice([None, "x", {"code": "x"}, {}])},
        ]
        return Case(number, _frame(rng, rng.choice(silent)))

    def _twice(self, rng: random.Random, number: int) -> Case:
        """One id for two requests: the second is refused while the first is under way, and served if it is not."""
        message_id = _id(rng, number)
        chosen = [rng.choice(operations()) for _ in range(2)]
        data = b""
        for operation in chosen:
            needed = required_of(input_schema(operation), f"{self._root}/work/gone")
            dry_run = {"dryRun": True} if "dryRun" in input_schema(operation)["properties"] else {}
            data += _frame(rng, command(message_id, operation.command, needed | dry_run))
        # Which of the two is answered first is nobody's business, so that each may get what either may get.
        codes = frozenset({REQUEST_FAILED, INVALID_REQUEST})
        return Case(number, data, [Expected(message_id, codes, ANYTHING, handled=True)] * len(chosen))


ANYTHING = operations()[0]._replace(name="")
"""Stands for the result of whatever operation."""


def _no_json(rng: random.Random, message_id: Id) -> Refused:
    whole = json.dumps(request(message_id, "workspace/executeCommand", {"command": "trop.list"})).encode()
    cut = rng.randrange(len(whole))
    content = rng.choice(
        [
            whole[:cut],
            whole + b"}",
            whole.replace(b'"2.0"', b"NaN"),
            whole.replace(b'"2.0"', b"-Infinity"),
            whole.replace(b'"trop.list"', b'"\xff\xfe"'),
            whole.replace(b'"trop.list"', b'"\xed\xa0\x80"'),
            whole.replace(b":", b"=", 1),
            b"\xef\xbb\xbf" + whole,
            b"",
            b"\x00" * rng.randint(1, 99),
            b"[" * rng.choice([1, 50_000]),
            rng.randbytes(rng.randint(1, 200)) + b"\xff",
        ]
    )
    return Refused(content, None, PARSE_ERROR)


def _no_request(rng: random.Random, message_id: Id) -> Refused:
    one = request(message_id, "workspace/executeCommand", {"command": "trop.list"})
    return Refused(rng.choice([None, True, 0, 1.5, "x", [], [one], [one] * 50, [[]], ["x"]]), None, INVALID_REQUEST)


def _no_id(rng: random.Random, message_id: Id) -> Refused:
    message = request(message_id, rng.choice(["workspace/executeCommand", "shutdown", "initialize", "x"]))
    wrong: Json = rng.choice([None, True, False, 1.0, 1e999, [message_id], {"id": message_id}])
    return Refused({**message, "id": wrong}, None, INVALID_REQUEST)


def _no_method(rng: random.Random, message_id: Id) -> Refused:
    method: dict[str, Json] = rng.choice(
        [{}, {"method": None}, {"method": 5}, {"method": ["shutdown"]}, {"Method": "x"}]
    )
    return Refused({"jsonrpc": "2.0", "id": message_id, **method}, message_id, INVALID_REQUEST)


def _no_params(rng: random.Random, message_id: Id) -> Refused:
    method = rng.choice(["workspace/executeCommand", "shutdown", "initialize", "x"])
    return Refused(request(message_id, method, rng.choice(["x", 5, 0, True, 1.5, ""])), message_id, INVALID_REQUEST)


def _no_version(rng: random.Random, message_id: Id) -> Refused:
    message = request(message_id, rng.choice(["shutdown", "exit", "workspace/executeCommand"]))
    version: dict[str, Json] = rng.choice(
        [{}, {"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"jsonrpc": None}, {"jsonrpc": []}]
    )
    del message["jsonrpc"]
    return Refused({**message, **version}, message_id, INVALID_REQUEST)


def _cancellation(rng: random.Random, message_id: Json) -> dict[str, Json]:
    return notification("$/cancelRequest", {"id": message_id, **rng.choice([{}, {"jsonrpc": "2.0"}])})


def _id(rng: random.Random, number: int) -> Id:
    """An id that no other case has."""
    ids: list[Id] = [number + 1, -number - 1, 2**70 + number, str(number), f"größe {number}", f"{number}\0\ud800"]
    return rng.choice(ids)


def _nested(depth: int) -> Json:
    value: Json = {"jsonrpc": "2.0"}
    for _ in range(depth // 2):
        value = {"a": [value]}
    return value


def _frame(rng: random.Random, message: Json) -> bytes:
    if isinstance(message, bytes):
        content = message
    else:
        # A lone surrogate can be written as an escape only; what Python calls Infinity is no JSON, and 1e999 is.
        text = json.dumps(message, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, None, 1]))
        content = text.replace("Infinity", "1e999").encode("utf-8", "surrogatepass")
        if b"\xed\xa0\x80" in content:
            content = json.dumps(message).replace("Infinity", "1e999").encode()
    head = rng.choice(
        [
            b"Content-Length: %d\r\n\r\n",
            b"Content-Length: %d\r\n\r\n",
            b"content-length:%d\r\n\r\n",
            b"CONTENT-LENGTH:  00%d \r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
            b"X-Some: thing\r\ncontent-Length: %d\r\n\r\n",
            b"Content-Length: %d\n\n",
        ]
    )
    return head % len(content) + content


# What has to come back


def codes_of(operation: Operation, argument: dict[str, Json]) -> frozenset[int]:
    """The codes with which an argument may be refused: ``InvalidParams``, and no other, for what its schema refuses."""
    if not _takes(operation).is_valid(argument) or any(type(value) is float for value in argument.values()):
        return frozenset({INVALID_PARAMS})
    codes = {REQUEST_FAILED}
    properties = input_schema(operation)["properties"]
    # No schema has a word for all that a path, a cursor or a text must not hold.
    if any("minLength" in properties[name] or name == "after" for name in argument) or "\ud800" in argument.values():
        codes.add(INVALID_PARAMS)
    return frozenset(codes)


@cache
def _takes(operation: Operation) -> Draft202012Validator:
    return Draft202012Validator(input_schema(operation))


@cache
def _gives(operation: Operation) -> Draft202012Validator:
    return Draft202012Validator(output_schema(operation))


_seen: dict[str, Json] = {}


def _check_result(operation: Operation, result: Json) -> None:
    if operation is ANYTHING:
        assert isinstance(result, dict)
    elif result != _seen.get(operation.name):
        _gives(operation).validate(result)
        _seen[operation.name] = result


# Holding a server to it


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
        for piece in _pieces(rng, b"".join(case.data for case in cases)):
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
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        name, _, length = bytes(self._received[:end]).partition(b": ")
        assert name == b"Content-Length", bytes(self._received[:200])
        stop = end + 4 + int(length)
        if len(self._received) < stop:
            return None
        message: dict[str, Json] = json.loads(bytes(self._received[end + 4 : stop]))
        del self._received[:stop]
        return message

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


def broken_header(rng: random.Random) -> bytes:
    """Bytes after which nobody can tell where the next message begins."""
    length = rng.choice([b"-1", b"x", b"", b"1e3", b"0x10", b"67108865", b"9" * rng.choice([20, 5000]), "٢".encode()])
    return rng.choice(
        [
            b"Content-Length: %s\r\n\r\n{}" % length,
            b"X: y\r\nContent-Length: %s\r\n\r\n{}" % length,
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Type: application/json\r\n\r\n{}",
            b"\r\n\r\n",
            b"{" + rng.randbytes(20),
            b"\xff" + rng.randbytes(20),
            b"\0",
            b"X: " + b"y" * 9000,
        ]
    )


def reading_in_pieces(rng: random.Random, data: bytes) -> Callable[[], bytes]:
    """A function that reads a stream of these bytes, as much at a time as comes in."""
    pieces = iter(_pieces(rng, data))
    return lambda: next(pieces, b"")


def _pieces(rng: random.Random, data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        size = rng.choice([rng.randint(1, 40), rng.randint(1, 2000), 65536, len(data)])
        yield data[start : start + size]
        start += size


def _key(message_id: Id) -> tuple[type, Id]:
    return type(message_id), message_id


def _numbers(cases: list[Case]) -> str:
    return f"{cases[0].number} to {cases[-1].number}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 3000 else f"{text[:2000]} … {text[-900:]}"
