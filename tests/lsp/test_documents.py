"""trop.yaml as it is typed: what is kept of it, and what is told of it when."""

from __future__ import annotations

import itertools
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import PUBLISHED, Buffer, capabilities, codes, places
from support.messages import notification
from support.typed_configurations import SHOP, Keystroke, mutated
from support.window import ending, next_of, said
from support.written_configurations import written

from trop_core.config.documents.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

ENCODINGS = ("utf-8", "utf-16", "utf-32")
WRONG = "projekt: x\n"
_numbers = itertools.count()


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@pytest.fixture
def place(shared_sandbox: Sandbox) -> Path:
    """A directory that no other test has."""
    return shared_sandbox.directory(f"place{next(_numbers)}")


def file_of(sandbox: Sandbox, name: str = "trop.yaml") -> Path:
    return sandbox.work / name


def settled(client: Client) -> None:
    """Return once what was sent before has been heard."""
    client.call("trop.listCommands")


# What is told, and when


def test_a_document_is_judged_at_once_when_it_opens_and_what_was_told_is_taken_back_when_it_closes(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = Buffer(editor, file_of(sandbox), WRONG, version=7)

    told = buffer.told()
    buffer.close()
    taken_back = next_of(editor, PUBLISHED)["params"]

    assert [(each["severity"], each["code"], each["source"]) for each in told] == [(1, "config_error", "trop")]
    assert told[0]["range"] == {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 7}}
    assert told[0]["message"] == "unknown key: did you mean project?"
    assert taken_back == {"uri": buffer.uri, "diagnostics": []}


def test_a_change_is_judged_once_the_typing_rests_and_with_its_version(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), "")
    buffer.told()

    for number, character in enumerate(WRONG):
        buffer.type(Keystroke(number, number, character))
    told = next_of(editor, PUBLISHED)["params"]

    assert told["version"] == buffer.version
    assert codes(told["diagnostics"]) == ["config_error"]


def test_a_save_is_judged_without_a_rest(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), "")
    buffer.told()

    buffer.replace(WRONG)
    buffer.save()

    assert codes(buffer.told()) == ["config_error"]


@pytest.mark.parametrize("name", ["trop.yaml", "trop.local.yaml"])
def test_both_files_of_a_project_are_judged_as_such(shared_editor: Client, place: Path, name: str) -> None:
    buffer = Buffer(shared_editor, place / name, "follow_moves: true\nproject: shop\n")

    told = buffer.told()

    assert places(told) == [(0, 0)]
    assert told[0]["message"].startswith("this key belongs in config.yaml")


@pytest.mark.parametrize("uri", ["untitled:trop.yaml", "file:///\ud800/trop.yaml", "git:/a/\ud800/trop.yaml?x#y"])
def test_a_document_that_lies_on_no_disk_is_judged_by_its_text(editor: Client, uri: str) -> None:
    buffer = Buffer(editor, uri, "projekt: x\nreservations: {services: {web: 5050}}\n")

    told = buffer.told()
    hover = buffer.ask("hover", position={"line": 1, "character": 3})
    lenses = buffer.ask("codeLens")

    assert codes(told) == ["config_error"]
    assert hover is not None
    assert lenses == []
    assert "Traceback" not in editor.logged()


@pytest.mark.parametrize("name", ["trop.yml", ".trop.yaml", "Trop.yaml", "trop.local.yml"])
def test_a_name_that_is_nearly_right_is_told_of(shared_editor: Client, place: Path, name: str) -> None:
    buffer = Buffer(shared_editor, place / name, "project: shop\n")

    told = buffer.told()

    assert [(each["code"], each["severity"]) for each in told] == [("near_miss", 2)]
    assert "is not read: the file has to be called trop." in told[0]["message"]


@pytest.mark.parametrize("uri", ["file:///w/config.yaml", "file:///w/docker-compose.yaml", "untitled:Untitled-1"])
def test_a_document_of_another_name_is_not_kept(editor: Client, sandbox: Sandbox, uri: str) -> None:
    other = Buffer(editor, uri, WRONG)
    buffer = Buffer(editor, file_of(sandbox), WRONG)

    buffer.told()
    hover = other.ask("hover", position={"line": 0, "character": 1})

    assert hover is None
    assert [params["uri"] for params in said(editor, PUBLISHED)] == []


