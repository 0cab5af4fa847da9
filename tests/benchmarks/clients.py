"""A client that waits for each answer."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path


class Client:
    """One server, initialized, with no folder open."""

    def __init__(self, command: list[str], directory: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._number = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(self, *_: object) -> None:
        self.request("shutdown", None)
        self._send({"method": "exit"})
        self._process.wait(10)

    def command(self, name: str, argument: dict[str, Any]) -> Any:
        return self.request("workspace/executeCommand", {"command": name, "arguments": [argument]})

    def request(self, method: str, params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while (message := self._receive()).get("id") != self._number:
            pass
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._in.flush()

    def _receive(self) -> dict[str, Any]:
        length = 0
        while (line := self._out.readline()) != b"\r\n":
            if not line:
                raise EOFError("the server has gone")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self._out.read(length))
        return message
