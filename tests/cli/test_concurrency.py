"""Many processes at once on one store, and processes that are killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE
from support.sandbox import TROP

if TYPE_CHECKING:
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured", "started_whole")


def test_forty_processes_reserve_forty_directories_on_a_store_that_does_not_exist_yet(sandbox: Sandbox) -> None:
    directories = [sandbox.directory(f"d{number:02d}") for number in range(40)]

    processes = [sandbox.begin("reserve", "--busy-timeout", "60", cwd=directory) for directory in directories]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]

    assert [process.returncode for process in processes] == [0] * 40, [err for _, err in outputs]
    assert {err for _, err in outputs} == {""}
    printed = {str(directory): int(out) for directory, (out, _) in zip(directories, outputs, strict=True)}
    assert {row[0]: row[2] for row in sandbox.rows()} == printed
    assert sorted(printed.values()) == list(range(5000, 5040))
    assert sandbox.integrity() == "ok"


def test_twenty_four_processes_reserve_one_key_and_get_one_port(sandbox: Sandbox) -> None:
    processes = [sandbox.begin("reserve", "--busy-timeout", "60") for _ in range(24)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]

    assert [process.returncode for process in processes] == [0] * 24
    assert set(outputs) == {("5000\n", "")}
    assert len(sandbox.rows()) == 1


def test_what_was_printed_is_stored_also_when_processes_are_killed(sandbox: Sandbox) -> None:
    """Each shell reserves one directory after the other until it is killed, with whatever it is just doing."""
    script = 'while i=$((i+1)); do p=$("$0" reserve --path "$1/$i" --allow-unrelated-path) && echo "$1/$i $p"; done'
    dice = random.Random(4)
    sandbox.make_store()
    shells = [
        subprocess.Popen(
            ["bash", "-c", script, TROP, f"/killed/{number}"],
            cwd=sandbox.work,
            env=sandbox.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for number in range(4)
    ]
    printed: list[str] = []
    for process in shells:
        assert process.stdout is not None
        printed += [process.stdout.readline() for _ in range(dice.randrange(3, 8))]
    for process in shells:
        os.killpg(process.pid, signal.SIGKILL)
        rest, _ = process.communicate(timeout=PATIENCE)
        printed += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

    stored = {row[0]: row[2] for row in sandbox.rows()}
    for line in printed:
        path, port = line.split()
        assert stored[path] == int(port)
    assert len(set(stored.values())) == len(stored)
    assert sandbox.integrity() == "ok"
    assert sandbox.reserve() not in stored.values()
