"""``prune``, ``expire`` and ``autoclean`` through the real programs: the same table for each door."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.bench import GLOBAL, Bench
from support.cleanup import REFUSED, TABLE, Case, RefusedCase, used
from support.doors import DOORS, DRY, DoorName
from support.processes import child
from support.rows import Row, fill, listed, row, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.client import Client
    from support.doors import Answer
    from support.sandbox import Sandbox

CLEANUPS = ("prune", "expire", "autoclean")


@pytest.mark.parametrize(
    ("case", "door"),
    [
        pytest.param(case, door, id=f"{case.command.removeprefix('trop.')}-{case.id}-{door}")
        for case in TABLE
        for door in DOORS
    ],
)
def test_a_row_of_the_table(bench: Bench, case: Case, door: DoorName) -> None:
    files = {GLOBAL: case.config, **dict.fromkeys(case.files, "")}
    rows = bench.furnish(stored=case.stored, directories=case.directories, files=files, links=case.links)
    going = [(rows[place], reason) for place, reason in case.goes.items()]

    rehearsed = bench.ask(door, case.command, {**case.given, "dryRun": True})
    unchanged = bench.rows()
    real = bench.ask(door, case.command, case.given)

    assert unchanged == sorted(rows)
    assert bench.rows() == sorted(set(rows) - {gone for gone, _ in going})
    for answer, dry_run in ((rehearsed, True), (real, False)):
        _check(answer, going, bench.filled_in(list(case.warns)), door, dry_run=dry_run)


def _check(answer: Answer, going: list[tuple[Row, str]], warnings: list[str], door: DoorName, *, dry_run: bool) -> None:
    assert answer.code == 0, answer
    going = sorted(going)
    told = [f"warning: {warning}" for warning in warnings]
    if door == "cli":
        count = f"{len(going)} reservation{'' if len(going) == 1 else 's'}"
        end = "Nothing to remove." if not going else DRY if dry_run else f"Removed {count}."
        assert list(answer.told) == [*told, *(_line(gone, reason) for gone, reason in going), end]
        assert answer.stdout == ""
        return
    assert (answer.data.pop("plan", None) is not None) == dry_run
    assert answer.data == {
        "removed": [{"reservation": listed(gone), "reason": reason} for gone, reason in going],
        "removedCount": len(going),
        "keptCount": 0,
        "truncated": False,
        "dryRun": dry_run,
        "warnings": warnings,
    }
    if door == "call":
        assert list(answer.told) == told


def _line(gone: Row, reason: str) -> str:
    path, tag, port, *_, last_used_at = gone
    named = path + (f" (tag {tag})" if tag else "")
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(last_used_at))
    why = "the directory is missing" if reason == "missing" else f"expired, last used {since} UTC"
    return f"  {named}: port {port}, {why}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in REFUSED])
def test_days_have_to_be_one_or_more(bench: Bench, case: RefusedCase) -> None:
    rows = bench.furnish(stored=[used("{work}/gone", 5000, days=4000)])

    typed = bench.sandbox.trop(case.command.removeprefix("trop."), *case.flags, cwd=bench.work)
    called = bench.ask("call", case.command, case.given)
    served = bench.ask("server", case.command, case.given)

    assert (typed.returncode, typed.stdout) == (4, "")
    assert typed.stderr.startswith(f"error: --days: {case.says}\nhint: ")
    assert (called.code, called.data["kind"]) == (4, "invalid_argument")
    assert served.code == -32602
    assert served.message == f"days: {case.says}"
    assert bench.rows() == rows


@pytest.mark.parametrize("name", CLEANUPS)
def test_quietly_nothing_but_the_count_is_told(sandbox: Sandbox, name: str) -> None:
    fill(sandbox.data, [used("/no/such/directory", 5000, days=4000)])

    done = sandbox.trop(name, "--quiet")

    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert rows_of(sandbox.data) == []


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_missing_store_is_an_empty_one_and_a_dry_run_creates_none(sandbox: Sandbox, name: str) -> None:
    rehearsed = sandbox.trop(name, "--dry-run")
    refused = sandbox.trop(name, "--disable-autoinit")
    created = sandbox.data.exists()
    real = sandbox.trop(name)

    assert (rehearsed.returncode, rehearsed.stderr) == (0, "Nothing to remove.\n")
    assert refused.returncode == 3
    assert not created
    assert (real.returncode, real.stderr) == (0, "Nothing to remove.\n")


@pytest.mark.parametrize("name", CLEANUPS)
def test_what_is_stored_does_not_command_the_terminal(sandbox: Sandbox, name: str) -> None:
    fill(sandbox.data, [used("/gone/\x1b[2J\u202ex", 5000, "a\nb", days=4000)])

    done = sandbox.trop(name)

    assert "\\x1b[2J\\u202ex (tag a\\nb): port 5000, " in done.stderr
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("name", CLEANUPS)
@pytest.mark.parametrize("count", [1000, 2500])
def test_many_rows_are_listed_in_part_and_counted_in_full(
    sandbox: Sandbox, client: Client, name: str, count: int
) -> None:
    stay = [used(str(sandbox.work), 60_000 + number, f"{number}") for number in range(10)]
    fill(sandbox.data, [*stay, *(used(f"/gone/{number:04}", 1 + number, days=4000) for number in range(count))])

    told = sandbox.trop(name, "--dry-run")
    served = client.call(f"trop.{name}")

    more = [] if count == 1000 else ["  … and 1,500 more"]
    assert told.stderr.splitlines()[1000:] == [*more, DRY]
    assert (served["removedCount"], len(served["removed"]), served["truncated"]) == (count, 1000, count > 1000)
    assert [entry["reservation"]["path"] for entry in served["removed"]] == [f"/gone/{n:04}" for n in range(1000)]
    assert rows_of(sandbox.data) == sorted(stay)


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_store_of_version_1_is_planned_as_it_is_and_cleaned_up(sandbox: Sandbox, name: str) -> None:
    sandbox.data.mkdir(mode=0o700)
    stores.make_v1(sandbox.database, [("/gone", None, 5000, None, None, 1, 2), ("/gone", "w", 5001, None, None, 1, 2)])
    before = stores.snapshot(sandbox.data)

    rehearsed = sandbox.trop(name, "--dry-run")
    after = stores.snapshot(sandbox.data)
    real = sandbox.trop(name)

    assert after == before
    assert rehearsed.stderr.endswith(f"{DRY}\n"), rehearsed.stderr
    assert real.stderr.splitlines()[-1] == "Removed 2 reservations."
    assert rows_of(sandbox.data) == []


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_locked_store_is_waited_for_and_not_touched(sandbox: Sandbox, name: str) -> None:
    fill(sandbox.data, [used("/gone", 5000, days=4000)])

    with sandbox.locked():
        done = sandbox.trop(name, "--busy-timeout", "0.05")

    assert done.returncode == 2
    assert f"while trying to {name}" in done.stderr
    assert len(rows_of(sandbox.data)) == 1


@pytest.mark.parametrize("name", ["prune", "autoclean"])
def test_a_damaged_row_is_named_and_stops_it(sandbox: Sandbox, name: str) -> None:
    fill(sandbox.data, [used("/gone", 5000), used("/broken", 5001)])
    sandbox.execute("UPDATE reservations SET path = 'relative' WHERE port = 5001")

    done = sandbox.trop(name)

    assert done.returncode == 6
    assert 'reservations.path at "relative": the path is not absolute' in done.stderr
    assert len(rows_of(sandbox.data)) == 2


@pytest.mark.parametrize("name", CLEANUPS)
def test_it_is_about_the_whole_store_wherever_it_is_called_from(sandbox: Sandbox, name: str) -> None:
    elsewhere = sandbox.root / "elsewhere"
    elsewhere.mkdir()
    fill(sandbox.data, [used("/gone/far/away", 5000, days=4000)])

    done = sandbox.trop(name, cwd=elsewhere)

    assert (done.returncode, rows_of(sandbox.data)) == (0, [])


# What another user may not read

AS_NOBODY = """
import os, sys
from pathlib import Path
from support.operations import perform
from trop_core.errors.base import TropError
import trop_core.operations.assertions.assert_data_dir, trop_core.database.inspection
directory, name = Path(sys.argv[1]), sys.argv[2]
values = {"validate": True} if name == "assert_data_dir" else {}
for each in range(2):
    try:
        result = perform(directory, name, {**values, **({} if each or name == "assert_data_dir" else {"dryRun": True})})
    except TropError as error:
        if each:
            print(error.kind, error.message())
    else:
        if each:
            print(*[removal.reservation.path for removal in result.removed], *result.warnings, sep="\\n")
    if not each:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
