"""Results as JSON has them."""

from __future__ import annotations

import math
import time
from functools import lru_cache

from trop_core.catalogue import Operation
from trop_core.errors.spelling import wire_name
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.models import ListedReservation, Reservation, Timestamp
from trop_server.wire.limits import LONGEST_LIST, ONLY_WHERE_THERE

if TYPE_CHECKING:
    from trop_core.models import Occupancy
    from trop_core.records import Record

OCCUPIED: dict[Occupancy, bool | None] = {"occupied": True, "free": False, "unknown": None}

_DEEPEST = 20
_AS_THEY_ARE = frozenset((str, int, bool, type(None)))

_TIMES = 1024
"""How many times are kept with what they are called: rows that were used together have the same."""

_LATEST_TIME = 253_402_300_799
"""The last second of the year 9999: RFC 3339 has no later one, and a store may."""


def result_to_wire(result: Record, *, longest: int = LONGEST_LIST) -> dict[str, Any]:
    """A result as a JSON object. A list of more than ``longest`` entries is cut there, and ``truncated`` is true then.

    What the caller should know is not cut.
    """
    wire: dict[str, Any] = {}
    cut = False
    for name in result.declared:
        value = getattr(result, name)
        if value is None and name in ONLY_WHERE_THERE:
            continue
        if isinstance(value, tuple) and len(value) > longest and name != "warnings":
            value, cut = value[:longest], True
        wire[wire_name(name)] = value_to_wire(value)
    if cut:
        wire["truncated"] = True
    return wire


def value_to_wire(value: Any, depth: int = 0) -> Any:
    """Anything that a result or an error's details hold, as JSON.

    A caller's own value comes back in the details of the error that refuses it, and may be anything: what is nested
    deeply is left out, and a number that was too large to be one (1e999) is a text.
    """
    if type(value) in _AS_THEY_ARE or depth > _DEEPEST:
        return value if type(value) in _AS_THEY_ARE else "…"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Reservation):
        return reservation_to_wire(value)
    if isinstance(value, Timestamp):
        return timestamp(value)
    if isinstance(value, ListedReservation):
        return _listed_to_wire(value)
    if isinstance(value, Operation):
        from trop_server.wire.commands import operation_to_wire

        return operation_to_wire(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {wire_name(name): value_to_wire(entry) for name, entry in zip(value._fields, value, strict=True)}
    if isinstance(value, (tuple, list)):
        return [value_to_wire(entry, depth + 1) for entry in value]
    if isinstance(value, dict):
        return {key: value_to_wire(entry, depth + 1) for key, entry in value.items()}
    return value


def _listed_to_wire(listed: ListedReservation) -> dict[str, Any]:
    """``occupied`` and ``holder`` are there only where they were asked for, ``missing`` only where the directory is."""
    wire = reservation_to_wire(listed.reservation)
    if listed.occupancy is not None:
        wire["occupied"] = OCCUPIED[listed.occupancy]
        wire["holder"] = value_to_wire(listed.holder)
    if listed.missing:
        wire["missing"] = True
    return wire


def reservation_to_wire(reservation: Reservation) -> dict[str, Any]:
    """A reservation as JSON; times are RFC 3339 in UTC."""
    return {
        "port": reservation.port,
        "path": reservation.path,
        "tag": reservation.tag,
        "project": reservation.project,
        "task": reservation.task,
        "createdAt": timestamp(reservation.created_at),
        "lastUsedAt": timestamp(reservation.last_used_at),
    }


@lru_cache(_TIMES)
def timestamp(seconds: int) -> str:
    """A time as RFC 3339 in UTC, to the second. What lies beyond the year 9999 is its last second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(seconds, _LATEST_TIME)))
