"""Those who wait for the store's lock stand in a queue; nobody is kept waiting by anyone else in it."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import psutil
from support.messages import command
from support.patience import PATIENCE
from support.queueing import first_of_all, somebody_is_first
from support.window import eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox


def waits_in_vain(process: subprocess.Popen[str]) -> bool:
    """Whether a command has a thread that waits to be the head of the queue."""
    return psutil.Process(process.pid).num_threads() > 1


def printed(process: subprocess.Popen[str]) -> str:
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    return stdout


def test_a_command_that_waits_is_in_the_queue_until_it_has_the_lock(sandbox: Sandbox) -> None:
    with sandbox.locked():
        waiting = sandbox.begin("reserve", "--tag", "a", TROP_BUSY_TIMEOUT="60")
        eventually(lambda: somebody_is_first(sandbox.data))

    assert printed(waiting) == "5000\n"
    assert not somebody_is_first(sandbox.data)


def test_a_stopped_process_at_the_head_of_the_queue_keeps_nobody_waiting(sandbox: Sandbox) -> None:
    with sandbox.locked():
        stopped = sandbox.begin("reserve", "--tag", "a", TROP_BUSY_TIMEOUT="60")
        eventually(lambda: somebody_is_first(sandbox.data))
        stopped.send_signal(signal.SIGSTOP)
        waiting = sandbox.begin("reserve", "--tag", "b", TROP_BUSY_TIMEOUT="60")
        eventually(lambda: waits_in_vain(waiting))

    try:
        assert printed(waiting) == "5000\n"
    finally:
        stopped.send_signal(signal.SIGCONT)
    assert printed(stopped) == "5001\n"


def test_somebody_who_locks_the_directory_keeps_nobody_waiting(sandbox: Sandbox) -> None:
    sandbox.make_store()
    with first_of_all(sandbox.data):
        at_once = sandbox.reserve()
        with sandbox.locked():
            waiting = sandbox.begin("reserve", "--tag", "b", TROP_BUSY_TIMEOUT="60")
            eventually(lambda: waits_in_vain(waiting))

        assert at_once == 5000
        assert printed(waiting) == "5001\n"


def test_who_waits_at_a_store_that_is_removed_has_a_port_in_a_new_one(sandbox: Sandbox) -> None:
    with sandbox.locked():
        waiting = sandbox.begin("reserve", TROP_BUSY_TIMEOUT="60")
        eventually(lambda: somebody_is_first(sandbox.data))
        shutil.rmtree(sandbox.data)

    assert printed(waiting) == "5000\n"
    assert sandbox.reserve() == 5000


def test_a_queue_that_does_not_move_costs_a_server_one_thread(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="0.1")
    client.initialize(str(sandbox.work))
    assert client.call("trop.reserve")["outcome"] == "created"

    with first_of_all(sandbox.data), sandbox.locked():
        threads = []
        for _ in range(10):
            assert client.refused("trop.reserve", {"tag": "b"}).data["kind"] == "lock_timeout"
            threads.append(client.threads())

    assert threads[-1] <= threads[2]
    assert client.call("trop.reserve", {"tag": "b"})["outcome"] == "created"
    eventually(lambda: not somebody_is_first(sandbox.data))


def test_behind_a_queue_that_does_not_move_all_have_their_turn(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="1")
    client.initialize(str(sandbox.work))
    sandbox.make_store()
    numbers = range(60)

    with first_of_all(sandbox.data):
        with sandbox.locked():
            assert client.refused("trop.reserve").data["kind"] == "lock_timeout"
        client.send(*(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in numbers))
        answers = [client.answer(number) for number in numbers]

    assert [answer["result"]["outcome"] for answer in answers] == ["created"] * len(numbers)
