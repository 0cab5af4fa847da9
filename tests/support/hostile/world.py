"""The servers that share one store with the command line, and the doors to all of them."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from support.client import Client
from support.hostile.case import INVALID, PORT, VALID, Place
from support.hostile.claims import MODULES, set_traps
from support.hostile.land import Land
from support.mcp import LineClient, tool_call
from support.messages import ServerError
from support.patience import PATIENCE
from support.sandbox import TROP, UNMEASURED
from support.strange import is_inert
from support.window import ASKED, CHANGED, LOGGED, SHOWN, reply
from support.zoo import little_memory
from trop_server.cli.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from pathlib import Path

    from support.hostile.case import Hostile
    from support.sandbox import Sandbox

DoorName = Literal["cli", "call", "lsp", "mcp"]
DOORS: tuple[DoorName, ...] = get_args(DoorName)
STATUS = "a status"
"""What a project's file may say of its own directory is no obstacle to it, through the servers that ask for it."""

MEMORY = 768 * 1024 * 1024
_CALLED = ("reserve", "group")
"""What is called through ``trop call``: each call is a process, and the rest shows nothing that the servers do not."""


_EVALUATED = """
eval "$(trop autoreserve)"
git status
command -v vim && vim -es -c quit
command -v bash && bash -c true
trop run -- git status
command -v vim && trop run -- vim -es -c quit
command -v bash && trop run -- bash -c true
eval "$(trop env)"
git status
command -v bash && bash -c true
true
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of each call, by its name, and all that was said, line by line."""

    outcomes: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    obeyed: list[str] = field(default_factory=list)

    def hear(self, text: str, *, shown: bool = False, tabs: bool = False) -> None:
        """Something that was said; what is ``shown`` to a person may hold nothing that a terminal obeys."""
        self.said.append(text)
        if shown and not is_inert(text, tabs=tabs):
            self.obeyed.append(text)


