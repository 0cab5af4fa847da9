"""What the server says of itself, and what it takes from the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.client import Client
from support.messages import ServerError, initialize_params

from trop_core import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sandbox import Sandbox

COMMANDS = ["trop.reserve", "trop.list", "trop.listCommands"]


@pytest.mark.usefixtures("started_whole")
def test_the_capabilities_name_the_commands_and_what_is_done_with_documents(start: Callable[..., Client]) -> None:
    client = start()

    answer = client.initialize()

    capabilities = answer["capabilities"]
    assert set(COMMANDS) <= set(capabilities["executeCommandProvider"]["commands"])
    assert capabilities["workspace"]["workspaceFolders"] == {"supported": True, "changeNotifications": True}
    assert capabilities["textDocumentSync"] == {"openClose": True, "change": 2, "save": {"includeText": False}}
    assert "notebookDocumentSync" not in capabilities
    assert answer["serverInfo"] == {"name": "trop-server", "version": __version__}


def test_the_experimental_capability_is_the_list_of_commands(start: Callable[..., Client]) -> None:
    client = start()

    announced = client.initialize()["capabilities"]

    listed = client.call("trop.listCommands")["commands"]
    assert announced["experimental"]["trop"]["commands"] == listed
    assert announced["executeCommandProvider"]["commands"] == [entry["command"] for entry in listed]


def test_a_broken_store_does_not_cost_the_editor_its_server(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    sandbox.data.mkdir()
    sandbox.database.write_bytes(b"noise" * 4096)
    client = start()

    client.initialize(str(sandbox.work))
    refusal = client.refused("trop.reserve")
    commands = client.call("trop.listCommands")["commands"]

    assert (refusal.code, refusal.data["kind"]) == (-32803, "database_corrupt")
    assert refusal.data["details"]["path"] == str(sandbox.database)
    assert len(commands) >= len(COMMANDS)
    assert sandbox.database.read_bytes() == b"noise" * 4096


def test_initialize_creates_nothing(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    start().initialize(str(sandbox.work))

    assert not sandbox.data.exists()


@pytest.mark.parametrize("spelling", ["path", "uri", "relative"])
def test_the_data_directory_comes_from_the_initialization_options(
    sandbox: Sandbox, start: Callable[..., Client], spelling: str
) -> None:
    named = sandbox.root / "work" / "elsewhere ü"
    data_dir = {"path": str(named), "uri": named.as_uri(), "relative": "elsewhere ü"}[spelling]
    client = start()
    client.initialize(str(sandbox.work), initializationOptions={"dataDir": data_dir})

    client.call("trop.reserve")

    assert (named / "trop.db").exists()
    assert not sandbox.data.exists()


def test_the_option_data_dir_names_the_store(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    client = start("--stdio", "--data-dir", str(sandbox.root / "other"))
    client.initialize(str(sandbox.work))

    client.call("trop.reserve")

    assert (sandbox.root / "other" / "trop.db").exists()
    assert not sandbox.data.exists()


@pytest.mark.usefixtures("started_whole")
def test_variables_of_the_shell_that_speak_to_the_command_line_are_not_heard(
    sandbox: Sandbox, start: Callable[..., Client]
) -> None:
    other = sandbox.directory("other")
    client = start(TROP_PATH=str(other), TROP_PROJECT="shell", TROP_TASK="shell")
    client.initialize(str(sandbox.work))

    reservation = client.call("trop.reserve")["reservation"]

    assert (reservation["path"], reservation["project"], reservation["task"]) == (str(sandbox.work), None, None)


@pytest.fixture(scope="module")
def fresh(shared_sandbox: Sandbox) -> Iterator[Client]:
    client = Client(cwd=str(shared_sandbox.work), env=shared_sandbox.environment())
    yield client
    client.kill()


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"processId": "x", "rootUri": None, "capabilities": {}}, id="a process id that is a text"),
        pytest.param({"processId": None, "rootUri": None, "capabilities": 5}, id="capabilities that are a number"),
        pytest.param({**initialize_params(), "rootUri": "http://["}, id="a root that is no URI"),
        pytest.param({**initialize_params(), "workspaceFolders": 5}, id="folders that are a number"),
        pytest.param({**initialize_params(), "workspaceFolders": [5]}, id="a folder that is a number"),
        pytest.param({**initialize_params(), "workspaceFolders": [{"name": "a"}]}, id="a folder without a URI"),
        pytest.param(
            {**initialize_params(), "initializationOptions": {"dataDir": 5}}, id="a data directory that is a number"
        ),
        pytest.param({**initialize_params(), "initializationOptions": {"dataDir": "http://a/b"}}, id="one on the web"),
        pytest.param({**initialize_params(), "initializationOptions": {"dataDir": ""}}, id="one that is empty"),
        pytest.param({**initialize_params(), "initializationOptions": {"savesFirst": "yes"}}, id="a word for yes"),
    ],
)
def test_bad_parameters_are_invalid_params_and_the_next_attempt_counts(fresh: Client, params: Any) -> None:
    answer = fresh.request("initialize", params)

    refusal = ServerError(answer["error"])
    assert refusal.code == -32602
    assert refusal.data["kind"] in ("invalid_argument", "invalid_path")
    assert refusal.data["hint"]
    assert fresh.request("shutdown")["error"]["code"] == -32002


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"rootUri": "untitled:one"}, id="a root without a path"),
        pytest.param({"rootPath": "", "rootUri": None}, id="an empty root path"),
        pytest.param({"initializationOptions": ["dataDir"]}, id="options that are a list"),
        pytest.param({"initializationOptions": {"dataDir": None}}, id="no data directory"),
        pytest.param({"processId": 2**40}, id="a process id beyond all"),
        pytest.param({"processId": -1}, id="a negative process id"),
        pytest.param({"locale": "de", "unknown": {"jsonrpc": "2.0"}, "trace": "verbose"}, id="what nobody knows"),
    ],
)
def test_odd_parameters_do_no_harm(start: Callable[..., Client], params: dict[str, Any]) -> None:
    client = start()

    client.initialize(**params)

    assert client.call("trop.list")["reservations"] == []


@pytest.mark.usefixtures("started_whole")
def test_the_version_is_printed(start: Callable[..., Client], tmp_path: Path) -> None:
    client = start("--version")

    code = client.wait()

    assert code == 0
