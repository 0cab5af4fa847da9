"""The living ``trop.yaml`` in a real Helix, set up with the words of its page, in a real terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from functools import cache
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE
from support.readmes import blocks
from support.repositories import make_repository
from support.requirements import missing_editor
from support.sandbox import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from support.sandbox import Sandbox

PAGE = "trop_server/lsp/documents/README.md"
SECONDS_OF_IDLENESS = 1.0
"""After a key it waits for less than this before it asks for hints."""
WIDTH, HEIGHT = 120, 40
HINTS = "[editor.lsp]\ndisplay-inlay-hints = true\n"

# Looked at when this is imported: the tests themselves run without any TROP_ variable of the outside.
_NAMED = os.environ.get("TROP_TEST_HELIX")


@cache
def executable() -> str:
    """The editor to test with; the test is skipped where there is none, or no terminal to put it in."""
    found = _NAMED or shutil.which("hx")
    if found is None:
        missing_editor("there is no hx on PATH, and TROP_TEST_HELIX names none")
    if shutil.which("tmux") is None:
        missing_editor("there is no tmux on PATH, which is the terminal of this editor")
    return found


class Helix:
    """An editor in a terminal, with the server that the page makes it start."""

    def __init__(self, sandbox: Sandbox, file: Path) -> None:
        self.sandbox = sandbox
        self._socket = f"trop-{uuid.uuid4().hex}"
        configuration = sandbox.home / ".config/helix"
        configuration.mkdir(parents=True)
        (settings,) = (block for block in blocks(PAGE) if block.language == "toml")
        (configuration / "languages.toml").write_text(settings.text + "\n")
        (configuration / "config.toml").write_text(HINTS)
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), executable(), str(file))

    def _tmux(self, *arguments: str) -> str:
        path = f"{SCRIPTS}:{os.environ['PATH']}"
        environment = self.sandbox.environment(PATH=path, TERM="xterm-256color", LC_ALL="C.UTF-8", TMUX=None)
        command = ["tmux", "-u", "-L", self._socket, *arguments]
        return subprocess.run(
            command,
            env=environment,
            cwd=self.sandbox.work,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        ).stdout

    def press(self, *keys: str) -> None:
        """Press keys by their names, such as ``Enter``."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def press_until(self, key: str, *texts: str) -> None:
        """Press a key, again and again, until the screen shows all of some texts.

        This editor does not tell when its server has started, and asks it for hints first after a key.
        """
        self._poll(lambda screen: all(text in screen for text in texts), texts, lambda: self.press(key))

    def press_until_gone(self, key: str, text: str) -> None:
        """Press a key, again and again, until the screen does not show a text any more."""
        self._poll(lambda screen: text not in screen, ("none of", text), lambda: self.press(key))

    def screen(self) -> str:
        """What is on the screen now."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *texts: str) -> str:
        """The screen, once it shows all of some texts."""
        return self._poll(lambda screen: all(text in screen for text in texts), texts, lambda: None)

    def _poll(self, holds: Callable[[str], bool], wanted: Sequence[str], nudge: Callable[[], None]) -> str:
        deadline = time.monotonic() + PATIENCE
        nudged = -SECONDS_OF_IDLENESS
        while not holds(screen := self.screen()):
            assert time.monotonic() < deadline, f"{wanted} did not come:\n{screen}"
            if time.monotonic() - nudged > SECONDS_OF_IDLENESS:
                nudge()
                nudged = time.monotonic()
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        """End the editor and its terminal."""
        self._tmux("kill-server")


@pytest.fixture
def file(sandbox: Sandbox) -> Path:
    """Where a repository's file will be."""
    return make_repository(sandbox.work / "shop") / "trop.yaml"


@pytest.fixture
def start(sandbox: Sandbox, file: Path) -> Iterator[Callable[..., Helix]]:
    """What opens the file, or another one, in an editor."""
    opened: list[Helix] = []

    def begin(named: Path = file) -> Helix:
        opened.append(Helix(sandbox, named))
        return opened[-1]

    executable()
    yield begin
    for each in opened:
        each.close()


def test_an_empty_file_is_filled_by_completion_and_shows_its_ports_as_they_are_reserved(
    start: Callable[..., Helix], sandbox: Sandbox, file: Path
) -> None:
    helix = start()

    helix.type("i")
    helix.type("re")
    helix.press_until("C-x", "reservations", "reserve_for")
    helix.type("serva")
    helix.press("Tab")
    helix.wait_for("reservations:")
    helix.press("Enter", "Enter")
    helix.type("  ser")
    helix.press_until("C-x", "services", "module")
    helix.press("Tab")
    helix.wait_for("  services:")
    helix.press("Enter", "Enter")
    helix.type("  web: {}")
    helix.wait_for("web: {} not reserved")
    # A key that comes right behind it would be the same key with Alt.
    helix.press_until("Escape", " NOR ")
    helix.type(":w")
    helix.press("Enter")
    helix.wait_for("written")
    sandbox.trop("autoreserve", cwd=file.parent)

    assert file.read_text() == "reservations:\n  services:\n    web: {}\n"
    # It looks at hints anew when something is typed.
    helix.type("o")
    helix.wait_for("web: {} 5000")


def test_what_is_wrong_is_shown_explained_and_put_right(start: Callable[..., Helix], file: Path) -> None:
    file.write_text("reservations:\n  base: 5000\n  services:\n    web: {offset: 0}\n    api: {ofset: 1}\n")
    helix = start()

    helix.press_until("h", "●   5", "web: {offset: 0} not reserved")
    helix.type("4Gfo k")
    helix.wait_for("The distance of the service's port from the group's base.")
    helix.press_until_gone("Escape", "The distance of the service's port")
    helix.type("/ofset")
    helix.press("Enter")
    helix.type(" a")
    helix.wait_for("Write offset")
    helix.press("Enter")

    helix.wait_for("api: {offset: 1}")


def test_a_file_of_nearly_the_right_name_is_told_so(start: Callable[..., Helix], file: Path) -> None:
    near = file.with_suffix(".yml")
    near.write_text("reservations:\n  services:\n    web: {}\n")
    helix = start(near)

    # The message is broken into lines beside the text, between any two of its words.
    helix.press_until("h", "●", "trop.yaml", "(near_miss)")


def test_the_keys_are_in_the_symbol_picker(start: Callable[..., Helix], file: Path) -> None:
    file.write_text("reservations:\n  services:\n    web: {offset: 7}\n")
    helix = start()

    helix.press_until("h", "not reserved")
    helix.type(" s")

    helix.wait_for("module", "reservations", "services", "web", "number", "offset")
