"""Whose the process is that holds a port, through every door, while real processes in real directories do."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.doors import DOORS, JSON_DOORS, Answer, DoorName, ask
from support.repositories import add_worktree, make_repository
from support.requirements import needs_namespaces, needs_root
from support.sandbox import LOOKING
from support.servers import SECRET, server
from support.sockets import free_port, on_linux
from support.strange import NAME, obeyed
from support.users import USER, as_the_user

from trop_core.catalogue import by_command
from trop_core.errors.spelling import escaped
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.client import Client
    from support.sandbox import Sandbox

PROGRAM = Path(os.path.realpath(sys.executable)).name


class Stage:
    """Two directories with a port each, and one without."""

    def __init__(self, sandbox: Sandbox, client: Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self.port = free_port()
        self.shop, self.other, self.nowhere = (sandbox.directory(name) for name in ("shop", "other", "nowhere"))
        sandbox.make_store()
        self.reserve(self.shop, self.port)
        self.reserve(self.other, 1)

    def reserve(self, path: Path, port: int) -> None:
        self.sandbox.execute(
            "INSERT INTO reservations VALUES (?, '', ?, NULL, NULL, 0, 1700000000)", [(str(path), port)]
        )

    def ask(self, door: DoorName, command: str, **given: object) -> Answer:
        """Ask a door. What it answers fits its schema."""
        known: dict[str, dict[str, object]] = {
            "list": {"includeOccupancy": True},
            "portInfo": {"includeOccupancy": True, "port": self.port},
            "scan": {"min": self.port, "max": self.port},
        }
        answer = ask(self.sandbox, self.client, door, f"trop.{command}", {**known[command], **given}, **LOOKING)
        assert answer.code == 0, answer
        if door != "cli":
            found = by_command(f"trop.{command}")
            assert found is not None
            Draft202012Validator(output_schema(found)).validate(answer.data)
        return answer

    def holders(self, door: DoorName) -> list[dict[str, Any]]:
        """The holder of the port as each command tells it."""
        [listed] = [row["holder"] for row in self.ask(door, "list").data["reservations"] if row["port"] == self.port]
        info = self.ask(door, "portInfo").data
        [scanned] = self.ask(door, "scan").data["sockets"]
        [told] = info["sockets"]
        return [listed, info["holder"], *({name: held[name] for name in listed} for held in (scanned, told))]

    def printed(self) -> str:
        """All that the subcommands print of it."""
        done = [
            self.sandbox.trop(*command, **LOOKING)
            for command in (
                ("list", "--include-occupancy"),
                ("list", "--include-occupancy", "--format", "json"),
                ("list", "--include-occupancy", "--format", "csv"),
                ("port-info", str(self.port), "--include-occupancy"),
                ("scan", "--min", str(self.port), "--max", str(self.port)),
                ("scan", "--min", str(self.port), "--max", str(self.port), "--format", "json"),
            )
        ]
        assert {each.returncode for each in done} == {0}
        return "\n".join(each.stdout + each.stderr for each in done)


@pytest.fixture
def stage(sandbox: Sandbox, start: Callable[..., Client]) -> Stage:
    client = start(**LOOKING)
    client.initialize(str(sandbox.work))
    return Stage(sandbox, client)


@pytest.mark.parametrize("door", JSON_DOORS)
def test_a_process_in_the_directory_of_the_reservation_is_its_own(stage: Stage, door: DoorName) -> None:
    below = stage.shop / "web"
    below.mkdir()

    with server(stage.port, below) as pid:
        holders = stage.holders(door)

    for holder in holders:
        command = holder.pop("command")
        assert command.startswith(os.path.realpath(sys.executable))
        assert command.endswith(f"{stage.port} {SECRET}")
        assert holder.pop("name")
        assert holder == {
            "pid": pid,
            "user": getpass.getuser(),
            "workingDirectory": str(below),
            "relation": "own",
            "directory": str(stage.shop),
        }
    assert len(holders) == 4


@pytest.mark.parametrize("door", JSON_DOORS)
def test_a_process_in_another_directory_that_has_reservations_is_that_ones(stage: Stage, door: DoorName) -> None:
    with server(stage.port, stage.other) as pid:
        holders = stage.holders(door)
        printed = stage.printed()

    told = [(each["pid"], each["relation"], each["directory"], each["command"]) for each in holders]
    assert told == [(pid, "other", str(stage.other), PROGRAM)] * 4
    assert SECRET not in printed
    assert SECRET not in json.dumps(holders)


@pytest.mark.parametrize("kind", ["worktree", "repository"])
@pytest.mark.parametrize("below", ["", "web"], ids=["in its root", "in a directory of it"])
def test_a_process_in_a_worktree_within_that_has_reservations_is_that_ones(stage: Stage, kind: str, below: str) -> None:
    make_repository(stage.shop)
    nested = stage.shop / ".claude/worktrees/x"
    _ = add_worktree(stage.shop, nested) if kind == "worktree" else make_repository(nested)
    reserved, deeper = nested / below, nested / below / "src"
    deeper.mkdir(parents=True)
    stage.reserve(reserved, 2)

    with server(stage.port, deeper) as pid:
        holders = stage.holders("call")
        printed = stage.printed()
    with server(stage.port, stage.nowhere, started_from=deeper):
        by_its_parent = stage.holders("call")

    told = [(each["pid"], each["relation"], each["directory"], each["command"]) for each in holders]
    assert told == [(pid, "other", str(reserved), PROGRAM)] * 4
    assert SECRET not in printed
    assert [(each["relation"], each["directory"]) for each in by_its_parent] == [("other", str(reserved))] * 4


def test_a_process_in_a_directory_below_is_its_own_whatever_that_has_reserved(stage: Stage) -> None:
    make_repository(stage.shop)
    web, package = stage.shop / "web", make_repository(stage.shop / "web/vendor/package")
    stage.reserve(web, 2)
    unreserved = add_worktree(stage.shop, stage.shop / ".claude/worktrees/x")

    for directory in (web, package, unreserved):
        with server(stage.port, directory):
            holders = stage.holders("call")

        told = [(each["relation"], each["directory"]) for each in holders]
        assert told == [("own", str(stage.shop))] * 4, directory


@pytest.mark.parametrize("door", JSON_DOORS)
def test_a_process_that_stands_in_nobodys_directory_counts_by_its_parent(stage: Stage, door: DoorName) -> None:
    with server(stage.port, stage.nowhere, started_from=stage.shop) as pid:
        own = stage.holders(door)
    with server(stage.port, stage.nowhere, started_from=stage.other):
        other = stage.holders(door)

    assert [(each["pid"], each["relation"], each["directory"]) for each in own] == [(pid, "own", str(stage.shop))] * 4
    assert {each["workingDirectory"] for each in (*own, *other)} == {str(stage.nowhere)}
    assert [(each["relation"], each["directory"]) for each in other] == [("other", str(stage.other))] * 4


@pytest.mark.parametrize("door", JSON_DOORS)
def test_the_directory_of_a_process_counts_before_that_of_its_parent(stage: Stage, door: DoorName) -> None:
    with server(stage.port, stage.other, started_from=stage.shop):
        holders = stage.holders(door)

    assert [each["relation"] for each in holders] == ["other"] * 4


@pytest.mark.parametrize("door", JSON_DOORS)
def test_a_process_of_which_nothing_says_whose_it_is_is_unknown(stage: Stage, door: DoorName) -> None:
    with server(stage.port, stage.nowhere, started_from=stage.nowhere):
        holders = stage.holders(door)

    told = [(each["relation"], each["directory"], each["command"]) for each in holders]
    assert told == [("unknown", None, PROGRAM)] * 4


@pytest.mark.parametrize("door", JSON_DOORS)
def test_where_nothing_listens_there_is_no_holder(stage: Stage, door: DoorName) -> None:
    listed = stage.ask(door, "list").data["reservations"]
    info = stage.ask(door, "portInfo").data

    assert [row["holder"] for row in listed] == [None, None]
    assert (info["holder"], info["sockets"]) == (None, [])
    assert stage.ask(door, "scan").data["sockets"] == []


def test_people_are_told_in_lines_and_columns(stage: Stage) -> None:
    with server(stage.port, stage.shop) as pid:
        own = stage.ask("cli", "portInfo").stdout.splitlines()
        rows = [line.split("\t") for line in stage.ask("cli", "list").stdout.splitlines()]
        scan = stage.ask("cli", "scan").stdout.splitlines()[1].split("\t")
    with server(stage.port, stage.other):
        other = stage.ask("cli", "portInfo").stdout.splitlines()
        listed = json.loads(stage.sandbox.trop("list", "--include-occupancy", "--format", "json", **LOOKING).stdout)
        others_row = stage.ask("cli", "list").stdout
    with server(stage.port, stage.nowhere):
        unknown = stage.ask("cli", "portInfo").stdout.splitlines()

    assert own[-3].startswith("    command:     /")
    assert own[-3].endswith(SECRET)
    assert own[-2:] == [f"    runs in:     {stage.shop}", f"    belongs to:  {stage.shop}, as the port does"]
    assert rows[0][-2:] == ["OCCUPIED", "HOLDER"]
    [row] = [row for row in rows if row[0] == str(stage.port)]
    assert row[-2] == "yes"
    assert row[-1].endswith(f"({pid}), own")
    assert scan[-2:] == [str(stage.shop), "own"]
    assert other[-3:] == [
        f"    command:     {PROGRAM}",
        f"    runs in:     {stage.other}",
        f"    belongs to:  {stage.other}, which has other reservations",
    ]
    [holder] = [each["holder"] for each in listed if each["port"] == stage.port]
    assert (holder["working_directory"], holder["relation"]) == (str(stage.other), "other")
    assert f"), other: {stage.other}\n" in others_row
    assert unknown[-1] == "    belongs to:  no directory with reservations that is known of"


@on_linux
def test_nothing_that_a_process_says_of_itself_is_obeyed(stage: Stage) -> None:
    hostile = stage.shop / NAME
    hostile.mkdir()
    # PR_SET_NAME of linux/prctl.h
    rename = 'import ctypes; ctypes.CDLL(None).prctl(15, b"\\x1b[31m\\xff\\n)", 0, 0, 0)\n'

    with server(stage.port, hostile, before=rename, named=f"python3{NAME}"):
        printed = stage.printed()
        holders = stage.holders("call")
    with server(stage.port, hostile, before=rename):
        stage.sandbox.execute("UPDATE reservations SET path = ? WHERE port = 1", [(str(hostile),)])
        stage.sandbox.execute("UPDATE reservations SET path = '/elsewhere' WHERE port = ?", [(stage.port,)])
        printed += stage.printed()

    assert set(obeyed(printed)) <= {"\n", "\t"}
    assert {each["workingDirectory"] for each in holders} == {escaped(str(hostile))}
    assert {each["name"] for each in holders} == {"\\x1b[31m\\udcff\\n)"}


@on_linux
def test_a_name_that_the_system_has_cut_is_not_completed_with_arguments(stage: Stage) -> None:
    """As programs do it that write a title of their own over their command line."""
    rename = 'import ctypes; ctypes.CDLL(None).prctl(15, b"fifteen-letters", 0, 0, 0)\n'

    with server(stage.port, stage.other, before=rename, named=f"fifteen-letters-and {SECRET}"):
        printed = stage.printed()

    assert "fifteen-letters" in printed
    assert SECRET not in printed


@on_linux
def test_a_directory_that_only_has_the_same_name_in_a_container_is_unknown(stage: Stage) -> None:
    needs_namespaces()
    inside = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$PWD" && cd "$PWD" && exec "$0" "$@"')

    with server(stage.port, stage.shop, through=inside):
        holders = stage.holders("call")

    assert [(each["relation"], each["workingDirectory"]) for each in holders] == [("unknown", None)] * 4


@on_linux
def test_a_directory_that_was_removed_keeps_its_name_until_there_is_another_one(stage: Stage) -> None:
    with server(stage.port, stage.shop):
        stage.shop.rmdir()
        removed = stage.holders("call")
        stage.shop.mkdir()
        another = stage.holders("call")

    assert [(each["relation"], each["workingDirectory"]) for each in removed] == [("own", str(stage.shop))] * 4
    assert [(each["relation"], each["workingDirectory"]) for each in another] == [("unknown", None)] * 4


@contextmanager
def _open_to_all(sandbox: Sandbox) -> Iterator[None]:
    sandbox.data.chmod(0o777)
    for file in sandbox.data.iterdir():
        file.chmod(0o666)
    opened = [place for place in (sandbox.work, *sandbox.work.parents) if place.stat().st_mode & 0o5 != 0o5]
    modes = [place.stat().st_mode for place in opened]
    for place in opened:
        place.chmod(0o755)
    try:
        yield
    finally:
        for place, mode in zip(opened, modes, strict=True):
            place.chmod(mode & 0o7777)


@on_linux
def test_what_the_system_hides_of_another_users_process_is_null(stage: Stage) -> None:
    needs_root()

    with server(stage.port, stage.shop), _open_to_all(stage.sandbox):
        info = as_the_user(stage.sandbox, "call", "portInfo", _info(stage.port), **LOOKING)
        listed = as_the_user(stage.sandbox, "call", "list", '{"includeOccupancy": true}', **LOOKING)
        scan = as_the_user(stage.sandbox, "scan", "--min", str(stage.port), "--max", str(stage.port), **LOOKING)

    assert (info.returncode, listed.returncode, scan.returncode) == (0, 0, 0), info.stderr + listed.stderr + scan.stderr
    told = json.loads(info.stdout)
    assert (told["occupied"], told["holder"]) == (True, None)
    [held] = told["sockets"]
    hidden = ("pid", "name", "user", "command", "workingDirectory", "directory")
    assert ([held[name] for name in hidden], held["relation"]) == ([None] * 6, "unknown")
    [row] = [row for row in json.loads(listed.stdout)["reservations"] if row["port"] == stage.port]
    assert (row["occupied"], row["holder"]) == (True, None)
    assert scan.stdout.splitlines()[1].split("\t")[-6:] == ["-", "-", "-", "yes", "-", "unknown"]


@on_linux
def test_root_is_told_whose_another_users_process_is(stage: Stage) -> None:
    needs_root()

    with server(stage.port, stage.shop, before=f"import os, socket; os.setuid({USER})\n"):
        holders = stage.holders("call")

    assert [(each["user"], each["relation"]) for each in holders] == [(pwd.getpwuid(USER).pw_name, "own")] * 4


@pytest.mark.parametrize("door", DOORS)
def test_where_nobody_is_to_look_nobody_asks_who(stage: Stage, door: DoorName) -> None:
    with server(stage.port, stage.shop):
        answer = stage.ask(door, "portInfo", skipOccupancyCheck=True)

    if door == "cli":
        assert "command" not in answer.stdout
    else:
        assert (answer.data["occupied"], answer.data["holder"], answer.data["sockets"]) == (None, None, None)


def _info(port: int) -> str:
    return json.dumps({"port": port, "includeOccupancy": True})
