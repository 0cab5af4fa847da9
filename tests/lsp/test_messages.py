"""Messages: what is a request, what is one at the wrong time, and that each gets exactly one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.messages import cancellation, command, frame, initialize_params, notification, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

LIST = {"command": "trop.list"}


@pytest.mark.parametrize("message_id", [0, -1, 2**31, 2**60, "", "a", "1", "größe", "\ud800", "x" * 1000])
def test_an_id_is_a_whole_number_or_a_text(shared: Client, message_id: int | str) -> None:
    shared.send(request(message_id, "workspace/executeCommand", LIST))

    assert shared.answer(message_id)["result"]["reservations"] == []


def test_a_number_and_its_digits_are_two_ids(shared: Client) -> None:
    shared.send(request(7, "workspace/executeCommand", LIST), request("7", "workspace/executeCommand", LIST))

    assert "result" in shared.answer(7)
    assert "result" in shared.answer("7")


@pytest.mark.parametrize(
    ("message", "answered_id"),
    [
        pytest.param([], None, id="an empty batch"),
        pytest.param([request(1, "workspace/executeCommand", LIST)], None, id="a batch"),
        pytest.param(5, None, id="a number"),
        pytest.param(None, None, id="null"),
        pytest.param("initialize", None, id="a text"),
        pytest.param({}, None, id="an empty object"),
        pytest.param({"id": 1, "method": "shutdown"}, 1, id="no version"),
        pytest.param({"jsonrpc": "1.0", "id": 1, "method": "shutdown"}, 1, id="another version"),
        pytest.param({"jsonrpc": 2.0, "id": 1, "method": "shutdown"}, 1, id="a version that is a number"),
        pytest.param({"jsonrpc": "2.0", "id": 1}, 1, id="no method"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": None}, 1, id="a method that is null"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": 5}, 1, id="a method that is a number"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": ["shutdown"]}, 1, id="a method that is a list"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": "shutdown", "params": 5}, 1, id="params that are a number"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": "shutdown", "params": "x"}, 1, id="params that are a text"),
        pytest.param({"jsonrpc": "2.0", "id": None, "method": "shutdown"}, None, id="an id that is null"),
        pytest.param({"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"}, None, id="an id that is a fraction"),
        pytest.param({"jsonrpc": "2.0", "id": 1.0, "method": "shutdown"}, None, id="an id that is a float"),
        pytest.param({"jsonrpc": "2.0", "id": True, "method": "shutdown"}, None, id="an id that is true"),
        pytest.param({"jsonrpc": "2.0", "id": [1], "method": "shutdown"}, None, id="an id that is a list"),
        pytest.param({"jsonrpc": "2.0", "id": {}, "method": "shutdown"}, None, id="an id that is an object"),
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(shared: Client, message: Any, answered_id: int | None) -> None:
    shared.send(message)

    answer = shared.next_answer()

    assert answer["id"] == answered_id
    assert answer["error"]["code"] == -32600
    assert answer["error"]["data"]["hint"]
    assert shared.call("trop.list")["reservations"] == []


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(notification("nobody/knowsThis", {"a": 1}), id="an unknown notification"),
        pytest.param(notification("$/unknown"), id="one that may be ignored"),
        pytest.param(notification("workspace/executeCommand", LIST), id="a command without an id"),
        pytest.param(notification("shutdown"), id="shutdown without an id"),
        pytest.param(notification("initialize", initialize_params()), id="initialize without an id"),
        pytest.param(notification("initialized", [1, 2]), id="initialized with a list"),
        pytest.param(notification("workspace/didChangeWorkspaceFolders"), id="a change of folders without params"),
        pytest.param(notification("workspace/didChangeWorkspaceFolders", {"event": 5}), id="a change that is none"),
        pytest.param(notification("$/setTrace", {"value": "loud"}), id="a trace that nobody knows"),
        pytest.param(notification("$/cancelRequest"), id="cancel without params"),
        pytest.param(notification("$/cancelRequest", []), id="cancel with a list"),
        pytest.param(cancellation(None), id="cancel null"),
        pytest.param(cancellation([1]), id="cancel a list"),
        pytest.param(cancellation({"a": 1}), id="cancel an object"),
        pytest.param(cancellation("never"), id="cancel what never was"),
        pytest.param(notification("textDocument/didChange", {"textDocument": {}}), id="a change of a document"),
        pytest.param(
            notification(
                "textDocument/didChange",
                {"textDocument": {"uri": "file:///a", "version": 1}, "contentChanges": [{"text": "x"}]},
            ),
            id="a change of a document that is not open",
        ),
        pytest.param(notification("window/workDoneProgress/cancel", {"token": 5}), id="cancel unknown progress"),
        pytest.param({"jsonrpc": "2.0", "id": 99, "result": None}, id="an answer to nothing"),
        pytest.param({"jsonrpc": "2.0", "id": "99", "error": {"code": 1, "message": "x"}}, id="an error to nothing"),
        pytest.param({"jsonrpc": "2.0", "id": 99, "error": 5}, id="an error that is a number"),
        pytest.param({"jsonrpc": "2.0", "id": 99, "error": None, "result": None}, id="both and neither"),
    ],
)
def test_what_asks_for_nothing_gets_no_answer(shared: Client, message: Any) -> None:
    shared.send(message, request("after", "workspace/executeCommand", LIST))

    answer = shared.next_answer()

    assert answer["id"] == "after"
    assert answer["result"]["reservations"] == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("nobody/knowsThis", None),
        ("textDocument/rename", {"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}}),
        ("exit", None),
        ("$/cancelRequest", {"id": 1}),
        ("initialized", {}),
        ("$/unknown", None),
        ("", None),
    ],
)
def test_an_unknown_method_is_not_found(shared: Client, method: str, params: Any) -> None:
    answer = shared.request(method, params)

    assert answer["error"]["code"] == -32601
    assert answer["error"]["data"]["kind"] == "invalid_argument"


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="a list"),
        pytest.param({}, id="no command"),
        pytest.param({"command": None}, id="a command that is null"),
        pytest.param({"command": 5}, id="a command that is a number"),
        pytest.param({"command": "trop.bogus"}, id="an unknown command"),
        pytest.param({"command": "trop.List"}, id="another case"),
        pytest.param({"command": ""}, id="an empty command"),
        pytest.param({"command": "trop.list", "arguments": {}}, id="arguments that are an object"),
        pytest.param({"command": "trop.list", "arguments": "x"}, id="arguments that are a text"),
        pytest.param({"command": "trop.list", "arguments": [{}, {}]}, id="two arguments"),
        pytest.param({"command": "trop.list", "arguments": [5]}, id="an argument that is a number"),
        pytest.param({"command": "trop.list", "arguments": ["/w/a"]}, id="an argument that is a text"),
        pytest.param({"command": "trop.list", "arguments": [[]]}, id="an argument that is a list"),
        pytest.param({"command": "trop.list", "arguments": [False]}, id="an argument that is false"),
    ],
)
def test_parameters_of_another_form_are_invalid_params(shared: Client, params: Any) -> None:
    answer = shared.request("workspace/executeCommand", params)

    assert answer["error"]["code"] == -32602
    assert answer["error"]["data"]["kind"] == "invalid_argument"
    assert answer["error"]["data"]["hint"]


def test_an_unknown_command_comes_with_the_nearest_that_there_is(shared: Client) -> None:
    assert shared.refused("trop.reserv").data["hint"].startswith("Did you mean trop.reserve? ")
    assert shared.refused("trop.run").data["hint"].startswith("Only the command line has it: trop run. ")
    assert shared.refused("trop.tune").data["hint"] == "trop.listCommands lists every command."


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"command": "trop.list"}, id="no arguments"),
        pytest.param({"command": "trop.list", "arguments": None}, id="null"),
        pytest.param({"command": "trop.list", "arguments": []}, id="an empty list"),
        pytest.param({"command": "trop.list", "arguments": [None]}, id="a null argument"),
        pytest.param({"command": "trop.list", "arguments": [{}]}, id="an empty argument"),
        pytest.param({"command": "trop.list", "workDoneToken": "t", "jsonrpc": "2.0"}, id="more than is needed"),
    ],
)
def test_no_argument_can_be_said_in_many_ways(shared: Client, params: Any) -> None:
    assert shared.request("workspace/executeCommand", params)["result"]["reservations"] == []


def test_a_nested_version_key_makes_no_message_of_an_argument(shared: Client) -> None:
    refusal = shared.refused("trop.list", {"jsonrpc": "2.0", "id": 1, "method": "shutdown"})
    nested = shared.refused("trop.list", {"limit": {"jsonrpc": "2.0", "id": 1, "method": "shutdown"}})

    assert (refusal.code, refusal.data["details"]["field"]) == (-32602, "jsonrpc")
    assert nested.data["details"]["given"] == {"jsonrpc": "2.0", "id": 1, "method": "shutdown"}
    assert shared.call("trop.list")["reservations"] == []


def test_before_initialize_requests_are_refused_and_notifications_ignored(start: Callable[..., Client]) -> None:
    client = start()

    client.notify("initialized", {})
    client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}})
    refused = [client.request(method)["error"] for method in ("workspace/executeCommand", "shutdown", "x")]
    client.initialize()

    assert [error["code"] for error in refused] == [-32002] * 3
    assert {error["data"]["hint"] for error in refused} == {"Send initialize first, and this after its answer."}
    assert client.call("trop.list")["reservations"] == []


def test_a_second_initialize_is_refused_and_changes_nothing(client: Client, sandbox: Sandbox) -> None:
    answer = client.request("initialize", initialize_params("/elsewhere"))

    assert answer["error"]["code"] == -32600
    assert client.call("trop.showPath")["path"] == str(sandbox.work)


def test_after_shutdown_requests_are_refused_until_exit(client: Client) -> None:
    first = client.request("shutdown")
    refused = [client.request(method)["error"]["code"] for method in ("workspace/executeCommand", "shutdown", "x")]
    again = client.request("initialize", initialize_params())
    client.notify("exit")

    assert first["result"] is None
    assert refused == [-32600] * 3
    assert again["error"]["code"] == -32600
    assert client.wait() == 0


def test_an_id_that_is_in_flight_is_refused_and_the_first_one_is_answered(client: Client, sandbox: Sandbox) -> None:
    with sandbox.locked():
        client.send(command(1, "trop.reserve"), command(1, "trop.reserve"), request(1, "shutdown"))
        refusals = [client.answer(1), client.answer(1)]
    first = client.answer(1)
    client.send(command(1, "trop.reserve"))
    again = client.answer(1)

    assert [refusal["error"]["code"] for refusal in refusals] == [-32600, -32600]
    assert first["result"]["outcome"] == "created"
    assert again["result"]["outcome"] == "reused"


def test_every_request_of_a_wild_mixture_gets_exactly_one_answer(client: Client) -> None:
    stream, expected = b"", set()
    for number in range(300):
        kind = number % 6
        if kind == 0:
            stream += frame(command(number, "trop.reserve", {"tag": f"t{number}"}))
        elif kind == 1:
            stream += frame(command(number, "trop.list", {"limit": 5}))
        elif kind == 2:
            stream += frame(command(number, "trop.list", {"limit": "5"}))
        elif kind == 3:
            stream += frame(cancellation(number - 3))
        elif kind == 4:
            stream += frame(command(number, "trop.bogus"))
        else:
            stream += frame(request(number, "nobody/knowsThis"))
        if kind != 3:
            expected.add(number)

    client.write(stream)
    client.send(request("end", "shutdown"), notification("exit"))
    code = client.wait()

    ids = [message["id"] for message in client.rest() if "method" not in message]
    assert code == 0
    assert sorted(ids, key=str) == sorted([*expected, "end"], key=str)


def test_only_protocol_bytes_go_to_stdout(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    sandbox.data.mkdir()
    sandbox.database.write_bytes(b"noise" * 1000)
    client = start(PYTHONVERBOSE=None, PYTHONDEVMODE="1")
    client.initialize(str(sandbox.work))

    client.send(5, command(1, "trop.reserve"), command(2, "trop.bogus"), request(3, "shutdown"), notification("exit"))

    assert client.wait() == 0
    assert {message.get("id") for message in client.rest()} >= {None, 1, 2, 3}


def test_an_id_is_free_again_as_soon_as_its_answer_is_there(shared: Client) -> None:
    for _ in range(200):
        shared.send(request("again", "workspace/executeCommand", LIST))

        assert "result" in shared.answer("again")


def test_a_command_that_is_taken_back_while_it_is_answered_gets_one_answer(client: Client) -> None:
    for number in range(100):
        client.send(command(number, "trop.list"))
        client.write(frame(cancellation(number)))
    client.send(request("end", "shutdown"), notification("exit"))
    client.wait()

    answers = [message for message in client.rest() if "method" not in message]
    assert sorted((answer["id"] for answer in answers), key=str) == sorted([*range(100), "end"], key=str)
    assert {answer["error"]["code"] for answer in answers if "error" in answer} <= {-32800}
