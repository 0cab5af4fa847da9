"""The server as an editor's own client library meets it: through pytest-lsp."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator  # noqa: TC003 - pytest-lsp looks at it
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from support.client import TROP_SERVER

# The configuration is read when the module is, before any fixture: the directory belongs to this module alone.
ROOT = Path(tempfile.mkdtemp(prefix="trop-language-client-")).resolve()
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
SETTINGS = {
    "HOME": str(ROOT / "home"),
    "TROP_DATA_DIR": str(ROOT / "data"),
    "TROP_SKIP_OCCUPANCY_CHECK": "1",
    "PATH": "/usr/bin:/bin",
}


@pytest_lsp.fixture(  # type: ignore[untyped-decorator] # pytest-lsp has no types for it
    config=ClientServerConfig(server_command=[TROP_SERVER, "--stdio"], server_env=SETTINGS)
)
async def editor(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """An editor like Visual Studio Code with one folder open."""
    params = types.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        workspace_folders=[types.WorkspaceFolder(uri=(ROOT / "work").as_uri(), name="work")],
    )
    await lsp_client.initialize_session(params)

    yield

    await lsp_client.shutdown_session()


async def execute(client: LanguageClient, name: str, **argument: Any) -> Any:
    params = types.ExecuteCommandParams(command=name, arguments=[argument])
    return await client.workspace_execute_command_async(params)


@pytest.mark.asyncio
async def test_an_editor_reserves_and_lists(editor: LanguageClient) -> None:
    reserved = await execute(editor, "trop.reserve", tag="editor")
    listed = await execute(editor, "trop.list", tag="editor")

    assert reserved["reservation"]["path"] == str(ROOT / "work")
    assert [entry["port"] for entry in listed["reservations"]] == [reserved["reservation"]["port"]]


@pytest.mark.asyncio
async def test_an_editor_is_told_why_something_is_refused(editor: LanguageClient) -> None:
    with pytest.raises(JsonRpcException) as refused:
        await execute(editor, "trop.reserve", port="5000")

    assert refused.value.code == -32602
    assert refused.value.message == 'port: expected a port from 1 to 65535, not "5000"'


@pytest.mark.asyncio
async def test_an_editor_opens_another_folder(editor: LanguageClient) -> None:
    other = types.WorkspaceFolder(uri=(ROOT / "other").as_uri(), name="other")
    event = types.WorkspaceFoldersChangeEvent(added=[other], removed=[])
    editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event=event))

    with pytest.raises(JsonRpcException) as refused:
        await execute(editor, "trop.reserve")

    assert refused.value.data is not None
    assert refused.value.data["kind"] == "ambiguous_folder"


@pytest.mark.asyncio
async def test_an_editor_learns_the_commands(editor: LanguageClient) -> None:
    listed = await execute(editor, "trop.listCommands")

    assert "trop.reserve" in [entry["command"] for entry in listed["commands"]]
