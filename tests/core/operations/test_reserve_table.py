"""``reserve``, row by row of the table: once as a dry run, once for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import stores
from support.refusals import Refused
from support.reserve.case import NOW, Case, Reserved
from support.reserve.table import TABLE
from support.reserve.world import World
from support.rows import rows_of

from trop_core.errors.base import TropError
from trop_core.models import Reservation
from trop_core.operations.reserving.reserve import OPERATION, ReserveResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.id for case in TABLE]

    assert len(set(names)) == len(names)


def test_the_table_knows_every_field() -> None:
    covered = {name for case in TABLE for name in case.given}

    assert covered == {field.name for field in OPERATION.fields} - {"folder", "dry_run"}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in TABLE])
def test_a_row_of_the_table(tmp_path: Path, case: Case) -> None:
    world = World(tmp_path)
    case = world.furnish(case)
    files = stores.snapshot(world.data)

    planned = _attempt(world, {**case.given, "dry_run": True})
    rows_then = rows_of(world.data)
    files_then = stores.snapshot(world.data)
    done = _attempt(world, case.given)

    assert rows_then == case.rows_before(world.work, NOW)
    assert files_then == files
    assert rows_of(world.data) == case.rows_after(world.work, NOW, NOW)
    expected = case.expected
    if isinstance(expected, Refused):
        assert isinstance(done, TropError)
        _check_refusal(expected, done)
        assert isinstance(planned, TropError)
        assert (type(planned), str(planned), planned.details()) == (type(done), str(done), done.details())
    else:
        assert isinstance(done, ReserveResult), done
        assert done == _result(expected, case, world)
        assert planned == done._replace(dry_run=True)


def _attempt(world: World, given: Mapping[str, object]) -> ReserveResult | TropError:
    try:
        return world.reserve(**given)
    except TropError as error:
        return error


def _check_refusal(expected: Refused, error: TropError) -> None:
    assert error.kind == expected.kind
    assert expected.says in error.message()
    assert error.hint()
    details = error.details()
    for name, value in (expected.details or {}).items():
        found = details[name]
        assert (tuple(found) if isinstance(found, list) else found) == value


def _result(expected: Reserved, case: Case, world: World) -> ReserveResult:
    [row] = [row for row in case.rows_after(world.work, NOW, NOW) if row[2] == expected.port]
    return ReserveResult(
        reservation=Reservation(row[2], row[0], row[1] or None, *row[3:]),
        outcome=expected.outcome,  # type: ignore[arg-type]
        dry_run=False,
        warnings=expected.warnings,
    )
