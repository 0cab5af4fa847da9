"""The packages that agents' hosts load, made from the texts that the MCP server sends: ``editors/agents``.

A Claude Code plugin, with a catalogue to install it from (https://code.claude.com/docs/en/plugins-reference), and an
Agent Plugins 1.0 package (https://agent-plugins.org). ``python -m trop_server.reference`` writes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trop_core import __version__
from trop_core.hosts.registrations import ARGUMENT, NAME, PROGRAM
from trop_server.mcp.instructions import ERRORS, PURPOSE, RULES

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "editors/agents"
CLAUDE, PORTABLE = f"{PLACE}/claude-code", f"{PLACE}/agent-plugin"

_SCHEMAS = "https://agent-plugins.org/schemas/1.0.0"
_DESCRIPTION = (
    "A port of its own for every directory: worktrees and agents that run servers do not get in each other's way."
)
_AUTHOR = {"name": "The trop authors"}
_WHEN = (
    "Gives this directory a port of its own, and always the same one. Use before starting anything that listens on a "
    "port (a dev server, a preview, an API, a database, a test server), when a port is taken, and when a command, a "
    "script or a configuration needs a port number."
)
_HOOK = "trop hook claude 2>/dev/null || true"
"""A host on whose PATH there is no trop, or an older one, is not failed either."""

_SKILL = f"""\
---
name: {NAME}
description: {json.dumps(_WHEN)}
---

# A port for this directory

{PURPOSE}
{RULES}
## Start a server on its port

With the MCP tools: `trop_reserve`, then start the program on the `port` of the result. In a shell:

```sh
port=$(trop reserve) && npm run dev -- --port "$port" --strictPort
trop run --tag api -- npm start    # has the port in PORT
eval "$(trop autoreserve)"    # a project whose trop.yaml describes its services: WEB_PORT, API_PORT …
```

Give the program the port by its own flag or variable, and switch off that it looks for the next free one
(`--strictPort` is Vite's): it would take the port of somebody else. Where the session has told
its ports already, those are this directory's.

## When somebody holds the port

`trop_port_info`, or `trop port-info "$port" --include-occupancy`, tells which process listens,
and for which directory the port is reserved.

- It is this directory's own server, from before: use it as it is. Stop it only if you have started it yourself.
- It is somebody else's: leave it alone, and tell the person which process it is. If the work cannot wait, ask for
  another port (`overwrite`, or `trop reserve --overwrite`; a service of `trop.yaml` is released first) and start there.
  Never look for a free number yourself.

## When a call fails

{ERRORS}"""


def files() -> dict[str, str]:
    """Every file, by its path in a checkout."""
    about: dict[str, Any] = {
        "name": NAME,
        "version": __version__,
        "description": _DESCRIPTION,
        "author": _AUTHOR,
        "license": "MIT",
        "keywords": ["port", "worktree", "dev server", "mcp"],
    }
    servers = {"mcpServers": {NAME: {"type": "stdio", "command": PROGRAM, "args": [ARGUMENT]}}}
    hook = [{"hooks": [{"type": "command", "command": _HOOK, "timeout": 5}]}]
    catalogue = {
        "name": NAME,
        "description": _DESCRIPTION,
        "owner": _AUTHOR,
        "plugins": [{"name": NAME, "source": "./claude-code", "description": _DESCRIPTION}],
    }
    skill = f"skills/{NAME}/SKILL.md"
    return {
        f"{PLACE}/.claude-plugin/marketplace.json": _json(catalogue),
        f"{CLAUDE}/.claude-plugin/plugin.json": _json(about),
        f"{CLAUDE}/.mcp.json": _json(servers),
        f"{CLAUDE}/hooks/hooks.json": _json(
            {"description": "Tells a session its ports.", "hooks": {"SessionStart": hook, "CwdChanged": hook}}
        ),
        f"{CLAUDE}/{skill}": _SKILL,
        f"{PORTABLE}/plugin.json": _json({"$schema": f"{_SCHEMAS}/plugin.schema.json", **about}),
        f"{PORTABLE}/mcp.json": _json({"$schema": f"{_SCHEMAS}/mcp.schema.json", **servers}),
        f"{PORTABLE}/{skill}": _SKILL,
    }


def update(checkout: Path) -> list[str]:
    """Bring the packages of a checkout up to date. Returns the files that were not; the others are not written to."""
    changed = []
    for file, text in files().items():
        path = checkout / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(file)
    return changed


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
