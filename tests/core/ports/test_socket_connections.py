"""Connections in the system's table of sockets: which of them hold a port."""

from __future__ import annotations

import os
import socket

import pytest
from support.socket_table import (
    EVERYTHING,
    connected,
    held_at,
    occupied,
)
from support.sockets import (
    HAS_IPV6,
    REUSEADDR,
    TCP,
    V4,
    V6,
    Server,
    free_port,
    holding,
    time_wait,
)

from trop_core.ports.occupancy import OccupancyProbe


def test_a_connection_in_time_wait_holds_nothing() -> None:
    with time_wait() as port:
        seen = held_at(port)
        by_bind = OccupancyProbe(EVERYTHING).is_occupied(port)

    assert seen == []
    assert not by_bind


def test_what_a_listener_has_accepted_is_part_of_it() -> None:
    with connected() as (listener, _, _):
        port = listener.getsockname()[1]

        seen = held_at(port)

    assert seen == [("tcp", "ipv4", "127.0.0.1", os.getpid())]


@pytest.mark.parametrize(
    ("address", "family"),
    [("0.0.0.0", V4), pytest.param("::", V6, marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6"))],
)
def test_what_a_wildcard_listener_has_accepted_is_part_of_it(address: str, family: socket.AddressFamily) -> None:
    port = free_port()

    with (
        holding(Server(TCP, family, address, dual_stack=family == V6), port) as listener,
        socket.create_connection(("127.0.0.1", port)),
        listener.accept()[0],
    ):
        seen = [held_address for _, _, held_address, _ in held_at(port)]

    assert seen == [address]


def test_the_port_of_a_client_is_occupied() -> None:
    with connected() as (_, client, _):
        port = client.getsockname()[1]

        seen = held_at(port)
        agree = occupied(port), OccupancyProbe(EVERYTHING).is_occupied(port)

    assert ("tcp", "ipv4", "127.0.0.1", os.getpid()) in seen
    assert agree == (True, True)


def test_a_client_whose_server_has_hung_up_still_holds_its_port() -> None:
    with connected() as (_, client, accepted):
        port = client.getsockname()[1]
        accepted.close()
        assert client.recv(1) == b""

        agree = occupied(port), OccupancyProbe(EVERYTHING).is_occupied(port)

    assert agree == (True, True)


def test_a_connection_that_is_half_closed_is_held_as_long_as_its_process_holds_it() -> None:
    port = free_port()
    with connected(source=("127.0.0.1", port)) as (_, client, accepted):
        client.shutdown(socket.SHUT_WR)
        assert accepted.recv(1) == b""

        half_closed = occupied(port)
        client.close()
        closed = occupied(port)

    assert (half_closed, closed) == (True, False)


def test_a_connection_without_its_listener_holds_the_port() -> None:
    """Whether it could be bound over depends on an option that the table does not tell."""
    with connected() as (listener, _, _):
        port = listener.getsockname()[1]
        listener.close()

        by_table = occupied(port)
        by_bind = OccupancyProbe(EVERYTHING).is_occupied(port)

    assert (by_table, by_bind) == (True, True)


def test_a_connection_without_its_listener_that_shared_its_address_counts_too() -> None:
    with connected(REUSEADDR) as (listener, _, _):
        port = listener.getsockname()[1]
        listener.close()

        by_table = occupied(port)

    assert by_table