class World(Land):
    """The same, and the servers that a window and an agent have started."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        here = self._trapped()
        # Coverage, which starts first, would import the modules that are in the way.
        environment = sandbox.environment(**UNMEASURED, PYTHONPATH=".", TROP_BUSY_TIMEOUT="60")
        with little_memory(MEMORY):
            self.lsp = Client(cwd=str(here), env=environment)
            self.mcp = LineClient(cwd=str(sandbox.root), env=environment)
        self.lsp.initialize(initializationOptions={"reserveOnOpen": "always", "notifications": True})
        self.mcp.introduce()

    def _trapped(self) -> Path:
        """Where the servers are started: a directory full of modules that are none of theirs."""
        place = Place(self.sandbox.work, secret=self.secret, victim=self.victim, gone=self.gone)
        set_traps(place, names=MODULES)
        return place.work

    def close(self) -> None:
        """End the servers. Fails if one of them has met what it did not expect."""
        logged = [self.lsp.logged(), self.mcp.logged()]
        self.lsp.kill()
        self.mcp.kill()
        assert not any("Traceback" in text for text in logged), logged
        assert not [*self.sandbox.work.rglob("canary")]

    def ask(self, door: DoorName, case: Hostile, target: Path) -> Answers:
        """Make the calls in a directory through a door."""
        answers = Answers()
        getattr(self, f"_{door}")(case, target, answers)
        return answers

    # The doors.

    def _cli(self, case: Hostile, target: Path, answers: Answers) -> None:
        environment: dict[str, Any] = {**UNMEASURED, **case.environment}
        for name, arguments in {
            "reserve": ["reserve"],
            "group": ["autoreserve"],
            "list": ["list", "--format", "csv"],
            "validate": ["validate", "trop.yaml"],
        }.items():
            done = self.sandbox.trop(*arguments, cwd=target, **environment)
            answers.outcomes[name] = str(done.returncode)
            answers.hear(done.stdout, shown=True)
            answers.hear(done.stderr, shown=True)
        if case.evaluated:
            path = f"{os.path.dirname(TROP)}:{os.environ['PATH']}"
            shell = shutil.which("bash") or "/bin/sh"
            answers.hear(self.sandbox.run(shell, "-c", _EVALUATED, cwd=target, PATH=path, **environment).stdout)

    def _call(self, case: Hostile, target: Path, answers: Answers) -> None:
        environment: dict[str, Any] = {**UNMEASURED, **case.environment}
        for name, (command, argument) in _calls(target, folder=False).items():
            if name not in _CALLED:
                continue
            done = self.sandbox.trop("call", command, json.dumps(argument), cwd=target, **environment)
            answers.hear(done.stdout, shown=True)
            answers.hear(done.stderr, shown=True)
            told = json.loads(done.stdout)
            answers.outcomes[name] = told["kind"] if done.returncode else _outcome(told)

    def _lsp(self, case: Hostile, target: Path, answers: Answers) -> None:
        self.lsp.change_folders(added=[target])
        self._see_opened(target, answers)
        for name, (command, argument) in _calls(target).items():
            try:
                result = self.lsp.call(command, argument)
            except ServerError as error:
                answers.hear(json.dumps([error.message, error.data]))
                answers.outcomes[name] = error.data["kind"]
            else:
                answers.hear(json.dumps(result))
                answers.outcomes[name] = _outcome(result)
        self.lsp.change_folders(removed=[target])
        for message in self.lsp.unmatched:
            _hear_message(message, answers)
        self.lsp.unmatched.clear()

    def _mcp(self, case: Hostile, target: Path, answers: Answers) -> None:
        for name, (command, argument) in _calls(target).items():
            tool = {"trop.reserve": "trop_reserve", "trop.autoreserve": "trop_autoreserve"}.get(command)
            number = next(self.numbers)
            self.mcp.send(tool_call(number, tool or command.replace(".", "_"), **argument))
            result = self.mcp.answer(number)["result"]
            answers.hear(json.dumps(result))
            told = json.loads(result["content"][0]["text"])
            answers.outcomes[name] = told["kind"] if result.get("isError") else _outcome(told)

    def _see_opened(self, target: Path, answers: Answers) -> None:
        """Wait until the server is through with a folder: it has a port then, or the log says why not."""
        number = f"/{target.relative_to(self.places).parts[0]}/"
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self.lsp.receive(max(0.0, deadline - time.monotonic()))
            _hear_message(message, answers)
            if message.get("method") == ASKED:
                reply(self.lsp, message, result=None)
            rows = message["params"]["reservations"] if message.get("method") == CHANGED else ()
            if any(number in entry["path"] for entry in rows):
                return
            if message.get("method") == LOGGED and "did nothing" in message["params"]["message"]:
                assert number in message["params"]["message"]
                return


def expected(door: DoorName, case: Hostile) -> dict[str, str]:
    """What should come of each call."""
    outcomes = {**case.outcomes._asdict(), "status": STATUS, "list": "a list"}
    if door == "call":
        return {name: outcomes[name] for name in _CALLED}
    if door != "cli":
        return outcomes
    del outcomes["status"]
    codes = {PORT: 0, "a list": 0, VALID: 0, INVALID: 1, **EXIT_CODES}
    return {name: str(codes[outcome]) for name, outcome in outcomes.items()}


def _calls(target: Path, *, folder: bool = True) -> dict[str, tuple[str, dict[str, Any]]]:
    where = {"folder": str(target)} if folder else {}
    return {
        "reserve": ("trop.reserve", where),
        "group": ("trop.autoreserve", where),
        "status": ("trop.status", where),
        "list": ("trop.list", {}),
        "validate": ("trop.validate", {"config": f"{target}/trop.yaml"}),
    }


def _outcome(result: dict[str, Any]) -> str:
    if "valid" in result:
        return VALID if result["valid"] else INVALID
    if "entries" in result:
        return STATUS
    return "a list" if "reservations" in result else PORT


def _hear_message(message: dict[str, Any], answers: Answers) -> None:
    method = message.get("method")
    if method in (LOGGED, SHOWN, ASKED):
        answers.hear(message["params"]["message"], shown=True)
    else:
        answers.hear(json.dumps(message))
