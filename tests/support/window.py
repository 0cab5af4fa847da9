"""What the server says and asks by itself, and telling when it has nothing more to say."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from support.patience import PATIENCE
from support.repositories import make_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

CHANGED = "trop/reservationsChanged"
ANNOUNCED = "trop/announcement"
ASKED = "window/showMessageRequest"
SHOWN = "window/showMessage"
LOGGED = "window/logMessage"


def next_of(client: Client, method: str, timeout: float = PATIENCE) -> dict[str, Any]:
    """The next message of a method; others are kept for later."""
    for message in client.unmatched:
        if message.get("method") == method:
            client.unmatched.remove(message)
            return message
    deadline = time.monotonic() + timeout
    while True:
        message = client.receive(max(0.0, deadline - time.monotonic()))
        if message.get("method") == method:
            return message
        client.unmatched.append(message)


def said(client: Client, method: str) -> list[dict[str, Any]]:
    """The parameters of what has come of a method and was not asked for yet."""
    return [message["params"] for message in client.unmatched if message.get("method") == method]


def told(client: Client, is_it: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
    """The reservations of the first notification of a change that are what is waited for."""
    while True:
        reservations: list[dict[str, Any]] = next_of(client, CHANGED)["params"]["reservations"]
        if is_it(reservations):
            return reservations


def tagged(*tags: str) -> Callable[[list[dict[str, Any]]], bool]:
    """Whether reservations have exactly these tags, in this order."""
    return lambda reservations: [entry["tag"] for entry in reservations] == [*tags]


def keys(reservations: list[dict[str, Any]]) -> list[tuple[str, str | None, int]]:
    """Path, tag and port of reservations."""
    return [(entry["path"], entry["tag"], entry["port"]) for entry in reservations]


def reply(client: Client, asked: dict[str, Any], **answer: Any) -> None:
    """Answer a question of the server's, with a ``result`` or an ``error``."""
    client.send({"jsonrpc": "2.0", "id": asked["id"], **answer})


def choose(client: Client, asked: dict[str, Any], title: str) -> None:
    """Answer a question with one of its actions."""
    assert {"title": title} in asked["params"]["actions"]
    reply(client, asked, result={"title": title})


def rename(client: Client, *pairs: tuple[Path | str, Path | str]) -> None:
    """Tell the server that directories were renamed, in one event."""
    files = [{"oldUri": _uri(old), "newUri": _uri(new)} for old, new in pairs]
    client.notify("workspace/didRenameFiles", {"files": files})


def open_folder(client: Client, *folders: Path) -> None:
    """Add folders to the window."""
    client.change_folders(added=folders)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that nobody is told of. Fails the test if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


def ending(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    """Starts servers that are told to end after the test, so that what measures them can write down what it saw."""
    clients: list[Client] = []

    def start_one(*arguments: str, **options: Any) -> Client:
        clients.append(start(*arguments, **options))
        return clients[-1]

    yield start_one
    for client in clients:
        client.process.terminate()
        client.process.wait(PATIENCE)


class Barrier:
    """Tells when the server is through with everything that it was told before.

    It follows what happens in the editor in the order in which it hears of it. So a rename that it has to ask about
    comes last, and once it asks, whatever was to happen before has happened.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        place = sandbox.root / "barrier"
        self.old, self.new = place / "old", place / "new"
        for path in (self.old, self.new):
            sandbox.reserve("--path", str(path), "--allow-unrelated-path")

    def wait(self, client: Client) -> None:
        """Return once everything before is over; what the server said of it is in ``client.unmatched``."""
        rename(client, (self.old, self.new))
        while not self._is_mine(asked := client.receive()):
            client.unmatched.append(asked)
        choose(client, asked, "Leave")

    def rows(self, sandbox: Sandbox) -> list[tuple[str, str, int]]:
        """Path, tag and port of what is stored, but for what the barrier itself needs."""
        mine = (str(self.old), str(self.new))
        return [row[:3] for row in sandbox.rows() if row[0] not in mine]

    def _is_mine(self, message: dict[str, Any]) -> bool:
        return message.get("method") == ASKED and str(self.old) in message["params"]["message"]


def _uri(place: Path | str) -> str:
    return place if isinstance(place, str) else place.as_uri()


class Decoy:
    """Tells when the server has had the time for the folders that opened before.

    It is a folder that was moved, so that it is asked about, and it opens last. Nobody ever answers. Folders do not
    wait for each other, so this is for what must not happen; what has to happen may still be under way.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._old, self._new = (sandbox.root / place / "decoy" for place in ("decoy-was", "decoy-is"))
        make_repository(self._old)
        sandbox.reserve(cwd=self._old)
        self._new.parent.mkdir()
        self._old.rename(self._new)

    def wait(self, client: Client) -> None:
        """Return once the decoy is asked about; what the server said before is in ``client.unmatched``."""
        # A look at the file system that begins after those at the folders before.
        client.call("trop.showPath", {"path": str(self._new)})
        open_folder(client, self._new)
        while not ((asked := client.receive()).get("method") == ASKED and str(self._new) in asked["params"]["message"]):
            client.unmatched.append(asked)

    def rows(self, sandbox: Sandbox) -> list[tuple[str, str, int]]:
        """Path, tag and port of what is stored, but for what the decoy itself needs."""
        return [row[:3] for row in sandbox.rows() if row[0] != str(self._old)]
