"""The product's errors as JSON-RPC errors: the one place where kinds become codes."""

from __future__ import annotations

import logging
from typing import Any

from lsprotocol.types import ErrorCodes, LSPErrorCodes
from pygls.exceptions import JsonRpcException

from trop_core.database.failures import unforeseen
from trop_core.errors.arguments import InvalidArgument, InvalidIdentifier
from trop_core.errors.base import Cancelled, InternalError, TropError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.spelling import wire_name
from trop_server.wire.errors import error_to_wire

logger = logging.getLogger(__name__)


def code_of(error: TropError) -> int:
    """The JSON-RPC code of an error.

    ``InvalidParams`` is for what one field's own schema refuses, ``RequestFailed`` for all that takes more to see.
    """
    if isinstance(error, Cancelled):
        return LSPErrorCodes.RequestCancelled.value
    if isinstance(error, InternalError):
        return ErrorCodes.InternalError.value
    if isinstance(error, InvalidIdentifier) or (isinstance(error, (InvalidArgument, InvalidPath)) and error.alone):
        return ErrorCodes.InvalidParams.value
    return LSPErrorCodes.RequestFailed.value


def log_failure(what: str, error: BaseException) -> TropError:
    """Log an error that nobody has foreseen, a defect of ours with its traceback; return it as the product's own."""
    failure = unforeseen(error)
    logger.error("%s: %s", what, failure, exc_info=error if isinstance(failure, InternalError) else None)
    return failure


def to_json_rpc(error: BaseException) -> JsonRpcException:
    """Any error as the client gets it. One that is not the product's own is logged, and told without its traceback."""
    if isinstance(error, JsonRpcException):
        return error
    if not isinstance(error, TropError):
        error = log_failure("a command failed", error)
    data: dict[str, Any] = error_to_wire(error)
    return JsonRpcException(message=error.message(wire_name), code=code_of(error), data=data)


def refusal(
    code: ErrorCodes | LSPErrorCodes, message: str, hint: str, kind: str = "invalid_argument"
) -> JsonRpcException:
    """An error of the protocol itself, with the same data as every other one."""
    return JsonRpcException(
        message=message, code=code.value, data={"kind": kind, "hint": hint, "details": {}, "retryable": False}
    )
