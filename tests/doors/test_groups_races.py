"""Groups that are reserved at the same moment, and groups whose process is killed: all of a group, or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.groups.case import GROUP
from support.messages import command
from support.patience import PATIENCE
from support.sandbox import Sandbox, as_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client

pytestmark = pytest.mark.usefixtures("unmeasured")

AUTORESERVE = ["call", "trop.autoreserve"]
FORCE = '{"force": true}'
WORKERS = 12
WAITING = """
import os, sys
from trop_core.operations.groups import autoreserve
from trop_core.operations.reserving import reserve
from trop_server.cli.main import run
ready, go = int(sys.argv[1]), int(sys.argv[2])
os.write(ready, b".")
os.read(go, 1)
sys.exit(run(sys.argv[3:]))
"""
"""trop, which says when it has been loaded, and then waits until all others have been, too."""


def at_once(sandbox: Sandbox, calls: list[tuple[Path, list[str]]]) -> list[tuple[int, Any]]:
    """Run ``trop`` in many directories, all of them from the same moment on; the exit codes, and the JSON printed."""
    ready, ready_end = os.pipe()
    go_end, go = os.pipe()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WAITING, str(ready_end), str(go_end), *arguments, "--busy-timeout", str(PATIENCE)],
            cwd=place,
            env=sandbox.environment(),
            pass_fds=(ready_end, go_end),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for place, arguments in calls
    ]
    os.close(ready_end)
    os.close(go_end)
    arrived = 0
    while arrived < len(processes) and (dots := os.read(ready, len(processes))):
        arrived += len(dots)
    os.close(go)
    outputs = [process.communicate(timeout=2 * PATIENCE)[0] for process in processes]
    os.close(ready)
    assert arrived == len(processes)
    return [
        (process.returncode, json.loads(output) if output else None)
        for process, output in zip(processes, outputs, strict=True)
    ]


def groups_at_once(sandbox: Sandbox, places: list[Path]) -> list[tuple[int, Any]]:
    return at_once(sandbox, [(place, AUTORESERVE) for place in places])


def ports_by_path(sandbox: Sandbox) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path, _, port, _, _ in sandbox.rows():
        found.setdefault(path, []).append(port)
    return found


def test_one_group_that_many_reserve_at_once_is_created_once(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)

    answers = groups_at_once(sandbox, [sandbox.work] * WORKERS)

    assert [code for code, _ in answers] == [0] * WORKERS
    assert sorted(answer["outcome"] for _, answer in answers) == ["created"] + ["reused"] * (WORKERS - 1)
    assert len({tuple(answer["environment"].items()) for _, answer in answers}) == 1
    assert [row[2] for row in sandbox.rows()] == [5001, 5004, 5000]


def test_many_groups_that_want_the_same_ports_get_ports_of_their_own(sandbox: Sandbox) -> None:
    """Each prefers the same port and begins at the same base; one of them gets what it prefers."""
    text = GROUP.replace("offset: 0", "offset: 0, preferred: 5050")
    places = [sandbox.directory(f"p{number}") for number in range(WORKERS)]
    for place in places:
        (place / "trop.yaml").write_text(text)

    answers = groups_at_once(sandbox, places)

    assert [code for code, _ in answers] == [0] * WORKERS
    ports = [port for _, answer in answers for port in answer["environment"].values()]
    assert len(set(ports)) == 3 * WORKERS
    assert sum(answer["environment"]["WEB_PORT"] == 5050 for _, answer in answers) == 1
    assert ports_by_path(sandbox) == {
        str(place): [answer["group"][tag]["port"] for tag in ("api", "db-main", "web")]
        for place, (_, answer) in zip(places, answers, strict=True)
    }


def test_of_more_groups_than_there_is_room_for_some_get_all_and_the_others_nothing(sandbox: Sandbox) -> None:
    places = [sandbox.directory(f"p{number}") for number in range(WORKERS)]
    for place in places:
        (place / "trop.yaml").write_text("ports: {min: 5000, max: 5009}" + GROUP.replace("offset: 4", "offset: 2"))

    answers = groups_at_once(sandbox, places)

    assert sorted(code for code, _ in answers) == [0] * 3 + [6] * (WORKERS - 3)
    assert sorted(map(len, ports_by_path(sandbox).values())) == [3, 3, 3]
    assert sorted(row[2] for row in sandbox.rows()) == list(range(5000, 5009))


def test_a_single_reservation_and_a_group_do_not_get_in_each_others_way(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)
    places = [sandbox.directory(f"p{number}") for number in range(6)]

    singles = [(place, ["reserve"]) for place in places]

    answers = at_once(sandbox, [*singles, (sandbox.work, AUTORESERVE)])

    assert [code for code, _ in answers] == [0] * 7
    web, api, db = (row[2] for tag in ("web", "api", "db-main") for row in sandbox.rows() if row[1] == tag)
    assert (api - web, db - web) == (1, 4)
    assert len({row[2] for row in sandbox.rows()}) == 9


KILLED = """
import os, signal, sys
from trop_core.database import reservations
real, left = reservations.{function}, [int(sys.argv[1])]
def killing(*arguments):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*arguments)
reservations.{function} = killing
from trop_server.cli.main import run
sys.exit(run(sys.argv[2:]))
"""
"""trop, killed instead of writing its n-th row."""


def killed(sandbox: Sandbox, function: str, after: int, *arguments: str) -> int:
    program = [sys.executable, "-c", KILLED.format(function=function), str(after)]
    return sandbox.run(*program, *AUTORESERVE, *arguments).returncode


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_group_whose_process_is_killed_is_not_there_at_all(sandbox: Sandbox, after: int) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)

    code = killed(sandbox, "insert", after)
    rows = sandbox.rows()
    again = as_json(sandbox.trop(*AUTORESERVE))

    assert (code, rows) == (-signal.SIGKILL, [])
    assert again["outcome"] == "created"
    assert sandbox.integrity() == "ok"


@pytest.mark.parametrize(("function", "after"), [("delete", 0), ("insert", 0), ("insert", 1), ("insert", 2)])
def test_a_group_whose_replacement_is_killed_stays_as_it_was(sandbox: Sandbox, function: str, after: int) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)
    sandbox.trop(*AUTORESERVE)
    (sandbox.work / "trop.yaml").write_text(GROUP.replace("1}", "0}").replace("0, env", "3, env").replace("4}", "7}"))
    before = sandbox.rows()

    code = killed(sandbox, function, after, FORCE)
    rows = sandbox.rows()
    again = as_json(sandbox.trop(*AUTORESERVE, FORCE))

    assert code == -signal.SIGKILL
    assert rows == before
    assert again["outcome"] == "reallocated"
    assert sandbox.integrity() == "ok"


def test_a_group_that_is_called_off_while_it_waits_is_not_reserved(client: Client, sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GROUP)

    with sandbox.locked():
        client.send(command(1, "trop.autoreserve"))
        client.notify("$/cancelRequest", {"id": 1})
        answer = client.answer(1)

    assert answer["error"]["code"] == -32800
    assert sandbox.rows() == []


def test_two_servers_reserve_one_group(start: Callable[..., Client], sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("maximum_lock_wait_seconds: 60" + GROUP)
    clients = [start(), start()]
    for client in clients:
        client.initialize(str(sandbox.work))

    with sandbox.locked():
        for client in clients:
            client.send(command(1, "trop.autoreserve"))
    answers = [client.answer(1, timeout=PATIENCE)["result"] for client in clients]

    assert sorted(answer["outcome"] for answer in answers) == ["created", "reused"]
    assert answers[0]["environment"] == answers[1]["environment"]
