"""Messages of JSON-RPC and LSP, as a client sends and gets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class ServerError(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: dict[str, Any] = error["data"]


def frame(message: Any) -> bytes:
    """A message, or content that is bytes already, as the protocol frames it."""
    # What Python calls Infinity is no JSON; a number that is too large to be one is.
    content = message if isinstance(message, bytes) else json.dumps(message).replace("Infinity", "1e999").encode()
    return b"Content-Length: %d\r\n\r\n" % len(content) + content


def request(message_id: int | str, method: str, params: Any = None) -> dict[str, Any]:
    """A request."""
    return {"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}


def command(message_id: int | str, name: str, argument: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request to execute one of trop's commands."""
    return request(message_id, "workspace/executeCommand", {"command": name, "arguments": [argument or {}]})


def notification(method: str, params: Any = None) -> dict[str, Any]:
    """A notification."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def cancellation(message_id: object) -> dict[str, Any]:
    """The notification that takes a request back."""
    return notification("$/cancelRequest", {"id": message_id})


def initialize_params(*folders: str, **params: Any) -> dict[str, Any]:
    """The parameters of ``initialize``."""
    return {
        "processId": None,
        "rootUri": None,
        "capabilities": {"workspace": {"workspaceFolders": True}},
        "workspaceFolders": [workspace_folder(folder) for folder in folders] or None,
        **params,
    }


def workspace_folder(folder: str) -> dict[str, str]:
    """A workspace folder, from a path or a URI."""
    return {"uri": Path(folder).as_uri() if folder.startswith("/") else folder, "name": folder}


def result(answer: dict[str, Any]) -> dict[str, Any]:
    """The result of an answer. Raises ``ServerError``."""
    if "error" in answer:
        raise ServerError(answer["error"])
    found: dict[str, Any] = answer["result"]
    return found


def required_of(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """A value for each required field of a command: ``path``, or ports where they belong."""
    ports = {"port": 5000, "ports": "6999"}
    return {name: ports.get(name, path) for name in schema["required"]}


def folders_changed(added: Iterable[Path | str] = (), removed: Iterable[Path | str] = ()) -> dict[str, Any]:
    """The notification that folders (paths or URIs) were opened in the window, and others closed."""
    event = {
        "added": [workspace_folder(str(folder)) for folder in added],
        "removed": [workspace_folder(str(folder)) for folder in removed],
    }
    return notification("workspace/didChangeWorkspaceFolders", {"event": event})


def unframe(received: bytearray) -> dict[str, Any] | None:
    """Take the first message out of what has come, if the whole of it has. What is no frame fails the test."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    name, _, length = bytes(received[:head]).partition(b": ")
    assert name == b"Content-Length", bytes(received[:200])
    end = head + 4 + int(length)
    if len(received) < end:
        return None
    message = json.loads(bytes(received[head + 4 : end]), parse_constant=_refuse)
    del received[:end]
    assert isinstance(message, dict), message
    assert message["jsonrpc"] == "2.0", message
    return message


def _refuse(name: str) -> Any:
    raise AssertionError(f"the server sent {name}, which is no JSON")
