"""Hostile repositories through every door: what a stranger made changes its own reservations, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.hostile.case import SECRET, STRANGERS
from support.hostile.table import HOSTILE
from support.hostile.world import DOORS, MEMORY, World, expected
from support.zoo import little_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.hostile.case import Hostile
    from support.hostile.world import DoorName
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def world(shared_sandbox: Sandbox) -> Iterator[World]:
    """A store and servers that all cases share, each in a directory of its own."""
    made = World(shared_sandbox)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    with little_memory(MEMORY):
        yield


@pytest.mark.timeout(120)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in HOSTILE])
def test_what_a_stranger_made_does_no_harm(world: World, case: Hostile, door: DoorName) -> None:
    place, target = world.lay_out(case)
    others = world.others(place.root)

    answers = world.ask(door, case, target)

    assert world.others(place.root) == others
    assert place.signs == []
    assert STRANGERS not in world.projects(place.root)
    assert answers.obeyed == []
    assert not [text for text in answers.said if SECRET in text]
    assert answers.outcomes == expected(door, case)
