"""Errors as JSON has them."""

from __future__ import annotations

from trop_core.errors.spelling import wire_name
from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.wire.limits import LONGEST_LIST
from trop_server.wire.values import value_to_wire

if TYPE_CHECKING:
    from trop_core.errors.base import TropError


def error_to_wire(error: TropError) -> dict[str, Any]:
    """What an error's ``data`` is, in every protocol."""
    details = value_to_wire(error.details())
    cut = False
    for key, value in details.items():
        if isinstance(value, list) and len(value) > LONGEST_LIST:
            details[key], cut = value[:LONGEST_LIST], True
    if cut:
        details["truncated"] = True
    told: dict[str, Any] = {
        "kind": error.kind,
        "hint": error.hint(wire_name),
        "details": details,
        "retryable": error.retryable,
    }
    if error.warnings:
        told["warnings"] = list(error.warnings)
    return told
