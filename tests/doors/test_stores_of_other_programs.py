"""Stores that another program made or changed: without what trop keeps of directories, or with more or less of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.repositories import make_repository
from support.sandbox import as_json

from trop_core.database import companion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox

    Reserve = Callable[..., tuple[int, str]]

PORT, TAGGED = 5500, 5501


def rows_at(path: Path, project: str | None = None) -> list[stores.Row]:
    """What another program has reserved for a directory."""
    return [(str(path), tag, port, project, None, 1, 2) for tag, port in (("", PORT), ("web", TAGGED))]


def put_in_place(sandbox: Sandbox, make: Callable[..., Path], rows: list[stores.Row]) -> None:
    """Make a store, whole, where a server may look at any moment, in place of one that is there."""
    made = sandbox.root / "made"
    made.mkdir()
    make(made / "trop.db", rows)
    sandbox.data.mkdir(mode=0o700, exist_ok=True)
    for file in sandbox.data.iterdir():
        file.unlink()
    os.rename(made / "trop.db", sandbox.database)


@pytest.fixture(params=["v1", "v2"])
def given(request: pytest.FixtureRequest, sandbox: Sandbox) -> Path:
    """A directory for which another program has reserved ports, in a store of either version."""
    old = sandbox.directory("a")
    if request.param == "v1":
        put_in_place(sandbox, stores.make_v1, [(row[0], row[1] or None, *row[2:]) for row in rows_at(old)])
    else:
        put_in_place(sandbox, stores.make_v2, rows_at(old))
    return old


def lose_the_tables(sandbox: Sandbox) -> None:
    """What another program leaves that knows nothing of them and makes the store anew."""
    stores.run(sandbox.database, "DROP TABLE directories", "DELETE FROM metadata WHERE key = 'companion_version'")


def companion_state(sandbox: Sandbox) -> dict[str, str]:
    return dict(stores.rows_in(sandbox.database, "metadata"))


def test_what_another_program_reserved_is_followed_once_it_was_used_here(
    sandbox: Sandbox, reserve: Reserve, given: Path
) -> None:
    before, told = reserve(given)
    os.rename(given, sandbox.work / "b")

    after, told_then = reserve(sandbox.work / "b")

    assert (before, after) == (PORT, PORT)
    assert "before" not in told
    assert "2 reservations moved along" in told_then
    assert [row[:3] for row in sandbox.rows()] == [
        (str(sandbox.work / "b"), "", PORT),
        (str(sandbox.work / "b"), "web", TAGGED),
    ]


def test_what_another_program_reserved_for_a_directory_that_moved_before_stays(
    sandbox: Sandbox, reserve: Reserve, given: Path
) -> None:
    os.rename(given, sandbox.work / "b")

    port, told = reserve(sandbox.work / "b")

    assert port not in (PORT, TAGGED)
    assert "moved along" not in told
    assert [row[2] for row in sandbox.rows() if row[0] == str(given)] == [PORT, TAGGED]


def test_where_project_and_name_speak_for_a_move_the_warning_names_what_settles_it(
    sandbox: Sandbox, reserve: Reserve
) -> None:
    old, new = sandbox.work / "old" / "shop", make_repository(sandbox.work / "new" / "shop")
    put_in_place(sandbox, stores.make_v2, rows_at(old, project="shop"))

    port, told = reserve(new)

    assert port not in (PORT, TAGGED)
    assert f"trop migrate --from {old} --to {new} --recursive --force brings its reservations here" in told


@pytest.mark.parametrize("name", ["list", "assert-reservation", "history"])
def test_what_only_reads_adds_nothing_to_a_store_without_the_tables(sandbox: Sandbox, given: Path, name: str) -> None:
    done = sandbox.trop(name, cwd=given)

    assert done.returncode == 0, done.stderr
    assert companion_state(sandbox) == {"schema_version": "2"}


def test_tables_that_go_while_a_server_runs_come_back_with_the_next_reservation(
    client: Client, sandbox: Sandbox
) -> None:
    old = sandbox.directory("a")
    port = client.call("trop.reserve", {"folder": str(old)})["reservation"]["port"]
    lose_the_tables(sandbox)

    again = client.call("trop.reserve", {"folder": str(old)})
    os.rename(old, sandbox.work / "b")
    moved = client.call("trop.reserve", {"folder": str(sandbox.work / "b")})

    assert (again["outcome"], again["warnings"]) == ("reused", [])
    assert (moved["outcome"], moved["reservation"]["port"]) == ("moved", port)


def test_a_move_whose_trace_was_lost_is_a_new_directory_to_a_server_that_runs(client: Client, sandbox: Sandbox) -> None:
    old = sandbox.directory("a")
    port = client.call("trop.reserve", {"folder": str(old)})["reservation"]["port"]
    os.rename(old, sandbox.work / "b")
    lose_the_tables(sandbox)

    other = client.call("trop.reserve", {"folder": str(sandbox.work / "b")})

    assert (other["outcome"], other["reservation"]["port"] == port) == ("created", False)
    assert companion_state(sandbox)["companion_version"] == "1"


def test_a_store_that_was_made_anew_under_a_server_takes_the_tables_again(client: Client, sandbox: Sandbox) -> None:
    """As the other program's init with --overwrite does: the file is another one."""
    old = sandbox.directory("a")
    client.call("trop.reserve", {"folder": str(old)})
    put_in_place(sandbox, stores.make_v2, rows_at(old))

    reserved = client.call("trop.reserve", {"folder": str(old)})
    os.rename(old, sandbox.work / "b")
    moved = client.call("trop.reserve", {"folder": str(sandbox.work / "b")})

    assert (reserved["outcome"], reserved["reservation"]["port"]) == ("reused", PORT)
    assert (moved["outcome"], moved["reservation"]["port"]) == ("moved", PORT)


