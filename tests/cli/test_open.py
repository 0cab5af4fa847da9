"""``trop open``: the address in a browser with a window, and never one that takes the terminal over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.sandbox import error_lines

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")

NOWHERE: dict[str, Any] = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "BROWSER": None}
"""No place for a window."""


def program(place: Path, name: str, script: str = 'echo "$@" >>"$0.opened"') -> Path:
    place.mkdir(exist_ok=True)
    file = place / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def opened(file: Path) -> str:
    found = file.with_name(f"{file.name}.opened")
    return found.read_text() if found.exists() else ""


def test_the_browser_of_the_user_gets_the_address(sandbox: Sandbox) -> None:
    browser = program(sandbox.root / "bin", "mine")

    done = sandbox.trop("open", **{**NOWHERE, "BROWSER": str(browser)})

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Opened http://localhost:5000/\n")
    assert opened(browser) == "http://localhost:5000/\n"
    assert sandbox.reserve() == 5000


def test_a_tag_has_its_own_address(sandbox: Sandbox) -> None:
    browser = program(sandbox.root / "bin", "mine")
    (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")

    for arguments in ((), ("--tag", "api")):
        assert sandbox.trop("--quiet", "open", *arguments, **{**NOWHERE, "BROWSER": str(browser)}).returncode == 0

    assert opened(browser).split() == ["http://localhost:5000/", "http://localhost:5001/"]


@pytest.mark.parametrize("name", ["www-browser", "w3m", "lynx", "links", "elinks"])
def test_a_browser_in_the_terminal_is_none(sandbox: Sandbox, name: str) -> None:
    place = sandbox.root / "bin"
    browser = program(place, name)

    done = sandbox.trop("open", **NOWHERE, PATH=str(place), TERM="xterm")

    assert done.returncode == 5
    assert error_lines(done) == (
        f"no browser opens http://localhost:5000/: {name} would take over the terminal",
        "Open the address yourself, or name a browser with BROWSER; trop url prints the address alone.",
    )
    assert opened(browser) == ""


def test_there_may_be_none(sandbox: Sandbox) -> None:
    done = sandbox.trop("open", **NOWHERE, PATH=str(sandbox.root))

    assert done.returncode == 5
    assert error_lines(done)[0] == "no browser opens http://localhost:5000/: there is none here"


def test_one_that_fails_is_told(sandbox: Sandbox) -> None:
    browser = program(sandbox.root / "bin", "mine", "exit 1")

    done = sandbox.trop("open", **{**NOWHERE, "BROWSER": str(browser)})

    assert done.returncode == 5
    assert error_lines(done)[0] == "no browser opens http://localhost:5000/: it could not be started"
