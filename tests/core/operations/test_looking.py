"""``port_info``, ``scan`` and ``list`` with occupancy, in a world of a test's own."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.operations import perform
from support.rows import fill, row

from trop_core.errors.spelling import escaped
from trop_core.holder import Holder
from trop_core.models import PortRange
from trop_core.paths import DirectoryState
from trop_core.ports.holders import Process
from trop_core.ports.sockets import HeldPort, SocketTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trop_core.ports.checks import OccupancyChecks

SERVER = HeldPort(5001, "tcp", "ipv4", "127.0.0.1", 42, "server", "somebody")


class Asked(NamedTuple):
    """One read of the table."""

    ports: PortRange
    checks: OccupancyChecks
    owners: bool


class World:
    """A table of sockets that notes how it is read, and processes that note which of them are asked."""

    def __init__(self, table: SocketTable) -> None:
        self.table = table
        self.asked: list[Asked] = []
        self.known: dict[int, Process] = {}
        self.processes_asked: list[set[int]] = []

    @property
    def context(self) -> dict[str, Any]:
        return {"sockets": self.sockets, "processes": self.processes, "environment": {}}

    def processes(self, pids: Iterable[int]) -> dict[int, Process]:
        self.processes_asked.append(set(pids))
        return {pid: self.known.get(pid, Process(pid)) for pid in self.processes_asked[-1]}

    def sockets(self, ports: PortRange, checks: OccupancyChecks, *, owners: bool = True) -> SocketTable:
        self.asked.append(Asked(ports, checks, owners))
        return self.table


@pytest.fixture
def world() -> World:
    return World(SocketTable((SERVER,), frozenset({5001})))


def test_a_list_with_occupancy_reads_the_table_once_and_asks_only_who_occupies_its_ports(
    tmp_path: Path, world: World
) -> None:
    fill(tmp_path, [row(f"/w/{port}", port) for port in (5000, 5001, 5002)])
    world.table = world.table._replace(sockets=(SERVER, SERVER._replace(port=5004, pid=43)))

    listed = perform(tmp_path, "list", {"includeOccupancy": True}, **world.context)

    assert [(each.reservation.port, each.occupancy) for each in listed.reservations] == [
        (5000, "free"),
        (5001, "occupied"),
        (5002, "free"),
    ]
    assert [(asked.ports, asked.owners) for asked in world.asked] == [(PortRange(1, 65535), False)]
    assert world.processes_asked == [{42}]


def test_a_list_marks_what_is_missing_and_goes_on_where_a_directory_hangs(tmp_path: Path) -> None:
    fill(tmp_path, [row(f"/w/{name}", port) for port, name in enumerate("abc", 5000)])
    answers = threading.Event()

    def state_of(path: str) -> DirectoryState:
        if path == "/w/b":
            answers.wait()
        return DirectoryState.PRESENT if path == "/w" else DirectoryState.GONE

    listed = perform(tmp_path, "list", directory_state=state_of)
    answers.set()

    assert [(each.reservation.path, each.missing) for each in listed.reservations] == [
        ("/w/a", True),
        ("/w/b", False),
        ("/w/c", True),
    ]


def test_a_list_looks_at_nothing_more_where_the_directory_above_is_gone(tmp_path: Path) -> None:
    paths = ["/gone/a", "/gone/b", "/gone/b/c", "/gone-not", "/here/a", "/here/b"]
    fill(tmp_path, [row(path, port) for port, path in enumerate(paths, 5000)])
    looked_at: list[str] = []

    def state_of(path: str) -> DirectoryState:
        looked_at.append(path)
        return DirectoryState.GONE if path.startswith("/gone") and path != "/gone-not" else DirectoryState.PRESENT

    listed = perform(tmp_path, "list", directory_state=state_of)

    missing = {each.reservation.path for each in listed.reservations if each.missing}
    assert missing == {"/gone/a", "/gone/b", "/gone/b/c"}
    assert looked_at == ["/gone-not", "/gone/a", "/gone", "/here/a", "/here/b"]


@pytest.mark.parametrize("name", ["list", "port_info"])
def test_without_being_asked_nothing_reads_the_table(tmp_path: Path, world: World, name: str) -> None:
    fill(tmp_path, [row("/w/a", 5001)])

    perform(tmp_path, name, {"port": 5001} if name == "port_info" else {}, **world.context)

    assert (world.asked, world.processes_asked) == ([], [])


def test_what_the_system_hides_is_told_with_a_list_too(tmp_path: Path, world: World) -> None:
    world.table = SocketTable(complete=False, warnings=("something is hidden",))
    fill(tmp_path, [row("/w/a", 5001)])

    listed = perform(tmp_path, "list", {"includeOccupancy": True}, **world.context)

    assert listed.warnings == ("something is hidden",)


def test_a_scan_reads_the_table_once_for_its_range_and_tells_what_is_reserved(tmp_path: Path, world: World) -> None:
    other = SERVER._replace(port=5003)
    world.table = SocketTable((SERVER, other), frozenset({5001, 5003}))
    fill(tmp_path, [row("/w/a", 5001), row("/w/b", 5002)])

    result = perform(tmp_path, "scan", {"min": 5001, "max": 5010}, **world.context)

    assert (result.min, result.max, result.truncated, result.warnings) == (5001, 5010, False, ())
    assert [(*held[:7], held.reserved) for held in result.sockets] == [(*SERVER, True), (*other, False)]
    assert [(asked.ports, asked.owners) for asked in world.asked] == [(PortRange(5001, 5010), True)]


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ({}, {}, (5000, 7000)),
        ({"TROP_PORT_MIN": "6000"}, {}, (6000, 7000)),
        ({"TROP_PORT_MIN": "6000"}, {"max": 6500}, (6000, 6500)),
    ],
)
def test_the_range_is_the_configured_one_unless_it_is_given(
    tmp_path: Path, world: World, environment: dict[str, str], given: dict[str, object], expected: tuple[int, int]
) -> None:
    result = perform(tmp_path, "scan", given, **{**world.context, "environment": environment})

    assert (result.min, result.max) == expected


@pytest.mark.parametrize(
    ("field", "check"),
    [
        ("skipOccupancyCheck", "skip"),
        ("skipTcp", "skip_tcp"),
        ("skipUdp", "skip_udp"),
        ("skipIpv4", "skip_ip4"),
        ("skipIpv6", "skip_ip6"),
    ],
)
def test_each_flag_skips_its_own_check(tmp_path: Path, world: World, field: str, check: str) -> None:
    perform(tmp_path, "scan", {field: True}, **world.context)

    assert [name for name, value in world.asked[0].checks._asdict().items() if value] == [check]


@pytest.mark.parametrize(
    ("table", "occupied"),
    [
        (SocketTable((SERVER,), frozenset({5001})), True),
        (SocketTable((SERVER._replace(address="192.0.2.1"),)), False),
        (SocketTable(), False),
        (SocketTable(complete=False), None),
        (SocketTable((SERVER,), frozenset({5001}), complete=False), True),
    ],
    ids=["occupied", "another address", "nothing", "nothing to be seen", "seen in part"],
)
def test_a_port_is_occupied_or_not_or_nobody_knows(
    tmp_path: Path, world: World, table: SocketTable, occupied: bool | None
) -> None:
    world.table = table

    result = perform(tmp_path, "port_info", {"port": 5001, "includeOccupancy": True}, **world.context)

    assert (result.occupied, tuple(held[:7] for held in result.sockets)) == (occupied, table.sockets)
    assert (result.holder is not None) is (occupied is True)
    assert world.asked[0].ports == PortRange(5001, 5001)


def test_what_is_skipped_was_not_asked(tmp_path: Path, world: World) -> None:
    environment = {"TROP_SKIP_OCCUPANCY_CHECK": "1"}

    info = perform(
        tmp_path, "port_info", {"port": 5001, "includeOccupancy": True}, **{**world.context, "environment": environment}
    )
    world.table = SocketTable()
    scan = perform(tmp_path, "scan", **{**world.context, "environment": environment})

    assert (info.occupied, info.sockets) == (None, None)
    assert info.warnings == ("who uses the port was not looked at: the check is skipped (TROP_SKIP_OCCUPANCY_CHECK)",)
    assert scan.warnings == ("nothing was looked at: the check is skipped (TROP_SKIP_OCCUPANCY_CHECK)",)


@pytest.mark.parametrize(
    ("state", "exists"),
    [(DirectoryState.PRESENT, True), (DirectoryState.GONE, False), (DirectoryState.UNKNOWN, None)],
)
def test_the_directory_exists_or_not_or_nobody_knows(
    tmp_path: Path, state: DirectoryState, exists: bool | None
) -> None:
    fill(tmp_path, [row("/w/a", 5001)])

    result = perform(tmp_path, "port_info", {"port": 5001}, directory_state=lambda path: state)

    assert result.directory_exists is exists


def test_the_directory_is_that_of_the_reservation_that_is_told(tmp_path: Path) -> None:
    """It is looked at outside of the transaction, and the reservation may move meanwhile."""
    fill(tmp_path, [row("/w/old", 5001)])
    looked: list[str] = []

    def move_meanwhile(path: str) -> DirectoryState:
        looked.append(path)
        with closing(sqlite3.connect(tmp_path / "trop.db")) as connection, connection:
            connection.execute("UPDATE reservations SET path = '/w/new'")
        return DirectoryState.GONE if path == "/w/old" else DirectoryState.PRESENT

    result = perform(tmp_path, "port_info", {"port": 5001}, directory_state=move_meanwhile)

    assert (result.reservation.path, result.directory_exists) == ("/w/new", True)
    assert looked == ["/w/old", "/w/new"]


def test_a_reservation_that_goes_meanwhile_is_none(tmp_path: Path) -> None:
    fill(tmp_path, [row("/w/a", 5001)])

    def release_meanwhile(path: str) -> DirectoryState:
        with closing(sqlite3.connect(tmp_path / "trop.db")) as connection, connection:
            connection.execute("DELETE FROM reservations")
        return DirectoryState.PRESENT

    result = perform(tmp_path, "port_info", {"port": 5001}, directory_state=release_meanwhile)

    assert (result.reservation, result.directory_exists) == (None, None)


def test_a_port_that_nobody_reserved_is_an_answer(tmp_path: Path) -> None:
    looked: list[Any] = []

    result = perform(tmp_path, "port_info", {"port": 1}, directory_state=looked.append)

    assert (result.port, result.reservation, result.directory_exists) == (1, None, None)
    assert (result.occupied, result.sockets, looked) == (None, None, [])


RELATIONS = [
    pytest.param(("/w/a",), ("own", "/w/a"), id="stands in it"),
    pytest.param(("/w/a/web/api",), ("own", "/w/a"), id="stands below it"),
    pytest.param(("/w/ab",), ("unknown", None), id="stands beside it under a longer name"),
    pytest.param(("/w",), ("unknown", None), id="stands above it"),
    pytest.param(("/w/a/kept",), ("own", "/w/a"), id="stands below it, where others have a reservation"),
    pytest.param(("/w/b",), ("other", "/w/b"), id="stands in another's"),
    pytest.param(("/w/b/kept/c",), ("other", "/w/b/kept"), id="stands in two others'"),
    pytest.param(("/tmp", "/w/a"), ("own", "/w/a"), id="its parent stands in it"),
    pytest.param(("/tmp", "/", "/w/b/c", "/w/a"), ("other", "/w/b"), id="the first of its parents counts"),
    pytest.param(("/w/b", "/w/a"), ("other", "/w/b"), id="its own directory counts before its parent's"),
    pytest.param(("/tmp", "/"), ("unknown", None), id="stands in nobody's"),
    pytest.param((), ("unknown", None), id="hidden"),
    pytest.param(("/w/a/\udcff",), ("own", "/w/a"), id="stands below it in a directory whose name is no text"),
    pytest.param(("/\udcff", "/w/b"), ("other", "/w/b"), id="stands in a directory whose name is no text"),
]


@pytest.mark.parametrize("name", ["list", "port_info", "scan"])
@pytest.mark.parametrize(("directories", "expected"), RELATIONS)
def test_whose_a_process_is_comes_from_where_it_and_its_parents_stand(
    tmp_path: Path, world: World, directories: tuple[str, ...], expected: tuple[str, str | None], name: str
) -> None:
    others = [row(path, port) for port, path in enumerate(("/w/b", "/w/b/kept", "/w/a/kept"), 5002)]
    fill(tmp_path, [row("/w/a", 5001), *others])
    world.known[42] = Process(42, "server", "somebody", "python3", "python3 --token=1", directories)
    given: dict[str, dict[str, object]] = {"port_info": {"port": 5001, "includeOccupancy": True}, "scan": {}}

    result = perform(tmp_path, name, given.get(name, {"includeOccupancy": True}), **world.context)

    relation, directory = expected
    command = "python3 --token=1" if relation == "own" else "python3"
    if name == "scan":
        [told] = result.sockets
    elif name == "port_info":
        [told] = result.sockets
        assert result.holder is not None
        assert tuple(getattr(told, name) for name in Holder._fields) == result.holder
    else:
        told = result.reservations[0].holder
    expected_fields = (42, command, escaped(directories[0]) if directories else None, relation, directory)
    assert (told.pid, told.command, told.working_directory, told.relation, told.directory) == expected_fields


@pytest.mark.parametrize(
    ("pids", "holder"),
    [
        ((42,), 42),
        ((42, 43), 43),
        ((42, 44), 44),
        ((43, 44), 43),
        ((42, None), None),
        ((43, None), 43),
        ((44, None), 44),
        ((None,), None),
    ],
    ids=str,
)
def test_of_several_who_hold_a_port_one_is_told_who_does_not_belong_there(
    tmp_path: Path, world: World, pids: tuple[int | None, ...], holder: int | None
) -> None:
    fill(tmp_path, [row("/w/a", 5001), row("/w/b", 5002)])
    world.known = {42: Process(42, directories=("/w/a",)), 43: Process(43, directories=("/w/b",))}
    world.table = SocketTable(tuple(SERVER._replace(pid=pid) for pid in pids), frozenset({5001}))

    listed = perform(tmp_path, "list", {"includeOccupancy": True}, **world.context)
    info = perform(tmp_path, "port_info", {"port": 5001, "includeOccupancy": True}, **world.context)

    told = [listed.reservations[0].holder, info.holder]
    assert [each and each.pid for each in told] == [holder, holder]


def test_who_holds_a_port_on_an_address_that_does_not_count_does_not_occupy_it(tmp_path: Path, world: World) -> None:
    fill(tmp_path, [row("/w/a", 5001)])
    elsewhere = SERVER._replace(address="192.0.2.1", pid=43)
    world.table = SocketTable((SERVER, elsewhere), frozenset({5001}))

    info = perform(tmp_path, "port_info", {"port": 5001, "includeOccupancy": True}, **world.context)

    assert [held.pid for held in info.sockets] == [42, 43]
    assert info.holder.pid == 42


def test_a_port_that_nobody_reserved_has_a_holder_in_the_directory_of_somebody(tmp_path: Path, world: World) -> None:
    fill(tmp_path, [row("/w/b", 5002)])
    world.known[42] = Process(42, command="python3 --token=1", program="python3", directories=("/w/b",))

    [held] = perform(tmp_path, "scan", {}, **world.context).sockets

    assert (held.reserved, held.relation, held.directory, held.command) == (False, "other", "/w/b", "python3")


def test_a_reservation_under_the_name_of_a_link_is_that_of_the_directory_that_it_leads_to(
    tmp_path: Path, world: World
) -> None:
    place, link = tmp_path / "place", tmp_path / "link"
    place.mkdir()
    link.symlink_to(place)
    fill(tmp_path / "data", [row(str(link), 5001), row(str(place), 5002)])
    world.known[42] = Process(42, directories=(str(place),))

    listed = perform(tmp_path / "data", "list", {"includeOccupancy": True}, **world.context).reservations
    [scanned] = perform(tmp_path / "data", "scan", {}, **world.context).sockets
    info = perform(tmp_path / "data", "port_info", {"port": 5001, "includeOccupancy": True}, **world.context)

    holders = [*(each.holder for each in listed if each.holder), scanned, info.holder]
    assert [(each.relation, each.directory) for each in holders] == [("own", str(link))] * 3