@pytest.mark.parametrize(
    ("statement", "warning"),
    [
        pytest.param(
            "UPDATE metadata SET value = '3' WHERE key = 'companion_version'", companion.NEWER, id="of a newer version"
        ),
        pytest.param(
            "UPDATE metadata SET value = '0' WHERE key = 'companion_version'",
            companion.UNUSABLE,
            id="of a version that never was",
        ),
        pytest.param("DROP TABLE directories", companion.UNUSABLE, id="missing"),
        pytest.param("ALTER TABLE directories ADD COLUMN more TEXT", companion.UNUSABLE, id="with a column more"),
    ],
)
def test_tables_that_cannot_be_used_stop_nobody_from_reserving(
    sandbox: Sandbox, reserve: Reserve, statement: str, warning: str
) -> None:
    old = sandbox.directory("a")
    port, _ = reserve(old)
    stores.run(sandbox.database, statement)
    schema = stores.rows_in(sandbox.database, "sqlite_master")

    again, _ = reserve(old)
    fresh, told = reserve(sandbox.directory("fresh"))
    os.rename(old, sandbox.work / "b")
    other, told_of_move = reserve(sandbox.work / "b")

    assert again == port
    assert len({port, fresh, other}) == 3
    assert warning in told
    assert warning in told_of_move
    assert "before" not in told_of_move
    assert stores.rows_in(sandbox.database, "sqlite_master") == schema


def test_tables_of_a_newer_version_are_in_nobody_s_way(sandbox: Sandbox) -> None:
    old, new = sandbox.directory("a"), sandbox.directory("b")
    (old / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    stores_before = sandbox.trop("autoreserve", "--format", "json", cwd=old)
    stores.run(sandbox.database, "UPDATE metadata SET value = '3' WHERE key = 'companion_version'")
    noted: list[Any] = stores.rows_in(sandbox.database, "directories")

    done = [
        sandbox.trop("autoreserve", "--format", "json", cwd=old),
        sandbox.trop("migrate", "--from", str(old), "--to", str(new)),
        sandbox.trop("prune"),
        sandbox.trop("assert-data-dir", "--validate"),
        sandbox.trop("release", cwd=new),
    ]

    assert [run.returncode for run in done] == [0] * len(done), [run.stderr for run in done]
    assert as_json(done[0]) == as_json(stores_before)
    assert sandbox.rows() == []
    assert stores.rows_in(sandbox.database, "directories") == noted
