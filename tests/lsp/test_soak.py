"""Three servers and twenty command lines on one store, some of which are killed in the middle of what they do.

Each worker has directories of its own and a model of what it was told, so that every answer can be held against it.
``TROP_SOAK_SECONDS`` makes it run for so long; otherwise each worker does a fixed number of things.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.client import Client
from support.messages import command
from support.patience import PATIENCE
from support.sandbox import TROP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured", "started_whole")

SECONDS = float(os.environ.get("TROP_SOAK_SECONDS", "0"))
SEED = int(os.environ.get("TROP_SOAK_SEED", "2026"))
SERVERS, COMMAND_LINES = 3, 20
SERVER_ROUNDS, COMMAND_LINE_ROUNDS = 60, 6
IN_FLIGHT = 6
PLACES = ("a", "a/below", "b", "c")
TAGS = ("", "web", "api")

Key = tuple[str, str]
Model = dict[Key, int]


class WrongAnswer(AssertionError):
    """What came is not what had to come."""


@dataclass
class Told:
    """Which port was told to whom, by everybody, so that nobody is told a port that another one still holds."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    owners: dict[int, tuple[str, str]] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def keep(self, port: int, key: Key) -> None:
        """A port was told for a key. Fails if it is somebody else's."""
        with self.lock:
            owner = self.owners.setdefault(port, key)
        if owner != key:
            raise WrongAnswer(f"port {port} was told for {key} while {owner} held it")

    def let_go(self, ports: list[int]) -> None:
        """Ports are about to be released: from now on somebody else may be told them."""
        with self.lock:
            for port in ports:
                self.owners.pop(port, None)

    def count(self, event: str) -> None:
        """Remember that something happened, so that a run in which it never did fails."""
        with self.lock:
            self.events[event] += 1


@dataclass(frozen=True)
class Step:
    """One thing to do: a command with its argument, and what may be stored afterwards if it was done.

    ``after`` is the model then, with 0 for a port that is not known yet; None if it has to be refused.
    """

    name: str
    argument: dict[str, Any]
    after: Model | None


