"""What starts programs itself: pytest, VS Code, the preview of Claude Code."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from support.recipes import recipe
from support.requirements import find_tool
from support.workshop import FLASK_APP, answer

if TYPE_CHECKING:
    from pathlib import Path

    from support.workshop import Workshop

PYTEST = recipe("pytest")
TASK = recipe("A task of VS Code")
LAUNCH = recipe("A launch configuration of VS Code")
PREVIEW = recipe("The preview of Claude Code")

PROJECT = {"package.json": '{"scripts": {"dev": "vite"}}', "index.html": "<!doctype html><title>shop</title>"}
TELLING = """
import os, pathlib, socket, pytest
@pytest.mark.parametrize("number", range(4))
def test_it_listens(port, number):
    with pathlib.Path(__file__).with_name("ports.txt").open("a") as file:
        print(os.environ.get("PYTEST_XDIST_WORKER", "main"), port, file=file)
    with socket.create_server(("127.0.0.1", port)):
        pass
"""


class TestPytest:
    def told(self, workshop: Workshop, directory: Path, command: str) -> dict[str, int]:
        """The port of each worker, from a run of the tests."""
        workshop.shell(command, directory)
        told = directory / "ports.txt"
        lines = [line.split() for line in told.read_text().splitlines()]
        told.unlink()
        return {worker: int(port) for worker, port in lines}

    def test_the_fixture_is_a_port_of_its_own_in_every_run(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", {"test_it.py": TELLING, "pytest.ini": "[pytest]\n"})
        PYTEST.write(shop)
        dev = workshop.port(shop)

        (shop / "deep").mkdir()

        told = self.told(workshop, shop, "pytest -q")
        again = self.told(workshop, shop, "cd deep && pytest -q ..")

        assert told == again == {"main": workshop.port(shop, "test-main")}
        assert told["main"] != dev

    def test_each_worker_has_its_own(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", {"test_it.py": TELLING, "pytest.ini": "[pytest]\n"})
        PYTEST.write(shop)

        told = self.told(workshop, shop, "pytest -q -n 2")

        assert told == {worker: workshop.port(shop, f"test-{worker}") for worker in ("gw0", "gw1")}
        assert len(set(told.values())) == 2


class TestCode:
    def test_the_task_starts_the_server(self, workshop: Workshop) -> None:
        find_tool("npm")
        shop = workshop.project("shop", PROJECT)
        (task,) = json.loads(TASK.text_of(".vscode/tasks.json"))["tasks"]
        assert task["type"] == "shell"

        with workshop.running(task["command"], shop) as server:
            server.until(f"localhost:{workshop.port(shop)}/")

            assert "<title>shop</title>" in answer(workshop.port(shop))

    def test_the_launch_configuration_starts_the_server_that_the_browser_opens(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", {"app.py": FLASK_APP})
        text = LAUNCH.text_of(".vscode/launch.json")
        # tests/editors/vscode has what the extension says for it, in a real VS Code.
        flask, browser = json.loads(text.replace("${command:trop.port}", str(workshop.port(shop))))["configurations"]
        assert (flask["type"], flask["request"]) == ("debugpy", "launch")

        with workshop.running(shlex.join(["python", "-m", flask["module"], *flask["args"]]), shop) as server:
            server.until(f"Running on http://127.0.0.1:{workshop.port(shop)}")

            assert browser["url"] == workshop.shell("trop url", shop).strip()
            assert answer(workshop.port(shop)) == str(shop)


class TestPreview:
    def configuration(self, directory: Path) -> dict[str, Any]:
        """The only entry of the file in a directory."""
        (found,) = json.loads((directory / ".claude/launch.json").read_text())["configurations"]
        return dict(found)

    def test_what_it_starts_listens_on_the_port_that_it_opens(self, workshop: Workshop) -> None:
        find_tool("npm")
        find_tool("jq")
        shop = workshop.project("shop", PROJECT)
        PREVIEW.write(shop)
        before = self.configuration(shop)

        workshop.shell(PREVIEW.command, shop)

        after = self.configuration(shop)
        assert after == {**before, "port": workshop.port(shop)}
        assert sorted(path.name for path in (shop / ".claude").iterdir()) == ["launch.json"]
        with workshop.running(shlex.join([after["runtimeExecutable"], *after["runtimeArgs"]]), shop) as server:
            server.until(f"localhost:{after['port']}/")

            assert "<title>shop</title>" in answer(after["port"])

    def test_where_trop_fails_the_file_stays(self, workshop: Workshop) -> None:
        find_tool("jq")
        shop = workshop.project("shop", {"trop.yaml": "nonsense: ["})
        PREVIEW.write(shop)
        before = self.configuration(shop)

        assert workshop.done(PREVIEW.command, shop).returncode == 7
        assert self.configuration(shop) == before
