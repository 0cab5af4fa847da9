"""A folder on a mount that is dead costs the other folders nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.dead_mount import dead_mount
from support.documents import Buffer, capabilities, codes
from support.messages import cancellation, command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox


@pytest.fixture
def dead(sandbox: Sandbox) -> Iterator[Path]:
    directory = sandbox.directory("a-dead-mount")
    with dead_mount(directory):
        yield directory


def test_any_number_of_commands_that_hang_hold_up_no_other_folder(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path
) -> None:
    client, live = start(), sandbox.directory("live")
    client.initialize(str(dead), str(live), initializationOptions={"reserveOnOpen": "always"})
    for number in range(100):
        client.send(command(f"dead-{number}", "trop.reserve", {"folder": str(dead)}))

    found = client.call("trop.reserve", {"folder": str(live)})

    assert found["reservation"]["path"] == str(live)
    client.terminate()
    assert client.wait() == 143


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("trop.reserve", lambda place: {"path": place}),
        ("trop.reserve", lambda place: {"folder": place}),
        ("trop.migrate", lambda place: {"from": place, "to": "/elsewhere", "dryRun": True}),
        ("trop.migrate", lambda place: {"from": "/elsewhere", "to": place, "dryRun": True}),
        ("trop.validate", lambda place: {"config": f"{place}/trop.yaml"}),
    ],
    ids=["path", "folder", "from", "to", "config"],
)
def test_any_number_of_names_that_hang_hold_up_nothing_else(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path, name: str, asked: Callable[[str], dict[str, object]]
) -> None:
    client, live = start(), sandbox.directory("live")
    client.initialize(str(live))
    client.send(*(command(f"dead-{number}", name, asked(f"{dead}/{number}")) for number in range(400)))

    found = client.call("trop.reserve", {"folder": str(live)})
    commands = client.call("trop.listCommands")

    assert found["reservation"]["path"] == str(live)
    assert commands["commands"]


@pytest.mark.parametrize(("name", "field"), [("trop.init", "dataDir"), ("trop.compactExclusions", "config")])
def test_work_on_files_that_hang_leaves_the_turn_to_others(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path, name: str, field: str
) -> None:
    client, live = start(), sandbox.directory("live")
    client.initialize(str(live))
    client.send(*(command(f"dead-{number}", name, {field: f"{dead}/some"}) for number in range(2)))
    client.call("trop.listCommands")

    found = client.call("trop.reserve", {"folder": str(live)})
    client.send(cancellation("dead-0"))
    taken_back = client.answer("dead-0")
    ended = client.request("shutdown")
    client.notify("exit")

    assert found["reservation"]["path"] == str(live)
    assert taken_back["error"]["code"] == -32800
    assert ended["result"] is None
    assert client.answer("dead-1")["error"]["code"] == -32800
    assert client.wait() == 0


def test_the_session_ends_while_the_store_hangs(start: Callable[..., Client], sandbox: Sandbox, dead: Path) -> None:
    client, live = start(TROP_DATA_DIR=str(dead)), sandbox.directory("live")
    client.initialize(str(live))
    names = ("trop.reserve", "trop.list", "trop.init", "trop.backup")
    client.send(*(command(number, name) for number, name in enumerate(names * 20)))

    ended = client.request("shutdown")
    answers = [client.answer(number) for number in range(80)]
    client.notify("exit")

    assert ended["result"] is None
    assert {answer["error"]["code"] for answer in answers} <= {-32800, -32803}
    assert client.unmatched == []
    assert client.wait() == 0


def test_what_is_taken_back_while_it_waits_for_what_hangs_leaves_nothing(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path
) -> None:
    client = start()
    client.initialize(str(dead), str(sandbox.directory("live")), initializationOptions={"reserveOnOpen": "never"})

    def wait_and_take_back(first: int) -> None:
        numbers = range(first, first + 500)
        client.send(*(command(number, "trop.reserve", {"folder": str(dead)}) for number in numbers))
        client.call("trop.list", {})
        client.send(*map(cancellation, numbers))
        assert {client.answer(number)["error"]["code"] for number in numbers} == {-32800}

    wait_and_take_back(10_000)
    before = client.memory()
    for first in range(20_000, 26_000, 500):
        wait_and_take_back(first)

    assert client.memory() - before < 6 * 1024 * 1024


def test_a_folder_that_hangs_keeps_no_news_from_the_others(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path
) -> None:
    client, live = start(), sandbox.directory("live")
    client.initialize(str(dead), str(live), initializationOptions={"notifications": True})
    client.call("trop.list", {})

    port = sandbox.reserve(cwd=live)

    while (message := client.receive()).get("method") != "trop/reservationsChanged":
        pass
    assert [row["port"] for row in message["params"]["reservations"]] == [port]


def test_a_new_directory_does_not_wait_for_where_it_may_have_been(sandbox: Sandbox, dead: Path) -> None:
    inner = sandbox.directory("a/shop")
    sandbox.reserve("--project", "shop", cwd=inner)
    sandbox.execute("UPDATE reservations SET path = ?", [[f"{dead}/shop"]])

    done = sandbox.trop("reserve", cwd=sandbox.directory("b/shop"), TROP_PROJECT="shop")

    assert (done.returncode, done.stdout) == (0, "5001\n")


def test_a_document_that_hangs_is_judged_by_its_text_and_holds_up_no_other(
    start: Callable[..., Client], sandbox: Sandbox, dead: Path
) -> None:
    client, live = start(), sandbox.directory("live")
    client.initialize(str(dead), str(live), capabilities=capabilities())
    port = sandbox.reserve("--tag", "old", cwd=live)

    hanging = Buffer(client, dead / "trop.yaml", "projekt: x\n")
    told = hanging.told()
    hover = hanging.ask("hover", position={"line": 0, "character": 1})
    buffer = Buffer(client, live / "trop.yaml", "reservations:\n  services:\n    web: {}\n")
    known = buffer.told(bool)

    assert (codes(told), hover) == (["config_error"], None)
    assert [each["message"] for each in known] == [f'"old" is reserved, with port {port}, and no service here']
