"""Whatever is sent about documents: one answer to each request, no crash, and texts that are as the client has them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import Buffer, capabilities, places
from support.messages import notification, request
from support.typed_configurations import ANCHORED, SHOP, Keystroke, mutated

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

MESSAGES = 3000
METHODS = ("hover", "completion", "inlayHint", "codeLens", "codeAction", "documentSymbol", "documentLink")
INVALID_PARAMS = -32602


class Maker:
    """Messages about documents, most of them nearly right."""

    def __init__(self, seed: int, uris: list[str]) -> None:
        self.random = random.Random(seed)
        self._uris = uris

    def junk(self) -> Any:
        """Something that belongs nowhere."""
        return self.random.choice(
            [None, True, -1, 1.5, 10**30, "", "x", "\ud800", [], [1], {}, {"uri": None}, {"line": 0}, [[]], 2**31]
        )

    def maybe(self, value: Any) -> Any:
        """A value, or once in a while junk in its place."""
        return self.junk() if self.random.random() < 0.06 else value

    def position(self) -> Any:
        number = self.random.choice([0, 1, 3, 7, 20, 10_000, 2**31 - 1])
        return self.maybe({"line": self.maybe(self.random.randrange(20)), "character": self.maybe(number)})

    def span(self) -> Any:
        return self.maybe({"start": self.position(), "end": self.position()})

    def item(self) -> dict[str, Any]:
        return {"uri": self.maybe(self.random.choice(self._uris))}

    def text(self) -> str:
        return mutated(self.random, self.random.choice((SHOP, ANCHORED, "", "x")))

    def notification(self) -> dict[str, Any]:
        """Something that is heard, and answered by nobody."""
        kind = self.random.choice(("didOpen", "didChange", "didChange", "didChange", "didSave", "didClose"))
        params: dict[str, Any] = {"textDocument": self.maybe(self.item())}
        if isinstance(params["textDocument"], dict):
            params["textDocument"]["version"] = self.maybe(self.random.randrange(100))
            if kind == "didOpen":
                params["textDocument"]["text"] = self.maybe(self.text())
        if kind == "didChange":
            changes = [
                {"text": self.maybe(self.text()[: self.random.choice((0, 1, 5, 500))]), "range": self.span()}
                for _ in range(self.random.randrange(3))
            ]
            params["contentChanges"] = self.maybe([self.maybe(change) for change in changes])
        return notification(f"textDocument/{kind}", self.maybe(params))

    def request(self, number: int) -> dict[str, Any]:
        """Something that is answered once."""
        params = {
            "textDocument": self.maybe(self.item()),
            "position": self.position(),
            "range": self.span(),
            "context": self.maybe({"diagnostics": [], "only": self.maybe(["quickfix"])}),
        }
        given = self.maybe(params)
        # What is no object and no list is no request at all: that is tested where messages are.
        method = f"textDocument/{self.random.choice(METHODS)}"
        return request(number, method, given if isinstance(given, (dict, list)) else {})


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_each_request_gets_one_answer_and_the_server_goes_on(
    start: Callable[..., Client], sandbox: Sandbox, seed: int, encoding: str
) -> None:
    uris = [(sandbox.work / name).as_uri() for name in ("trop.yaml", "trop.local.yaml", "trop.yml", "other.yaml")]
    maker = Maker(
        seed, [*uris, "untitled:trop.yaml", "file:///%00/trop.yaml", "file://elsewhere/trop.yaml", "http://["]
    )
    client = start()
    client.initialize(str(sandbox.work), capabilities=capabilities(encoding))
    waiting: set[int] = set()

    def answered(number: int) -> None:
        answer = client.answer(number)
        waiting.remove(number)
        assert "result" in answer or answer["error"]["code"] == INVALID_PARAMS, answer

    for number in range(MESSAGES):
        if maker.random.random() < 0.6:
            client.send(maker.notification())
            continue
        client.send(maker.request(number))
        waiting.add(number)
        if len(waiting) == 20:
            for each in sorted(waiting):
                answered(each)
            client.unmatched = [message for message in client.unmatched if "method" not in message]
    for each in sorted(waiting):
        answered(each)
    client.call("trop.listCommands")

    assert [message for message in client.unmatched if "method" not in message and "error" not in message] == []
    assert "Traceback" not in client.logged()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_after_any_edits_the_text_is_the_one_that_the_client_has(
    start: Callable[..., Client], sandbox: Sandbox, encoding: str
) -> None:
    chooser = random.Random(encoding)
    client = start()
    client.initialize(str(sandbox.work), capabilities=capabilities(encoding))
    edited = Buffer(client, sandbox.work / "trop.yaml", SHOP, encoding=encoding)
    pieces = ("x", "😀", "é\n", "\n", "  a: {", "\u2028", "ä: 'ö'\n", "")

    for number in range(120):
        start_at = chooser.randrange(len(edited.text) + 1)
        end_at = min(len(edited.text), start_at + chooser.choice((0, 0, 1, 3, 30)))
        edited.type(Keystroke(start_at, end_at, chooser.choice(pieces)))
        if number % 10 == 9:
            whole = Buffer(client, sandbox.work / "trop.local.yaml", edited.text, encoding=encoding)
            errors = [[each for each in whole.told() if each["code"] == "config_error"]]
            edited.save()
            errors.append([each for each in edited.told() if each["code"] == "config_error"])
            symbols = [buffer.ask("documentSymbol") for buffer in (whole, edited)]
            whole.close()
            assert places(errors[0]) == places(errors[1])
            assert symbols[0] == symbols[1]
    assert edited.version > 100
