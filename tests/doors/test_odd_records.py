"""What some program has left in the record of what was done, or in the schema: told of, and not relied on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import stores
from support.doors import DOORS, DoorName, ask

if TYPE_CHECKING:
    from support.client import Client
    from support.sandbox import Sandbox

NOT_UTF_8 = "CAST(x'2fff' AS TEXT)"


def history(sandbox: Sandbox) -> list[dict[str, Any]]:
    done = sandbox.trop("history", "--format", "json")
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


ODD = {
    "UPDATE changes SET new_path = NULL": "changes.path: there is no reservation, neither before nor after",
    "UPDATE operations SET time = -1": "operations.time: -1 is no time",
    f"UPDATE operations SET directory = {NOT_UTF_8}": "operations.directory: the text is not valid UTF-8",
    f"UPDATE operations SET command = {NOT_UTF_8}": "operations.command: the text is not valid UTF-8",
    f"UPDATE changes SET project = {NOT_UTF_8}": "changes.project: the text is not valid UTF-8",
}
"""What is wrong with a record, by the statement that has made it so."""


@pytest.mark.parametrize("statement", ODD)
@pytest.mark.parametrize("command", ["history", "undo"])
@pytest.mark.parametrize("door", DOORS)
def test_an_odd_record_is_damage_of_the_record(
    sandbox: Sandbox, client: Client, door: DoorName, command: str, statement: str
) -> None:
    where, _, reason = ODD[statement].partition(": ")
    sandbox.reserve()
    stores.run(sandbox.database, statement)

    answer = ask(sandbox, client, door, f"trop.{command}", {"any": True} if command == "undo" else {})

    assert answer.code == (-32803 if door == "server" else 6)
    assert f'is damaged: {where} at "operation 1": {reason}' in answer.message
    if door != "cli":
        path = str(sandbox.database)
        table, _, column = where.partition(".")
        assert answer.data["details"] == {"path": path, "table": table, "column": column, "key": "operation 1"}
    assert sandbox.reserve("--tag", "web") == 5001


def test_changes_without_their_operation_are_taken_for_nobody_elses(sandbox: Sandbox) -> None:
    ports = [sandbox.reserve("--tag", f"t{number}") for number in range(4)]
    stores.run(sandbox.database, "DELETE FROM operations WHERE id > 2")

    later = [sandbox.reserve("--tag", f"t{number}") for number in range(4, 6)]
    moved = sandbox.trop("migrate", "--from", ".", "--to", str(sandbox.root / "moved"))
    told = history(sandbox)

    assert (ports, later, moved.returncode) == ([5000, 5001, 5002, 5003], [5004, 5005], 0)
    assert [each["id"] for each in told] == [7, 6, 5, 2, 1]
    assert [[change["tag"] for change in each["changes"]] for each in told[1:]] == [["t5"], ["t4"], ["t1"], ["t0"]]
    assert sandbox.trop("undo", "5").returncode == 6
    assert sandbox.trop("undo", "7", "--force").returncode == 0


def test_a_number_above_all_others_stops_nobody(sandbox: Sandbox) -> None:
    sandbox.reserve()
    stores.run(
        sandbox.database, f"UPDATE operations SET id = {2**63 - 1}", f"UPDATE changes SET operation = {2**63 - 1}"
    )

    ports = [sandbox.reserve("--tag", tag) for tag in ("web", "api")]

    assert ports == [5001, 5002]
    assert sorted(change["tag"] or "" for each in history(sandbox) for change in each["changes"]) == ["", "api", "web"]


@pytest.mark.parametrize("door", DOORS)
def test_a_trigger_that_refuses_what_is_written_is_told_of(sandbox: Sandbox, client: Client, door: DoorName) -> None:
    sandbox.reserve()
    event = "AFTER INSERT ON reservations"
    stores.run(sandbox.database, f"CREATE TRIGGER mine {event} BEGIN SELECT RAISE(ABORT, 'not now'); END")

    answer = ask(sandbox, client, door, "trop.reserve", {"tag": "web"})

    assert answer.code == (-32803 if door == "server" else 6)
    assert "damaged: an unknown trigger refuses the change: not now" in answer.message
    assert ask(sandbox, client, door, "trop.reserve", {}).code == 0
