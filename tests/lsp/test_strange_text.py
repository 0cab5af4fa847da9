"""What the server says to a person holds no controls, no lines and no links of whoever named a directory or a tag."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.client import TROP_SERVER
from support.patience import PATIENCE
from support.repositories import make_repository
from support.rows import fill, row
from support.strange import TITLE, is_inert
from support.window import ASKED, LOGGED, SHOWN, ending, eventually, next_of, rename

from trop_core.errors.spelling import escaped
from trop_server.lsp.window import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.client import Client
    from support.sandbox import Sandbox

LINK = "[Click](command:workbench.action.showAboutDialog)"
STRANGE = f"{TITLE}\n{LINK}\u202e"
SHOWN_STRANGE = r"x\x1b]0;T\x07\n[Click]" + "\u2060" + r"(command:workbench.action.showAboutDialog)\u202e"

# parseLinkedText in VS Code 1.96, src/vs/base/common/linkedText.ts
VSCODE_LINK = re.compile(
    r"""\[([^\]]+)\]\(((?:https?://|command:|file:)[^\)\s]+)(?: (["'])(.+?)(\3))?\)""", re.IGNORECASE
)

PIECES = st.sampled_from(["[", "]", "(", ")", "](", "[a]", LINK, "command:a", "https://a", " ", "\x1b", "\n", "\u202e"])


@pytest.fixture
def start(start: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    yield from ending(start)


@given(st.lists(PIECES | st.text(max_size=3)).map("".join))
def test_a_message_is_inert_and_reads_the_same(text: str) -> None:
    shown = as_text(text)

    assert is_inert(shown)
    assert "\n" not in shown
    assert VSCODE_LINK.search(shown) is None
    assert shown.replace("]\u2060(", "](") == escaped(text).replace("]\u2060(", "](")


def test_the_pattern_finds_what_it_is_about() -> None:
    assert VSCODE_LINK.search(f"a {LINK} b")


def test_a_question_about_a_folder_that_was_moved(start: Callable[..., Client], sandbox: Sandbox) -> None:
    old, new = sandbox.work / f"old{STRANGE}" / "shop", sandbox.work / f"new{STRANGE}" / "shop"
    make_repository(old)
    sandbox.reserve(cwd=old)
    new.parent.mkdir()
    old.rename(new)
    client = start()

    client.initialize(str(new))
    asked = next_of(client, ASKED)["params"]

    assert asked["message"] == (
        f"{sandbox.work}/new{SHOWN_STRANGE}/shop seems to have been {sandbox.work}/old{SHOWN_STRANGE}/shop before. "
        "Take along what is reserved there (port 5000)?"
    )


def test_a_question_about_a_rename(client: Client, sandbox: Sandbox) -> None:
    old, new = sandbox.work / f"old{STRANGE}", sandbox.work / f"new{STRANGE}"
    fill(sandbox.data, [row(str(old), 5000, STRANGE), row(str(new), 5001, STRANGE)])

    rename(client, (old, new))
    asked = next_of(client, ASKED)["params"]["message"]

    assert f"port 5001 of {sandbox.work}/new{SHOWN_STRANGE} (tag {SHOWN_STRANGE})" in asked
    assert is_inert(asked)
    assert "\n" not in asked
    assert "](" not in asked


def test_what_is_told_of_a_failure(start: Callable[..., Client], sandbox: Sandbox) -> None:
    data = sandbox.root / f"data{STRANGE}"
    data.mkdir()
    (data / "trop.db").write_bytes(b"noise" * 4096)
    client = start(TROP_DATA_DIR=str(data))
    client.initialize(str(sandbox.work), initializationOptions={"reserveOnOpen": "never"})

    rename(client, (sandbox.work / "old", sandbox.work / "new"))
    told = next_of(client, SHOWN)["params"]["message"]

    assert f'"{sandbox.root}/data{SHOWN_STRANGE}/trop.db"' in told
    assert is_inert(told)
    assert "\n" not in told
    assert "](" not in told


def test_the_log(start: Callable[..., Client], sandbox: Sandbox) -> None:
    place = make_repository(sandbox.work / STRANGE)
    (place / "trop.yaml").write_text('"\\e]0;T\\a": 1\n"\\u202e": 2\n')
    client = start(TROP_DATA_DIR=f"{place}/data")

    client.initialize(str(place), initializationOptions={"reserveOnOpen": "always"})
    logged = next_of(client, LOGGED)["params"]["message"]

    assert is_inert(logged)
    assert "\n" not in logged
    eventually(lambda: client.logged() == f"WARNING trop_server.lsp.opening: {logged}\n")


def test_a_traceback_in_the_log(sandbox: Sandbox) -> None:
    program = f"""
import logging
from trop_server.transport.stderr_log import log_to_stderr
log_to_stderr()
try:
    raise ValueError({STRANGE!r})
except ValueError:
    logging.getLogger("a").exception("about %s", {STRANGE!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=sandbox.environment(), capture_output=True, text=True, check=True
    )

    assert is_inert(done.stderr)
    assert done.stderr.splitlines()[0] == f"ERROR a: about {escaped(STRANGE)}"
    assert done.stderr.splitlines()[1] == "Traceback (most recent call last):"


def test_the_command_line(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [TROP_SERVER, TITLE + "\nhint: run this"],
        cwd=sandbox.work,
        env=sandbox.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 4
    assert done.stderr.splitlines()[0].endswith(r"unrecognized arguments: x\x1b]0;T\x07\nhint: run this")
