"""What stands in a store that cannot stand there is told, with its table, column and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import stores

from trop_core.database import reservations
from trop_core.database.connection import Database
from trop_core.database.waiting import Patience
from trop_core.errors.store import DatabaseCorrupt
from trop_core.models import Reservation, ReservationKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trop_core.database.handles import StoreConnection

LAX = (
    stores.V2_SCHEMA.replace(" STRICT", "")
    .replace("CHECK (port BETWEEN 1 AND 65535)", "CHECK (1)")
    .replace("CHECK (created_at >= 0)", "CHECK (1)")
    .replace("CHECK (last_used_at >= 0)", "CHECK (1)")
    .replace("NOT NULL", "")
)
GOOD = ("/good", "web", 4000, "p", "t", 1, 2)


@pytest.fixture
def lax(tmp_path: Path) -> Path:
    """A store of the current version whose tables let everything in."""
    return stores.make_v2(tmp_path / "trop.db", [GOOD], schema=LAX)


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [
        ("path", "x'2f61'", "b'/a'"),
        ("path", "7", "7"),
        ("path", "NULL", "None"),
        ("path", "''", ""),
        ("path", "'relative'", "relative"),
        ("path", "CAST(x'2fff' AS TEXT)", "/\\xff"),
        ("tag", "x'00'", "/a"),
        ("tag", "NULL", "/a"),
        ("tag", "CAST(x'ff' AS TEXT)", "/a"),
        ("port", "0", "/a"),
        ("port", "65536", "/a"),
        ("port", "'text'", "/a"),
        ("port", "5000.5", "/a"),
        ("port", "x'35'", "/a"),
        ("port", "NULL", "/a"),
        ("project", "x'00'", "/a"),
        ("project", "CAST(x'ff' AS TEXT)", "/a"),
        ("task", "x'00'", "/a"),
        ("task", "CAST(x'c3' AS TEXT)", "/a"),
        ("created_at", "-1", "/a"),
        ("created_at", "1.5", "/a"),
        ("created_at", "'yesterday'", "/a"),
        ("created_at", "NULL", "/a"),
        ("last_used_at", "-1", "/a"),
        ("last_used_at", "x'01'", "/a"),
    ],
)
def test_a_damaged_value_is_told_with_table_column_and_key(lax: Path, column: str, value: str, key: str) -> None:
    stores.run(lax, "INSERT INTO reservations VALUES ('/a', '', 5000, 'p', 't', 1, 2)")
    stores.run(lax, f"UPDATE reservations SET {column} = {value} WHERE path = '/a'")
    before = stores.rows_in(lax)
    database = Database.open(str(lax))

    with pytest.raises(DatabaseCorrupt) as refused, database.read(Patience(5)) as connection:
        reservations.listing(connection)
    database.close()

    assert refused.value.details() == {"path": str(lax), "table": "reservations", "column": column, "key": key}
    assert stores.rows_in(lax) == before


def test_a_port_that_is_no_whole_number_is_told_by_who_looks_for_a_free_one(lax: Path) -> None:
    stores.run(lax, "INSERT INTO reservations VALUES ('/a', '', 5000.5, 'p', 't', 1, 2)")
    database = Database.open(str(lax))

    with pytest.raises(DatabaseCorrupt) as refused, database.read(Patience(5)) as connection:
        list(reservations.taken_ports(connection, 4000, 6000))
    database.close()

    assert refused.value.details() == {"path": str(lax), "table": "reservations", "column": "port", "key": "/a"}


def test_a_version_that_is_no_utf8_is_told_with_its_own_table(lax: Path) -> None:
    stores.run(lax, "UPDATE metadata SET value = CAST(x'ff' AS TEXT)")

    with pytest.raises(DatabaseCorrupt) as refused:
        Database.open(str(lax))

    assert (refused.value.table, refused.value.column) == ("metadata", "value")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[StoreConnection]:
    """A transaction on a store with a few rows."""
    rows = [
        ("/", "", 4000, None, None, 1, 2),
        ("/w/a", "", 5000, "p", None, 1, 2),
        ("/w/a", "web", 5001, "p", "t", 3, 4),
        ("/w/a/b", "", 5002, "q", None, 1, 2),
        ("/w/a%", "", 5003, "q", None, 1, 2),
        ("/w/a.b", "", 5004, None, None, 1, 2),
        ("/w/a0", "", 5005, None, None, 1, 2),
        ("/w/ab", "", 5006, None, None, 1, 2),
        ("/ü/😀", "日本", 5007, "größe", None, 1, 2),
    ]
    path = stores.make_v2(tmp_path / "trop.db", rows)
    database = Database.open(str(path))
    with database.write(Patience(5), "try") as open_connection:
        yield open_connection
    database.close()


def found_paths(found: list[Reservation]) -> list[str]:
    return [reservation.path for reservation in found]


def test_a_listing_is_sorted_by_path_and_tag_by_code_point(connection: StoreConnection) -> None:
    found = reservations.listing(connection)

    keys = [(reservation.path, reservation.tag or "") for reservation in found]
    assert keys == sorted(keys)
    assert len(found) == 9


@pytest.mark.parametrize(
    ("below", "paths"),
    [
        ("/w/a", ["/w/a", "/w/a", "/w/a/b"]),
        ("/w/a%", ["/w/a%"]),
        ("/w", ["/w/a", "/w/a", "/w/a%", "/w/a.b", "/w/a/b", "/w/a0", "/w/ab"]),
        ("/ü", ["/ü/😀"]),
        ("/x", []),
    ],
)
def test_at_or_below_is_by_component(connection: StoreConnection, below: str, paths: list[str]) -> None:
    assert found_paths(reservations.listing(connection, below=[below])) == paths


def test_everything_is_below_the_root(connection: StoreConnection) -> None:
    assert reservations.listing(connection, below=["/"]) == reservations.listing(connection)


def test_pages_of_a_listing_make_up_the_whole(connection: StoreConnection) -> None:
    whole = reservations.listing(connection)

    pages: list[Reservation] = []
    while page := reservations.listing(connection, after=pages[-1].key if pages else None, limit=2):
        assert len(page) <= 2
        pages += page

    assert pages == whole


def test_filters_hold_together(connection: StoreConnection) -> None:
    assert found_paths(reservations.listing(connection, project="q", below=["/w/a"])) == ["/w/a/b"]
    assert [row.port for row in reservations.listing(connection, tag="web", project="p")] == [5001]


def test_what_is_inserted_is_found_by_key_and_port_and_gone_when_deleted(
    connection: StoreConnection,
) -> None:
    reservation = Reservation(6000, "/new", None, "p", None, 10, 20)

    reservations.insert(connection, reservation)

    assert reservations.find(connection, reservation.key) == reservation
    assert reservations.holder(connection, 6000) == reservation
    assert reservations.anything_at(connection, "/new")
    reservations.delete(connection, [reservation.key, ReservationKey("/nowhere")])
    assert reservations.find(connection, reservation.key) is None
    assert reservations.holder(connection, 6000) is None
    assert not reservations.anything_at(connection, "/new")
    assert len(reservations.listing(connection)) == 9


def test_an_update_changes_all_but_key_and_creation(connection: StoreConnection) -> None:
    key = ReservationKey("/w/a", "web")
    before = reservations.listing(connection)

    reservations.update(connection, Reservation(6001, "/w/a", "web", None, "t2", 99, 100))

    assert reservations.find(connection, key) == Reservation(6001, "/w/a", "web", None, "t2", 3, 100)
    reservations.touch(connection, key, 101)
    assert reservations.find(connection, key) == Reservation(6001, "/w/a", "web", None, "t2", 3, 101)
    others = [row for row in reservations.listing(connection) if row.key != key]
    assert others == [row for row in before if row.key != key]


def test_taken_ports_come_in_order_and_in_chunks_that_grow(tmp_path: Path) -> None:
    ports = [*range(1, 3001), 65535]
    path = stores.make_v2(tmp_path / "trop.db", [(f"/{port}", "", port, None, None, 1, 2) for port in reversed(ports)])
    database = Database.open(str(path))

    with database.read(Patience(5)) as connection:
        chunks = list(reservations.taken_ports(connection, 2, 65535))
        none = list(reservations.taken_ports(connection, 4000, 5000))
    database.close()

    assert [port for chunk in chunks for port in chunk] == ports[1:]
    assert len(chunks[0]) < len(chunks[1])
    assert none == []