def test_documents_of_another_name_take_no_memory(editor: Client) -> None:
    text = "x: 1\n" * 20_000
    for number in range(20):
        Buffer(editor, f"file:///w/before{number}.yaml", text)
    settled(editor)
    before = editor.memory()

    for number in range(200):
        Buffer(editor, f"file:///w/file{number}.yaml", text)
    settled(editor)

    assert editor.memory() - before < 8_000_000


# The text


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_edits_are_applied_as_the_client_counts(
    start: Callable[..., Client], sandbox: Sandbox, encoding: str, ends: str
) -> None:
    client = start()
    answer = client.initialize(str(sandbox.work), capabilities=capabilities(encoding))
    # The separator ends a line for YAML and for Python, and for no editor.
    text = f"# ä😀\u2028# ö: x{ends}projekt: 1 # 𐏿{ends}output_format: xml # 😀{ends}"
    buffer = Buffer(client, file_of(sandbox), text, encoding=encoding)
    first = buffer.told()

    wide = {"utf-8": 4, "utf-16": 2, "utf-32": 1}[encoding]
    item = {"uri": buffer.uri, "version": 2}
    comment = {"start": {"line": 1, "character": 13}, "end": {"line": 1, "character": 13 + wide}}
    behind = {"line": 1, "character": 13 + 2 * wide}
    key = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 7}}
    changes = [
        {"range": comment, "text": "😀😀"},
        {"range": {"start": behind, "end": behind}, "text": f"{ends}allow: 1 # 😀"},
        {"range": key, "text": "project"},
    ]
    client.notify("textDocument/didChange", {"textDocument": item, "contentChanges": changes})
    buffer.version = 2
    second = buffer.told()

    assert answer["capabilities"]["positionEncoding"] == encoding
    assert places(first) == [(1, 0), (2, 15)]
    assert places(second) == [(1, 9), (2, 0), (3, 15)]


def test_a_place_is_told_as_the_client_counts(start: Callable[..., Client], sandbox: Sandbox) -> None:
    found = {}
    for encoding in ENCODINGS:
        client = start()
        client.initialize(str(sandbox.work), capabilities=capabilities(encoding))
        buffer = Buffer(client, file_of(sandbox), "{project: 'ä😀', x: 1}\n", encoding=encoding)
        found[encoding] = places(buffer.told())

    assert found == {"utf-8": [(0, 20)], "utf-16": [(0, 17)], "utf-32": [(0, 16)]}


