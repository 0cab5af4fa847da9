"""Recorded typing and broken texts through the real server, and the editors that people have."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol.converters import get_converter
from pytest_lsp import client_capabilities
from support.client import Client
from support.documents import PUBLISHED, Buffer, capabilities, codes
from support.messages import notification, request
from support.patience import AT_ONCE
from support.typed_configurations import ANCHORED, HUNDRED_LINES, SESSIONS, SHOP, mutated
from support.window import next_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sandbox import Sandbox
    from support.typed_configurations import Session

ENCODINGS = ("utf-8", "utf-16", "utf-32")
MUTATIONS = 150
EDITORS = ("visual-studio-code", "neovim", "emacs")
_WAITING = ("there is no service", "expected at least one service")
"""What is said of a line that is whole where what it lacks is just being typed."""


@pytest.fixture(scope="module", params=ENCODINGS)
def editor(request: pytest.FixtureRequest, shared_sandbox: Sandbox) -> Iterator[tuple[Client, str]]:
    client = Client(cwd=str(shared_sandbox.work), env=shared_sandbox.environment())
    client.initialize(str(shared_sandbox.work), capabilities=capabilities(request.param))
    yield client, request.param
    client.kill()


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_a_session_of_typing_ends_with_the_right_text_and_no_line_that_was_right_was_called_wrong(
    editor: tuple[Client, str], shared_sandbox: Sandbox, session: Session
) -> None:
    client, encoding = editor
    place = shared_sandbox.work / f"{encoding} {session.name}" / "trop.yaml"
    buffer = Buffer(client, place, session.before, encoding=encoding)
    buffer.told()
    asked = answered = 0

    for keystroke in session.keystrokes:
        buffer.type(keystroke)
        # What is saved is judged at once: so each keystroke is.
        buffer.save()
        edited = buffer.position(keystroke.start + len(keystroke.text))["line"]
        wrong = [
            each
            for each in buffer.told()
            if each["range"]["start"]["line"] != edited and not each["message"].startswith(_WAITING)
        ]
        lines = buffer.text.split("\n")
        assert not [each for each in wrong if lines[each["range"]["start"]["line"]].strip()], (buffer.text, wrong)
        asked += 1
        top = {"line": len(lines) - 1, "character": 0}
        items = buffer.ask("completion", position=top)["items"] if not lines[-1] and edited != len(lines) - 1 else [{}]
        answered += bool(items)
    began = time.monotonic()
    buffer.type(session.keystrokes[-1]._replace(text="", end=session.keystrokes[-1].start))
    settled = buffer.told()
    took = time.monotonic() - began
    symbols = buffer.ask("documentSymbol")
    buffer.close()

    print(f"{session.name} in {encoding}: {answered} of {asked} completions, settled after {took:.2f} s")
    assert buffer.text == session.after
    assert settled == []
    assert answered >= 0.95 * asked
    assert next(symbol["name"] for symbol in symbols) == "project"
    assert took < AT_ONCE


def test_no_broken_text_costs_the_server_more_than_a_moment(
    editor: tuple[Client, str], shared_sandbox: Sandbox
) -> None:
    client, encoding = editor
    random = Random(encoding)
    buffer = Buffer(client, shared_sandbox.work / f"broken {encoding}" / "trop.yaml", "", encoding=encoding)
    everywhere = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
    slow = []

    for _ in range(MUTATIONS):
        buffer.replace(mutated(random, random.choice((SHOP, ANCHORED, HUNDRED_LINES))))
        at = {"line": random.randrange(30), "character": random.randrange(20)}
        for method, params in (
            ("completion", {"position": at}),
            ("hover", {"position": at}),
            ("inlayHint", {"range": everywhere}),
            ("codeAction", {"range": everywhere, "context": {"diagnostics": []}}),
            ("documentSymbol", {}),
            ("documentLink", {}),
            ("codeLens", {}),
        ):
            began = time.monotonic()
            buffer.ask(method, **params)
            slow.append(time.monotonic() - began)
    buffer.replace("")
    told = buffer.told()
    buffer.close()

    slow.sort()
    print(f"{encoding}: {slow[len(slow) // 2] * 1000:.1f} ms a request, {slow[-1] * 1000:.0f} ms the slowest")
    assert told == []
    assert slow[-1] < AT_ONCE


def test_a_text_of_a_megabyte_does_not_hold_up_what_else_is_asked(shared_sandbox: Sandbox) -> None:
    client = Client(cwd=str(shared_sandbox.work), env=shared_sandbox.environment())
    client.initialize(str(shared_sandbox.work), capabilities=capabilities())
    text = "excluded_ports:\n" + "  - 5001 # a line among many\n" * 34_000 + "projekt: x\n"

    buffer = Buffer(client, shared_sandbox.work / "large" / "trop.yaml", text)
    began = time.monotonic()
    client.call("trop.listCommands")
    took = time.monotonic() - began
    told = buffer.told()
    client.kill()

    assert codes(told) == ["config_error"]
    assert took < AT_ONCE


@pytest.mark.parametrize("name", EDITORS)
def test_an_editor_is_asked_nothing_and_promised_nothing_that_it_cannot_take(
    start: Callable[..., Client], sandbox: Sandbox, name: str
) -> None:
    declared: dict[str, Any] = get_converter().unstructure(client_capabilities(name))
    known = declared["textDocument"]
    workspace = declared["workspace"]
    client = start()
    answer = client.initialize(str(sandbox.work), capabilities=declared)["capabilities"]
    file = sandbox.work / "trop.yaml"
    file.write_text("reservations: {services: {web: {}}}\n")

    buffer = Buffer(client, file, file.read_text())
    buffer.told()
    sandbox.trop("autoreserve")
    next_of(client, PUBLISHED)
    hover = buffer.ask("hover", position=buffer.at("w|eb"))
    client.call("trop.listCommands")

    # Emacs declares literals of code actions as well; who declares actions without them gets none.
    assert ("codeLensProvider" in answer) == ("codeLens" in known)
    assert ("codeActionProvider" in answer) == ("codeActionLiteralSupport" in known["codeAction"])
    assert {"completionProvider", "hoverProvider", "inlayHintProvider"} <= answer.keys()
    assert hover["contents"]["kind"] in known["hover"]["contentFormat"]
    asked = {message["method"] for message in client.unmatched if "id" in message}
    refreshed = {
        method
        for method, capability in (
            ("workspace/inlayHint/refresh", "inlayHint"),
            ("workspace/codeLens/refresh", "codeLens"),
        )
        if workspace.get(capability, {}).get("refreshSupport")
    }
    assert asked <= refreshed
    offered = declared.get("general", {}).get("positionEncodings", ["utf-16"])
    assert answer["positionEncoding"] in offered


def test_documents_come_and_go_in_one_breath(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start()
    client.initialize(str(sandbox.work), capabilities=capabilities())
    uri = (sandbox.work / "trop.yaml").as_uri()
    item = {"uri": uri, "languageId": "yaml", "version": 1, "text": "projekt: x\n"}
    again = [
        notification("textDocument/didOpen", {"textDocument": item}),
        notification("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": []}),
        request("hover", "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 1}}),
        notification("textDocument/didClose", {"textDocument": {"uri": uri}}),
    ]

    for number in range(50):
        again[2]["id"] = f"hover {number}"
        client.send(*again)
    answers = [client.answer(f"hover {number}") for number in range(50)]

    assert all("error" not in answer for answer in answers)
    assert "Traceback" not in client.logged()
