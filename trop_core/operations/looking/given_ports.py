"""Whether something listens already on ports that were just given out, and whose it is."""

from __future__ import annotations

from contextlib import closing

from trop_core.errors.base import TropError
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from trop_core.context import Context
    from trop_core.holder import Holder
    from trop_core.models import Reservation
    from trop_core.ports.checks import OccupancyChecks
    from trop_core.ports.holders import Process
    from trop_core.ports.sockets import HeldPort, SocketTable

_LONGEST_WAIT = 1.0
"""Seconds for which the store's lock is waited for: who asks has their port already."""


class Occupant(NamedTuple):
    """What occupies a port: whether anything does (None where nobody can tell), and who, where that is known."""

    occupied: bool | None = None
    occupant: Holder | None = None


def occupants(given: Collection[Reservation], checks: OccupancyChecks, context: Context) -> dict[int, Occupant]:
    """Of each reservation's port whether something occupies it now, and who; by the port.

    For the answer to a call that reserved: ``given`` are its reservations, and ``checks`` those of the call's settings.
    Each port is tried; only if one is in use, the system's table of sockets is read, processes are asked, and the store
    of the context is read for which other directories have reservations. Takes a fraction of a millisecond where
    nothing is in use, and else no more than some seconds, whatever the system does. Writes nothing, and raises nothing:
    what the system or the store does not tell is None, or ``unknown``.
    """
    if not checks.looks:
        return {row.port: Occupant() for row in given}
    tried = _tried(given, checks, context)
    asked = [row for row in given if tried[row.port] is not False]
    return {**{port: Occupant(answer) for port, answer in tried.items()}, **_seen(asked, tried, checks, context)}


def _tried(given: Iterable[Reservation], checks: OccupancyChecks, context: Context) -> dict[int, bool | None]:
    """Whether each port cannot be bound; None where that says nothing: for want of privileges, or of an answer."""
    probe = context.probe(checks)
    tried = {row.port: probe.is_occupied(row.port) for row in given}
    if probe.told(context.spell):
        return dict.fromkeys(tried)
    return {port: None if port in probe.privileged else answer for port, answer in tried.items()}


def _seen(
    asked: Collection[Reservation], tried: Mapping[int, bool | None], checks: OccupancyChecks, context: Context
) -> dict[int, Occupant]:
    """What the table of sockets says of ports that cannot be bound, or of which nobody knows."""
    table = _table(asked, checks, context) if asked else None
    if table is None:
        return {}
    from trop_core.operations.looking.relations import Relations, names_of

    by_port: dict[int, list[HeldPort]] = {row.port: [] for row in asked}
    for held in table.sockets:
        if held.port in by_port:
            by_port[held.port].append(held)
    pids = {held.pid for sockets in by_port.values() for held in sockets if held.pid is not None}
    processes = context.processes(pids) if pids else {}
    reserved = _reserved(processes.values(), context) if processes else frozenset[str]()
    if reserved is None:
        # One whose own directory may be another's must not count by its parents.
        processes = {pid: process._replace(directories=process.directories[:1]) for pid, process in processes.items()}
    relations = Relations(
        processes=processes,
        paths={row.port: row.path for row in asked},
        names=names_of(row.path for row in asked) if processes else {},
        reserved=reserved or frozenset(),
    )
    # What is bound and does not listen yet is not in every system's table.
    return {
        port: Occupant(tried[port] or table.is_occupied(port), relations.holder(sockets, checks))
        for port, sockets in by_port.items()
    }


def _table(asked: Collection[Reservation], checks: OccupancyChecks, context: Context) -> SocketTable | None:
    from functools import partial

    from trop_core.looks import SECONDS, Look
    from trop_core.models import PortRange

    ports = sorted(row.port for row in asked)
    read = partial(context.sockets, PortRange(ports[0], ports[-1]), checks, owners=False)
    look: Look[SocketTable | None] = Look(read)
    try:
        return look.answer(SECONDS, None)
    except TropError:
        return None


def _reserved(processes: Iterable[Process], context: Context) -> frozenset[str] | None:
    """Those of the directories around the processes that have reservations; None if the store does not tell."""
    from trop_core.database import reservations
    from trop_core.database.waiting import Patience
    from trop_core.ports.holders import around
    from trop_core.store import Store

    try:
        with (
            closing(Store(context.data_directory)) as store,
            store.read(Patience(_LONGEST_WAIT, context.token), create=True) as connection,
        ):
            return reservations.paths_among(connection, around(processes))
    except TropError:
        return None
