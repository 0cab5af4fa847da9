"""Completion and hover in trop.yaml: what can be written there, and what is known of what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.documents import Buffer, capabilities
from support.typed_configurations import SESSIONS
from support.window import ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox
    from support.typed_configurations import Session

GROUP = "reservations:\n  services:\n"
KEYS_OF_THE_TOP = ["project", "ports", "excluded_ports", "cleanup", "occupancy_check", "disable_autoprune"]


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


def opened(client: Client, place: Path, text: str) -> tuple[Buffer, dict[str, int]]:
    """A document with the text, and the place in it that ``|`` marks."""
    buffer = Buffer(client, place / "trop.yaml", text.replace("|", "", 1))
    return buffer, buffer.position(text.index("|"))


def completed(buffer: Buffer, position: dict[str, int]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = buffer.ask("completion", position=position)["items"]
    return items


def taken(buffer: Buffer, item: dict[str, Any]) -> str:
    """The text once an item was chosen."""
    edit = item["textEdit"]
    lines = buffer.text.split("\n")
    start, end = edit["range"]["start"], edit["range"]["end"]
    assert start["line"] == end["line"]
    line = lines[start["line"]]
    lines[start["line"]] = line[: start["character"]] + edit["newText"] + line[end["character"] :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param("|", KEYS_OF_THE_TOP, id="an empty file"),
        pytest.param("pro|", KEYS_OF_THE_TOP, id="a word alone"),
        pytest.param("project: shop\n|\n", KEYS_OF_THE_TOP[1:], id="a new line"),
        pytest.param("ports:\n  |", ["min", "max", "max_offset", "avoid"], id="below a section"),
        pytest.param("ports: {min: 5000, |}", ["max", "max_offset", "avoid"], id="in braces"),
        pytest.param("reservations:\n  |", ["services", "base", "environment"], id="below the group"),
        pytest.param(f"{GROUP}    web:\n      |", ["offset", "preferred", "env"], id="below a service"),
        pytest.param(f"{GROUP}    web: {{offset: 3, |}}", ["preferred", "env"], id="a service in braces"),
        pytest.param("allow_change: |", ["true", "false"], id="a switch"),
        pytest.param("allow_change: t|", ["true", "false"], id="a switch that was begun"),
        pytest.param("output_format: |\n", ["table", "json", "csv", "tsv"], id="a choice"),
        pytest.param("reserve_for: |", ["directory", "root"], id="another choice"),
        pytest.param("ports: {avoid: [browser, |]}", ["airplay", "ephemeral"], id="a list of words"),
        pytest.param("ports:\n  avoid:\n    - |\n", ["browser", "airplay", "ephemeral"], id="a list in lines"),
        pytest.param("ports:\n  min: |\n", ["5000"], id="the default"),
        pytest.param(f"{GROUP}    web: {{offset: 0}}\n    api: {{offset: |}}\n", ["1"], id="the next offset"),
        pytest.param(f"{GROUP}    my-api: {{env: |}}\n", ["MY_API_PORT"], id="the variable of a name"),
        pytest.param(f"{GROUP}    web: {{preferred: |}}\n", ["5000"], id="the lowest free port"),
        pytest.param(f"{GROUP}    web: 5000\n    api: |\n", ["5001", "{}"], id="a port in the place of a mapping"),
        pytest.param(
            f"{GROUP}    web: {{}}\n  environment:\n    API_URL: |\n",
            ["http://localhost:{port:web}"],
            id="an address",
        ),
        pytest.param(f"{GROUP}    web: {{}}\n  environment:\n    |\n", ["WEB_URL"], id="the name of an address"),
        pytest.param("# pro|\n", [], id="a comment"),
        pytest.param("project: shop # |", [], id="a comment behind a value"),
        pytest.param("nothing:\n  |", [], id="below a key that there is not"),
        pytest.param("project: shop\nports\n|", KEYS_OF_THE_TOP[2:], id="below a broken line"),
    ],
)
def test_what_belongs_there_is_offered_with_the_keys_in_the_schema_s_order(
    shared_editor: Client, shared_sandbox: Sandbox, text: str, labels: list[str]
) -> None:
    buffer, position = opened(shared_editor, shared_sandbox.work, text)

    offered = [item["label"] for item in completed(buffer, position)]
    buffer.close()

    if labels and labels[0] in KEYS_OF_THE_TOP:
        assert [label for label in offered if label in labels] == labels
        assert "safe_directories" not in offered
    else:
        assert offered == labels


def test_a_file_is_written_with_nothing_but_what_is_offered(shared_editor: Client, shared_sandbox: Sandbox) -> None:
    place = shared_sandbox.directory("from-nothing")
    buffer = Buffer(shared_editor, place / "trop.yaml", "")
    steps = [
        ("", "reservations"),
        ("\n  ", "services"),
        ("\n    web:\n      ", "preferred"),
        ("", "5000"),
        ("\n      ", "env"),
        ("", "WEB_PORT"),
        ("\nports:\n  ", "min"),
        ("", "5000"),
        ("\n", "output_format"),
        ("", "json"),
    ]

    for typed, label in steps:
        buffer.replace(buffer.text + typed)
        (item,) = [each for each in completed(buffer, buffer.position(len(buffer.text))) if each["label"] == label]
        buffer.replace(taken(buffer, item))

    told = buffer.told(lambda _: True)
    buffer.close()
    assert buffer.text == (
        "reservations:\n  services:\n    web:\n      preferred: 5000\n      env: WEB_PORT\n"
        "ports:\n  min: 5000\noutput_format: json"
    )
    assert told == []


def test_a_word_is_replaced_and_a_colon_is_written_once(shared_editor: Client, shared_sandbox: Sandbox) -> None:
    found = []
    for text in ("pro|: shop\n", "pro|\n", "output_format: js|on # x\n"):
        buffer, position = opened(shared_editor, shared_sandbox.work, text)
        (item,) = [each for each in completed(buffer, position) if each["label"] in ("project", "json")]
        found.append(taken(buffer, item))
        buffer.close()

    assert found == ["project: shop\n", "project: \n", "output_format: json # x\n"]


def test_tags_and_projects_that_are_stored_are_offered_and_a_stranger_s_words_stay_words(
    editor: Client, sandbox: Sandbox
) -> None:
    odd = 'yes: "a" # 😀'
    sandbox.reserve("--tag", "web", "--project", odd)
    elsewhere = sandbox.directory("elsewhere")
    sandbox.reserve("--tag", "no", cwd=elsewhere)

    buffer, position = opened(editor, sandbox.work, f"{GROUP}    api: {{}}\n    |\n")
    buffer.ask("hover", position=position)
    tags = completed(buffer, position)
    buffer.replace("project: \n")
    projects = completed(buffer, {"line": 0, "character": 9})

    assert [(item["label"], item["textEdit"]["newText"]) for item in tags] == [("web", "web: "), ("no", '"no": ')]
    assert [item["label"] for item in projects] == [odd]
    assert projects[0]["textEdit"]["newText"] == '"yes: \\"a\\" # 😀"'
    buffer.replace(taken(buffer, projects[0]))
    assert buffer.told() == []


def test_the_lowest_free_port_is_one_that_nobody_has_and_the_stored_one_goes_before_it(
    editor: Client, sandbox: Sandbox
) -> None:
    sandbox.reserve("--tag", "web")
    sandbox.reserve("--tag", "other")
    text = "excluded_ports: [5002]\nports: {min: 5000, max: 5010}\nreservations: {services: {web: {preferred: |}}}\n"

    buffer, position = opened(editor, sandbox.work, text)
    buffer.ask("hover", position=position)

    assert [item["label"] for item in completed(buffer, position)] == ["5000", "5003"]


@pytest.mark.parametrize("formats", [["markdown", "plaintext"], ["plaintext"], None])
def test_texts_come_in_the_format_that_the_client_declares(
    start: Callable[..., Client], sandbox: Sandbox, formats: list[str] | None
) -> None:
    declared = capabilities()
    declared["textDocument"]["hover"] = {} if formats is None else {"contentFormat": formats}
    item = {} if formats is None else {"documentationFormat": formats}
    declared["textDocument"] = {**declared["textDocument"], "completion": {"completionItem": item}}
    client = start()
    client.initialize(str(sandbox.work), capabilities=declared)

    buffer = Buffer(client, sandbox.work / "trop.yaml", "disable_autoprune: false\n")
    hover = buffer.ask("hover", position={"line": 0, "character": 3})["contents"]
    (documentation,) = [
        item["documentation"]
        for item in completed(buffer, {"line": 1, "character": 0})
        if item["label"] == "disable_autoexpire"
    ]

    kind = "markdown" if formats == ["markdown", "plaintext"] else "plaintext"
    assert (hover["kind"], documentation["kind"]) == (kind, kind)
    name = hover["value"].split("\n")[0]
    assert name == ("disable\\_autoprune" if kind == "markdown" else "disable_autoprune")


def hovered(client: Client, place: Path, text: str) -> str | None:
    """What is said of the place that ``|`` marks, without what Markdown needs to show it."""
    buffer, position = opened(client, place, text)
    hover = buffer.ask("hover", position=position)
    buffer.close()
    return None if hover is None else str(hover["contents"]["value"]).replace("\\", "")


def test_a_key_tells_what_it_means_its_default_and_where_the_value_in_force_comes_from(
    editor: Client, sandbox: Sandbox
) -> None:
    sandbox.data.mkdir()
    (sandbox.data / "config.yaml").write_text("ports: {min: 5500}\n")
    (sandbox.work / "trop.local.yaml").write_text("output_format: tsv\n")
    text = "ports: {m|in: 6000}\nexcluded_ports: []\noutput_format: json\nallow_change: true\n"
    moved = text.replace("|", "")

    of_file = hovered(editor, sandbox.work, text)
    of_local = hovered(editor, sandbox.work, moved.replace("output", "out|put"))
    of_default = hovered(editor, sandbox.work, "ports: {m|ax: }\n")

    file = sandbox.work / "trop.yaml"
    assert of_file is not None
    assert of_local is not None
    assert of_default is not None
    assert of_file.split("\n\n") == [
        "ports.min",
        "The lowest port that is given away.",
        "Default: 5000.",
        f"In force: 6000, from {file}:1:14.",
    ]
    assert of_local.endswith(f"In force: tsv, from {sandbox.work / 'trop.local.yaml'}:1:16.")
    assert of_default.endswith("Default: 7000.\n\nIn force: 7000, the default.")


def test_a_service_tells_its_reservation_and_who_is_on_its_port(start: Callable[..., Client], sandbox: Sandbox) -> None:
    import os
    import socket

    client = start(TROP_SKIP_OCCUPANCY_CHECK=None)
    client.initialize(str(sandbox.work), capabilities=capabilities())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sandbox.reserve("--tag", "web", "--port", str(port), "--project", "shop", "--ignore-occupied")

        said = hovered(client, sandbox.work, f"{GROUP}    w|eb: {{}}\n    api: {{}}\n")
        other = hovered(client, sandbox.work, f"{GROUP}    web: {{}}\n    a|pi: {{}}\n")

    assert said is not None
    assert other is not None
    assert f"Port {port}, http://localhost:{port}/, process {os.getpid()} (" in said
    assert 'project "shop"' in said
    assert said.endswith("Its variable is WEB_PORT.")
    assert "No port is reserved for it yet; it would get " in other


def test_a_port_tells_whom_it_is_reserved_for_and_a_stranger_s_words_make_no_link(
    editor: Client, sandbox: Sandbox
) -> None:
    odd = sandbox.directory("[x](command:evil) <b>*a*\x1b[31m")
    sandbox.reserve("--port", "5050", cwd=odd)

    buffer, position = opened(editor, sandbox.work, f"{GROUP}    web: 50|50\n")
    value = buffer.ask("hover", position=position)["contents"]["value"]

    assert "\x1b" not in value
    assert "](" not in value
    assert "\\[x\\]\\(command\\:evil\\) \\<b\\>\\*a\\*\\\\x1b\\[31m" in value


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_while_somebody_types_the_lines_that_are_whole_are_explained_and_completed(
    shared_editor: Client, shared_sandbox: Sandbox, session: Session
) -> None:
    place = shared_sandbox.directory(session.name.replace(" ", "-"))
    whole = Buffer(shared_editor, place / "trop.local.yaml", session.after)
    buffer = Buffer(shared_editor, place / "trop.yaml", session.before)
    asked = answered = completions = 0

    for keystroke in session.keystrokes:
        buffer.type(keystroke)
        edited = buffer.text[: keystroke.start + len(keystroke.text)].count("\n")
        if edited == 0 or not session.after.startswith(buffer.text[: buffer.text.rfind("\n", 0, keystroke.start) + 1]):
            continue
        line = edited - 1
        text = buffer.text.split("\n")[line]
        at = {"line": line, "character": len(text) - len(text.lstrip()) + 1}
        expected = whole.ask("hover", position=at)
        if expected is None:
            continue
        asked += 1
        found = buffer.ask("hover", position=at)
        answered += found is not None and found["range"] == expected["range"]
        wanted = {item["label"] for item in completed(whole, at)} & {text.strip().partition(":")[0]}
        completions += wanted <= {item["label"] for item in completed(buffer, at)}

    told = buffer.told()
    buffer.close()
    whole.close()
    print(f"{session.name}: of {asked} about whole lines {answered} hovers and {completions} completions are right")
    assert min(answered, completions) >= 0.95 * asked
    assert told == []
