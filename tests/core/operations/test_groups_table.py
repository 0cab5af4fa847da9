"""The table of groups, row by row, in process: with a clock, a port probe and a git of the test's own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from support.groups.case import GroupCase, Grouped
from support.groups.table import TABLE
from support.refusals import Refused
from support.reserve.case import NOW, on_the_wire
from support.reserve.world import World

from trop_core.catalogue import operation
from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name
from trop_core.operations.call import Call
from trop_core.store import Store
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.wire.errors import error_to_wire
from trop_server.wire.schemas import output_schema
from trop_server.wire.values import result_to_wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def perform(world: World, case: GroupCase, **more: object) -> Any:
    """The result of a case's call."""
    found = operation(case.command)
    request = found.parse(on_the_wire({**case.given, **more}))
    with closing(Store(str(world.data))) as store:
        return Call(found, request, world.context()).run(store)


def furnished(world: World, case: GroupCase) -> GroupCase:
    """The case with its words replaced, and its world made."""
    return world.furnish(case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in TABLE])
def test_a_row_of_the_table(world: World, case: GroupCase) -> None:
    case = furnished(world, case)

    if isinstance(case.expected, Refused):
        for dry_run in (True, False):
            with pytest.raises(TropError) as caught:
                perform(world, case, dry_run=dry_run)
            _check_refusal(case.expected, caught.value)
            assert world.rows == case.rows_before(world.work, NOW)
        return
    assert isinstance(case.expected, Grouped)
    planned = perform(world, case, dry_run=True)
    rows_then = world.rows
    done = perform(world, case)

    assert rows_then == case.rows_before(world.work, NOW)
    assert world.rows == case.rows_after(world.work, NOW, NOW)
    _check_result(case.expected, done, case.command)
    assert {**result_to_wire(planned), "dryRun": False} == result_to_wire(done)
    assert planned.dry_run


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.id)
        for case in TABLE
        if isinstance(case.expected, Grouped) and not case.given.get("force")
    ],
)
def test_what_was_reserved_once_never_moves_again(world: World, case: GroupCase) -> None:
    """Whatever stood in the way when it was reserved is gone by then, and its own servers listen."""
    case = furnished(world, case)
    first = perform(world, case)
    world.occupied = set(first.environment.values())
    with closing(Store(str(world.data))) as store, store.write(_patience(), "test", create=False) as connection:
        connection.execute("DELETE FROM reservations WHERE path <> ?", (next(iter(first.group.values())).path,))
    rows = world.rows

    second = perform(world, case)

    assert second.outcome == "reused"
    assert second.environment == first.environment
    assert world.rows == rows


def test_a_group_is_kept_after_its_preferred_port_was_taken_and_is_free_again(world: World) -> None:
    [case] = [case for case in TABLE if case.id == "preferred-is-occupied"]
    case = furnished(world, case)

    while_taken = perform(world, case)
    world.occupied = ()
    after = perform(world, case)

    assert while_taken.warnings
    assert (after.outcome, after.environment) == ("reused", while_taken.environment)
    assert "--force" in after.warnings[0]


def test_the_time_of_last_use_is_that_of_the_call(world: World) -> None:
    [case] = [case for case in TABLE if case.id == "new"]
    case = furnished(world, case)
    perform(world, case)
    world.now += 1000

    again = perform(world, case)

    assert {(row.created_at, row.last_used_at) for row in again.group.values()} == {(NOW, NOW + 1000)}
    assert {row[5:] for row in world.rows} == {(NOW, NOW + 1000)}


def test_git_is_asked_for_new_reservations_alone(world: World) -> None:
    [case] = [case for case in TABLE if case.id == "new"]
    case = furnished(world, case)
    perform(world, case)
    asked = list(world.inferred)

    perform(world, case)

    assert asked == [str(world.work)]
    assert world.inferred == asked


def _patience() -> Any:
    from trop_core.database.waiting import Patience

    return Patience(5.0)


def _check_refusal(expected: Refused, error: TropError) -> None:
    assert (error.kind, EXIT_CODES[error.kind]) == (expected.kind, expected.code)
    assert expected.says in error.message()
    assert error.hint(flag_name)
    details = error_to_wire(error)["details"]
    assert {name: details[name] for name in expected.details or {}} == dict(expected.details or {})


def _check_result(expected: Grouped, result: Any, command: str) -> None:
    assert (result.outcome, result.warnings) == (expected.outcome, expected.warnings)
    assert {tag: row.port for tag, row in result.group.items()} == expected.ports
    assert list(result.group) == list(expected.ports)
    assert list(result.environment.values()) == expected.exported
    if expected.variables is not None:
        assert result.environment == expected.variables
    wire = result_to_wire(result)
    jsonschema.validate(wire, output_schema(operation(command)))
