"""The packages that agents' hosts load: made from the server's texts, and such as their formats want them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from support.readmes import ROOT
from support.repositories import make_repository
from support.requirements import missing
from support.sandbox import SCRIPTS

from trop_server.mcp.hosts.packages import CLAUDE, PLACE, PORTABLE, files, update
from trop_server.mcp.instructions import ERRORS, PURPOSE, RULES

if TYPE_CHECKING:
    from support.sandbox import Sandbox

# Read when this is imported: no test sees a variable of trop's from outside.
SCHEMAS = Path(os.environ.get("TROP_TEST_SCHEMAS") or ROOT.parent / "shared" / "data" / "schemas")


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text())


def test_every_file_is_what_the_texts_make_it() -> None:
    stale = [name for name, text in files().items() if (ROOT / name).read_text() != text]

    assert stale == [], "run: .venv/bin/python -m trop_server.reference"


def test_there_is_nothing_else() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / PLACE).rglob("*") if path.is_file()}

    assert found - {f"{PLACE}/README.md"} == set(files())


def test_one_run_brings_up_to_date_what_is_stale_or_missing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / PLACE, tmp_path / PLACE)
    (tmp_path / CLAUDE / ".mcp.json").write_text("{}")
    (tmp_path / PORTABLE / "plugin.json").unlink()

    assert update(tmp_path) == [f"{CLAUDE}/.mcp.json", f"{PORTABLE}/plugin.json"]
    assert update(tmp_path) == []


@pytest.mark.parametrize("name", ["plugin", "mcp"])
def test_the_portable_package_is_as_its_published_schemas_want_it(name: str) -> None:
    file = SCHEMAS / f"agent-plugins-1.0.0-{name}.schema.json"
    if not file.exists():
        missing(f"there are no schemas of Agent Plugins in {SCHEMAS}; TROP_TEST_SCHEMAS names another place")
    validator = jsonschema.Draft202012Validator(json.loads(file.read_text()))

    assert [error.message for error in validator.iter_errors(read(f"{PORTABLE}/{name}.json"))] == []
    assert list(validator.iter_errors({}))


@pytest.mark.parametrize("package", [CLAUDE, PORTABLE])
def test_the_skill_has_the_name_of_its_directory_and_the_servers_words(package: str) -> None:
    text = (ROOT / package / "skills" / "trop" / "SKILL.md").read_text()

    _, head, body = text.split("---\n", 2)
    about = yaml.safe_load(head)
    assert about.keys() == {"name", "description"}
    assert about["name"] == "trop"
    # The longest that the format of skills allows.
    assert len(about["description"]) <= 1024
    assert all(part in body for part in (PURPOSE, RULES, ERRORS))


def test_no_package_holds_a_path_of_this_machine() -> None:
    assert [name for name, text in files().items() if str(ROOT) in text or str(SCRIPTS) in text] == []


class TestHooks:
    """The commands of the plugin, as the host runs them."""

    @pytest.mark.parametrize("event", ["SessionStart", "CwdChanged"])
    def test_they_answer(self, sandbox: Sandbox, event: str) -> None:
        repository = make_repository(sandbox.work / "shop")
        sandbox.reserve(cwd=repository)
        asked = json.dumps({"hook_event_name": event, "cwd": str(repository), "new_cwd": str(repository)})
        path = f"{SCRIPTS}:{os.environ['PATH']}"
        # The bound of the hook is another test's: a busy machine may leave it no time to answer.
        command = self.command(event).replace("trop hook claude", "trop hook claude --within 60000")

        done = sandbox.run("sh", "-c", command, stdin=asked, PATH=path)

        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["hookSpecificOutput"]["hookEventName"] == event

    @pytest.mark.parametrize("program", [None, "#!/bin/sh\necho no such thing >&2; exit 4\n"], ids=["none", "older"])
    def test_without_a_trop_that_knows_them_they_say_nothing(self, sandbox: Sandbox, program: str | None) -> None:
        tools = sandbox.directory("bin")
        if program is not None:
            (tools / "trop").write_text(program)
            (tools / "trop").chmod(0o755)

        done = sandbox.run("/bin/sh", "-c", self.command("SessionStart"), stdin="{}", PATH=str(tools))

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def command(self, event: str) -> str:
        [group] = read(f"{CLAUDE}/hooks/hooks.json")["hooks"][event]
        [hook] = group["hooks"]
        text: str = hook["command"]
        return text
