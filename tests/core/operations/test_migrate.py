"""Moving reservations: what moves, what is in the way, and that nothing else is touched."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.operations import perform
from support.rows import Row, fill, row, rows_of

from trop_core.cancellation import CancellationToken
from trop_core.database.connection import Database
from trop_core.database.moving import Move
from trop_core.database.selection import Selection
from trop_core.database.waiting import Patience
from trop_core.errors.base import Cancelled
from trop_core.errors.paths import InvalidPath
from trop_core.errors.reservations import NotFound, ReservationConflict
from trop_core.errors.store import DatabaseCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD_NAMES = ["a%b", "a_b", "a*b", "it's", '"quoted"', "with space", "ünïcödé", "日本", "a\nb", "-dash", "😀"]


def migrate(directory: Path, source: str, destination: str, **values: Any) -> Any:
    context = values.pop("context", {})
    return perform(directory, "migrate", {"from": source, "to": destination, **values}, **context)


def test_every_tag_of_the_exact_path_moves_and_everything_but_the_path_stays(tmp_path: Path) -> None:
    fill(tmp_path, [row("/w/a", 5000, "", "p", "t"), row("/w/a", 5001, "web", None, "t"), row("/w/a/below", 5002)])

    result = migrate(tmp_path, "/w/a", "/w/z")

    assert rows_of(tmp_path) == [
        row("/w/a/below", 5002),
        row("/w/z", 5000, "", "p", "t"),
        row("/w/z", 5001, "web", None, "t"),
    ]
    assert [(moved.from_, moved.to, moved.tag, moved.port) for moved in result.migrated] == [
        ("/w/a", "/w/z", None, 5000),
        ("/w/a", "/w/z", "web", 5001),
    ]
    assert (result.migrated_count, result.overwritten_count, result.dry_run) == (2, 0, False)


def test_recursive_takes_along_what_lies_below_by_component(tmp_path: Path) -> None:
    stays = [row("/w/a-old", 5010), row("/w/a.b", 5011), row("/w/a0", 5012), row("/w/ab", 5013), row("/w/A", 5014)]
    fill(tmp_path, [row("/w/a", 5000), row("/w/a/x", 5001), row("/w/a/x/y", 5002, "t"), *stays])

    migrate(tmp_path, "/w/a", "/new/b", recursive=True)

    moved = [row("/new/b", 5000), row("/new/b/x", 5001), row("/new/b/x/y", 5002, "t")]
    assert rows_of(tmp_path) == sorted([*moved, *stays])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_that_mean_something_elsewhere_mean_nothing_here(tmp_path: Path, name: str) -> None:
    decoys = [row("/w/axb", 6000), row("/w/it", 6001), row("/w/A", 6002), row(f"/w/{name}x", 6003)]
    fill(tmp_path, [row(f"/w/{name}", 5000), row(f"/w/{name}/below", 5001), *decoys])

    migrate(tmp_path, f"/w/{name}", f"/z/{name}/{name}", recursive=True)

    assert rows_of(tmp_path) == sorted(
        [row(f"/z/{name}/{name}", 5000), row(f"/z/{name}/{name}/below", 5001), *decoys],
        key=lambda stored: stored[0].encode(),
    )


@pytest.mark.parametrize(
    ("source", "destination", "before", "after"),
    [
        pytest.param("/w/x", "/w", ["/w/x", "/w/x/x"], ["/w", "/w/x"], id="into the place of one that moves itself"),
        pytest.param(
            "/w/x", "/w", ["/w/x/x", "/w/x/x/x", "/w/x/x/z"], ["/w/x", "/w/x/x", "/w/x/z"], id="deep and branching"
        ),
        pytest.param("/w/x", "/", ["/w/x", "/w/x/app"], ["/", "/app"], id="to the root"),
        pytest.param("/w/x/app", "/w/x", ["/w/x/app", "/w/x/app/sub"], ["/w/x", "/w/x/sub"], id="one level up"),
        pytest.param("/b/b", "/b", ["/b/b/b", "/b/b/b/b"], ["/b/b", "/b/b/b"], id="the same name all the way"),
    ],
)
def test_trees_that_overlap_on_the_way_up_do_not_stand_in_their_own_way(
    tmp_path: Path, source: str, destination: str, before: list[str], after: list[str]
) -> None:
    fill(tmp_path, [row(path, 5000 + number) for number, path in enumerate(before)])

    migrate(tmp_path, source, destination, recursive=True)

    assert rows_of(tmp_path) == sorted(row(path, 5000 + number) for number, path in enumerate(after))


@pytest.mark.parametrize("destination", [pytest.param("/b", id="aside"), pytest.param("/", id="upwards")])
def test_a_path_with_a_nul_that_another_program_stored_is_moved_whole(tmp_path: Path, destination: str) -> None:
    fill(tmp_path, [row("/a/é", 5000), row("/a/x\0y", 5001), row("/a/x\0z", 5002)])

    migrate(tmp_path, "/a", destination, recursive=True)

    top = destination.rstrip("/")
    assert rows_of(tmp_path) == [row(f"{top}/x\0y", 5001), row(f"{top}/x\0z", 5002), row(f"{top}/é", 5000)]


def test_a_damaged_path_is_not_mended_by_a_move_beside_it(tmp_path: Path) -> None:
    before = [row("\x01/x", 5001), row("/a/a", 5000)]
    fill(tmp_path, before)

    with pytest.raises(DatabaseCorrupt):
        migrate(tmp_path, "/a/a", "/a", recursive=True)

    assert rows_of(tmp_path) == before


def test_one_row_in_the_way_refuses_everything_and_is_named_with_all_others(tmp_path: Path) -> None:
    before = [row("/a", 5000), row("/a/x", 5001), row("/a/y", 5002, "t"), row("/b/x", 5003), row("/b/y", 5004, "t")]
    fill(tmp_path, before)

    with pytest.raises(ReservationConflict) as refused:
        migrate(tmp_path, "/a", "/b", recursive=True)

    assert [(conflict.path, conflict.tag) for conflict in refused.value.conflicts] == [("/b/x", None), ("/b/y", "t")]
    assert str(refused.value) == "2 reservations stand where others would move to: /b/x, /b/y (tag t)"
    assert rows_of(tmp_path) == before


def test_another_tag_at_the_destination_is_not_in_the_way(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000, "web"), row("/b", 5001), row("/b", 5002, "api")])

    migrate(tmp_path, "/a", "/b")

    assert rows_of(tmp_path) == [row("/b", 5001), row("/b", 5002, "api"), row("/b", 5000, "web")]


def test_force_removes_what_is_in_the_way_and_reports_it(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000), row("/a/x", 5001), row("/b/x", 5002, "", "p"), row("/b/y", 5003)])

    result = migrate(tmp_path, "/a", "/b", recursive=True, force=True)

    assert rows_of(tmp_path) == [row("/b", 5000), row("/b/x", 5001), row("/b/y", 5003)]
    assert [(gone.port, gone.path, gone.project) for gone in result.overwritten] == [(5002, "/b/x", "p")]
    assert result.overwritten_count == 1


@pytest.mark.parametrize("force", [False, True])
def test_a_dry_run_tells_what_the_real_run_tells_and_changes_nothing(tmp_path: Path, force: bool) -> None:
    conflict = [row("/b/x", 5002)] if force else []
    fill(tmp_path, [row("/a", 5000), row("/a/x", 5001), *conflict])
    before = rows_of(tmp_path)
    values = {"recursive": True, "force": force}

    rehearsed = migrate(tmp_path, "/a", "/b", dryRun=True, **values)
    unchanged = rows_of(tmp_path)
    real = migrate(tmp_path, "/a", "/b", **values)

    assert unchanged == before
    assert (rehearsed.migrated, rehearsed.overwritten) == (real.migrated, real.overwritten)
    assert (rehearsed.dry_run, real.dry_run) == (True, False)


def test_a_dry_run_is_refused_as_the_real_run_is(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000), row("/b", 5001)])

    with pytest.raises(ReservationConflict):
        migrate(tmp_path, "/a", "/b", dryRun=True)


def test_nothing_at_the_source_is_an_error_that_points_to_what_is_below(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a/x", 5000)])

    with pytest.raises(NotFound) as refused:
        migrate(tmp_path, "/a", "/b")

    assert str(refused.value) == 'nothing is reserved for "/a"'
    assert refused.value.hint() == "Something is reserved below it: move that with recursive."


def test_nothing_at_the_source_names_the_place_that_a_link_leads_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    fill(tmp_path / "data", [row(str(real), 5000)])

    with pytest.raises(NotFound) as refused:
        migrate(tmp_path / "data", str(link), "/b")

    assert refused.value.hint() == f"It leads to {real}, which has reservations: name that instead."


def test_nothing_at_or_below_the_source_is_a_success_that_says_so(tmp_path: Path) -> None:
    fill(tmp_path, [row("/elsewhere", 5000)])

    result = migrate(tmp_path, "/a", "/b", recursive=True)

    assert (result.migrated, result.migrated_count) == ((), 0)
    assert "nothing is reserved at or below /a. trop list shows what is reserved." in result.warnings


def test_a_destination_that_does_not_exist_is_a_warning(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])

    result = migrate(tmp_path, "/a", "/nowhere/b")

    assert result.warnings == ("the destination /nowhere/b is not an existing directory (yet)",)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        pytest.param("/a", "/a", id="the same"),
        pytest.param("/a", "/a/../a/", id="the same, spelled otherwise"),
        pytest.param("/a", "/a/b", id="below"),
        pytest.param("/", "/a", id="below the root"),
    ],
)
def test_a_destination_at_or_below_the_source_is_refused(tmp_path: Path, source: str, destination: str) -> None:
    fill(tmp_path, [row("/a", 5000)])

    with pytest.raises(InvalidPath):
        migrate(tmp_path, source, destination, recursive=True)


def test_a_move_that_makes_a_path_too_long_to_be_one_is_refused(tmp_path: Path) -> None:
    longest = "/w/" + "x" * 4093
    rows = [row("/w", 5000), row(longest, 5001)]
    fill(tmp_path, rows)

    with pytest.raises(InvalidPath, match="more than 4096 characters"):
        migrate(tmp_path, "/w", "/ww", recursive=True)
    refused = rows_of(tmp_path)
    migrate(tmp_path, "/w", "/v", recursive=True)

    assert refused == sorted(rows)
    assert rows_of(tmp_path) == [row("/v", 5000), row("/v/" + "x" * 4093, 5001)]


def test_a_refused_move_creates_no_store(tmp_path: Path) -> None:
    directory = tmp_path / "data"

    with pytest.raises(NotFound):
        migrate(directory, "/w/a", "/w/b")

    assert not directory.exists()


def test_a_sibling_that_shares_the_prefix_is_no_place_below(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])

    migrate(tmp_path, "/a", "/ab")

    assert rows_of(tmp_path) == [row("/ab", 5000)]


def test_a_long_move_reports_the_rows_that_really_moved(tmp_path: Path) -> None:
    fill(tmp_path, [row(f"/a/{number:05}", number + 1) for number in range(30_000)])
    reports: list[tuple[int, int]] = []

    result = migrate(tmp_path, "/a", "/b", recursive=True, context={"progress": lambda *counts: reports.append(counts)})

    done = [moved for moved, _ in reports]
    assert len(reports) >= 10
    assert done == sorted(set(done))
    assert (done[0], reports[-1]) == (0, (30_000, 30_000))
    assert (len(result.migrated), result.migrated_count, result.truncated) == (1000, 30_000, True)


@pytest.mark.parametrize("destination", [pytest.param("/b", id="disjoint"), pytest.param("/", id="overlapping")])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_cancelled_move_leaves_nothing_changed(tmp_path: Path, destination: str, after: int) -> None:
    fill(tmp_path, [row(f"/a/{number:05}", number + 1) for number in range(5_000)])
    before = rows_of(tmp_path)
    token = CancellationToken()
    calls: list[int] = []

    def cancel_at_some_point(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) > after:
            token.cancel()

    with pytest.raises(Cancelled):
        migrate(
            tmp_path,
            "/a",
            destination,
            recursive=True,
            context={"token": token, "progress": cancel_at_some_point},
        )

    assert rows_of(tmp_path) == before


def test_finding_and_moving_rows_reads_no_others(tmp_path: Path) -> None:
    """Every access to the table goes through the index of the path, or to single rows."""
    fill(tmp_path, [row("/a/x", 5000)])
    statements: list[str] = []
    with traced_connections(statements):
        migrate(tmp_path, "/a", "/b", recursive=True, force=True)

    with closing(sqlite3.connect(tmp_path / "trop.db")) as connection:
        plans = [
            detail
            for statement in statements
            if "reservations" in statement and not statement.startswith("--")
            for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    accesses = [detail for detail in plans if detail.startswith(("SCAN", "SEARCH"))]
    assert accesses
    assert [detail for detail in accesses if detail.startswith("SCAN")] == []
    assert all("(path" in detail or "INTEGER PRIMARY KEY (rowid=?)" in detail for detail in accesses), accesses


@contextmanager
def traced_connections(statements: list[str]) -> Iterator[None]:
    """Note every statement, with its values, of connections that are opened inside the block."""
    original = Database._open

    def opening(self: Database, *arguments: Any) -> None:
        original(self, *arguments)
        self._connection.set_trace_callback(statements.append)

    patch = pytest.MonkeyPatch()
    patch.setattr(Database, "_open", opening)
    try:
        yield
    finally:
        patch.undo()


# Against a model

NAMES = st.sampled_from(["a", "b", "x", "ab", "a-", "a0", "%", "é"])
PATHS = st.lists(NAMES, min_size=0, max_size=4).map(lambda names: "/" + "/".join(names))
KEYS = st.tuples(PATHS, st.sampled_from(["", "t"]))
STORES = st.lists(KEYS, unique=True, max_size=12).map(
    lambda keys: [row(path, 5000 + number, tag) for number, (path, tag) in enumerate(keys)]
)


def model(rows: list[Row], source: str, destination: str, *, recursive: bool, force: bool) -> list[Row] | None:
    """What the rows should be afterwards; None where the move has to be refused."""

    def moves(path: str) -> bool:
        return path == source or (recursive and path.startswith(source.rstrip("/") + "/"))

    def goes_to(path: str) -> str:
        return destination if path == source else destination.rstrip("/") + path[len(source.rstrip("/")) :]

    moved = [(goes_to(stored[0]), *stored[1:]) for stored in rows if moves(stored[0])]
    stay = [stored for stored in rows if not moves(stored[0])]
    taken = {stored[:2] for stored in moved}
    if not force and any(stored[:2] in taken for stored in stay):
        return None
    return sorted([*moved, *(stored for stored in stay if stored[:2] not in taken)])


@contextmanager
def a_store(rows: list[Row]) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp())
    try:
        fill(directory, rows)
        yield directory
    finally:
        shutil.rmtree(directory)


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=STORES, source=PATHS, destination=PATHS, recursive=st.booleans(), force=st.booleans())
def test_a_move_does_what_ten_lines_of_python_say(
    rows: list[Row], source: str, destination: str, recursive: bool, force: bool
) -> None:
    with a_store(rows) as directory:
        expected = model(rows, source, destination, recursive=recursive, force=force)

        try:
            migrate(directory, source, destination, recursive=recursive, force=force)
        except InvalidPath:
            assert destination == source or destination.startswith(source.rstrip("/") + "/")
            expected = sorted(rows)
        except NotFound:
            assert not recursive
            assert source not in {path for path, *_ in rows}
            expected = sorted(rows)
        except ReservationConflict:
            assert expected is None
            expected = sorted(rows)

        assert rows_of(directory) == expected


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=STORES, source=PATHS, recursive=st.booleans())
def test_moving_there_and_back_is_the_identity(rows: list[Row], source: str, recursive: bool) -> None:
    with a_store(rows) as directory:
        there = "/somewhere/else"
        if source == "/" or (not recursive and source not in {path for path, *_ in rows}):
            return

        migrate(directory, source, there, recursive=recursive)
        migrate(directory, there, source, recursive=recursive)

        if recursive or source in {path for path, *_ in rows}:
            assert rows_of(directory) == sorted(rows)


@given(source=PATHS, destination=PATHS, path=PATHS)
def test_sql_and_python_agree_on_where_a_path_moves(source: str, destination: str, path: str) -> None:
    if source == "/":
        return
    below = source + (path if path != "/" else "")
    expression, values = Move(Selection(source, recursive=True), destination).expression("path")

    with closing(sqlite3.connect(":memory:")) as connection:
        (by_sql,) = connection.execute(f"SELECT {expression} FROM (SELECT ? AS path)", [*values, below]).fetchone()

    assert by_sql == Move(Selection(source, recursive=True), destination).destination_of(below)


# While others work on the same rows


class CommitsMeanwhile(CancellationToken):
    """The token of a call that finds the store locked: the other one commits as soon as this one waits for it."""

    def __init__(self, directory: Path, statement: str) -> None:
        super().__init__()
        self._database = Database.open(str(directory / "trop.db"))
        self._writing = self._database.write(Patience(5), "write")
        self._writing.__enter__().execute(statement)

    def wait(self, seconds: float) -> None:
        self._writing.__exit__(None, None, None)
        self._database.close()


def test_a_reservation_that_is_made_at_the_destination_just_before_the_lock_is_in_the_way(tmp_path: Path) -> None:
    fill(tmp_path, [row("/a", 5000)])
    token = CommitsMeanwhile(tmp_path, "INSERT INTO reservations VALUES ('/b', '', 5001, NULL, NULL, 1, 1)")

    with pytest.raises(ReservationConflict):
        migrate(tmp_path, "/a", "/b", context={"token": token})


@pytest.mark.parametrize(
    ("statement", "after"),
    [
        pytest.param(
            "UPDATE reservations SET last_used_at = 99 WHERE path = '/a'",
            [("/b", "", 5000, None, None, 5000, 99)],
            id="refreshed",
        ),
        pytest.param("DELETE FROM reservations WHERE path = '/a'", [], id="released"),
        pytest.param(
            "INSERT INTO reservations VALUES ('/a/child', '', 5001, NULL, NULL, 1, 1)",
            [("/b", "", 5000, None, None, 5000, 5001), ("/b/child", "", 5001, None, None, 1, 1)],
            id="a child is made",
        ),
    ],
)
def test_what_another_wrote_just_before_the_lock_counts(tmp_path: Path, statement: str, after: list[Row]) -> None:
    fill(tmp_path, [row("/a", 5000)])
    token = CommitsMeanwhile(tmp_path, statement)

    migrate(tmp_path, "/a", "/b", recursive=True, context={"token": token})

    assert rows_of(tmp_path) == after
