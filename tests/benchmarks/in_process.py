"""Calling an operation in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.catalogue import operation
from trop_core.context import Context
from trop_core.operations.call import Call
from trop_core.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def call(directory: Path, name: str, reports: list[int], values: dict[str, object], store: Store | None = None) -> Any:
    """The result of an operation that begins in /. What it reports of its progress is added to ``reports``.

    Without a store that is open already, one is opened for the call.
    """
    context = Context(
        caller=Caller(Door.TERMINAL, "/"),
        data_directory=str(directory),
        environment={},
        arguments={},
        token=CancellationToken(),
        progress=lambda done, total: reports.append(done),
    )
    found = operation(name)
    opened = store or Store(str(directory))
    try:
        return Call(found, found.parse(values), context).run(opened)
    finally:
        if store is None:
            opened.close()
