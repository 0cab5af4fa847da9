"""The Claude Code plugin, looked at by Claude Code's own validator."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.readmes import ROOT
from support.requirements import missing_editor

if TYPE_CHECKING:
    import subprocess

    from support.sandbox import Sandbox

AGENTS = ROOT / "editors" / "agents"
# Read when this is imported: no test sees a variable of trop's from outside.
_INSTALLED = os.environ.get("TROP_TEST_CLAUDE")


@pytest.fixture(scope="session")
def claude() -> str:
    """The program that ``claude/install`` has installed."""
    if not _INSTALLED:
        missing_editor("TROP_TEST_CLAUDE names no Claude Code, which tests/editors/claude/install installs")
    program = Path(_INSTALLED).resolve() / "claude"
    if not program.exists():
        missing_editor(f"{_INSTALLED} holds no Claude Code that tests/editors/claude/install has finished")
    return str(program)


def plugin(sandbox: Sandbox, claude: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``claude plugin``, which asks nobody on the network then."""
    return sandbox.run(claude, "plugin", *arguments, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1")


def validate(sandbox: Sandbox, claude: str, place: Path) -> subprocess.CompletedProcess[str]:
    return plugin(sandbox, claude, "validate", "--strict", str(place))


@pytest.mark.parametrize("place", ["claude-code", "."], ids=["the plugin", "the catalogue"])
def test_the_strict_validator_passes_it(sandbox: Sandbox, claude: str, place: str) -> None:
    done = validate(sandbox, claude, AGENTS / place)

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_sees_every_part_of_the_plugin(sandbox: Sandbox, claude: str) -> None:
    done = validate(sandbox, claude, AGENTS / "claude-code")

    for part in ("SessionStart", "CwdChanged", "trop-server", "skills: trop:trop"):
        assert part in done.stdout


def test_it_can_be_installed_from_the_checkout(sandbox: Sandbox, claude: str) -> None:
    added = plugin(sandbox, claude, "marketplace", "add", str(AGENTS))
    installed = plugin(sandbox, claude, "install", "trop@trop")
    listed = plugin(sandbox, claude, "list")

    assert (added.returncode, installed.returncode) == (0, 0), added.stderr + installed.stderr
    assert "trop@trop" in listed.stdout


def test_a_hook_that_does_not_exist_is_refused(sandbox: Sandbox, claude: str) -> None:
    copy = sandbox.work / "plugin"
    shutil.copytree(AGENTS / "claude-code", copy)
    hooks = json.loads((copy / "hooks" / "hooks.json").read_text())
    hooks["hooks"]["SessionBegin"] = hooks["hooks"].pop("SessionStart")
    (copy / "hooks" / "hooks.json").write_text(json.dumps(hooks))

    assert validate(sandbox, claude, copy).returncode == 1
