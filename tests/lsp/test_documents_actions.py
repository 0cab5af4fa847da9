"""What an editor shows in trop.yaml and lets its user do there: hints, lenses, actions, symbols and links."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import Buffer, capabilities, codes
from support.typed_configurations import ANCHORED, SHOP
from support.window import ending, next_of, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

GROUP = "reservations:\n  services:\n"
ALL = {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}}
PROVIDERS = {
    f"{method}Provider"
    for method in ("hover", "completion", "inlayHint", "codeLens", "codeAction", "documentSymbol", "documentLink")
}
REFRESHES = ("workspace/inlayHint/refresh", "workspace/codeLens/refresh")


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


def saved(client: Client, place: Path, text: str) -> Buffer:
    file = place / "trop.yaml"
    file.write_text(text)
    return Buffer(client, file, text)


def labels(buffer: Buffer) -> list[str]:
    return [hint["label"] for hint in buffer.ask("inlayHint", range=ALL)]


def actions(buffer: Buffer, marked: str | None = None, **context: Any) -> dict[str, dict[str, Any]]:
    """The actions at the marked place, or for the whole text, by their titles."""
    span = ALL if marked is None else dict.fromkeys(("start", "end"), buffer.at(marked))
    found = buffer.ask("codeAction", range=span, context={"diagnostics": [], **context})
    return {action["title"]: action for action in found}


def edited(buffer: Buffer, action: dict[str, Any]) -> str:
    """The text once an action's change was made."""
    ((uri, (change,)),) = action["edit"]["changes"].items()
    assert uri == buffer.uri
    whose = {"uri": uri, "version": buffer.version}
    assert action["edit"]["documentChanges"] == [{"textDocument": whose, "edits": [change]}]
    lines = [*buffer.text.splitlines(keepends=True), ""]
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    begin, end = (starts[at["line"]] + at["character"] for at in (change["range"]["start"], change["range"]["end"]))
    return buffer.text[:begin] + str(change["newText"]) + buffer.text[end:]


def carried_out(client: Client, command: dict[str, Any]) -> dict[str, Any]:
    return client.call(command["command"], *command["arguments"])


# Hints and lenses


def test_each_service_has_a_hint_with_its_port_that_follows_the_store(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}  # the shop\n    api:\n      offset: 3\n")
    before = labels(buffer)

    done = sandbox.trop("autoreserve")
    hints: list[dict[str, Any]] = []
    # A busy machine may see the making of the store, and ask for a look at it, before the ports are in it.
    while [hint["label"] for hint in hints] != ["5000", "5003"]:
        reply(editor, next_of(editor, REFRESHES[0]), result=None)
        hints = buffer.ask("inlayHint", range=ALL)

    assert done.returncode == 0
    assert before == ["not reserved", "not reserved"]
    assert [hint["position"] for hint in hints] == [buffer.at("shop|"), buffer.at("api:|")]
    assert "Its variable is WEB_PORT." in hints[0]["tooltip"]["value"]
    assert "is ignored" not in editor.logged()


def test_hints_of_services_in_one_line_say_of_which_they_are(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, "reservations: {services: {web: {}, api: {}}}\n")

    assert labels(buffer) == ["web not reserved", "api not reserved"]


def test_a_change_of_the_store_refreshes_once_for_all_documents(editor: Client, sandbox: Sandbox) -> None:
    text = f"{GROUP}    web: {{}}\n"
    sandbox.make_store()
    both = [saved(editor, sandbox.directory(name), text) for name in ("one", "two")]
    for buffer in both:
        buffer.told()
        labels(buffer)

    sandbox.trop("autoreserve", cwd=sandbox.work / "one")
    for buffer in both:
        buffer.told()
    next_of(editor, REFRESHES[0])
    next_of(editor, REFRESHES[1])
    editor.call("trop.listCommands")

    assert not [message for message in editor.unmatched if message["method"] in REFRESHES]


def test_only_the_hints_of_the_range_are_given(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n    db: {{}}\n")

    line = {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 99}}
    hints = buffer.ask("inlayHint", range=line)

    assert [hint["position"]["line"] for hint in hints] == [3]


