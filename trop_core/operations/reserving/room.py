"""Whether a port can be had, and what is dropped to make room where none is left."""

from __future__ import annotations

from functools import partial

from trop_core.database import directories, reservations
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.operations.call import Unprepared
from trop_core.paths import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from trop_core.database.handles import StoreConnection
    from trop_core.errors.ports import Half
    from trop_core.models import ReservationKey
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.operations.moving.arrival import Arrival
    from trop_core.operations.reserving.preparation import Prepared
    from trop_core.ports.allocation import Exhausted

DAYS_SPARED = 7
"""A directory that has just moved is gone, too, and comes back for its port: what was used so lately goes last."""


def why_taken(
    connection: StoreConnection,
    prepared: Prepared[Any],
    port: int,
    *,
    own: Collection[int | None],
    occupation: Callable[[int], str | None],
    ignore_exclusions: bool = False,
) -> str | None:
    """Why a preferred port cannot be had, or None. Reservations of the ports in ``own`` are in nobody's way.

    ``occupation`` tells what the system has against a port.
    """
    holder = None if port in own else reservations.holder(connection, port)
    if holder is not None:
        return f"reserved for {holder.path}" + (f" (tag {holder.tag})" if holder.tag is not None else "")
    if not ignore_exclusions and port in prepared.settings.excluded_ports:
        return "excluded"
    return occupation(port)


def qualifies(prepared: Prepared[Any], port: int) -> bool:
    """Whether a port, if nobody has reserved it, may be given to one who did not ask for it."""
    return (
        port in prepared.ports
        and port not in prepared.settings.excluded_ports
        and port not in prepared.avoidance.ports
        and not prepared.probe.is_occupied(port)
    )


def told_of_avoided(prepared: Prepared[Any], port: int) -> tuple[str, ...]:
    """The warning about a preferred port that would not have been chosen."""
    reason = prepared.avoidance.reason(port)
    return () if reason is None else (f"port {port} is preferred, and {reason}",)


def told_of_probe(prepared: Prepared[Any]) -> tuple[str, ...]:
    """The warnings about what the system said, or did not say, of ports."""
    return prepared.probe.told(prepared.context.spell)


def counts(prepared: Prepared[Any], found: Exhausted, *, for_group: bool = False) -> dict[str, Any]:
    """What a ``PortExhausted`` tells of the range, of what stands in the way in it, and of the cleanup."""
    privileged = sum(port in prepared.ports for port in prepared.probe.privileged)
    return {
        "minimum": prepared.ports.minimum,
        "maximum": prepared.ports.maximum,
        **found._asdict(),
        "privileged": min(privileged, found.occupied),
        "off": switched_off(prepared, for_group=for_group),
        "asked": prepared.context.asked,
    }


def switched_off(prepared: Prepared[Any], *, for_group: bool) -> dict[Half, str]:
    """The halves of the cleanup that do not run for a call, and what switches each of them off.

    Expiry is the user's word about the user's range: it is none about one that a project's file has shaped, and no
    group, which is a file's wish as well, lives on it. That an editor opened a folder is no reason to drop anything.
    """
    settings = prepared.settings
    if not prepared.context.asked:
        from trop_core.errors.ports import CLEANS_UP_NOTHING

        return {"autoprune": CLEANS_UP_NOTHING, "autoexpire": CLEANS_UP_NOTHING}
    off: dict[Half, str] = {}
    if settings.disable_autoprune:
        off["autoprune"] = f"disable_autoprune ({settings.origin('disable_autoprune')})"
    if settings.disable_autoexpire:
        off["autoexpire"] = f"disable_autoexpire ({settings.origin('disable_autoexpire')})"
    elif settings.shaped_by:
        off["autoexpire"] = f"the project's file decides about the range: {', '.join(settings.shaped_by)}"
    elif for_group:
        off["autoexpire"] = "a project's group never makes another directory's reservation expire"
    return off


def removals(
    connection: StoreConnection,
    prepared: Prepared[Any],
    *,
    keep: Collection[ReservationKey],
    arrival: Arrival,
    preferred: int | None = None,
    for_group: bool = False,
) -> Iterator[tuple[Removal, ...]]:
    """What a cleanup may drop, as far as it is not disabled, in steps: each set holds the one before and one more.

    Only what has a port of the range goes, and never the keys in ``keep``, nor what moves along: it is no longer where
    it is missing. The first step is all whose directory is
    gone and that was not used for a week; then comes what else is gone, then what has expired, each time what has the
    preferred port before the others, the longest unused first, and only where its port is of use: the caller stops as
    soon as there is room. Raises ``Unprepared`` for a look at the directories of all reservations.
    """
    settings, off = prepared.settings, switched_off(prepared, for_group=for_group)
    prune, expire = "autoprune" not in off, "autoexpire" not in off
    if not (prune or expire):
        return
    from trop_core.operations.cleanup.survey import SECONDS_PER_DAY, Survey

    survey = prepared.survey
    if survey is None or survey.is_outdated(connection):
        taken = Survey.take(connection, survey)
        if prune:
            context = prepared.context
            look = partial(
                taken.with_directories, context.directory_state, context.locked_among, progress=context.progress
            )
            raise Unprepared(lambda: prepared._replace(survey=look()))
        raise Unprepared(lambda: prepared._replace(survey=taken))
    leaving = [
        removal
        for removal in survey.removals(
            connection,
            now=prepared.now,
            prune=prune,
            expire_after_days=settings.expire_after_days if expire else None,
        )
        if removal.reservation.port in prepared.ports
        and removal.reservation.key not in keep
        and (arrival.move is None or not is_within(removal.reservation.path, arrival.source))
    ]
    lately = prepared.now - DAYS_SPARED * SECONDS_PER_DAY
    going = [r for r in leaving if r.reason == "missing" and r.reservation.last_used_at < lately]
    if going:
        yield tuple(going)
    rest = [r for r in leaving if r.reason == "expired" or r.reservation.last_used_at >= lately]

    def order(removal: Removal) -> tuple[bool, bool, int]:
        row = removal.reservation
        return removal.reason == "expired", row.port != preferred, row.last_used_at

    for removal in sorted(rest, key=order):
        if qualifies(prepared, removal.reservation.port):
            going.append(removal)
            yield tuple(going)


def drop(connection: StoreConnection, dropped: tuple[Removal, ...]) -> None:
    """Remove what a plan has chosen, and what is noted of directories that have nothing left."""
    if dropped:
        reservations.delete(connection, (removal.reservation.key for removal in dropped))
        directories.forget_unreserved_at(connection, [removal.reservation.path for removal in dropped])


def told_of_cleanup(dropped: tuple[Removal, ...]) -> tuple[str, ...]:
    """The warning that a cleanup took place."""
    if not dropped:
        return ()
    missing = sum(removal.reason == "missing" for removal in dropped)
    expired = len(dropped) - missing
    return (f"to make room, reservations were dropped: {missing} of missing directories, {expired} expired",)
