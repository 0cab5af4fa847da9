"""An agent at work: JSON goes out, JSON comes in, and nobody looks at a dialog. It counts what that costs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from support.mcp import LineClient, tool_call

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox


class Refused(NamedTuple):
    """What a call was refused with."""

    kind: str
    message: str
    hint: str
    details: dict[str, Any]
    retryable: bool


class Agent:
    """A session in a directory, with the usual tools or those that ``--tools`` names.

    ``calls`` and ``most_bytes`` tell what it took.
    """

    def __init__(self, sandbox: Sandbox, cwd: Path, tools: str | None = None, **environment: str | None) -> None:
        self._client = LineClient(cwd=str(cwd), env=sandbox.environment(**environment), tools=tools)
        self._client.introduce()
        self._long_place = str(sandbox.root).encode()
        self.calls = 0
        self.most_bytes = 0

    def does(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers; fails where it refuses."""
        is_error, told = self._call(tool, arguments)
        assert not is_error, told
        return told

    def is_refused(self, tool: str, **arguments: Any) -> Refused:
        """What a tool refuses; fails where it does not."""
        is_error, told = self._call(tool, arguments)
        assert is_error, told
        told.pop("warnings", None)
        refused = Refused(**told)
        assert refused.message
        assert refused.hint
        return refused

    def port(self, **arguments: Any) -> int:
        """The port that ``trop_reserve`` gives."""
        port: int = self.does("trop_reserve", **arguments)["reservation"]["port"]
        return port

    def end(self) -> None:
        """End the session."""
        self._client.kill()

    def _call(self, tool: str, arguments: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
        self.calls += 1
        self._client.send(tool_call(self.calls, f"trop_{tool.removeprefix('trop_')}", **arguments))
        result = self._client.answer(self.calls)["result"]
        (content,) = result["content"]
        # The places of tests are longer than anybody's.
        text = content["text"].encode().replace(self._long_place, b"/home/ann/work")
        self.most_bytes = max(self.most_bytes, len(text))
        told: dict[str, Any] = json.loads(content["text"])
        return result["isError"], told
