"""Taking back what was done, and exchanging two ports, through every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.doors import DOORS, Answer, DoorName, ask
from support.sandbox import LOOKING
from support.servers import server
from support.sockets import free_port

from trop_core.catalogue import by_command
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from support.client import Client
    from support.sandbox import Sandbox


class Stage:
    """Two directories with a port each, under the working directory."""

    def __init__(self, sandbox: Sandbox, client: Client, door: DoorName) -> None:
        self.sandbox, self.client, self.door = sandbox, client, door
        self.shop, self.other = sandbox.work / "shop", sandbox.work / "other"
        for place in (self.shop, self.other):
            place.mkdir()
            sandbox.reserve("--path", str(place))

    def ask(self, command: str, **given: object) -> Answer:
        answer = ask(self.sandbox, self.client, self.door, f"trop.{command}", given)
        if self.door != "cli" and answer.code == 0:
            from jsonschema import Draft202012Validator

            found = by_command(f"trop.{command}")
            assert found is not None
            Draft202012Validator(output_schema(found)).validate(answer.data)
        return answer

    def warnings(self, answer: Answer) -> list[str]:
        if self.door == "cli":
            return [line.removeprefix("warning: ") for line in answer.told if line.startswith("warning: ")]
        found: list[str] = answer.data["warnings"]
        return found

    def ports(self) -> dict[str, int]:
        return {row[0].rpartition("/")[2]: row[2] for row in self.sandbox.rows()}


@pytest.fixture(params=DOORS)
def stage(request: pytest.FixtureRequest, sandbox: Sandbox, client: Client) -> Stage:
    return Stage(sandbox, client, request.param)


def test_what_was_released_comes_back_with_its_port(stage: Stage) -> None:
    before = stage.ports()
    stage.ask("release", path=str(stage.shop))
    stage.ask("reserve", path=str(stage.other))
    assert "shop" not in stage.ports()

    answer = stage.ask("undo")

    assert answer.code == 0, answer
    assert stage.ports() == before
    if stage.door == "cli":
        assert f"  {stage.shop}: port {before['shop']} comes back" in answer.told
    else:
        (row,) = answer.data["restored"]
        assert (row["port"], answer.data["removed"]) == (before["shop"], [])


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "undo"])
def test_where_what_comes_back_finds_no_directory_the_migrate_to_where_it_is_now_is_named(
    stage: Stage, dry_run: bool
) -> None:
    old, new = stage.shop, stage.sandbox.work / "store"
    below = stage.sandbox.reserve(cwd=stage.sandbox.directory("shop/api"))
    old.rename(new)
    port = stage.sandbox.reserve(cwd=new)

    answer = stage.ask("undo", dryRun=dry_run)

    line = f"trop migrate --from {old} --to {new} --recursive"
    told = f"ports come back where no directory is: if that was moved, {line} brings them along"
    assert stage.warnings(answer) == [told]
    if not dry_run:
        assert stage.sandbox.trop(*line.split()[1:]).returncode == 0
        assert (stage.sandbox.reserve(cwd=new), stage.sandbox.reserve(cwd=new / "api")) == (port, below)


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "restore"])
def test_a_backup_that_is_older_than_a_move_is_restored_with_the_migrate_to_where_the_directory_is_now(
    stage: Stage, dry_run: bool
) -> None:
    old, new = stage.shop, stage.sandbox.work / "store"
    below = stage.sandbox.reserve("--tag", "api", cwd=stage.sandbox.directory("shop/api"))
    kept = stage.sandbox.root / "kept.bak"
    assert stage.sandbox.trop("backup", str(kept)).returncode == 0
    old.rename(new)
    port = stage.sandbox.reserve(cwd=new)

    answer = stage.ask("restore", file=str(kept), dryRun=dry_run)

    line = f"trop migrate --from {old} --to {new} --recursive"
    told = f"ports come back where no directory is: if that was moved, {line} brings them along"
    assert stage.warnings(answer) == [told]
    if not dry_run:
        assert stage.sandbox.trop(*line.split()[1:]).returncode == 0
        found = (stage.sandbox.reserve(cwd=new), stage.sandbox.reserve("--tag", "api", cwd=new / "api"))
        assert found == (port, below)


def test_a_port_that_another_directory_has_by_now_is_no_sign_of_a_move(stage: Stage) -> None:
    kept = stage.sandbox.root / "kept.bak"
    assert stage.sandbox.trop("backup", str(kept)).returncode == 0
    # It was reserved at another time, which is what tells.
    stage.sandbox.execute("UPDATE reservations SET path = path || '2', created_at = 1 WHERE path LIKE '%/shop'")
    stage.shop.rename(stage.sandbox.work / "shop2")

    answer = stage.ask("restore", file=str(kept))

    assert answer.code == 0, answer
    assert stage.warnings(answer) == []


def test_of_what_comes_back_to_a_missing_directory_that_went_nowhere_nothing_is_said(stage: Stage) -> None:
    stage.ask("release", path=str(stage.sandbox.work), recursive=True)
    stage.shop.rmdir()

    answer = stage.ask("undo")

    assert answer.code == 0, answer
    assert stage.warnings(answer) == []


def test_of_directories_that_are_there_an_undo_warns_of_nothing(stage: Stage) -> None:
    stage.ask("migrate", **{"from": str(stage.shop), "to": str(stage.sandbox.directory("store"))})

    answer = stage.ask("undo")

    assert answer.code == 0, answer
    assert stage.warnings(answer) == []


@pytest.mark.parametrize("is_here", [True, False], ids=["called here", "called elsewhere"])
def test_what_was_called_here_since_and_touched_others_alone_is_named(stage: Stage, is_here: bool) -> None:
    away = stage.sandbox.root / "away"
    away.mkdir()
    stage.sandbox.trop("reserve", cwd=away)
    away.rmdir()
    if is_here:
        assert stage.ask("prune").code == 0
    else:
        stage.sandbox.trop("prune", cwd=stage.other)

    answer = stage.ask("undo", dryRun=True)

    told = "operation 4 (trop.prune: 1 removed) came from here since, and changed other directories alone"
    assert stage.warnings(answer) == ([f"{told}: to take that back, undo it by its number"] if is_here else [])


def test_what_has_taken_the_port_is_in_the_way_and_named(stage: Stage) -> None:
    port = stage.ports()["shop"]
    stage.ask("release", path=str(stage.shop))
    stage.ask("reserve", path=str(stage.sandbox.work / "new"), port=port)

    answer = stage.ask("undo", path=str(stage.shop))

    assert answer.code == (6 if stage.door != "server" else -32803)
    assert f'/new" has the port {port} now' in answer.message or stage.door == "call"
    if answer.data is not None:
        (conflict,) = answer.data["details"]["conflicts"]
        assert (conflict["path"], conflict["port"]) == (str(stage.sandbox.work / "new"), port)
    assert stage.ports()["new"] == port


def test_what_touches_directories_of_others_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    away = sandbox.root / "away"
    away.mkdir()
    sandbox.trop("reserve", cwd=away)

    answer = stage.ask("undo", any=True)

    assert "neither above nor below" in answer.message + json.dumps(answer.data)
    assert stage.ask("undo", any=True, allowUnrelatedPath=True).code == 0
    assert "away" not in stage.ports()


@pytest.mark.parametrize("dry_run", [False, True], ids=["undo", "dry run"])
@pytest.mark.parametrize("reason", ["unrelated", "taken"])
def test_a_refusal_names_the_operation_that_would_have_been_undone(stage: Stage, reason: str, dry_run: bool) -> None:
    away = stage.sandbox.root / "away"
    away.mkdir()
    if reason == "unrelated":
        stage.sandbox.trop("migrate", "--from", str(stage.shop), "--to", str(away))
        expected = "operation 3 (trop.migrate: 1 moved) cannot be undone from here: "
    else:
        stage.ask("release", path=str(stage.shop))
        stage.sandbox.reserve("--port", "5000", cwd=away)
        expected = "operation 3 (trop.release: 1 removed) cannot be undone as a whole, so nothing was done: "

    answer = stage.ask("undo", id=3, dryRun=dry_run)

    assert expected in (answer.data["message"] if stage.door == "call" else answer.message)


@pytest.mark.parametrize(("form", "home"), [("table", "~"), ("csv", None)])
def test_history_tells_from_where_to_where_something_has_moved(sandbox: Sandbox, form: str, home: str | None) -> None:
    shop, web = sandbox.directory("shop"), sandbox.directory("web")
    port = sandbox.reserve("--tag", "api", cwd=shop)
    sandbox.trop("migrate", "--from", str(shop), "--to", str(web))

    told = sandbox.trop("history", "--limit", "1", "--format", form, HOME=str(sandbox.work))

    place = home or str(sandbox.work)
    assert f"{place}/shop -> {place}/web (tag api): port {port}" in told.stdout


@pytest.mark.parametrize("asked", [["--port", "6999"], ["--here"], ["--path", "shop"]], ids=" ".join)
def test_that_nothing_of_what_is_asked_for_is_on_record_does_not_sound_as_if_all_were_lost(
    sandbox: Sandbox, asked: list[str]
) -> None:
    before = sandbox.trop("history", *asked)
    empty = sandbox.trop("history")
    sandbox.reserve(cwd=sandbox.directory("other"))

    told = sandbox.trop("history", *asked, cwd=sandbox.directory("empty"))

    assert before.stderr == told.stderr == "Nothing of that is on record.\n"
    assert empty.stderr == "Nothing is on record.\n"


def swapped(stage: Stage, **environment: str | None) -> Answer:
    """Exchange the ports of the two, from the first; which one that is, a server is told."""
    given: dict[str, object] = {"path": str(stage.other)}
    if stage.door == "server":
        return stage.ask("swap", folder=str(stage.shop), **given)
    return ask(stage.sandbox, stage.client, stage.door, "trop.swap", given, work=stage.shop, **environment)


def test_two_directories_exchange_their_ports(stage: Stage) -> None:
    before = stage.ports()

    if stage.door != "server":
        # For the server both lie below the open folder.
        assert "neither above nor below" in swapped(stage).message
    (stage.sandbox.data / "config.yaml").write_text("allow_unrelated_path: true\n")
    answer = swapped(stage)

    assert answer.code == 0, answer
    assert stage.ports() == {"shop": before["other"], "other": before["shop"]}
    if stage.door == "cli":
        assert answer.stdout == f"{before['other']}\n"
    else:
        assert answer.data["reservation"]["port"] == before["other"]
    assert stage.sandbox.query("SELECT summary FROM operations ORDER BY id DESC LIMIT 1") == [("2 given another port",)]


def test_a_port_on_which_something_listens_stays(sandbox: Sandbox, client: Client) -> None:
    stage = Stage(sandbox, client, "call")
    (sandbox.data / "config.yaml").write_text("allow_unrelated_path: true\n")
    port = free_port()
    stage.ask("reserve", path=str(stage.shop), port=port, overwrite=True)
    stage.ask("reserve", path=str(stage.other), port=free_port(), overwrite=True)
    before = stage.ports()

    with server(port, stage.shop):
        answer = swapped(stage, **LOOKING)

    assert answer.data["kind"] == "port_occupied"
    assert answer.data["details"]["holder"]["directory"] == str(stage.shop)
    assert stage.ports() == before
    assert swapped(stage, **LOOKING).code == 0


@pytest.mark.parametrize("missing", ["shop", "other"])
def test_both_have_to_exist(sandbox: Sandbox, client: Client, missing: str) -> None:
    stage = Stage(sandbox, client, "call")
    (sandbox.data / "config.yaml").write_text("allow_unrelated_path: true\n")
    stage.ask("release", path=str(sandbox.work / missing))
    before = stage.ports()

    answer = swapped(stage)

    assert answer.data["kind"] == "not_found"
    assert missing in answer.data["message"]
    assert stage.ports() == before


def test_all_that_was_done_is_at_or_below_the_root(sandbox: Sandbox) -> None:
    port = sandbox.reserve(cwd=Path("/"))

    told = sandbox.trop("history", "--here", "--format", "tsv", cwd=Path("/")).stdout
    undone = sandbox.trop("undo", cwd=Path("/"))

    assert f"/: port {port}" in told
    assert undone.returncode == 0
    assert sandbox.rows() == []
