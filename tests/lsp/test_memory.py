"""A session lasts for weeks: what was handled leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.messages import folders_changed, notification

if TYPE_CHECKING:
    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured", "started_whole")

WARM = MANY = 10_000
"""The threads and their arenas have come by then: some megabytes, whatever follows."""

KEPT = 200
"""Bytes for each message: what the allocator does by the way, and a tenth of what a future took."""


@pytest.mark.parametrize("what", ["folders that come and go", "folders that are gone", "traces", "renames"])
def test_ten_thousand_notifications_leave_nothing(client: Client, sandbox: Sandbox, what: str) -> None:
    folder = sandbox.directory("other")
    messages: list[dict[str, Any]] = {
        "folders that come and go": [folders_changed([folder], []), folders_changed([], [folder])],
        "folders that are gone": [folders_changed([], [folder])],
        "traces": [notification("$/setTrace", {"value": "off"})],
        "renames": [notification("workspace/didRenameFiles", {"files": []})],
    }[what]

    send(client, messages, WARM)
    before = client.memory()
    send(client, messages, MANY)
    grown = client.memory() - before

    assert grown < MANY * KEPT
    assert client.call("trop.showPath")["path"] == str(sandbox.work)


def send(client: Client, messages: list[dict[str, Any]], count: int) -> None:
    """Send messages in turn, a few at a time, and wait until they are handled."""
    for _ in range(count // 100):
        client.send(*messages * (100 // len(messages)))
        client.call("trop.showDataDir")
