"""How the MCP server is registered with each host: in which file, and as what.

Each as the host documents it: https://code.claude.com/docs/en/mcp, https://developers.openai.com/codex/mcp,
https://cursor.com/docs/context/mcp, https://code.visualstudio.com/docs/copilot/customization/mcp-servers,
https://geminicli.com/docs/tools/mcp-server, https://opencode.ai/docs/mcp-servers, https://zed.dev/docs/ai/mcp.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from trop_server.mcp.hosts import toml_text

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


def reconciled(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An entry that is there, with what it takes to start the server: arguments and switches of the user's stay."""
    new = dict(existing)
    for key, value in wanted.items():
        former = existing.get(key)
        if isinstance(former, list) and ARGUMENT in former:
            new[key] = former if key == "args" else [value[0], *former[1:]]
        elif not (key in existing and key in ("enabled", "cwd")):
            new[key] = value
    return new
