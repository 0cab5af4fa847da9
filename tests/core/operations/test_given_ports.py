"""What is told of ports that were just given out: whether something listens there, and whose it is."""

from __future__ import annotations

import socket
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support.operations import perform
from support.patience import AT_ONCE
from support.rows import fill, row
from support.servers import SECRET, server
from support.sockets import TCP, V4, Server, free_port, holding, on_linux, run_child

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.errors.system import SocketsUnreadable
from trop_core.models import Reservation
from trop_core.operations.looking.given_ports import Occupant, occupants
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.holders import Process
from trop_core.ports.sockets import HeldPort, SocketTable

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = OccupancyChecks()


def ask(data: Path, given: list[Reservation], checks: OccupancyChecks = EVERYTHING, **world: Any) -> Any:
    surroundings: dict[str, Any] = {
        "caller": Caller(Door.EDITOR, "/"),
        "data_directory": str(data),
        "environment": {},
        "arguments": {},
        "token": CancellationToken(),
        **world,
    }
    return occupants(given, checks, Context(**surroundings))


def reservation(path: Path | str, port: int) -> Reservation:
    return Reservation(port, str(path), None, None, None, 0, 0)


class Fails:
    """What must not be asked."""

    def __call__(self, *arguments: object, **named: object) -> Any:
        raise AssertionError((arguments, named))


class Probe:
    """Answers for a probe that binds."""

    def __init__(self, occupied: bool, privileged: frozenset[int] = frozenset(), told: tuple[str, ...] = ()) -> None:
        self.occupied = occupied
        self.privileged = privileged
        self._told = told

    def __call__(self, checks: OccupancyChecks) -> Probe:
        return self

    def told(self, spell: object) -> tuple[str, ...]:
        return self._told

    def is_occupied(self, port: int) -> bool:
        return self.occupied

    def obstacle(self, port: int) -> str | None:
        return "occupied" if self.occupied else None


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Where the store is, and two directories."""
    shop, other = tmp_path / "shop", tmp_path / "other"
    shop.mkdir()
    other.mkdir()
    return tmp_path / "data", shop, other


def test_where_nothing_listens_no_table_is_read_and_no_process_asked(places: tuple[Path, Path, Path]) -> None:
    data, shop, _ = places
    port = free_port()

    told = ask(data, [reservation(shop, port)], sockets=Fails(), processes=Fails())

    assert told == {port: Occupant(occupied=False)}


@on_linux
def test_where_nothing_listens_nothing_slow_is_imported() -> None:
    script = f"""
