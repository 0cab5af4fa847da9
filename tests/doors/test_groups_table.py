"""Groups, row by row of the table, through the real programs: the subcommands, ``trop call`` and the server."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.doors import Answer, DoorName, called, ran, served
from support.groups.case import GroupCase, Grouped
from support.groups.table import TABLE
from support.port_bench import PortBench, through_doors
from support.refusals import Refused, check_refusal
from support.reserve.case import as_flags, below, on_the_wire
from support.rows import rows_of
from support.sandbox import LOOKING
from support.sockets import listening

COMMANDS = {"autoreserve": "trop.autoreserve", "reserve_group": "trop.reserveGroup"}


@pytest.mark.parametrize(
    ("case", "door"), [pytest.param(case, door, id=f"{case.id}-{door}") for case, door in through_doors(TABLE)]
)
def test_a_row_of_the_table(port_bench: PortBench, case: GroupCase, door: DoorName) -> None:
    case, work, now = port_bench.furnish(case)

    with listening(case.occupied):
        planned = _ask(port_bench, door, work, case, dry_run=True)
        rows_then = rows_of(port_bench.data)
        done = _ask(port_bench, door, work, case)
    rows = rows_of(port_bench.data)

    assert rows_then == case.rows_before(work, now)
    if isinstance(case.expected, Refused):
        assert planned.code == done.code
        check_refusal(case.expected, done, door)
        assert rows == rows_then
    else:
        assert isinstance(case.expected, Grouped)
        for answer in (planned, done):
            if door == "cli":
                assert (answer.code, answer.data) == (0, case.expected.ports), answer.message
                told = (line.removeprefix("warning: ") for line in answer.told if line.startswith("warning: "))
                assert tuple(told) == case.expected.warnings
            else:
                _check_group(case.expected, answer, work)
        path = below(work, case.expected.path)
        [used] = {row[6] for row in rows if row[0] == path and row[1] in case.expected.ports}
        assert now <= used <= time.time()
        assert rows == case.rows_after(work, now, used)


def _ask(port_bench: PortBench, door: DoorName, work: Path, case: GroupCase, **more: object) -> Answer:
    given = {**case.given, **more}
    if door == "server":
        return served(port_bench.server(work, case.environment), COMMANDS[case.command], on_the_wire(given))
    variables: dict[str, Any] = {**LOOKING, **case.environment}
    if door == "call":
        return called(port_bench.sandbox, COMMANDS[case.command], on_the_wire(given), work=work, **variables)
    # The folder of the command line is where it runs.
    place = Path(str(given.pop("folder", work)))
    config = [str(given.pop("config"))] if "config" in given else []
    arguments = [case.command.replace("_", "-"), *config, "--format", "json", *as_flags(given)]
    done = ran(port_bench.sandbox, *arguments, work=place, **variables)
    return replace(done, data=json.loads(done.stdout)) if done.stdout else done


def _check_group(expected: Grouped, answer: Answer, work: Path) -> None:
    assert answer.code == 0, answer.message
    assert answer.data is not None
    assert answer.data["outcome"] == expected.outcome
    # Fields have the names that they have on the wire.
    assert answer.data["warnings"] == [warning.replace("--force", "force") for warning in expected.warnings]
    assert {tag: row["port"] for tag, row in answer.data["group"].items()} == expected.ports
    assert list(answer.data["environment"].values()) == expected.exported
    for tag, row in answer.data["group"].items():
        assert (row["path"], row["tag"]) == (below(work, expected.path), tag)
        assert (row["project"], row["task"]) == expected.facts_of(tag)
