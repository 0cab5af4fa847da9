"""Running operations in process, in surroundings of a test's own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken, no_progress
from trop_core.catalogue import operation
from trop_core.context import Context
from trop_core.operations.call import Call
from trop_core.store import Store

if TYPE_CHECKING:
    from pathlib import Path


UNLOOKING = {"TROP_SKIP_OCCUPANCY_CHECK": "1"}
"""The environment of whoever does not look at ports: what else runs on this machine must not decide about a test."""


def perform(directory: Path, name: str, values: dict[str, object] | None = None, **context: Any) -> Any:
    """Run an operation with values by their names in JSON, in a store that is opened for it; raises what it raises."""
    with closing(Store(str(directory))) as store:
        return perform_in(store, directory, name, values or {}, **context)


def perform_in(store: Store, directory: Path, name: str, values: dict[str, object], **context: Any) -> Any:
    """The same, in a store that is open."""
    found = operation(name)
    surroundings = {
        "caller": Caller(Door.TERMINAL, "/"),
        "data_directory": str(directory),
        "environment": UNLOOKING,
        "arguments": {},
        "token": CancellationToken(),
        "progress": no_progress,
        **context,
    }
    return Call(found, found.parse(values), Context(**surroundings)).run(store)