def test_a_hint_tells_that_something_listens(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_SKIP_OCCUPANCY_CHECK=None)
    client.initialize(str(sandbox.work), capabilities=capabilities())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sandbox.reserve("--tag", "web", "--port", str(port), "--ignore-occupied")
        free = sandbox.reserve("--tag", "api", TROP_SKIP_OCCUPANCY_CHECK=None)

        buffer = saved(client, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")
        label, other = labels(buffer)

    assert other == f"{free} (free)"
    assert label in (f"{port} (in use)", f"{port} (up)", f"{port} (taken by another directory)")


def test_lenses_reserve_the_group_open_a_port_and_release_it(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")

    (reserving,) = buffer.ask("codeLens")
    reserved = carried_out(editor, reserving["command"])
    next_of(editor, REFRESHES[1])
    lenses = buffer.ask("codeLens")
    titles = [lens["command"]["title"] for lens in lenses]
    carried_out(editor, lenses[1]["command"])
    shown = next_of(editor, "window/showDocument")
    released = carried_out(editor, lenses[2]["command"])

    assert reserving["command"]["title"] == "Reserve 2 of 2"
    assert {tag: row["port"] for tag, row in reserved["group"].items()} == {"web": 5000, "api": 5001}
    assert titles == [
        "All 2 reserved",
        *("Open http://localhost:5000/", "Release 5000"),
        *("Open http://localhost:5001/", "Release 5001"),
    ]
    assert shown["params"] == {"uri": "http://localhost:5000/", "external": True}
    assert released["releasedCount"] == 1
    assert [row[1] for row in sandbox.rows()] == ["api"]


def test_the_address_that_is_opened_is_that_of_a_port(editor: Client) -> None:
    for argument in ({}, {"port": "5000"}, {"port": 0}, {"port": "http://evil"}, {"port": True}, {"port": 1, "x": 1}):
        assert editor.refused("trop.openPort", argument).code == -32602


# Actions


def test_what_was_probably_meant_is_written(editor: Client, sandbox: Sandbox) -> None:
    found = []
    for text in ("projekt: shop\n", "output_format: jsno\n", "ports: {min: 05000}\n", "ports: {avoid: [browsre]}\n"):
        buffer = saved(editor, sandbox.work, text)
        ((title, action),) = actions(buffer).items()
        buffer.close()
        found.append((title, edited(buffer, action), action["kind"]))

    assert found == [
        ("Write project", "project: shop\n", "quickfix"),
        ("Write json", "output_format: json\n", "quickfix"),
        ("Write 5000", "ports: {min: 5000}\n", "quickfix"),
        ("Write browser", "ports: {avoid: [browser]}\n", "quickfix"),
    ]


@pytest.mark.parametrize(
    ("service", "changed"),
    [
        ("web: {offset: 9}", "web: {preferred: 5000, offset: 9}"),
        ("web: {offset: 9} # why", "web: {preferred: 5000, offset: 9} # why"),
        ("web:\n      offset: 9", "web:\n      preferred: 5000\n      offset: 9"),
        ("web:\n      # why\n      offset: 9", "web:\n      # why\n      preferred: 5000\n      offset: 9"),
        ("web: 5555", "web: 5000"),
        ("web: {preferred: 5555}", "web: {preferred: 5000}"),
        ("web: {offset: 9, preferred: }", "web: {offset: 9, preferred: 5000}"),
    ],
)
def test_a_service_that_has_drifted_can_prefer_what_it_has(
    editor: Client, sandbox: Sandbox, service: str, changed: str
) -> None:
    sandbox.reserve("--tag", "web")
    sandbox.reserve("--tag", "api")
    sandbox.reserve("--tag", "db")
    others = "    api: {offset: 1}\n    db: {offset: 2}\n"

    buffer = saved(editor, sandbox.work, f"{GROUP}    {service}\n{others}")
    buffer.told(lambda told: "drifted" in codes(told))
    action = actions(buffer)["Prefer the stored port 5000"]

    assert edited(buffer, action) == f"{GROUP}    {changed}\n{others}"


def test_a_group_that_has_drifted_is_put_back_by_a_command(editor: Client, sandbox: Sandbox) -> None:
    sandbox.reserve("--tag", "web")
    sandbox.reserve("--tag", "api")
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{offset: 7}}\n")
    buffer.told(lambda told: "drifted" in codes(told))

    action = actions(buffer, "a|pi")["Lay the group out anew, as the file has it"]
    result = carried_out(editor, action["command"])
    settled = buffer.told(lambda told: not told)

    assert {tag: row["port"] for tag, row in result["group"].items()} == {"web": 5000, "api": 5007}
    assert settled == []


def test_what_has_left_the_file_can_be_released(editor: Client, sandbox: Sandbox) -> None:
    port = sandbox.reserve("--tag", "old")
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n")
    buffer.told(lambda told: "not_in_file" in codes(told))

    action = actions(buffer, "ser|vices")[f'Release {port} ("old")']
    carried_out(editor, action["command"])

    assert sandbox.rows() == []
    assert buffer.told(lambda told: not told) == []


def test_a_preferred_port_that_cannot_be_had_gives_way_and_an_occupied_one_is_excluded(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    client = start(TROP_SKIP_OCCUPANCY_CHECK=None)
    client.initialize(str(sandbox.work), capabilities=capabilities())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        buffer = saved(client, sandbox.work, f"{GROUP}    web: {port}\n")
        buffer.told(lambda told: "preferred_occupied" in codes(told))
        found = actions(buffer, f"|{port}")

    excluded = edited(buffer, found[f"Exclude port {port}"])
    (other,) = [title for title in found if title.endswith(", which is free")]
    chosen = int(other.split()[1].rstrip(","))
    assert excluded == f"{GROUP}    web: {port}\nexcluded_ports: [{port}]\n"
    assert chosen != port
    assert edited(buffer, found[other]) == f"{GROUP}    web: {chosen}\n"


def test_the_services_are_reserved_by_an_action_of_its_own_kind(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n")
    buffer.replace(f"{buffer.text}projekt: x\n")

    everything = actions(buffer)
    fixes = actions(buffer, only=["quickfix"])
    rest = actions(buffer, only=["refactor"])
    nothing = actions(buffer, only=["source.organizeImports"])
    unsaved = "Reserve the services, as the file was saved"
    carried_out(editor, rest[unsaved]["command"])

    assert list(everything) == ["Write project", unsaved]
    assert next(lens["command"]["title"] for lens in buffer.ask("codeLens")) == unsaved
    assert (list(fixes), list(nothing)) == (["Write project"], [])
    assert [row[1] for row in sandbox.rows()] == ["web"]


def test_what_is_offered_of_a_changed_text_is_what_the_file_holds_until_it_is_saved(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n")
    buffer.replace(f"{buffer.text}    api: {{}}\n")
    unsaved = [lens["command"]["title"] for lens in buffer.ask("codeLens")]

    (sandbox.work / "trop.yaml").write_text(buffer.text)
    buffer.save()
    next_of(editor, "workspace/codeLens/refresh")

    assert unsaved == ["Reserve the services, as the file was saved"]
    assert [lens["command"]["title"] for lens in buffer.ask("codeLens")] == ["Reserve 2 of 2"]


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "marked"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_mark_and_line_ends_that_an_editor_keeps_to_itself_are_no_change(
    editor: Client, sandbox: Sandbox, mark: str, end: str
) -> None:
    text = f"{GROUP}    web: {{}}\n"
    (sandbox.work / "trop.yaml").write_bytes((mark + text.replace("\n", end)).encode())

    buffer = Buffer(editor, sandbox.work / "trop.yaml", text)

    assert [lens["command"]["title"] for lens in buffer.ask("codeLens")] == ["Reserve 1 of 1"]


@pytest.fixture
def saving(start: Callable[..., Client], sandbox: Sandbox) -> Client:
    """An editor that saves before it reserves."""
    client = start()
    options = {"savesFirst": True}
    client.initialize(str(sandbox.work), capabilities=capabilities(), initializationOptions=options)
    return client


def test_to_an_editor_that_saves_first_the_text_is_offered_and_the_title_says_so(
    saving: Client, sandbox: Sandbox
) -> None:
    buffer = saved(saving, sandbox.work, f"{GROUP}    web: {{\n")

    buffer.replace(f"{GROUP}    web: {{}}\n")
    typed = [lens["command"]["title"] for lens in buffer.ask("codeLens")]
    action = actions(buffer)["Save and reserve the services"]
    (sandbox.work / "trop.yaml").write_text(buffer.text)
    carried_out(saving, action["command"])

    assert typed == ["Save and reserve the services"]
    assert [row[1] for row in sandbox.rows()] == ["web"]


def test_to_an_editor_that_saves_first_no_broken_text_is_offered(saving: Client, sandbox: Sandbox) -> None:
    buffer = saved(saving, sandbox.work, f"{GROUP}    web: {{}}\n")

    buffer.replace(f"{buffer.text}projekt: x\n")

    assert list(actions(buffer)) == ["Write project"]
    assert buffer.ask("codeLens") == []


def titles(buffer: Buffer) -> list[str]:
    """How the services are offered to be reserved, by the lens and by the action."""
    lenses = [lens["command"] for lens in buffer.ask("codeLens")]
    commands = [*lenses, *(action["command"] for action in actions(buffer).values() if "command" in action)]
    return [command["title"] for command in commands if command["command"] == "trop.reserveGroup"]


def test_to_an_editor_that_saves_first_the_title_says_that_a_file_that_is_not_there_is_saved(
    saving: Client, sandbox: Sandbox
) -> None:
    never = Buffer(saving, sandbox.work / "trop.yaml", f"{GROUP}    web: {{}}\n")
    typed = titles(never)
    never.close()

    buffer = saved(saving, sandbox.work, f"{GROUP}    web: {{}}\n")
    before = titles(buffer)
    (sandbox.work / "trop.yaml").unlink()
    buffer.replace(f"{GROUP}    web: {{}}\n    api: {{}}\n")
    buffer.told()

    assert typed == ["Save and reserve the services"] * 2
    assert before == ["Reserve 1 of 1", "Reserve the services"]
    assert titles(buffer) == ["Save and reserve the services"] * 2


def test_to_an_editor_that_saves_first_the_projects_other_file_counts_as_it_is_typed(
    saving: Client, sandbox: Sandbox
) -> None:
    local = sandbox.work / "trop.local.yaml"
    local.write_text("project: mine\n")
    buffer = saved(saving, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")
    own = Buffer(saving, local, "project: mine\n")
    offered = [(titles(buffer), titles(own))]
    for text in ("project: yours\n", f"{GROUP}    other: {{}}\n", "project: [half\n", "project: mine\n"):
        own.replace(text)
        next_of(saving, REFRESHES[1])
        offered.append((titles(buffer), titles(own)))
    told = buffer.told(bool)
    own.replace("project: [half\n")
    buffer.told(bool)
    own.close()
    buffer.told(lambda found: not found)
    never = Buffer(saving, sandbox.directory("inner") / "trop.local.yaml", "project: mine\n")
    inner = saved(saving, sandbox.work / "inner", f"{GROUP}    web: {{}}\n")

    as_it_is = ["Reserve 2 of 2", "Reserve the services"]
    saving_first = ["Save and reserve the services"] * 2
    assert offered == [(as_it_is, []), (saving_first, []), ([], saving_first), ([], []), (as_it_is, [])]
    assert codes(told) == ["unusable"]
    assert titles(inner) == saving_first
    assert titles(never) == []


def test_to_an_editor_that_does_not_save_the_projects_other_file_counts_as_it_was_saved(
    editor: Client, sandbox: Sandbox
) -> None:
    local = sandbox.work / "trop.local.yaml"
    local.write_text("project: mine\n")
    own = Buffer(editor, local, f"{GROUP}    other: {{}}\n")
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")

    assert titles(buffer) == ["Reserve 2 of 2", "Reserve the services"]
    assert titles(own) == []


def test_a_file_that_is_not_there_is_offered_by_no_editor_that_does_not_save_it(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = Buffer(editor, sandbox.work / "trop.yaml", f"{GROUP}    web: {{}}\n")

    assert titles(buffer) == []
    assert labels(buffer) == ["not reserved"]


@pytest.mark.parametrize("client", ["editor", "saving"])
def test_what_is_saved_as_something_else_than_utf_8_is_told_and_not_offered(
    request: pytest.FixtureRequest, sandbox: Sandbox, client: str
) -> None:
    file, text = sandbox.work / "trop.yaml", f"# caf\xe9\n{GROUP}    web: {{}}\n"
    file.write_bytes(text.encode("latin-1"))

    buffer = Buffer(request.getfixturevalue(client), file, text)

    assert titles(buffer) == []
    (told,) = buffer.told(bool)
    message = f'nothing can be reserved here: "{file}" is not UTF-8, as it is saved'
    assert (told["code"], told["message"]) == ("unusable", message)


@pytest.mark.parametrize("client", ["editor", "saving"])
@pytest.mark.parametrize("name", ["trop.local.yaml", "trop.yaml", "config.yaml"])
def test_where_another_file_that_counts_is_wrong_that_is_told_and_nothing_offered(
    request: pytest.FixtureRequest, sandbox: Sandbox, client: str, name: str
) -> None:
    sandbox.trop("init")
    wrong = (sandbox.data if name == "config.yaml" else sandbox.work) / name
    wrong.write_text("output_fromat: json\nprots: {min: 5000}\n")
    file = sandbox.work / ("trop.local.yaml" if name == "trop.yaml" else "trop.yaml")
    file.write_text(f"{GROUP}    web: {{}}\n")

    buffer = Buffer(request.getfixturevalue(client), file, file.read_text())

    assert titles(buffer) == []
    (told,) = buffer.told(bool)
    message = f"nothing can be reserved here: {wrong}:1:1: output_fromat: unknown key: did you mean output_format?"
    assert (told["code"], told["message"]) == ("unusable", message)

    wrong.write_text("")
    buffer.save()
    buffer.told(lambda found: not found)
    assert titles(buffer) == ["Reserve 1 of 1", "Reserve the services"]


def test_what_has_nothing_to_do_with_the_open_folders_is_offered_once_the_user_allows_it(
    editor: Client, sandbox: Sandbox
) -> None:
    sandbox.trop("init")
    text = f"{GROUP}    web: {{}}\n"
    inside = saved(editor, sandbox.directory("inner"), text)
    outside = sandbox.root / "outside"
    outside.mkdir()
    buffer = saved(editor, outside, text)

    before = titles(inside), titles(buffer)
    refused = editor.refused("trop.reserveGroup", {"config": str(outside / "trop.yaml")})
    (sandbox.data / "config.yaml").write_text("allow_unrelated_path: true\n")
    buffer.save()
    next_of(editor, REFRESHES[1])

    assert before == (["Reserve 1 of 1", "Reserve the services"], [])
    assert refused.data["kind"] == "unrelated_path"
    assert titles(buffer) == ["Reserve 1 of 1", "Reserve the services"]


def test_an_editor_that_saves_first_lays_out_anew_what_is_typed(saving: Client, sandbox: Sandbox) -> None:
    sandbox.reserve("--tag", "web")
    sandbox.reserve("--tag", "api")
    buffer = saved(saving, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")

    buffer.replace(f"{GROUP}    web: {{}}\n    api: {{offset: 7}}\n")
    buffer.told(lambda told: "drifted" in codes(told))
    action = actions(buffer, "a|pi")["Save and lay the group out anew"]
    (sandbox.work / "trop.yaml").write_text(buffer.text)
    result = carried_out(saving, action["command"])

    assert {tag: row["port"] for tag, row in result["group"].items()} == {"web": 5000, "api": 5007}


def test_a_broken_file_is_offered_in_no_text_that_is_not_saved(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{\n")

    buffer.replace(f"{GROUP}    web: {{}}\n")

    assert actions(buffer) == {}
    assert buffer.ask("codeLens") == []


def test_a_file_that_would_be_refused_offers_no_reservation_and_promises_no_port(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\nprojekt: x\n")

    offered = list(actions(buffer))
    hovered = buffer.ask("hover", position=buffer.at("|web"))["contents"]["value"]

    assert offered == ["Write project"]
    assert "No port is reserved for it yet\\." in hovered


def test_what_is_missing_in_a_line_that_cannot_be_read_is_written(editor: Client, sandbox: Sandbox) -> None:
    found: list[tuple[str, str] | None] = []
    for text, marked in (
        (f"{GROUP}    web:5050\n    api: {{}}\n", "|web"),
        (f"{GROUP}    web: {{offset: 1\n    api: {{}}\n", "|offset"),
        ("reservations:\n  services # mine\n    web: {}\n", "|services"),
        ("excluded_ports: [5001, 5002  # why\n", "|5001"),
        # Two are wrong; what stands there would be changed; a line is not the parser's; another problem would come.
        (f"{GROUP}    web: 'x\n    api:5050\n", "|api"),
        (f"{GROUP}    web: {{}}\n\tapi: {{}}\n", "|\t"),
        ("project: a # c\u2028excluded_ports: [5001", "|project"),
        ("\ufeffexcluded_ports: [5001", "|5001"),
        ('reservations: {services: {"a #b": 5000}', "|5000"),
        (f"{GROUP}    web 3000\n    api: {{}}\n", "|web"),
        ("project: a\u0007b\n", "|project"),
    ):
        buffer = saved(editor, sandbox.work, text)
        offered = actions(buffer, marked)
        buffer.close()
        found += [(title, edited(buffer, action)) for title, action in offered.items()] or [None]

    assert found == [
        ("Write web: 5050", f"{GROUP}    web: 5050\n    api: {{}}\n"),
        ("Write web: {offset: 1}", f"{GROUP}    web: {{offset: 1}}\n    api: {{}}\n"),
        ("Write services: # mine", "reservations:\n  services: # mine\n    web: {}\n"),
        ("Write excluded_ports: [5001, 5002]  # why", "excluded_ports: [5001, 5002]  # why\n"),
        *[None] * 7,
    ]


def test_a_text_full_of_mistakes_offers_a_few_corrections_at_once_and_each_at_its_place(
    editor: Client, sandbox: Sandbox
) -> None:
    services = "".join(f"    s{number}: {{ofset: {number}, enf: X{number}}}\n" for number in range(64))
    buffer = saved(editor, sandbox.work, GROUP + services)

    everywhere = actions(buffer)
    at_the_last = actions(buffer, "|ofset: 63")

    assert 0 < len(everywhere) < 10
    assert list(at_the_last) == ["Write offset"]


def test_a_correction_is_offered_from_anywhere_in_the_line_whose_problem_the_editor_names(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{ofset: 1}}\n")
    told = buffer.told(bool)

    assert list(actions(buffer, "|    web", diagnostics=told)) == ["Write offset"]
    assert list(actions(buffer, "|    web", diagnostics=[5, {"range": told[0]["range"], "message": "x"}])) == [
        "Write offset"
    ]


def test_a_change_names_no_version_to_who_does_not_know_any(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client, declared = start(), capabilities()
    del declared["workspace"]["workspaceEdit"]
    client.initialize(str(sandbox.work), capabilities=declared)
    buffer = saved(client, sandbox.work, f"{GROUP}    web: {{ofset: 1}}\n")

    (action,) = actions(buffer).values()

    assert action["edit"].keys() == {"changes"}


def test_a_group_that_does_not_fit_promises_no_port(editor: Client, sandbox: Sandbox) -> None:
    text = "ports: {min: 6100, max: 6101}\nreservations: {services: {web: {}, api: {}, db: {}}}\n"
    buffer = saved(editor, sandbox.work, text)

    hovered = buffer.ask("hover", position=buffer.at("|web"))["contents"]["value"]

    assert "No port is reserved for it yet\\." in hovered


def test_two_mistakes_that_are_mended_alike_have_an_action_each(editor: Client, sandbox: Sandbox) -> None:
    text = f"{GROUP}    web: {{ofset: 1}}\n    api: {{ofset: 2}}\n"
    buffer = saved(editor, sandbox.work, text)

    found = buffer.ask("codeAction", range=ALL, context={"diagnostics": []})

    written = [action for action in found if action["title"] == "Write offset"]
    assert [edited(buffer, action) for action in written] == [
        text.replace("ofset: 1", "offset: 1"),
        text.replace("ofset: 2", "offset: 2"),
    ]


# Symbols and links


def test_symbols_stand_below_each_other_and_hold_what_is_below_them(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, SHOP)

    found = buffer.ask("documentSymbol")

    def names(symbols: list[dict[str, Any]]) -> dict[str, Any]:
        for symbol in symbols:
            inner = symbol["selectionRange"]
            outer = symbol["range"]
            for at in (inner["start"], inner["end"], *(each["range"]["end"] for each in symbol["children"])):
                start, end = outer["start"], outer["end"]
                assert (start["line"], start["character"]) <= (at["line"], at["character"])
                assert (at["line"], at["character"]) <= (end["line"], end["character"])
        return {symbol["name"]: names(symbol["children"]) for symbol in symbols}

    tree = names(found)
    assert list(tree) == [
        *("project", "ports", "excluded_ports", "occupancy_check", "allow_change", "output_format", "reservations"),
    ]
    assert list(tree["reservations"]["services"]) == ["web", "api", "db", "cache", "mail"]
    assert list(tree["reservations"]["services"]["web"]) == ["offset", "preferred", "env"]


def test_who_does_not_know_nested_symbols_gets_a_list(start: Callable[..., Client], sandbox: Sandbox) -> None:
    declared = capabilities()
    declared["textDocument"] = {**declared["textDocument"], "documentSymbol": {}}
    client = start()
    client.initialize(str(sandbox.work), capabilities=declared)
    buffer = saved(client, sandbox.work, ANCHORED)

    found = buffer.ask("documentSymbol")

    assert [(each["name"], each.get("containerName")) for each in found][:4] == [
        ("project", None),
        ("reservations", None),
        ("services", "reservations"),
        ("first", "services"),
    ]
    assert {each["location"]["uri"] for each in found} == {buffer.uri}
    # Nor the kinds of symbols that came later.
    assert {each["kind"] for each in found} <= set(range(1, 19))


def test_ports_are_links_to_what_answers_there(editor: Client, sandbox: Sandbox) -> None:
    buffer = saved(editor, sandbox.work, SHOP)

    found = buffer.ask("documentLink")

    assert [(link["target"], link["range"]["start"]) for link in found] == [
        ("http://localhost:5050/", buffer.at("preferred: |5050")),
        ("http://localhost:5300/", buffer.at("cache: |5300")),
    ]


# What a client does not know


@pytest.mark.parametrize("method", ["codeLens", "codeAction"])
def test_what_not_every_client_can_take_is_declared_and_answered_to_those_that_can(
    start: Callable[..., Client], sandbox: Sandbox, method: str
) -> None:
    client = start()
    answer = client.initialize(str(sandbox.work), capabilities=capabilities(without=(method,)))
    buffer = Buffer(client, sandbox.work / "trop.yaml", f"{GROUP}    web: {{}}\n")
    buffer.told()

    params = {"textDocument": {"uri": buffer.uri}, "range": ALL, "context": {"diagnostics": []}}
    refused = client.request(f"textDocument/{method}", params)

    assert PROVIDERS - answer["capabilities"].keys() == {f"{method}Provider"}
    assert refused["error"]["code"] == -32601


@pytest.mark.parametrize("declared", [{}, {"textDocument": {}}, {"workspace": {}}], ids=str)
def test_every_client_that_opens_the_file_is_told_of_it(
    start: Callable[..., Client], sandbox: Sandbox, declared: dict[str, object]
) -> None:
    client = start()
    answer = client.initialize(str(sandbox.work), capabilities=declared)
    buffer = Buffer(client, sandbox.work / "trop.yaml", f"prot: 1\n{GROUP}    web: {{preferred: 5050}}\n")

    codes_told = codes(buffer.told())
    hover = buffer.ask("hover", position={"line": 2, "character": 5})
    hints = buffer.ask("inlayHint", range=ALL)
    symbols = buffer.ask("documentSymbol")
    links = buffer.ask("documentLink")
    offered = buffer.ask("completion", position={"line": 0, "character": 0})

    assert PROVIDERS - answer["capabilities"].keys() == {"codeLensProvider", "codeActionProvider"}
    assert codes_told == ["config_error"]
    assert hover["contents"]["kind"] == "plaintext"
    assert len(hints) == len(links) == 1
    assert "reservations" in [symbol["name"] for symbol in symbols]
    assert offered["items"]


@pytest.mark.parametrize("knows", [True, False])
def test_refreshes_come_only_to_those_who_know_them(
    start: Callable[..., Client], sandbox: Sandbox, knows: bool
) -> None:
    client, declared = start(), capabilities()
    if not knows:
        del declared["workspace"]
    client.initialize(str(sandbox.work), capabilities=declared, initializationOptions={"notifications": True})
    buffer = saved(client, sandbox.work, f"{GROUP}    web: {{}}\n")
    buffer.ask("hover", position={"line": 2, "character": 5})

    sandbox.trop("autoreserve")
    while "Port 5000" not in buffer.ask("hover", position={"line": 2, "character": 5})["contents"]["value"]:
        pass
    if knows:
        for method in REFRESHES:
            next_of(client, method)
    # Whatever the first change brings has come once another process's second one has been seen.
    sandbox.trop("release", "--tag", "web")
    while "Port 5000" in buffer.ask("hover", position={"line": 2, "character": 5})["contents"]["value"]:
        pass

    if not knows:
        assert not {*REFRESHES} & {message["method"] for message in client.unmatched}


# What is not known, and what does not count


@pytest.mark.parametrize("version", ["1", "99"])
def test_a_store_that_cannot_be_read_claims_nothing_to_be_free(editor: Client, sandbox: Sandbox, version: str) -> None:
    (sandbox.work / "trop.yaml").write_text(f"{GROUP}    web: {{}}\n    api: {{}}\n")
    sandbox.trop("autoreserve")
    sandbox.execute(f"UPDATE metadata SET value = '{version}' WHERE key = 'schema_version'")
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n    api: {{}}\n")

    assert labels(buffer) == []
    assert "What is reserved is not known" in str(buffer.ask("hover", position=buffer.at("|web")))
    assert buffer.ask("codeLens") == []
    assert actions(buffer) == {}


def test_services_that_the_stronger_file_replaces_are_not_offered(editor: Client, sandbox: Sandbox) -> None:
    (sandbox.work / "trop.local.yaml").write_text(f"{GROUP}    zed: 5001\n")
    buffer = saved(editor, sandbox.work, f"{GROUP}    web: {{}}\n")

    assert labels(buffer) == []
    assert "are the ones that count" in str(buffer.ask("hover", position=buffer.at("|web")))
    assert buffer.ask("codeLens") == []
    assert actions(buffer) == {}


def test_a_file_of_nearly_the_right_name_offers_neither_to_reserve_nor_to_release(
    editor: Client, sandbox: Sandbox
) -> None:
    (sandbox.work / "trop.yaml").write_text(f"{GROUP}    web: {{}}\n")
    sandbox.trop("autoreserve")
    file = sandbox.work / "trop.yml"
    file.write_text(f"{GROUP}    queue: {{}}\n")
    buffer = Buffer(editor, file, file.read_text())

    assert labels(buffer) == []
    assert buffer.ask("codeLens") == []
    assert actions(buffer) == {}


def test_a_document_that_is_opened_anew_is_judged_by_what_its_file_holds_now(editor: Client, sandbox: Sandbox) -> None:
    whole, broken = f"{GROUP}    web: {{}}\n", f"{GROUP}    web: {{offset: 1\n"
    offered: list[list[str]] = []
    for text in [whole, broken] * 30:
        buffer = saved(editor, sandbox.work, text)
        offered.append([title for title, action in actions(buffer, "|web").items() if "command" in action])
        buffer.close()

    assert offered == [["Reserve the services"], []] * 30
