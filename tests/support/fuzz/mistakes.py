"""Messages that are wrong in themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from support.fuzz.contract import INVALID_REQUEST, PARSE_ERROR, Id, Json
from support.messages import request

if TYPE_CHECKING:
    import random


class Mistake(NamedTuple):
    """Wrong in itself, whatever the session's state: the content, the answer's id and its code."""

    content: Json
    id: Id | None
    code: int


def no_json(rng: random.Random, message_id: Id) -> Mistake:
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
    return Mistake(content, None, PARSE_ERROR)


def no_request(rng: random.Random, message_id: Id) -> Mistake:
    one = request(message_id, "workspace/executeCommand", {"command": "trop.list"})
    return Mistake(rng.choice([None, True, 0, 1.5, "x", [], [one], [one] * 50, [[]], ["x"]]), None, INVALID_REQUEST)


def no_id(rng: random.Random, message_id: Id) -> Mistake:
    message = request(message_id, rng.choice(["workspace/executeCommand", "shutdown", "initialize", "x"]))
    wrong: Json = rng.choice([None, True, False, 1.0, 1e999, [message_id], {"id": message_id}])
    return Mistake({**message, "id": wrong}, None, INVALID_REQUEST)


def no_method(rng: random.Random, message_id: Id) -> Mistake:
    method: dict[str, Json] = rng.choice(
        [{}, {"method": None}, {"method": 5}, {"method": ["shutdown"]}, {"Method": "x"}]
    )
    return Mistake({"jsonrpc": "2.0", "id": message_id, **method}, message_id, INVALID_REQUEST)


def no_params(rng: random.Random, message_id: Id) -> Mistake:
    method = rng.choice(["workspace/executeCommand", "shutdown", "initialize", "x"])
    return Mistake(request(message_id, method, rng.choice(["x", 5, 0, True, 1.5, ""])), message_id, INVALID_REQUEST)


def no_version(rng: random.Random, message_id: Id) -> Mistake:
    message = request(message_id, rng.choice(["shutdown", "exit", "workspace/executeCommand"]))
    version: dict[str, Json] = rng.choice(
        [{}, {"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"jsonrpc": None}, {"jsonrpc": []}]
    )
    del message["jsonrpc"]
    return Mistake({**message, **version}, message_id, INVALID_REQUEST)