class Worker:
    """Somebody who uses trop, in directories that are nobody else's."""

    def __init__(self, number: int, sandbox: Sandbox, told: Told) -> None:
        self.rng = random.Random(f"{SEED}:{number}")
        self.home = sandbox.work / f"worker-{number:02}"
        for place in PLACES:
            (self.home / place).mkdir(parents=True, exist_ok=True)
        self.sandbox = sandbox
        self.told = told
        self.model: Model = {}

    def step(self) -> Step:
        """Something to do next."""
        place, tag = str(self.home / self.rng.choice(PLACES)), self.rng.choice(TAGS)
        tagged: dict[str, Any] = {"tag": tag} if tag else {}
        kind = self.rng.choices(["reserve", "release", "migrate", "list"], [50, 15, 15, 20])[0]
        if kind == "reserve":
            return Step(kind, {"path": place, **tagged}, {(place, tag): 0, **self.model})
        if kind == "release":
            only = tagged or ({"untaggedOnly": True} if self.rng.random() < 0.5 else {})
            gone = {key for key in self.model if key[0] == place and (not only or key[1] == tag)}
            return Step(kind, {"path": place, **only}, {key: self.model[key] for key in self.model.keys() - gone})
        if kind == "migrate":
            to = str(
                self.home / self.rng.choice([each for each in PLACES if not str(self.home / each).startswith(place)])
            )
            moved = {(to, tag): port for (path, tag), port in self.model.items() if path == place}
            stays = {key: port for key, port in self.model.items() if key[0] != place}
            refused = not moved or bool(moved.keys() & stays.keys())
            return Step(kind, {"from": place, "to": to}, None if refused else {**stays, **moved})
        return Step(kind, {"path": str(self.home)}, self.model)

    def begin(self, step: Step) -> None:
        """The step is about to be done."""
        if step.name == "release":
            assert step.after is not None
            self.told.let_go([self.model[key] for key in self.model.keys() - step.after.keys()])

    def accept(self, step: Step, ports: Model | None) -> None:
        """The step was done, and this came of it: the ports that were told, or None for a refusal."""
        if (step.after is None) != (ports is None):
            raise WrongAnswer(f"{step} with {self.model}: {ports}")
        if step.after is None or ports is None:
            return
        if step.name == "list" and ports != self.model:
            raise WrongAnswer(f"{self.home}: listed {ports}, told {self.model}")
        for key, port in ports.items():
            if step.after.get(key, 0) not in (0, port):
                raise WrongAnswer(f"{step}: {key} has port {step.after[key]}, and {port} was told")
        self.model = {key: port or ports[key] for key, port in step.after.items()}
        for key, port in ports.items():
            self._keep(key, port)
        self.told.count(step.name)

    def find_out(self, steps: list[Step]) -> None:
        """Steps were begun, and nobody heard of their end: each was done wholly, or not at all.

        They concern one key at most, all of them, so that what is stored now is one of their models.
        """
        stored = self.stored()
        possible = [self.model, *(step.after for step in steps if step.after is not None)]
        fitting = [model for model in possible if _fits(model, stored)]
        if not fitting:
            raise WrongAnswer(f"{self.home}: after a kill there is {stored}, and before there was {self.model}")
        self.model = stored
        for key, port in stored.items():
            self._keep(key, port)

    def stored(self) -> Model:
        """What the store holds for this worker, read without trop."""
        if not self.sandbox.database.exists():
            return {}
        with closing(sqlite3.connect(self.sandbox.database, timeout=PATIENCE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reservations'").fetchone():
                return {}  # Killed while the store was being made: the file is there, and nothing is in it yet.
            rows = connection.execute(
                "SELECT path, tag, port FROM reservations WHERE path >= ? AND path < ?",
                (f"{self.home}/", f"{self.home}0"),
            )
            return {(path, tag): port for path, tag, port in rows}

    def _keep(self, key: Key, port: int) -> None:
        # A migrated reservation changes its path, and not its owner.
        self.told.keep(port, (str(self.home), ""))
        if [other for other, held in self.model.items() if held == port] != [key]:
            raise WrongAnswer(f"port {port} was told for {key} in {self.model}")


class CommandLine(Worker):
    """A worker who starts ``trop`` anew for everything, and now and then kills it."""

    def work(self) -> None:
        """Do one thing."""
        step = self.step()
        arguments, argument = ["call", f"trop.{step.name}", json.dumps(step.argument)], step.argument
        plain = step.name == "reserve" and self.rng.random() < 0.5
        if plain:
            arguments = [
                "reserve",
                "--path",
                argument["path"],
                *(["--tag", argument["tag"]] if "tag" in argument else []),
            ]
        kills = self.rng.random() < 0.25
        self.begin(step)
        process = subprocess.Popen(
            [TROP, *arguments],
            cwd=self.home,
            env=self.sandbox.environment(TROP_BUSY_TIMEOUT="60"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            # The moment of the kill is one more random input: it decides nothing but where the work is cut off.
            out, err = process.communicate(timeout=self.rng.uniform(0, 1.5) if kills else PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            if not kills:
                raise
            self.told.count("killed command line")
            self.find_out([step])
            return
        if process.returncode not in (0, 6) or err.count("Traceback"):
            raise WrongAnswer(f"{arguments}: {process.returncode} {out} {err}")
        if process.returncode:
            self.accept(step, None)
        else:
            self.accept(step, {_key(argument): int(out)} if plain else _ports(step, json.loads(out)))


class ServerUser(Worker):
    """A worker with a server, to which several requests go at once, and which is now and then killed."""

    def __init__(self, number: int, sandbox: Sandbox, told: Told) -> None:
        super().__init__(number, sandbox, told)
        self.client = self._started()
        self._killer = number == 0

    def work(self) -> None:
        """Do one thing, while others are asked that change nothing of it."""
        step = self.step()
        others = range(IN_FLIGHT)
        kills = self._killer and self.rng.random() < 0.1
        self.begin(step)
        self.client.send(
            *(command(number, "trop.list", {"limit": 50}) for number in others),
            command("step", f"trop.{step.name}", step.argument),
        )
        if kills:
            # As soon as the first answer is there, so that the others are being made.
            self.client.receive()
            self.client.kill()
            self.client = self._started()
            self.told.count("killed server")
            self.find_out([step])
            return
        for number in others:
            _check_list(self.client.answer(number)["result"]["reservations"])
        answer = self.client.answer("step")
        if "error" in answer and answer["error"]["data"]["kind"] not in ("not_found", "reservation_conflict"):
            raise WrongAnswer(f"{step}: {answer}")
        self.accept(step, _ports(step, answer["result"]) if "result" in answer else None)

    def leave(self) -> None:
        """End the server as an editor does. Fails unless it ends well, having kept nothing that it had opened."""
        self.client.request("shutdown")
        opened = self.client.descriptors()
        self.client.notify("exit")
        code = self.client.wait()
        log = self.client.logged()
        if code != 0 or "Traceback" in log:
            raise WrongAnswer(f"{code}: {log}")
        # Nine threads have the store open at most, with three files each; the loop, the pipes and the log are ten.
        if opened > 9 * 3 + 10:
            raise WrongAnswer(f"{opened} descriptors are open")

    def _started(self) -> Client:
        client = Client(cwd=str(self.home), env=self.sandbox.environment(TROP_BUSY_TIMEOUT="60"))
        client.initialize(str(self.home))
        return client


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def users(sandbox: Sandbox, told: Told) -> Iterator[list[ServerUser]]:
    """Three workers with a server each; the servers are gone when the test ends."""
    workers = [ServerUser(number, sandbox, told) for number in range(SERVERS)]
    yield workers
    for worker in workers:
        worker.client.kill()


@pytest.mark.timeout(600 + 4 * SECONDS)
def test_nobody_is_told_anything_wrong_whoever_is_killed(sandbox: Sandbox, told: Told, users: list[ServerUser]) -> None:
    shells = [CommandLine(number, sandbox, told) for number in range(SERVERS, SERVERS + COMMAND_LINES)]
    everybody: list[CommandLine | ServerUser] = [*users, *shells]
    deadline = time.monotonic() + SECONDS if SECONDS else None
    stop = threading.Event()

    def work(worker: CommandLine | ServerUser) -> None:
        try:
            for _ in _rounds(worker, deadline, stop):
                worker.work()
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(SERVERS + COMMAND_LINES) as threads:
        for future in [threads.submit(work, worker) for worker in everybody]:
            future.result()
    for user in users:
        user.leave()

    told_to_all = {key: port for worker in everybody for key, port in worker.model.items()}
    stored = {(path, tag): port for path, tag, port, *_ in sandbox.rows()}
    assert stored == told_to_all
    assert len(set(stored.values())) == len(stored)
    assert sandbox.integrity() == "ok"
    assert processes_of(sandbox) == []
    assert min(told.events[event] for event in ("reserve", "release", "migrate", "list")) > 0, told.events
    assert min(told.events[event] for event in ("killed command line", "killed server")) > 0, told.events


def processes_of(sandbox: Sandbox) -> list[int]:
    """The processes, other than this one, that were started with this sandbox's store."""
    wanted = f"TROP_DATA_DIR={sandbox.data}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # It ended meanwhile, or is somebody else's.
        if wanted in environment:
            found.append(int(directory.name))
    return found


def _rounds(worker: Worker, deadline: float | None, stop: threading.Event) -> Iterator[int]:
    limit = SERVER_ROUNDS if isinstance(worker, ServerUser) else COMMAND_LINE_ROUNDS
    number = 0
    while not stop.is_set() and (number < limit if deadline is None else time.monotonic() < deadline):
        yield number
        number += 1


def _ports(step: Step, result: dict[str, Any]) -> Model:
    """The ports that a result tells, by key."""
    if step.name == "reserve":
        _check_list([result["reservation"]])
        return {_key(result["reservation"]): result["reservation"]["port"]}
    if step.name == "migrate":
        return {(moved["to"], moved["tag"] or ""): moved["port"] for moved in result["migrated"]}
    if step.name == "list":
        _check_list(result["reservations"])
        return {_key(reservation): reservation["port"] for reservation in result["reservations"]}
    return {}


def _key(reservation: dict[str, Any]) -> Key:
    return reservation["path"], reservation.get("tag") or ""


def _check_list(reservations: list[dict[str, Any]]) -> None:
    """One list is one moment: no port is in it twice."""
    ports = [reservation["port"] for reservation in reservations]
    if len(set(ports)) != len(ports):
        raise WrongAnswer(f"a port is listed twice: {reservations}")


def _fits(model: Model, stored: Model) -> bool:
    return model.keys() == stored.keys() and all(port in (0, stored[key]) for key, port in model.items())