from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.models import Reservation
from trop_core.operations.looking.given_ports import occupants
context = Context(Caller(Door.EDITOR, "/"), "/nowhere", {{}}, {{}}, CancellationToken())
occupants([Reservation({free_port()}, "/a", None, None, None, 0, 0)], OccupancyChecks(), context)
print(json.dumps(sorted({{"psutil", "trop_core.store", "trop_core.ports.holders"}} & set(sys.modules))))
"""

    assert run_child(script) == []


def test_a_reservations_own_server_is_its_own(places: tuple[Path, Path, Path]) -> None:
    data, shop, _ = places
    port, free = free_port(), free_port()
    fill(data, [row(str(shop), port)])

    with server(port, shop) as pid:
        told = ask(data, [reservation(shop, port), reservation(shop, free)])

    assert (told[port].occupied, told[free]) == (True, Occupant(occupied=False))
    holder = told[port].occupant
    assert (holder.pid, holder.relation, holder.directory) == (pid, "own", str(shop))
    assert holder.command.endswith(SECRET)


def test_another_directorys_server_is_told_with_its_directory(places: tuple[Path, Path, Path]) -> None:
    data, shop, other = places
    port = free_port()
    fill(data, [row(str(shop), port), row(str(other), 1)])

    with server(port, other):
        holder = ask(data, [reservation(shop, port)])[port].occupant

    assert (holder.relation, holder.directory) == ("other", str(other))
    assert SECRET not in str(holder)


def test_what_reserve_gives_out_is_what_is_asked_about(places: tuple[Path, Path, Path]) -> None:
    data, shop, _ = places
    port = free_port()
    fill(data, [row(str(shop), port)])
    given = perform(data, "reserve", {"path": str(shop), "allowUnrelatedPath": True}).reservation

    with server(port, shop):
        told = ask(data, [given])

    assert told[port].occupant.relation == "own"


def test_what_is_bound_and_does_not_listen_is_occupied_by_nobody_knows_whom(places: tuple[Path, Path, Path]) -> None:
    data, shop, _ = places
    port = free_port()

    with socket.socket() as held:
        held.bind(("127.0.0.1", port))
        told = ask(data, [reservation(shop, port)])

    assert told == {port: Occupant(occupied=True)}


@pytest.mark.parametrize("checks", [OccupancyChecks(skip=True), OccupancyChecks(skip_tcp=True, skip_udp=True)], ids=str)
def test_where_nobody_is_to_look_nobody_does(places: tuple[Path, Path, Path], checks: OccupancyChecks) -> None:
    data, shop, _ = places

    told = ask(data, [reservation(shop, 5000)], checks, probe=Fails(), sockets=Fails(), processes=Fails())

    assert told == {5000: Occupant()}


SEEN = HeldPort(80, "tcp", "ipv4", "127.0.0.1", 42, None, None)


@pytest.mark.parametrize(
    ("probe", "table", "expected"),
    [
        pytest.param(Probe(True), SocketTable(), True, id="bound and not in the table"),
        pytest.param(Probe(True, frozenset({80})), SocketTable(), False, id="takes privileges"),
        pytest.param(
            Probe(True, frozenset({80})), SocketTable(complete=False), None, id="takes privileges, and hidden"
        ),
        pytest.param(Probe(True, frozenset({80})), SocketTable((SEEN,), frozenset({80})), True, id="privileges, seen"),
        pytest.param(Probe(False, told=("nobody can look",)), SocketTable(), False, id="the table alone tells"),
        pytest.param(Probe(False, told=("nobody can look",)), SocketTable(complete=False), None, id="nobody can tell"),
    ],
)
def test_what_the_one_does_not_tell_the_other_may(
    places: tuple[Path, Path, Path], probe: Probe, table: SocketTable, expected: bool | None
) -> None:
    data, shop, _ = places

    told = ask(
        data,
        [reservation(shop, 80)],
        probe=probe,
        sockets=lambda *_, **__: table,
        processes=lambda pids: {pid: Process(pid) for pid in pids},
    )

    assert told[80].occupied is expected


def test_a_table_that_cannot_be_read_leaves_what_the_bind_told(places: tuple[Path, Path, Path]) -> None:
    data, shop, _ = places
    port = free_port()

    def unreadable(*_: object, **__: object) -> SocketTable:
        raise SocketsUnreadable("Permission denied")

    with holding(Server(TCP, V4, "127.0.0.1"), port):
        told = ask(data, [reservation(shop, port)], sockets=unreadable, processes=Fails())

    assert told == {port: Occupant(occupied=True)}


def stands_in(*directories: Path) -> dict[str, Any]:
    table = SocketTable((SEEN._replace(port=5000),), frozenset({5000}))
    return {
        "probe": Probe(True),
        "sockets": lambda *_, **__: table,
        "processes": lambda pids: {pid: Process(pid, directories=tuple(map(str, directories))) for pid in pids},
    }


@pytest.mark.parametrize("damage", ["locked", "no store"])
def test_a_store_that_does_not_answer_leaves_what_the_directory_itself_tells(
    places: tuple[Path, Path, Path], damage: str
) -> None:
    data, shop, other = places
    fill(data, [row(str(shop), 5000), row(str(other), 5001)])

    with closing(sqlite3.connect(data / "trop.db", isolation_level=None)) as connection:
        if damage == "locked":
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
        else:
            (data / "trop.db").rename(data / "away")
            (data / "trop.db").mkdir()
        began = time.monotonic()
        own = ask(data, [reservation(shop, 5000)], **stands_in(shop))[5000].occupant
        others = ask(data, [reservation(shop, 5000)], **stands_in(other, shop))[5000].occupant
        took = time.monotonic() - began

    assert (own.relation, others.relation, others.directory) == ("own", "unknown", None)
    assert took < AT_ONCE
