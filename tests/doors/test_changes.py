"""``migrate``, ``release``, ``list-projects`` and ``init`` through the real programs: the same table for each door."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support import stores
from support.changes.table import TABLE
from support.doors import DOORS, DRY, Answer, DoorName, as_flags
from support.messages import ServerError
from support.refusals import Refused, check_refusal
from support.rows import fill, row, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench
    from support.changes.case import Case, Done
    from support.client import Client
    from support.sandbox import Sandbox


@pytest.mark.parametrize(
    ("case", "door"),
    [
        pytest.param(case, door, id=f"{case.command.removeprefix('trop.')}-{case.id}-{door}")
        for case in TABLE
        for door in DOORS
        if door in case.doors
    ],
)
def test_a_row_of_the_table(bench: Bench, case: Case, door: DoorName) -> None:
    bench.furnish(stored=case.stored, directories=case.directories, links=case.links)
    given = bench.filled_in(case.given)
    before = bench.rows()
    changes = case.command != "trop.listProjects"

    rehearsed = bench.ask(door, case.command, {**given, "dryRun": True}) if changes else None
    unchanged = bench.rows()
    real = bench.ask(door, case.command, given)

    assert unchanged == before
    if isinstance(case.expected, Refused):
        check_refusal(case.expected, real, door, bench.filled_in)
        assert rehearsed in (None, real)
        assert bench.rows() == before
    else:
        _check_success(bench.filled_in, case.expected, real, door, dry_run=False)
        if rehearsed is not None:
            _check_success(bench.filled_in, case.expected, rehearsed, door, dry_run=True)
            if door != "cli":
                assert rehearsed.data.pop("plan", None) is not None or case.command == "trop.init"
                assert rehearsed.data == {**real.data, "dryRun": True}
        expected_rows = case.expected.after
        assert bench.rows() == (before if expected_rows is None else sorted(bench.filled_in(list(expected_rows))))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in TABLE if "cli" in case.doors])
def test_quietly_only_the_answer_and_errors_are_told(bench: Bench, case: Case) -> None:
    bench.furnish(stored=case.stored, directories=case.directories, links=case.links)

    done = bench.ask("cli", case.command, bench.filled_in(case.given), "--quiet")

    if isinstance(case.expected, Refused):
        assert [line.partition(":")[0] for line in done.told] == ["error", "hint"]
        assert (done.code, done.stdout) == (case.expected.code, "")
    else:
        assert (done.code, done.told) == (0, ())
        assert done.stdout == bench.filled_in(case.expected.prints_quietly)


def _check_success(
    filled_in: Callable[[Any], Any], expected: Done, answer: Answer, door: DoorName, *, dry_run: bool
) -> None:
    assert answer.code == 0, answer
    told = expected.told_dry if dry_run and expected.told_dry is not None else expected.told
    if door == "cli":
        assert list(answer.told) == filled_in(list(told))
        assert answer.stdout == filled_in(expected.prints)
    else:
        result = filled_in(dict(expected.result))
        assert {name: answer.data[name] for name in result} == result
    if door == "call":
        assert list(answer.told) == [line for line in filled_in(list(told)) if line.startswith("warning: ")]


def test_the_subcommand_needs_both_paths(sandbox: Sandbox) -> None:
    for arguments in (["--from", "/a"], ["--to", "/a"], []):
        done = sandbox.trop("migrate", *arguments)

        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith("error: ")


def test_many_rows_are_listed_in_part_and_counted_in_full(sandbox: Sandbox, client: Client) -> None:
    """Thousands of lines help nobody; JSON says that it was cut."""
    rows = [row(f"/a/{number:04}", 1 + number) for number in range(1_500)]
    in_the_way = [row(f"/b/{number:04}", 3_001 + number) for number in range(1_200)]
    fill(sandbox.data, [*rows, *in_the_way])
    argument = {"from": "/a", "to": "/b", "recursive": True}

    conflict = client.refused("trop.migrate", argument)
    told_conflict = sandbox.trop("migrate", *as_flags(argument))
    planned = client.call("trop.migrate", {**argument, "force": True, "dryRun": True})
    told = sandbox.trop("migrate", *as_flags({**argument, "force": True}))
    gone = client.call("trop.release", {"path": "/b", "recursive": True, "force": True})

    assert (len(conflict.data["details"]["conflicts"]), conflict.data["details"]["truncated"]) == (1000, True)
    assert conflict.message.startswith("1200 reservations stand where others would move to: /b/0000, ")
    assert told_conflict.stderr.splitlines()[1000] == "  … and 200 more in the way"
    assert (len(planned["migrated"]), planned["migratedCount"], planned["truncated"]) == (1000, 1500, True)
    assert (len(planned["overwritten"]), planned["overwrittenCount"]) == (1000, 1200)
    lines = told.stderr.splitlines()
    assert lines[1001] == "  … and 500 more"
    assert lines[-2:] == [
        "  … and 200 more in the way",
        "Migration complete: 1,500 reservations moved, 1,200 reservations overwritten.",
    ]
    assert (len(gone["released"]), gone["releasedCount"], gone["truncated"]) == (1000, 1500, True)


def test_with_several_folders_open_relative_paths_mean_nothing_and_absolute_ones_do(
    sandbox: Sandbox, client: Client
) -> None:
    other = sandbox.root / "other"
    other.mkdir()
    fill(sandbox.data, [row(f"{sandbox.work}/a", 5000), row(f"{other}/b", 5001)])
    folders = [str(sandbox.work), str(other)]
    client.change_folders(added=[other])

    relative = client.refused("trop.migrate", {"from": "a", "to": "/b"})
    nowhere = client.refused("trop.release")
    in_each = [client.call("trop.release", {"path": path}) for path in (f"{sandbox.work}/a", f"{other}/b")]

    assert (relative.data["kind"], relative.data["details"]) == ("ambiguous_folder", {"folders": folders})
    assert (nowhere.data["kind"], nowhere.data["details"]) == ("ambiguous_folder", {"folders": folders})
    assert [result["releasedCount"] for result in in_each] == [1, 1]


@pytest.mark.parametrize("cwd", ["/", "home"])
def test_a_server_without_a_folder_releases_nothing_by_accident(
    start: Callable[..., Client], sandbox: Sandbox, cwd: str
) -> None:
    cwd = str(sandbox.home) if cwd == "home" else cwd
    fill(sandbox.data, [row(cwd, 5000), row("/a", 5001)])
    client = start(cwd=cwd)
    client.initialize()

    without = client.refused("trop.release", {"recursive": True})
    unrelated = client.refused("trop.release", {"path": "/a"})
    moved = client.call("trop.migrate", {"from": "/a", "to": "/b"})

    assert (without.data["kind"], without.data["details"]["field"]) == ("invalid_argument", "folder")
    assert (unrelated.data["kind"], unrelated.data["details"]["anchors"]) == ("unrelated_path", [])
    assert moved["migratedCount"] == 1


@pytest.mark.parametrize("given", [{}, {"TROP_ALLOW_UNRELATED_PATH": "yes"}], ids=["refused", "allowed"])
def test_the_variables_of_the_shell_name_the_directory_and_give_the_permission(
    sandbox: Sandbox, given: dict[str, Any]
) -> None:
    fill(sandbox.data, [row("/elsewhere", 5000)])

    done = sandbox.trop("release", TROP_PATH="/elsewhere", **given)

    assert done.returncode == (0 if given else 1)
    assert len(sandbox.rows()) == (0 if given else 1)


@pytest.mark.parametrize("name", ["migrate", "release", "list-projects"])
def test_a_store_that_may_not_be_created_is_not(sandbox: Sandbox, name: str) -> None:
    flags = ["--from", "/a", "--to", "/b"] if name == "migrate" else []

    done = sandbox.trop(name, *flags, "--disable-autoinit")

    assert done.returncode == 3, done.stderr
    assert not sandbox.data.exists()


# init


class InitCase(NamedTuple):
    """What is there, what is asked for, and which actions it takes: kinds, and names below the data directory."""

    id: str
    state: str
    given: dict[str, object]
    actions: list[tuple[str, str]]
    told: list[str]
    paths: list[str]


DEEDS = {
    "createDirectory": "create the directory",
    "createDatabase": "create the store",
    "upgradeSchema": "bring the store to the latest schema",
    "backup": "back the store up",
    "rebuildDatabase": "empty the store",
    "moveAside": "move aside what is no store",
    "createConfig": "write the configuration",
    "replaceConfig": "replace the configuration",
}
"""Word for word what a person reads."""

_ALL: dict[str, object] = {"withConfig": True, "overwrite": True}
_REBUILT = [("backup", "trop.db.bak"), ("rebuildDatabase", "trop.db")]


def _init(name: str, state: str, given: dict[str, object], actions: list[tuple[str, str]], *paths: str) -> InitCase:
    return InitCase(name, state, given, actions, [DEEDS[kind] for kind, _ in actions], list(paths))


INIT = (
    _init("from-nothing", "missing", {}, [("createDirectory", ""), ("createDatabase", "trop.db")]),
    _init(
        "from-nothing-with-everything",
        "missing",
        _ALL,
        [("createDirectory", ""), ("createDatabase", "trop.db"), ("createConfig", "config.yaml")],
    ),
    _init("in-an-empty-directory", "empty", {}, [("createDatabase", "trop.db")]),
    _init("an-empty-file", "empty file", {}, [("createDatabase", "trop.db")]),
    _init("a-second-time", "current", {}, [], "/a"),
    _init("a-second-time-with-its-configuration", "current and config", {"withConfig": True}, [], "/a"),
    _init("a-configuration-for-a-store", "current", {"withConfig": True}, [("createConfig", "config.yaml")], "/a"),
    _init("an-old-store", "version 1", {}, [("backup", "trop.db.v1.bak"), ("upgradeSchema", "trop.db")], "/a"),
    _init("an-old-store-without-rows", "version 1 without rows", {}, [("upgradeSchema", "trop.db")]),
    _init("anew", "current", {"overwrite": True}, _REBUILT),
    _init("anew-from-an-old-store", "version 1", {"overwrite": True}, _REBUILT),
    _init("anew-but-for-the-configuration", "current and config", {"overwrite": True}, _REBUILT),
    _init("anew-with-the-configuration", "current and config", _ALL, [*_REBUILT, ("replaceConfig", "config.yaml")]),
    _init(
        "anew-where-the-backup-has-a-forerunner",
        "current and backup",
        {"overwrite": True},
        [("backup", "trop.db.bak.1"), ("rebuildDatabase", "trop.db")],
    ),
    _init(
        "anew-where-there-is-no-database",
        "no database",
        {"overwrite": True},
        [("moveAside", "trop.db.damaged"), ("createDatabase", "trop.db")],
    ),
)


def _make_state(directory: Path, state: str) -> None:
    if state == "missing":
        return
    directory.mkdir(parents=True)
    path = directory / "trop.db"
    if state == "empty file":
        path.touch(0o600)
    elif state.startswith("current"):
        fill(directory, [row("/a", 5000)])
    elif state == "version 1":
        stores.make_v1(path, [("/a", None, 5000, None, None, 1, 2)])
    elif state == "version 1 without rows":
        stores.make_v1(path)
    elif state == "no database":
        path.write_bytes(b"never a database " * 300)
    if state == "current and config":
        (directory / "config.yaml").write_text("disable_autoprune: true\n")
    if state == "current and backup":
        (directory / "trop.db.bak").write_bytes(b"precious")


@pytest.mark.parametrize(
    ("case", "door"), [pytest.param(case, door, id=f"{case.id}-{door}") for case in INIT for door in DOORS]
)
def test_init(bench: Bench, case: InitCase, door: DoorName) -> None:
    directory = bench.work / "above" / "data"
    _make_state(directory, case.state)
    before = stores.snapshot(directory) if directory.exists() else None
    actions = [{"kind": kind, "path": str(directory / name)} for kind, name in case.actions]
    told = [f"  {deed}: {directory / name}" for deed, (_, name) in zip(case.told, case.actions, strict=True)]
    if case.state == "current and config" and case.given.get("withConfig") and not case.given.get("overwrite"):
        told.append(f"  {directory / 'config.yaml'} is there already, and stays as it is")
    nothing = f"Nothing to do: {directory / 'trop.db'} is up to date."

    rehearsed, said_dry = _run_init(bench, door, directory, {**case.given, "dryRun": True})
    unchanged = stores.snapshot(directory) if directory.exists() else None
    real, said = _run_init(bench, door, directory, case.given)

    assert unchanged == before
    if door == "cli":
        assert said_dry == [*told, DRY if actions else nothing]
        assert said == (told if actions else [*told, nothing])
    else:
        expected = {
            "dataDir": str(directory),
            "databasePath": str(directory / "trop.db"),
            "schemaVersion": 2,
            "actions": actions,
            "dryRun": False,
            "warnings": [],
        }
        assert {name: real[name] for name in expected} == expected
        assert (rehearsed.pop("plan", None) is not None) == bool(case.given.get("overwrite"))
        assert rehearsed == {**real, "dryRun": True}
    assert [stored[0] for stored in rows_of(directory)] == case.paths
    assert {stat.S_IMODE(os.stat(directory / name).st_mode) for kind, name in case.actions if name} <= {0o600, 0o644}
    assert stores.integrity_of(directory / "trop.db") == "ok"


def _run_init(bench: Bench, door: DoorName, directory: Path, given: dict[str, object]) -> tuple[Any, list[str]]:
    if door == "server":
        return bench.client.call("trop.init", {**given, "dataDir": directory.as_uri()}), []
    if door == "call":
        done = bench.sandbox.trop("call", "trop.init", json.dumps({**given, "dataDir": str(directory)}))
    else:
        done = bench.sandbox.trop("init", "--data-dir", "above/data", *as_flags(given), cwd=bench.work)
    assert done.returncode == 0, done.stderr
    assert door == "call" or done.stdout == ""
    return json.loads(done.stdout or "null"), done.stderr.splitlines()


@pytest.mark.parametrize("arguments", [("--disable-autoinit", "init"), ("init", "--disable-autoinit")])
def test_init_refuses_the_option_that_contradicts_it(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    done = sandbox.trop(*arguments)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "error: --disable-autoinit cannot be used here: trop init creates the store: that is what it is for\n"
        "hint: Leave --disable-autoinit away.\n"
    )
    assert not sandbox.data.exists()


@pytest.mark.parametrize("value", ["1", "perhaps"])
@pytest.mark.parametrize("door", DOORS)
def test_init_ignores_the_variable_whatever_it_says(
    sandbox: Sandbox, start: Callable[..., Client], door: DoorName, value: str
) -> None:
    if door == "server":
        client = start(TROP_DISABLE_AUTOINIT=value)
        client.initialize(str(sandbox.work))
        client.call("trop.init")
    else:
        arguments = ["init"] if door == "cli" else ["call", "trop.init"]
        done = sandbox.trop(*arguments, TROP_DISABLE_AUTOINIT=value)
        assert done.returncode == 0, done.stderr

    assert rows_of(sandbox.data) == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_init_touches_nothing_if_the_configuration_cannot_be_written(sandbox: Sandbox, dry_run: bool) -> None:
    fill(sandbox.data, [row("/a", 5000)])
    (sandbox.data / "config.yaml").mkdir()
    before = stores.snapshot(sandbox.data)

    done = sandbox.trop("init", "--with-config", "--overwrite", *(["--dry-run"] if dry_run else []))

    assert done.returncode == 5, done.stderr
    assert 'config.yaml": it is a directory' in done.stderr
    assert stores.snapshot(sandbox.data) == before


def test_a_server_whose_store_was_emptied_by_another_goes_on_in_the_new_one(sandbox: Sandbox, client: Client) -> None:
    client.call("trop.reserve", {"tag": "before"})

    done = sandbox.trop("init", "--overwrite")
    client.call("trop.reserve", {"tag": "after"})

    assert done.returncode == 0
    assert [stored[1] for stored in sandbox.rows()] == ["after"]
    with closing(sqlite3.connect(sandbox.data / "trop.db.bak")) as backup:
        assert backup.execute("SELECT tag FROM reservations").fetchall() == [("before",)]


def test_a_server_empties_its_own_store_while_it_reads_it(client: Client, sandbox: Sandbox) -> None:
    client.call("trop.reserve")
    client.call("trop.list")

    client.call("trop.init", {"overwrite": True})
    emptied = client.call("trop.list")["reservations"]
    client.call("trop.reserve")

    assert emptied == []
    assert len(sandbox.rows()) == 1


def test_an_error_of_init_comes_with_its_kind(client: Client, sandbox: Sandbox) -> None:
    (sandbox.root / "file").write_text("in the way")

    for dry_run in (True, False):
        with pytest.raises(ServerError) as refused:
            client.call("trop.init", {"dataDir": str(sandbox.root / "file" / "data"), "dryRun": dry_run})

        assert refused.value.data["kind"] == "io_error"