"""
"""The first call loads, as root, the modules that another user may not be able to read; it changes nothing."""


def test_a_directory_that_cannot_be_read_keeps_its_reservations(public_place: Path) -> None:
    closed, data = public_place / "closed", public_place / "data"
    (closed / "inside").mkdir(parents=True)
    fill(data, [row(str(closed / "gone"), 5000), row(str(closed / "inside"), 5001), row(str(public_place / "x"), 5002)])
    for path in (data, *data.iterdir()):
        os.chown(path, 65534, 65534)
    closed.chmod(0o700)

    with child(AS_NOBODY, data, "prune") as process:
        gone, warning = process.end().splitlines()

    assert gone == str(public_place / "x")
    assert warning.startswith(f'2 directories, "{closed / "gone"}" the first of them, cannot be looked at (permissions')
    assert [stored[0] for stored in rows_of(data)] == [str(closed / "gone"), str(closed / "inside")]


def test_an_old_reservation_of_a_directory_that_cannot_be_read_expires_all_the_same(public_place: Path) -> None:
    data = public_place / "data"
    (public_place / "closed").mkdir(mode=0o700)
    fill(data, [row(str(public_place / "closed" / "gone"), 5000)])
    for path in (data, *data.iterdir()):
        os.chown(path, 65534, 65534)

    with child(AS_NOBODY, data, "autoclean") as process:
        gone, _ = process.end().splitlines()

    assert gone == str(public_place / "closed" / "gone")
    assert rows_of(data) == []
