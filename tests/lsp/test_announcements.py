"""What happened without a command is said in a sentence, once, to a client that wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.window import ANNOUNCED, Decoy, ending, next_of, rename, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@pytest.fixture
def session(start: Callable[..., Client]) -> Callable[..., Client]:
    def session(folder: Path, **options: object) -> Client:
        client = start()
        client.initialize(
            str(folder), initializationOptions={"reserveOnOpen": "always", "announcements": True, **options}
        )
        return client

    return session


@pytest.fixture
def decoy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Decoy:
    monkeypatch.setenv("TROP_FOLLOW_MOVES", "no")
    return Decoy(sandbox)


def announced(client: Client) -> dict[str, str]:
    found: dict[str, str] = next_of(client, ANNOUNCED)["params"]
    return found


def test_a_new_port(session: Callable[..., Client], sandbox: Sandbox) -> None:
    folder = sandbox.directory("shop")

    assert announced(session(folder)) == {"folder": str(folder), "message": f"port 5000 reserved for {folder}"}


def test_services_that_became_more(session: Callable[..., Client], sandbox: Sandbox) -> None:
    folder = sandbox.directory("shop")
    (folder / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")
    first = announced(session(folder))
    (folder / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    second = announced(session(folder))

    assert first["message"] == f"port 5000 reserved for {folder}"
    assert second["message"] == f"ports 5000, 5001 reserved, some of them newly, for {folder}"


def test_a_folder_that_was_moved(session: Callable[..., Client], sandbox: Sandbox) -> None:
    before, folder = sandbox.directory("before"), sandbox.work / "after"
    sandbox.reserve(cwd=before)
    before.rename(folder)

    message = announced(session(folder))["message"]

    assert message == f"port 5000 moved along, and reserved for {folder}"


def test_a_folder_that_is_renamed(session: Callable[..., Client], sandbox: Sandbox) -> None:
    before, folder = sandbox.directory("before"), sandbox.work / "after"
    sandbox.reserve(cwd=before)
    client = session(sandbox.work, reserveOnOpen="never")
    before.rename(folder)
    rename(client, (before, folder))

    assert announced(client) == {"folder": str(folder), "message": f"port 5000 moved along from {before} to {folder}"}


def test_a_name_is_text(session: Callable[..., Client], sandbox: Sandbox) -> None:
    folder = sandbox.directory("[x](command:y)\n\x1b[1m")

    message = announced(session(folder))["message"]

    assert "](" not in message
    assert message.isprintable() or "\u2060" in message
    assert "\n" not in message
    assert "\x1b" not in message


@pytest.mark.parametrize("options", [{"announcements": False}, {"announcements": None}], ids=str)
def test_who_does_not_ask_is_told_nothing(
    session: Callable[..., Client], sandbox: Sandbox, decoy: Decoy, options: dict[str, object]
) -> None:
    client = session(sandbox.directory("shop"), **options)

    decoy.wait(client)

    assert said(client, ANNOUNCED) == []
    assert len(decoy.rows(sandbox)) == 1


def test_what_stays_is_not_announced(session: Callable[..., Client], sandbox: Sandbox, decoy: Decoy) -> None:
    folder = sandbox.directory("shop")
    sandbox.reserve(cwd=folder)
    client = session(folder)

    decoy.wait(client)

    assert said(client, ANNOUNCED) == []
