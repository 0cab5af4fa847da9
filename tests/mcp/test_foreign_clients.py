"""The clients that agents' hosts are built on, for real: each gets every tool, every result and every refusal.

They are installed by ``tests/mcp/clients/install DIR``; ``TROP_TEST_CLIENTS`` names that directory.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.client import TROP_SERVER
from support.patience import PATIENCE
from support.requirements import missing

if TYPE_CHECKING:
    from support.sandbox import Sandbox

INSTALLED = os.environ.get("TROP_TEST_CLIENTS")
SCRIPTS = Path(__file__).parent / "clients"
CLIENTS = {
    "TypeScript 1.23": ["node", "typescript.mjs", "sdk-1.23"],
    "TypeScript 1.32": ["node", "typescript.mjs", "sdk-1.32"],
    "TypeScript 2": ["node", "typescript.mjs", "@modelcontextprotocol/client"],
    "FastMCP": ["python/bin/python", "fastmcp_session.py"],
}
ERROR = ["kind", "message", "hint", "details", "retryable"]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The directory with the clients."""
    if not INSTALLED:
        missing("TROP_TEST_CLIENTS names no clients, which tests/mcp/clients/install makes", "TROP_REQUIRE_CLIENTS")
    return Path(INSTALLED).resolve()


def session(installed: Path, client: str, sandbox: Sandbox, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What a client sees: the tools, and an answer to each call."""
    program, script, *which = CLIENTS[client]
    path = f"{Path(TROP_SERVER).parent}:/usr/bin:/bin"
    told = {
        "command": "trop-server",
        "args": ["--mcp", "--tools", "all"],
        "cwd": str(sandbox.work),
        "env": {**sandbox.environment(), "PATH": path},
        "calls": [{"name": name, "arguments": arguments} for name, arguments in calls],
    }
    arguments = [str(SCRIPTS / script), *([str(installed), *which] if which else []), json.dumps(told)]
    command = program if program == "node" else str(installed / program)
    done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("client", CLIENTS)
def test_every_tool_is_called_well_and_badly(sandbox: Sandbox, installed: Path, client: str) -> None:
    work, config = str(sandbox.work), sandbox.work / "trop.yaml"
    config.write_text("reservations: {services: {a: {offset: 0}, b: {offset: 1}}}\n")
    moved = str(sandbox.directory("moved"))
    good: list[tuple[str, dict[str, Any]]] = [
        ("trop_init", {"withConfig": True}),
        ("trop_reserve", {"tag": "web", "port": "5005"}),
        ("trop_reserve", {"folder": work}),
        ("trop_list", {"includeOccupancy": "true"}),
        ("trop_list_projects", {}),
        ("trop_show_path", {}),
        ("trop_show_data_dir", {}),
        ("trop_migrate", {"from": moved, "to": work, "recursive": True}),
        ("trop_validate", {"config": str(config)}),
        ("trop_schema", {"file": "trop.yaml"}),
        ("trop_reserve_group", {"config": str(config)}),
        ("trop_autoreserve", {"folder": work}),
        ("trop_exclude", {"folder": work, "ports": "6001"}),
        ("trop_compact_exclusions", {"config": str(config)}),
        ("trop_scan", {"folder": work, "min": 6000, "max": 6001}),
        ("trop_port_info", {"port": 5005}),
        ("trop_assert_reservation", {"folder": work, "tag": "web"}),
        ("trop_assert_port", {"port": 6001, "not": True}),
        ("trop_assert_data_dir", {"validate": True}),
        ("trop_prune", {}),
        ("trop_expire", {"days": 1}),
        ("trop_autoclean", {"dryRun": True}),
        ("trop_release", {"folder": work, "tag": "web", "dryRun": True}),
        ("trop_env", {"folder": work}),
        ("trop_url", {"folder": work, "tag": "a"}),
        ("trop_status", {"folder": work}),
        ("trop_doctor", {}),
        ("trop_history", {"limit": "3"}),
        ("trop_undo", {"dryRun": "true"}),
        ("trop_reserve", {"path": moved, "tag": "web"}),
        ("trop_swap", {"path": moved, "tag": "web", "dryRun": True}),
        ("trop_backup", {"file": str(sandbox.root / "copy.db")}),
        ("trop_restore", {"file": str(sandbox.root / "copy.db"), "dryRun": True}),
    ]
    bad = [(name, {"bogus": 1}) for name in dict.fromkeys(name for name, _ in good)]

    seen = session(installed, client, sandbox, *good, *bad)

    tools = {tool["name"]: tool for tool in seen["tools"]}
    assert set(tools) == {name for name, _ in good}
    for (name, _), answer in zip(good, seen["answers"], strict=False):
        assert not answer.get("isError"), (name, answer)
        structured = answer["structuredContent"]
        assert json.loads(answer["content"][0]["text"]) == structured
        Draft202012Validator(tools[name]["outputSchema"]).validate(structured)
    for (name, _), answer in zip(bad, seen["answers"][len(good) :], strict=True):
        told = error_of(answer)
        assert (told["kind"], told["details"]["field"]) == ("invalid_argument", "bogus"), name


@pytest.mark.parametrize("client", CLIENTS)
def test_every_refusal_says_what_to_do_next(sandbox: Sandbox, installed: Path, client: str) -> None:
    work, one, other = (str(sandbox.work), *(str(sandbox.directory(name)) for name in ("one", "other")))
    sandbox.reserve("--project", "shop")
    for taken in (one, other):
        sandbox.reserve(cwd=Path(taken))
    (sandbox.work / "trop.yaml").write_text("ports: {min: 5000, max: 5002}\n")

    seen = session(
        installed,
        client,
        sandbox,
        ("trop_reserve", {"folder": "/elsewhere"}),
        ("trop_reserve", {"project": "other"}),
        ("trop_reserve", {"path": work, "folder": work}),
        ("trop_reserve", {"tag": "full"}),
        ("trop_reserve", {"port": 5000.5}),
        ("trop_migrate", {"from": "/nowhere", "to": "/there"}),
        ("trop_migrate", {"from": one, "to": other}),
        ("trop_autoreserve", {"folder": work}),
    )

    told = [error_of(answer) for answer in seen["answers"]]
    assert [error["kind"] for error in told] == [
        "unrelated_path",
        "sticky_field",
        "invalid_argument",
        "port_exhausted",
        "invalid_argument",
        "not_found",
        "reservation_conflict",
        "config_error",
    ]
    assert all(error["message"] and error["hint"] for error in told)


def test_hosts_take_every_schema(sandbox: Sandbox, installed: Path) -> None:
    tools = session(installed, "TypeScript 2", sandbox)["tools"]
    refusing = {"name": "old", "outputSchema": {"type": "object"}}
    refusing["inputSchema"] = {"type": "object", "properties": {"tag": {"type": "string", "pattern": "^(?=a)b$"}}}

    done = subprocess.run(
        [installed / "python/bin/python", SCRIPTS / "take_schemas.py"],
        input=json.dumps([*tools, refusing]),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    # One that is refused shows that the others were looked at.
    assert {refused[0] for refused in json.loads(done.stdout)} == {"old"}


def test_the_inspector_shows_tools_results_and_refusals(sandbox: Sandbox, installed: Path) -> None:
    # It looks from the working directory for what tells its own version, and reads that beside itself.
    (sandbox.work.parent / "package.json").touch()

    def inspected(*arguments: str) -> dict[str, Any]:
        program = installed / "node_modules/@modelcontextprotocol/inspector-cli/build/index.js"
        done = subprocess.run(
            ["node", str(program), TROP_SERVER, "--mcp", *arguments],
            cwd=sandbox.work,
            env={**sandbox.environment(), "PATH": f"{Path(TROP_SERVER).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    tools = {tool["name"]: tool for tool in inspected("--method", "tools/list")["tools"]}
    call = ("--method", "tools/call", "--tool-name", "trop_reserve", "--tool-arg")
    reserved, refused = inspected(*call, "tag=web"), inspected(*call, "folder=/elsewhere")

    Draft202012Validator(tools["trop_reserve"]["outputSchema"]).validate(reserved["structuredContent"])
    assert reserved["structuredContent"]["reservation"]["tag"] == "web"
    assert error_of(refused)["kind"] == "unrelated_path"


def error_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The error that a client hands on to the model."""
    assert "thrown" not in answer, answer
    assert answer["isError"]
    assert answer.get("structuredContent") is None
    told: dict[str, Any] = json.loads(answer["content"][0]["text"])
    assert list(told) == ERROR
    return told
