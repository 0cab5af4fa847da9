"""What the contract answers to a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from trop_core.catalogue import Operation, operations
from trop_server.wire.schemas import input_schema, output_schema

Id = int | str
Json = Any
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED, REQUEST_FAILED, CANCELLED = -32002, -32803, -32800


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


ANYTHING = operations()[0]._replace(name="")
"""Stands for the result of whatever operation."""


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
