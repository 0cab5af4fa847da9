"""``exclude``, ``compact-exclusions`` and ``scan --autoexclude`` through the real programs."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest
from support.doors import DRY, DoorName
from support.exclusions import TABLE, Case
from support.refusals import Refused, check_refusal
from support.sandbox import LOOKING, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bench import Bench
    from support.client import Client
    from support.sandbox import Sandbox


@pytest.mark.parametrize(
    ("case", "door"),
    [
        pytest.param(case, door, id=f"{case.command.removeprefix('trop.')}-{case.id}-{door}")
        for case in TABLE
        for door in case.doors
    ],
)
def test_a_row_of_the_table(bench: Bench, case: Case, door: DoorName) -> None:
    bench.furnish(stored=case.stored, files=case.files, links=case.links)
    given = bench.filled_in(case.given)
    before, rows = bench.found(), bench.rows()

    rehearsed = bench.ask(door, case.command, {**given, "dryRun": True})
    unchanged = bench.found()
    real = bench.ask(door, case.command, given)

    assert unchanged == before
    assert bench.rows() == rows
    if isinstance(case.expected, Refused):
        assert rehearsed == real
        assert bench.found() == before
        check_refusal(case.expected, real, door, bench.filled_in)
        return
    assert bench.found() == {**before, **bench.filled_in(case.expected.files)}
    assert {name for name in case.links if not (bench.work / name).is_symlink()} == set()
    if door == "cli":
        assert (real.code, real.stdout, list(real.told)) == (0, "", bench.filled_in(list(case.expected.told)))
        assert list(rehearsed.told) == bench.filled_in(case.expected.told_dry)
    else:
        expected = bench.filled_in(dict(case.expected.result))
        assert {name: real.data[name] for name in expected} == expected
        assert rehearsed.data == {**real.data, "dryRun": True}


def test_a_conflict_lists_every_reservation(bench: Bench) -> None:
    case = next(case for case in TABLE if case.id == "reserved-ports-of-a-range")
    bench.furnish(stored=case.stored, files=case.files, links=case.links)

    answer = bench.ask("server", case.command, case.given)

    assert [row["port"] for row in answer.data["details"]["conflicts"]] == [5000, 5003, 5010]
    assert "exclude the ports all the same with force" in answer.data["hint"]


def test_what_is_excluded_is_given_to_nobody(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").touch()

    sandbox.trop("exclude", "5000..5002")
    sandbox.trop("exclude", "5003", "--global")

    assert sandbox.reserve() == 5004
    assert sandbox.trop("reserve", "--tag", "web", "--port", "5001").stdout == "5005\n"


def test_quietly_nothing_is_told(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("excluded_ports: [2, 1]\n")

    for arguments in (["exclude", "6000"], ["exclude", "6000"], ["compact-exclusions", "trop.yaml"]):
        done = sandbox.trop(*arguments, "--quiet")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_new_global_file_and_its_directory_are_for_this_user_alone(sandbox: Sandbox) -> None:
    done = sandbox.trop("exclude", "6000", "--global")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(sandbox.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((sandbox.data / "config.yaml").stat().st_mode) == 0o600
    assert [path.name for path in sandbox.data.iterdir()] == ["config.yaml"]


def test_a_dry_run_makes_no_directory(sandbox: Sandbox) -> None:
    done = sandbox.trop("exclude", "6000", "--global", "--dry-run")

    assert done.stderr.splitlines() == ["  exclude: 6000", DRY]
    assert not sandbox.data.exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600, 0o777])
def test_a_file_keeps_its_mode(sandbox: Sandbox, mode: int) -> None:
    file = sandbox.work / "trop.yaml"
    file.touch()
    file.chmod(mode)

    sandbox.trop("exclude", "6000")

    assert file.read_text() == "excluded_ports: [6000]\n"
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_keeps_its_owner(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.touch()
    os.chown(file, 65534, 65533)

    sandbox.trop("exclude", "6000")

    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65533)


def test_a_file_that_nobody_may_write_is_not_replaced(sandbox: Sandbox) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("project: a\n")
    file.chmod(0o444)

    real, rehearsed = sandbox.trop("exclude", "6000"), sandbox.trop("exclude", "6000", "--dry-run")

    assert error_lines(real)[0] == f'cannot write "{file}": Permission denied'
    assert (real.returncode, real.stderr) == (5, rehearsed.stderr)
    assert file.read_text() == "project: a\n"


def test_no_store_is_made_by_the_way(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").touch()

    disabled = sandbox.trop("exclude", "6000", "--disable-autoinit")
    done = sandbox.trop("exclude", "6000")

    assert disabled.returncode == 3
    assert done.returncode == 0
    assert not sandbox.data.exists()


def test_the_variable_that_names_a_directory_names_its_project(sandbox: Sandbox) -> None:
    inside, outside = sandbox.directory("inside"), sandbox.root / "outside"
    outside.mkdir()
    for directory in (inside, outside):
        (directory / "trop.yaml").touch()

    done = sandbox.trop("exclude", "6000", TROP_PATH=str(inside))
    refused = sandbox.trop("exclude", "6000", TROP_PATH=str(outside))
    forced = sandbox.trop("exclude", "6001", "--force", TROP_PATH=str(outside))

    assert (done.returncode, refused.returncode, forced.returncode) == (0, 1, 0)
    assert (inside / "trop.yaml").read_text() == "excluded_ports: [6000]\n"
    assert (outside / "trop.yaml").read_text() == "excluded_ports: [6001]\n"


# scan


@pytest.fixture
def held() -> Iterator[list[int]]:
    """Three neighbouring ports below the ones that the system gives to clients, on which something listens."""
    with _neighbours() as ports:
        yield ports


class _neighbours:  # noqa: N801 - a context manager
    def __enter__(self) -> list[int]:
        for first in range(20_000 + os.getpid() % 1000 * 10, 32_000, 10):
            self._sockets: list[socket.socket] = []
            try:
                for port in range(first, first + 3):
                    self._sockets.append(socket.create_server(("127.0.0.1", port)))
            except OSError:
                self.__exit__()
                continue
            return list(range(first, first + 3))
        raise AssertionError("no three neighbouring ports are free")

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()


def scan(sandbox: Sandbox, ports: list[int], *arguments: str) -> Any:
    bounds = ["--min", str(ports[0]), "--max", str(ports[-1])]
    done = sandbox.trop("scan", *bounds, *arguments, **LOOKING)
    assert done.returncode == 0, done.stderr
    return done


def test_a_scan_excludes_what_is_occupied_and_neither_reserved_nor_excluded(sandbox: Sandbox, held: list[int]) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("excluded_ports: [2, 1] # c\n")
    sandbox.reserve("--port", str(held[1]))

    rehearsed = scan(sandbox, held, "--autoexclude", "--dry-run")
    unchanged = file.read_text()
    done = scan(sandbox, held, "--autoexclude")
    again = scan(sandbox, held, "--autoexclude")

    told = [f"  exclude: {held[0]}", f"  exclude: {held[2]}"]
    assert unchanged == "excluded_ports: [2, 1] # c\n"
    assert rehearsed.stderr.splitlines() == [*told, DRY]
    assert done.stderr.splitlines() == [*told, f"Changed {file}."]
    assert again.stderr.splitlines() == [f"Nothing to do: {file} stays as it is."]
    assert file.read_text() == f"excluded_ports: [1..2, {held[0]}, {held[2]}] # c\n"


def test_a_scan_adds_nothing_that_another_layer_excludes(sandbox: Sandbox, held: list[int]) -> None:
    (sandbox.work / "trop.yaml").touch()
    sandbox.data.mkdir()
    (sandbox.data / "config.yaml").write_text(f"excluded_ports: [{held[0]}]\n")

    scan(sandbox, held, "--autoexclude")

    assert (sandbox.work / "trop.yaml").read_text() == f"excluded_ports: [{held[1]}..{held[2]}]\n"
    assert (sandbox.data / "config.yaml").read_text() == f"excluded_ports: [{held[0]}]\n"


@pytest.mark.parametrize("autoexclude", [False, True])
def test_a_scan_compacts_the_same_file(sandbox: Sandbox, held: list[int], autoexclude: bool) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text("excluded_ports: [50000, 2, 1]\n")

    scan(sandbox, held, "--autocompact", *(["--autoexclude"] if autoexclude else []))

    found = f"{held[0]}..{held[2]}, " if autoexclude else ""
    assert file.read_text() == f"excluded_ports: [1..2, {found}50000]\n"


def test_a_scan_alone_changes_nothing(sandbox: Sandbox, held: list[int]) -> None:
    (sandbox.work / "trop.yaml").write_text("excluded_ports: [2, 1]\n")

    scan(sandbox, held)

    assert (sandbox.work / "trop.yaml").read_text() == "excluded_ports: [2, 1]\n"


def test_a_scan_needs_a_project_file_for_the_exclusions(sandbox: Sandbox) -> None:
    done = sandbox.trop("scan", "--autoexclude")

    assert done.returncode == 6
    assert error_lines(done)[0].startswith("there is no trop.yaml or trop.local.yaml in ")


def test_a_server_s_scan_tells_what_it_added(sandbox: Sandbox, start: Callable[..., Client], held: list[int]) -> None:
    file = sandbox.work / "trop.yaml"
    file.touch()
    client = start(**LOOKING)
    client.initialize(str(sandbox.work))

    result = client.call("trop.scan", {"min": held[0], "max": held[-1], "autoexclude": True})

    found = {"file": str(file), "added": [f"{held[0]}..{held[2]}"], "changed": True, "dryRun": False}
    assert {name: result[name] for name in found} == found
    assert {each["port"] for each in result["sockets"]} == set(held)


def test_the_catalogue_says_that_these_change_something(sandbox: Sandbox) -> None:
    commands = as_json(sandbox.trop("call", "trop.listCommands"))["commands"]

    flags = {each["command"]: (each["readOnly"], each["destructive"], each["idempotent"]) for each in commands}
    for name in ("trop.exclude", "trop.compactExclusions", "trop.scan"):
        assert flags[name] == (False, False, True)
