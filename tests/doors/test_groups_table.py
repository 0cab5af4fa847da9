"""Groups, row by row of the table, through the real programs: the subcommands, ``trop call`` and the server."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.client import ServerError
from support.groups import TABLE, GroupCase, Grouped
from support.reserve import Refused, as_flags, below, on_the_wire, rows_of
from support.reserve_doors import Answer, Bench, DoorName, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = {"autoreserve": "trop.autoreserve", "reserve_group": "trop.reserveGroup"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


def _rows() -> Iterator[tuple[GroupCase, DoorName]]:
    """Each case with the doors that it goes through, as for ``reserve``."""
    for number, case in enumerate(TABLE):
        yield case, "cli"
        if number % 3 == 0:
            yield case, "call"
        if not case.environment:
            yield case, "server"


@pytest.mark.parametrize(("case", "door"), [pytest.param(case, door, id=f"{case.id}-{door}") for case, door in _rows()])
def test_a_row_of_the_table(bench: Bench, case: GroupCase, door: DoorName) -> None:
    work = bench.place()
    placed = case.placed(work, bench.ports_from)
    assert isinstance(placed, GroupCase)
    case = placed
    if case.git is not None:
        subprocess.run(["git", "init", "-q", "-b", case.git[1], str(work)], check=True, timeout=60)
    now = int(time.time())
    case.furnish(bench.data, work, now)

    with listening(case.occupied):
        planned = _ask(bench, door, work, case, dry_run=True)
        rows_then = rows_of(bench.data)
        done = _ask(bench, door, work, case)
    rows = rows_of(bench.data)

    assert rows_then == case.rows_before(work, now)
    if isinstance(case.expected, Refused):
        assert planned.code == done.code
        _check_refusal(case.expected, done, door)
        assert rows == rows_then
    else:
        assert isinstance(case.expected, Grouped)
        _check_group(case.expected, planned, work)
        _check_group(case.expected, done, work)
        path = below(work, case.expected.path)
        [used] = {row[6] for row in rows if row[0] == path and row[1] in case.expected.ports}
        assert now <= used <= time.time()
        assert rows == case.rows_after(work, now, used)


def _ask(bench: Bench, door: DoorName, work: Path, case: GroupCase, **more: object) -> Answer:
    given = {**case.given, **more}
    if door == "server":
        client = bench._server(work, case.environment)
        try:
            return Answer(None, 0, data=client.call(COMMANDS[case.command], on_the_wire(given)))
        except ServerError as error:
            return Answer(None, error.code, error.message, data=error.data)
    variables: Any = {"TROP_SKIP_OCCUPANCY_CHECK": None, **case.environment}
    place = work
    if door == "call":
        arguments = ["call", COMMANDS[case.command], json.dumps(on_the_wire(given))]
    else:
        # The folder of the command line is where it runs.
        place = type(work)(str(given.pop("folder", work)))
        config = [str(given.pop("config"))] if "config" in given else []
        arguments = [case.command.replace("_", "-"), *config, "--format", "json", *as_flags(given)]
    done = bench.sandbox.trop(*arguments, cwd=place, **variables)
    if done.returncode:
        assert door == "call" or done.stdout == ""
    data = json.loads(done.stdout) if done.stdout else None
    return Answer(None, done.returncode, done.stderr, data=data)


def _check_refusal(expected: Refused, answer: Answer, door: DoorName) -> None:
    assert expected.says in answer.message
    assert answer.code == (-32803 if door == "server" else expected.code)
    if door != "cli":
        assert answer.data is not None
        assert answer.data["kind"] == expected.kind
        details = answer.data["details"]
        assert {name: details[name] for name in expected.details or {}} == dict(expected.details or {})


def _check_group(expected: Grouped, answer: Answer, work: Path) -> None:
    assert answer.code == 0, answer.message
    assert answer.data is not None
    assert answer.data["outcome"] == expected.outcome
    assert tuple(answer.data["warnings"]) == expected.warnings
    assert {tag: row["port"] for tag, row in answer.data["group"].items()} == expected.ports
    assert list(answer.data["environment"].values()) == list(expected.ports.values())
    for tag, row in answer.data["group"].items():
        assert (row["path"], row["tag"]) == (below(work, expected.path), tag)
        assert (row["project"], row["task"]) == expected.facts_of(tag)
