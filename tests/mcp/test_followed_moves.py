"""Directories that move without a word to trop, as an agent meets them: over the agents' server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.mcp import BOTH_ERAS, Era, call, connected

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox


@pytest.fixture
def moved(sandbox: Sandbox) -> tuple[Path, Path, int]:
    """Where a directory with a reservation was, where it is now, and its port."""
    old, new = sandbox.directory("old"), sandbox.work / "new"
    port = sandbox.reserve(cwd=old)
    os.rename(old, new)
    return old, new, port


@BOTH_ERAS
@pytest.mark.asyncio
async def test_an_agent_that_starts_in_a_directory_that_was_moved_gets_its_port(
    sandbox: Sandbox, moved: tuple[Path, Path, int], era: Era
) -> None:
    old, new, port = moved

    async with connected(sandbox, cwd=new, era=era) as client:
        first = await call(client, "trop_reserve")
        again = await call(client, "trop_reserve")

    assert (first["reservation"]["port"], first["reservation"]["path"]) == (port, str(new))
    assert (first["outcome"], again["outcome"]) == ("moved", "reused")
    assert first["warnings"] == [f'this directory was "{old}" before: 1 reservation moved along']
    assert again["warnings"] == []
    assert [row[:3] for row in sandbox.rows()] == [(str(new), "", port)]


@pytest.mark.asyncio
async def test_a_directory_that_an_agent_names_is_followed_while_it_works_elsewhere(
    sandbox: Sandbox, moved: tuple[Path, Path, int]
) -> None:
    _, new, port = moved
    third = sandbox.work / "third"

    async with connected(sandbox) as client:
        ports = [(await call(client, "trop_reserve", folder=str(new)))["reservation"]["port"]]
        os.rename(new, third)
        ports.append((await call(client, "trop_reserve", folder=str(third)))["reservation"]["port"])

    assert ports == [port, port]
    assert [row[:3] for row in sandbox.rows()] == [(str(third), "", port)]


@pytest.mark.asyncio
async def test_a_group_of_a_directory_that_was_moved_keeps_its_ports(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("shop"), sandbox.work / "store"
    (old / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")

    async with connected(sandbox) as client:
        before = await call(client, "trop_autoreserve", folder=str(old))
        os.rename(old, new)
        after = await call(client, "trop_autoreserve", folder=str(new))

    assert (before["outcome"], after["outcome"]) == ("created", "moved")
    assert before["environment"] == after["environment"]


@pytest.mark.asyncio
async def test_what_only_looks_or_releases_names_the_old_place_and_moves_nothing(
    sandbox: Sandbox, moved: tuple[Path, Path, int]
) -> None:
    old, new, port = moved

    async with connected(sandbox, cwd=new) as client:
        listed = await call(client, "trop_list", here=True)
        released = await call(client, "trop_release")
        asserted = await call(client, "trop_assert_reservation")

    assert not asserted["holds"]
    for answer in (listed, released, asserted):
        told = answer["warnings"][-1]
        assert f'"{old}" before' in told
        assert str(port) in told
    assert [row[:3] for row in sandbox.rows()] == [(str(old), "", port)]
