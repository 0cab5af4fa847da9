"""What the answer to a call that reserved says besides: whether something listens there, and whose it is.

An agent that is told its own server's port starts no second server on it, and one that is told somebody else's does not
wonder why its own cannot start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.holder import Holder
from trop_core.operations.looking.given_ports import Occupant, occupants
from trop_server.wire.schemas import value_schema
from trop_server.wire.values import value_to_wire

if TYPE_CHECKING:
    from trop_core.models import Reservation
    from trop_core.operations.call import Call

LONGEST_COMMAND = 120
"""Characters of a command line: enough to know it by."""

_RESERVING = ("reserve", "url")
_GROUPS = ("reserve_group", "autoreserve")
_LISTING = "env"


def are_told(operation: str) -> bool:
    """Whether the answer to an operation tells of them."""
    return operation in (*_RESERVING, *_GROUPS, _LISTING)


def seen(call: Call) -> dict[int, Occupant]:
    """What is seen now of the ports that a call has given out, by the port. Asks the system, and may take seconds."""
    assert call.settings is not None
    return occupants(_given(call.operation.name, call.result), call.settings.occupancy, call.context)


def add(operation: str, wire: dict[str, Any], found: dict[int, Occupant]) -> None:
    """Add what was seen to a result: beside its reservation, or to each of several."""
    entries = [(wire["reservation"]["port"], wire)] if operation in _RESERVING else []
    if operation in _GROUPS:
        entries = [(row["port"], row) for row in wire["group"].values()]
    elif operation == _LISTING:
        entries = [(row["port"], row) for row in wire["reservations"]]
    for port, entry in entries:
        entry["occupied"], entry["occupant"] = found[port].occupied, value_to_wire(found[port].occupant)


def describe(operation: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the result with what ``add`` adds."""
    told = {
        "occupied": {"type": ["boolean", "null"], "description": "Whether something listens on the port already."},
        "occupant": {
            **value_schema(Holder | None),
            "description": "Who that is. relation own: a program of this directory, most often your own server, which "
            "runs; other: that of another directory; unknown: nobody can tell.",
        },
    }
    properties = schema["properties"]
    if operation in _RESERVING:
        return {**schema, "properties": {**properties, **told}}
    name, each = ("reservations", "items") if operation == _LISTING else ("group", "additionalProperties")
    row = properties[name][each]
    several = {**properties[name], each: {**row, "properties": {**row["properties"], **told}}}
    return {**schema, "properties": {**properties, name: several}}


def shortened(value: Any) -> Any:
    """A result in which the command lines of processes are no longer than it takes to know them."""
    if isinstance(value, list):
        return [shortened(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    short = {name: shortened(entry) for name, entry in value.items()}
    command = short.get("command")
    if "pid" in short and isinstance(command, str) and len(command) > LONGEST_COMMAND:
        short["command"] = f"{command[:LONGEST_COMMAND]}…"
    return short


def _given(operation: str, result: Any) -> list[Reservation]:
    if operation in _RESERVING:
        return [result.reservation]
    return list(result.reservations if operation == _LISTING else result.group.values())
