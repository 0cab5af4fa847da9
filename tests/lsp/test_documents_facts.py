"""What the store and the system know is told in trop.yaml, and follows them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.dead_mount import dead_mount
from support.documents import Buffer, capabilities, codes
from support.sandbox import LOOKING
from support.servers import server
from support.sockets import free_port
from support.typed_configurations import Keystroke
from support.window import ending, next_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

ALL = {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}}
WRONG = "projekt: x\n"


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


def file_of(sandbox: Sandbox) -> Path:
    return sandbox.work / "trop.yaml"


def test_a_preferred_port_that_the_directory_itself_has_is_said_to_be_its_own(editor: Client, sandbox: Sandbox) -> None:
    file = file_of(sandbox)
    sandbox.reserve("--port", "5050", cwd=file.parent)
    sandbox.reserve("--port", "5051", "--tag", "old", cwd=file.parent)

    buffer = Buffer(
        editor, file, "reservations:\n  services:\n    web: {preferred: 5050}\n    api: {preferred: 5051}\n"
    )

    told = [each["message"] for each in buffer.told(bool) if each["code"] == "preferred_reserved"]
    assert told == [
        "port 5050 is reserved for this directory without a tag",
        'port 5051 is reserved for this directory (tag "old")',
    ]


def test_a_preferred_port_that_another_directory_has_is_told_of_as_soon_as_it_has_it(
    editor: Client, sandbox: Sandbox
) -> None:
    buffer = Buffer(editor, file_of(sandbox), "reservations:\n  services:\n    web: {preferred: 5050}\n")
    buffer.told(lambda told: not told)

    other = sandbox.directory("other")
    sandbox.reserve("--port", "5050", cwd=other)
    (told,) = buffer.told(bool)

    assert (told["code"], told["severity"]) == ("preferred_reserved", 2)
    assert told["message"] == f'port 5050 is reserved for "{other}"'
    assert told["range"]["start"] == buffer.at("|5050}")


def test_a_store_that_was_no_file_is_looked_at_again_once_it_is_one(editor: Client, sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    os.mkfifo(sandbox.database)
    file_of(sandbox).write_text("reservations:\n  services:\n    web: {}\n")
    buffer = Buffer(editor, file_of(sandbox), file_of(sandbox).read_text())
    hovered = buffer.ask("hover", position={"line": 2, "character": 5})
    assert "the store cannot be read as it is" in hovered["contents"]["value"]

    sandbox.database.unlink()
    sandbox.trop("autoreserve")

    while "Port 5000" not in buffer.ask("hover", position={"line": 2, "character": 5})["contents"]["value"]:
        pass


def test_a_store_that_is_busy_has_not_been_read_so_far_and_is_once_it_can_be(editor: Client, sandbox: Sandbox) -> None:
    file_of(sandbox).write_text("reservations:\n  services:\n    web: {}\n")
    sandbox.trop("autoreserve")
    # With a log beside it, a store can be read at any time.
    stores.run(sandbox.database, "PRAGMA journal_mode = DELETE")

    with stores.locked(sandbox.database, "BEGIN EXCLUSIVE"):
        buffer = Buffer(editor, file_of(sandbox), file_of(sandbox).read_text())
        hovered = buffer.ask("hover", position={"line": 2, "character": 5})

    assert "the store has not been read so far" in hovered["contents"]["value"]
    while "Port 5000" not in buffer.ask("hover", position={"line": 2, "character": 5})["contents"]["value"]:
        pass


def test_what_listens_on_a_services_port_is_followed_without_a_keystroke(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    file_of(sandbox).write_text("reservations:\n  services:\n    web: {}\n")
    sandbox.trop("autoreserve", **LOOKING)
    client = start(**LOOKING)
    client.initialize(str(sandbox.work), capabilities=capabilities())
    buffer = Buffer(client, file_of(sandbox), file_of(sandbox).read_text())
    port = int(buffer.ask("inlayHint", range=ALL)[0]["label"].removesuffix(" (free)"))

    with socket.create_server(("127.0.0.1", port)):
        next_of(client, "workspace/inlayHint/refresh")

        # The first may be about what was there before.
        while buffer.ask("inlayHint", range=ALL)[0]["label"] == f"{port} (free)":
            next_of(client, "workspace/inlayHint/refresh")


def test_a_directory_that_hangs_costs_one_thread_however_often_it_is_looked_at(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    dead = sandbox.directory("dead")
    (dead / "other").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        sandbox.reserve("--path", str(dead / "other"), "--port", str(port))
        client = start(**LOOKING)
        client.initialize(str(sandbox.work), capabilities=capabilities())
        with dead_mount(dead):
            buffer = Buffer(client, file_of(sandbox), f"reservations:\n  services:\n    web: {port}\n")
            threads = []
            for _ in range(9):
                buffer.save()
                lost = Buffer(client, dead / "other" / "trop.yaml", "project: x\n")
                for each in (buffer, lost):
                    each.ask("hover", position={"line": 0, "character": 2})
                lost.close()
                threads.append(client.threads())

            # The first rounds begin what there is one of.
            assert threads[-1] <= threads[2] + 1, threads
            client.kill()


def test_that_another_worktree_has_the_preferred_port_is_a_hint_and_nothing_to_mend(
    editor: Client, sandbox: Sandbox
) -> None:
    text = "project: shop\nreservations:\n  services:\n    web: {preferred: 5050}\n"
    other = sandbox.directory("other")
    (other / "trop.yaml").write_text(text)
    sandbox.trop("autoreserve", cwd=other)
    file_of(sandbox).write_text(text)

    buffer = Buffer(editor, file_of(sandbox), text)
    told = buffer.told(bool)
    offered = buffer.ask("codeAction", range=ALL, context={"diagnostics": told})

    assert [(each["code"], each["severity"]) for each in told] == [("preferred_reserved", 4)]
    assert [action["title"] for action in offered] == ["Reserve the services"]


def test_that_another_worktrees_own_program_is_on_the_preferred_port_is_a_hint(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    port = free_port()
    text = f"project: shop\nreservations:\n  services:\n    web: {{preferred: {port}}}\n"
    other = sandbox.directory("other")
    for directory in (other, sandbox.work):
        (directory / "trop.yaml").write_text(text)
        sandbox.trop("autoreserve", cwd=directory)
    client = start(**LOOKING)
    client.initialize(str(sandbox.work), capabilities=capabilities())

    with server(port, other):
        told = Buffer(client, file_of(sandbox), text).told(lambda told: len(told) > 1)

    assert {(each["code"], each["severity"]) for each in told} == {("preferred_reserved", 4), ("preferred_occupied", 4)}


def test_what_another_file_of_the_project_says_is_followed_once_it_is_saved(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), "reservations:\n  services:\n    web: {}\n")
    assert [hint["label"] for hint in buffer.ask("inlayHint", range=ALL)] == ["not reserved"]
    local = Buffer(editor, sandbox.work / "trop.local.yaml", "")
    local.told()

    (sandbox.work / "trop.local.yaml").write_text("reservations: {services: {api: {}}}\n")
    local.save()
    next_of(editor, "workspace/inlayHint/refresh")

    assert buffer.ask("inlayHint", range=ALL) == []


def test_a_text_that_nobody_would_read_is_not_followed_and_that_is_told(editor: Client, sandbox: Sandbox) -> None:
    buffer = Buffer(editor, file_of(sandbox), WRONG)
    assert codes(buffer.told()) == ["config_error"]

    buffer.replace("\n" * 2_000_000)
    (told,) = buffer.told()
    buffer.close()
    taken_back = next_of(editor, "textDocument/publishDiagnostics")["params"]
    again = Buffer(editor, file_of(sandbox), "\n" * 2_000_000)

    assert (told["severity"], told["code"]) == (1, "config_error")
    assert told["message"] == "the file is larger than 1048576 bytes, the most that is read"
    assert taken_back == {"uri": buffer.uri, "diagnostics": []}
    assert again.told() == [told]
    assert again.ask("hover", position={"line": 0, "character": 0}) is None


@pytest.mark.parametrize("way", ["the whole text", "the last change is undone"])
def test_a_text_that_is_read_again_is_followed_again(editor: Client, sandbox: Sandbox, way: str) -> None:
    buffer = Buffer(editor, file_of(sandbox), WRONG)
    assert codes(buffer.told()) == ["config_error"]
    large = f"{WRONG}# {'x' * 2_000_000}"
    buffer.type(Keystroke(len(WRONG), len(WRONG), large.removeprefix(WRONG)))
    (told,) = buffer.told()
    assert "larger" in told["message"]

    if way == "the whole text":
        buffer.replace(WRONG)
    else:
        buffer.type(Keystroke(len(WRONG), len(large), ""))
    (again,) = buffer.told()

    assert again["code"] == "config_error"
    assert "larger" not in again["message"]
    assert buffer.ask("documentSymbol")


def test_variables_that_the_user_allows_are_no_problem_at_any_moment(editor: Client, sandbox: Sandbox) -> None:
    sandbox.make_store()
    (sandbox.data / "config.yaml").write_text("allowed_variables: [DATABASE_URL]\n")
    text = "reservations:\n  services:\n    db: {}\n  environment:\n    DATABASE_URL: 'x://localhost:{port:db}'\n"

    buffer = Buffer(editor, file_of(sandbox), text)

    assert buffer.told() == []


def test_what_the_file_and_the_store_have_apart_is_told(editor: Client, sandbox: Sandbox) -> None:
    file = file_of(sandbox)
    file.write_text("reservations:\n  services:\n    web: {}\n    api: {}\n    old: {}\n")
    sandbox.trop("autoreserve")
    text = (
        "ports: {avoid: [browser]}\nexcluded_ports: [5070]\nreservations:\n  services:\n    web: {}\n"
        "    api: {offset: 7}\n    bad: {offset: 8, preferred: 5060}\n    out: {offset: 9, preferred: 5070}\n"
    )

    buffer = Buffer(editor, file, text)
    told = buffer.told(lambda found: len(found) == 4)

    assert sorted((each["code"], each["severity"]) for each in told) == [
        ("drifted", 2),
        ("not_in_file", 4),
        ("preferred_avoided", 4),
        ("preferred_excluded", 2),
    ]
    by_code = {each["code"]: each for each in told}
    assert by_code["drifted"]["message"] == '"api" keeps 5001, and the file would have it at 5007'
    assert by_code["drifted"]["range"]["start"] == buffer.at("|api:")
    assert by_code["not_in_file"]["message"] == '"old" is reserved, with port 5002, and no service here'
    assert by_code["preferred_excluded"]["range"]["start"] == buffer.at("preferred: |5070")


@pytest.mark.parametrize("store", ["missing", "older", "newer", "noise", "a directory"])
def test_whatever_the_store_is_the_text_is_judged_and_the_store_stays_as_it_is(
    start: Callable[..., Client], sandbox: Sandbox, store: str
) -> None:
    sandbox.data.mkdir()
    if store == "older":
        stores.make_v1(sandbox.database, [])
    elif store == "newer":
        sandbox.make_store()
        sandbox.execute("UPDATE metadata SET value = '99'")
    elif store == "noise":
        sandbox.database.write_bytes(b"noise" * 4096)
    elif store == "a directory":
        sandbox.database.mkdir()
    beside = ("trop.db-wal", "trop.db-shm")
    before = stores.snapshot(sandbox.data, without=beside)
    client = start()
    client.initialize(capabilities=capabilities())

    buffer = Buffer(client, file_of(sandbox), WRONG)
    told = buffer.told()
    hover = buffer.ask("hover", position={"line": 0, "character": 1})
    buffer.replace("project: x\n")
    better = buffer.told()
    hover_now = buffer.ask("hover", position={"line": 0, "character": 1})

    assert (codes(told), hover, codes(better)) == (["config_error"], None, [])
    assert hover_now["contents"]["value"].startswith("project\n\nThe project that new reservations belong to")
    assert stores.snapshot(sandbox.data, without=beside) == before
    assert "Traceback" not in client.logged()


def test_a_port_on_which_something_is_is_told_of(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_SKIP_OCCUPANCY_CHECK=None)
    client.initialize(str(sandbox.work), capabilities=capabilities())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        buffer = Buffer(client, file_of(sandbox), f"reservations:\n  services:\n    web: {port}\n")
        told = buffer.told(lambda found: "preferred_occupied" in codes(found))

    (occupied,) = [each for each in told if each["code"] == "preferred_occupied"]
    assert f"on port {port}" in occupied["message"]
    assert occupied["range"]["start"] == buffer.at(f"|{port}")
