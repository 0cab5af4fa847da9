"""One session of FastMCP's client: reads what to do as JSON, and prints what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def session(told: dict[str, Any]) -> dict[str, Any]:
    transport = StdioTransport(told["command"], told["args"], env=told["env"], cwd=told["cwd"], keep_alive=False)
    async with Client(transport) as client:
        tools = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in await client.list_tools()]
        answers = []
        for call in told["calls"]:
            try:
                answer = await client.call_tool_mcp(call["name"], call["arguments"])
                answers.append(answer.model_dump(by_alias=True, exclude_none=True, mode="json"))
            except Exception as error:  # noqa: BLE001 - a test looks at what it says
                answers.append({"thrown": repr(error)})
    return {"tools": tools, "answers": answers}


print(json.dumps(asyncio.run(session(json.loads(sys.argv[1])))))