def test_two_halves_of_a_character_that_come_one_after_the_other_are_that_character(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = Buffer(editor, file_of(sandbox), "# \nprojekt: x\n")
    buffer.told()
    for number, half in enumerate(("\ud83d", "\ude00")):
        item = {"uri": buffer.uri, "version": 2 + number}
        at = {"line": 0, "character": 2 + number}
        change = {"range": {"start": at, "end": at}, "text": half}
        editor.notify("textDocument/didChange", {"textDocument": item, "contentChanges": [change]})
    buffer.version = 3

    assert places(buffer.told()) == [(1, 0)]


@pytest.mark.parametrize(
    "message",
    [
        notification("textDocument/didOpen", None),
        notification("textDocument/didOpen", {"textDocument": {"uri": "file:///w/trop.yaml"}}),
        notification("textDocument/didOpen", {"textDocument": {"uri": "file:///w/trop.yaml", "text": 5}}),
        notification("textDocument/didOpen", {"textDocument": {"uri": ["file:///w/trop.yaml"], "text": ""}}),
        notification(
            "textDocument/didOpen", {"textDocument": {"uri": "file:///%ff/trop.yaml", "text": "", "version": 1}}
        ),
        notification("textDocument/didChange", []),
        notification("textDocument/didChange", {"textDocument": {"uri": "URI", "version": "2"}, "contentChanges": []}),
        notification("textDocument/didChange", {"textDocument": {"uri": "URI", "version": 2}}),
        notification("textDocument/didChange", {"textDocument": {"uri": "URI", "version": 2}, "contentChanges": [5]}),
        notification(
            "textDocument/didChange",
            {"textDocument": {"uri": "URI", "version": 2}, "contentChanges": [{"text": "x"}, {"text": None}]},
        ),
        notification(
            "textDocument/didChange",
            {
                "textDocument": {"uri": "URI", "version": 2},
                "contentChanges": [{"text": "x", "range": {"start": {"line": -1, "character": 0}, "end": {}}}],
            },
        ),
        notification("textDocument/didSave", {}),
        notification("textDocument/didClose", {"textDocument": {"uri": None}}),
        notification("textDocument/didClose", {"textDocument": {"uri": "file:///never/trop.yaml"}}),
    ],
)
def test_broken_parameters_change_nothing(shared_editor: Client, place: Path, message: dict[str, Any]) -> None:
    buffer = Buffer(shared_editor, place / "trop.yaml", WRONG)
    buffer.told()
    params = message["params"]
    if isinstance(params, dict) and params.get("textDocument", {}).get("uri") == "URI":
        params["textDocument"]["uri"] = buffer.uri

    shared_editor.send(message)
    buffer.version = 9
    at = {"line": 0, "character": 10**9}
    change = {"range": {"start": at, "end": at}, "text": "output_format: xml"}
    item = {"uri": buffer.uri, "version": 9}
    shared_editor.notify("textDocument/didChange", {"textDocument": item, "contentChanges": [change]})

    # The text is the old one with the last change alone: behind the end of the line is its end.
    assert places(buffer.told()) == [(0, len("projekt: xoutput_format"))]


@pytest.mark.parametrize("position", [None, 5, {}, {"line": "0", "character": 0}, {"line": -1, "character": 0}])
@pytest.mark.parametrize("method", ["hover", "completion"])
def test_a_request_with_a_broken_position_is_refused(
    shared_editor: Client, place: Path, method: str, position: object
) -> None:
    buffer = Buffer(shared_editor, place / "trop.yaml", WRONG)

    params = {"textDocument": {"uri": buffer.uri}, "position": position}
    answer = shared_editor.request(f"textDocument/{method}", params)

    assert answer["error"]["code"] == -32602
    assert answer["error"]["data"]["kind"] == "invalid_argument"


@pytest.mark.parametrize("seed", range(12))
def test_the_diagnostics_are_what_validate_tells_of_the_saved_file(
    shared_editor: Client, shared_sandbox: Sandbox, seed: int
) -> None:
    random = Random(seed)
    place = shared_sandbox.directory(f"saved{seed}") / "trop.yaml"
    for version in range(10):
        text = mutated(random, SHOP) if version % 2 else written(random)
        if "\ud83d" in text or "\x00" in text:
            continue
        place.write_text(text, encoding="utf-8", newline="")
        buffer = Buffer(shared_editor, place, text, version=version)

        told = [each for each in buffer.told() if each["code"] == "config_error"]
        expected = shared_editor.call("trop.validate", {"config": str(place)})["problems"]
        buffer.close()

        lines = Lines(text)
        at = [lines.of_yaml(each["line"] or 1, each["column"] or 1) for each in expected]
        counted = [(place.line, len(lines.line(place.line)[: place.column].encode("utf-16-le")) // 2) for place in at]
        found = list(zip(places(told), (each["message"] for each in told), strict=True))
        assert found[: len(expected)] == list(zip(counted, (each["message"] for each in expected), strict=True))


def test_nothing_is_told_of_a_document_after_it_closed_nor_after_shutdown(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), WRONG)
    buffer.told()
    buffer.replace("x: 1\n")
    buffer.close()
    assert next_of(editor, PUBLISHED)["params"] == {"uri": buffer.uri, "diagnostics": []}
    still_open = Buffer(editor, file_of(sandbox, "trop.local.yaml"), WRONG)
    still_open.told()
    still_open.replace("")
    still_open.told()
    still_open.replace(WRONG)
    editor.request("shutdown")
    editor.notify("exit")

    assert editor.wait() == 0
    assert [each for each in editor.rest() if each.get("method") == PUBLISHED] == []


def test_memory_stays_flat_while_somebody_types(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), SHOP)
    at = SHOP.index("shop\n")

    def type_and_erase(times: int) -> None:
        for _ in range(times):
            buffer.type(Keystroke(at, at, "x"))
            buffer.type(Keystroke(at, at + 1, ""))
        settled(editor)
        editor.unmatched.clear()

    type_and_erase(1000)
    before = editor.memory()
    type_and_erase(4000)

    assert editor.memory() - before < 4_000_000
