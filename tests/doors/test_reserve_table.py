"""``reserve``, row by row of the table, through the real programs: the subcommand, ``trop call`` and the server."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support.reserve import Case, Refused, Reserved, below, rows_of
from support.reserve_doors import Answer, Bench, DoorName, listening
from support.reserve_table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def _rows() -> Iterator[tuple[Case, DoorName]]:
    """Each case with the doors that it goes through; not all with all, because a process takes its time.

    ``trop call`` shares all but the grammar with the subcommand, and a server would have to be started for each set of
    variables.
    """
    for number, case in enumerate(case for case in TABLE if case.through_doors):
        yield case, "cli"
        if number % 3 == 0:
            yield case, "call"
        if not case.environment:
            yield case, "server"


@pytest.mark.parametrize(("case", "door"), [pytest.param(case, door, id=f"{case.id}-{door}") for case, door in _rows()])
def test_a_row_of_the_table(bench: Bench, case: Case, door: DoorName) -> None:
    work = bench.place()
    case = case.placed(work, bench.ports_from)
    if case.git is not None:
        subprocess.run(["git", "init", "-q", "-b", case.git[1], str(work)], check=True, timeout=60)
    now = int(time.time())
    case.furnish(bench.data, work, now)

    with listening(case.occupied):
        # A dry run of the subcommand prints a port and no more: the other two tell everything.
        planned = None if door == "cli" else bench.ask(door, work, {**case.given, "dry_run": True}, case.environment)
        rows_then = rows_of(bench.data)
        done = bench.ask(door, work, case.given, case.environment)
    rows = rows_of(bench.data)

    assert rows_then == case.rows_before(work, now)
    assert planned is None or _without_times(planned) == _without_times(done)
    if isinstance(case.expected, Refused):
        _check_refusal(case.expected, done, door)
        assert rows == rows_then
    else:
        _check_reservation(case.expected, done, work)
        [used] = [row[6] for row in rows if row[:2] == (below(work, case.expected.path), case.expected.tag)]
        assert now <= used <= time.time()
        assert rows == case.rows_after(work, now, used)


def _check_refusal(expected: Refused, answer: Answer, door: DoorName) -> None:
    assert answer.port is None
    assert expected.says in answer.message
    if door == "server":
        assert answer.code == (-32602 if expected.alone else -32803)
    else:
        assert answer.code == expected.code
    if door != "cli":
        assert answer.data is not None
        assert answer.data["kind"] == expected.kind
        assert answer.data["hint"]
        assert answer.data["retryable"] is False
        details = json.loads(json.dumps(dict(expected.details or {})))
        assert {name: answer.data["details"][name] for name in details} == details


def _check_reservation(expected: Reserved, answer: Answer, work: Path) -> None:
    assert (answer.code, answer.port, answer.warnings) == (0, expected.port, expected.warnings), answer.message
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


def _without_times(answer: Answer) -> Answer:
    if answer.data is None or "reservation" not in answer.data:
        return answer
    data = {**answer.data, "reservation": dict(answer.data["reservation"])}
    del data["dryRun"], data["reservation"]["createdAt"], data["reservation"]["lastUsedAt"]
    return answer._replace(data=data)
