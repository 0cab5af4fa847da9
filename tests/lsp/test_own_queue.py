"""The queue of one server's own calls: no call fails for its place in it, since nobody else keeps it waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.messages import command
from support.stores import make_v1

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox


@pytest.mark.usefixtures("unmeasured")
def test_hundreds_of_calls_in_flight_are_all_done(start: Callable[..., Client], sandbox: Sandbox) -> None:
    client = start(TROP_BUSY_TIMEOUT="0")
    client.initialize(str(sandbox.work))

    client.send(*(command(number, "trop.reserve", {"tag": f"t{number:04d}", "max": 9000}) for number in range(600)))
    answers = [client.answer(number) for number in range(600)]

    assert [answer for answer in answers if "error" in answer] == []
    assert len(sandbox.rows()) == 600


def test_what_stands_behind_a_long_call_of_this_server_is_done(start: Callable[..., Client], sandbox: Sandbox) -> None:
    sandbox.fill(40_000)
    client = start(TROP_BUSY_TIMEOUT="0")
    client.initialize(str(sandbox.work))

    client.send(
        command(1, "trop.migrate", {"from": "/stored", "to": "/elsewhere", "recursive": True}),
        *(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(2, 30)),
    )
    answers = [client.answer(number) for number in range(1, 30)]

    assert [answer for answer in answers if "error" in answer] == []
    assert answers[0]["result"]["migratedCount"] == 40_000


def test_who_finds_an_upgrade_of_this_server_under_way_waits_for_it(
    start: Callable[..., Client], sandbox: Sandbox
) -> None:
    sandbox.data.mkdir()
    rows = [(f"/stored/{number:05d}", None, 10_000 + number, None, None, 1, 1) for number in range(40_000)]
    make_v1(sandbox.database, rows)
    client = start(TROP_BUSY_TIMEOUT="0.3")
    client.initialize(str(sandbox.work))

    client.send(
        *(command(number, "trop.list", {"limit": 1}) for number in range(8)),
        *(command(number, "trop.reserve", {"tag": f"t{number}"}) for number in range(8, 16)),
    )
    answers = [client.answer(number) for number in range(16)]

    assert [answer for answer in answers if "error" in answer] == []
    assert sandbox.database.with_name("trop.db.v1.bak").exists()
