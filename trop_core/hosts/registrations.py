"""How the MCP server is registered with each host: in which file, and as what.

Each as the host documents it: https://code.claude.com/docs/en/mcp, https://developers.openai.com/codex/mcp,
https://cursor.com/docs/context/mcp, https://code.visualstudio.com/docs/copilot/customization/mcp-servers,
https://geminicli.com/docs/tools/mcp-server, https://opencode.ai/docs/mcp-servers, https://zed.dev/docs/ai/mcp.
"""

from __future__ import annotations

import json
import os

from trop_core.hosts import toml_text
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "trop"
"""What the server is called among a host's servers."""

PROGRAM = "trop-server"
ARGUMENT = "--mcp"


class Host(NamedTuple):
    """A host: the project's files that it reads, the usual one first, and the key under which it has its servers.

    ``whole_command`` says that a command and its arguments are one list, and ``more`` is what an entry has besides.
    ``head`` stands at the beginning of a new file.
    """

    name: str
    files: tuple[str, ...]
    section: str
    more: Mapping[str, Any]
    whole_command: bool = False
    head: Mapping[str, Any] = {}

    @property
    def in_toml(self) -> bool:
        """Whether its files are TOML; all others are JSON, with comments where the host takes them."""
        return any(file.endswith(".toml") for file in self.files)

    def entry(self, command: str) -> dict[str, Any]:
        """The server, with the program that is named or the path of one."""
        if self.whole_command:
            return {**self.more, "command": [command, ARGUMENT]}
        return {**self.more, "command": command, "args": [ARGUMENT]}

    def document(self, command: str) -> str:
        """A whole file that registers the server and nothing else."""
        if self.in_toml:
            return toml_text.table((self.section, NAME), self.entry(command))
        return json.dumps({**self.head, self.section: {NAME: self.entry(command)}}, indent=2, ensure_ascii=False) + "\n"


_STDIO = {"type": "stdio"}
_OF_REMOTE_SERVERS = {"url", "httpUrl", "serverUrl"}

HOSTS = {
    host.name: host
    for host in (
        Host("claude-code", (".mcp.json",), "mcpServers", _STDIO),
        Host("codex", (".codex/config.toml",), "mcp_servers", {}),
        Host("cursor", (".cursor/mcp.json",), "mcpServers", _STDIO),
        Host("vscode", (".vscode/mcp.json",), "servers", {**_STDIO, "cwd": "${workspaceFolder}"}),
        Host("gemini", (".gemini/settings.json",), "mcpServers", {}),
        Host(
            "opencode",
            ("opencode.json", "opencode.jsonc"),
            "mcp",
            {"type": "local", "enabled": True},
            whole_command=True,
            head={"$schema": "https://opencode.ai/config.json"},
        ),
        Host("zed", (".zed/settings.json",), "context_servers", {}),
        # Its one file is the user's: it works in no project.
        Host("claude-desktop", (), "mcpServers", {}),
    )
}


class OfAnotherKind(ValueError):
    """An entry that is there already starts the server in a way of its own, or something else."""


def reconciled(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An entry that is there, with the program of this installation: arguments and switches of the user's stay.

    Raises ``OfAnotherKind`` for one that does not start this program by itself: half of the one and half of the other
    would start nothing.
    """
    if not existing:
        return dict(wanted)
    command: Any = existing.get("command")
    arguments: Any = existing.get("args")
    is_whole = isinstance(wanted["command"], list)
    program = command
    if is_whole and isinstance(command, list) and command:
        program, arguments = command[0], command[1:]
    is_ours = (
        isinstance(program, str)
        and os.path.basename(program) == PROGRAM
        and isinstance(arguments, list)
        and ARGUMENT in arguments
        and existing.get("type", wanted.get("type")) == wanted.get("type")
        and not existing.keys() & _OF_REMOTE_SERVERS
    )
    if not is_ours:
        raise OfAnotherKind
    new = {**wanted, **existing}
    new["command"] = [wanted["command"][0], *arguments] if is_whole else wanted["command"]
    return new
