"""``reserve``, row by row of the table, through the real programs: the subcommand, ``trop call`` and the server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.port_bench import PortAnswer, PortBench, through_doors
from support.refusals import Refused, check_refusal
from support.reserve.case import Case, Reserved, below
from support.reserve.table import TABLE
from support.rows import rows_of
from support.sockets import listening

if TYPE_CHECKING:
    from pathlib import Path

    from support.doors import DoorName


@pytest.mark.parametrize(
    ("case", "door"), [pytest.param(case, door, id=f"{case.id}-{door}") for case, door in through_doors(TABLE)]
)
def test_a_row_of_the_table(port_bench: PortBench, case: Case, door: DoorName) -> None:
    case, work, now = port_bench.furnish(case)

    with listening(case.occupied):
        # A dry run of the subcommand prints a port and no more: the other two tell everything.
        planned = (
            None if door == "cli" else port_bench.ask(door, work, {**case.given, "dry_run": True}, case.environment)
        )
        rows_then = rows_of(port_bench.data)
        done = port_bench.ask(door, work, case.given, case.environment)
    rows = rows_of(port_bench.data)

    assert rows_then == case.rows_before(work, now)
    assert planned is None or _without_times(planned) == _without_times(done)
    if isinstance(case.expected, Refused):
        assert done.port is None
        check_refusal(case.expected, done, door)
        assert rows == rows_then
    else:
        _check_reservation(case.expected, done, work, door)
        [used] = [row[6] for row in rows if row[:2] == (below(work, case.expected.path), case.expected.tag)]
        assert now <= used <= time.time()
        assert rows == case.rows_after(work, now, used)


def _check_reservation(expected: Reserved, answer: PortAnswer, work: Path, door: DoorName) -> None:
    # In JSON, a flag is a field.
    warnings = tuple(told if door == "cli" else told.replace(" --", " ") for told in expected.warnings)
    assert (answer.code, answer.port, answer.warnings) == (0, expected.port, warnings), answer.message
    if answer.data is not None:
        reservation = dict(answer.data["reservation"])
        del reservation["createdAt"], reservation["lastUsedAt"]
        assert answer.data["outcome"] == expected.outcome
        assert reservation == {
            "port": expected.port,
            "path": below(work, expected.path),
            "tag": expected.tag or None,
            "project": expected.project,
            "task": expected.task,
        }


def _without_times(answer: PortAnswer) -> PortAnswer:
    if answer.data is None or "reservation" not in answer.data:
        return answer
    data = {**answer.data, "reservation": dict(answer.data["reservation"])}
    del data["dryRun"], data["reservation"]["createdAt"], data["reservation"]["lastUsedAt"]
    return replace(answer, data=data)
