"""Whether a port can be had, and what is dropped to make room where none is left."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from trop_core.database import reservations
from trop_core.operations.call import Unprepared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from trop_core.database.handles import StoreConnection
    from trop_core.models import ReservationKey
    from trop_core.operations.cleanup.survey import Removal
    from trop_core.operations.reserving.preparation import Prepared


def why_taken(
    connection: StoreConnection,
    prepared: Prepared[Any],
    port: int,
    *,
    own: Collection[int | None],
    is_occupied: Callable[[int], bool],
    ignore_exclusions: bool = False,
) -> str | None:
    """Why a preferred port cannot be had, or None. Reservations of the ports in ``own`` are in nobody's way."""
    holder = None if port in own else reservations.holder(connection, port)
    if holder is not None:
        return f"reserved for {holder.path}" + (f" (tag {holder.tag})" if holder.tag is not None else "")
    if not ignore_exclusions and port in prepared.settings.excluded_ports:
        return "excluded"
    return "occupied" if is_occupied(port) else None


def removals(
    connection: StoreConnection, prepared: Prepared[Any], *, keep: Collection[ReservationKey]
) -> tuple[Removal, ...]:
    """What a cleanup drops, as far as it is not disabled; never the reservations of the keys in ``keep``.

    Raises ``Unprepared`` for a look at the directories of all reservations.
    """
    settings = prepared.settings
    prune, expire = not settings.disable_autoprune, not settings.disable_autoexpire
    if not (prune or expire):
        return ()
    from trop_core.operations.cleanup.survey import Survey

    survey = prepared.survey
    if survey is None or survey.is_outdated(connection):
        taken = Survey.take(connection, survey)
        if prune:
            look = partial(taken.with_directories, prepared.context.directory_state, progress=prepared.context.progress)
            raise Unprepared(lambda: prepared._replace(survey=look()))
        raise Unprepared(lambda: prepared._replace(survey=taken))
    found = survey.removals(
        connection,
        now=prepared.now,
        prune=prune,
        expire_after_days=settings.expire_after_days if expire else None,
    )
    return tuple(removal for removal in found if removal.reservation.key not in keep)


def told_of_cleanup(dropped: tuple[Removal, ...]) -> tuple[str, ...]:
    """The warning that a cleanup took place."""
    missing = sum(removal.reason == "missing" for removal in dropped)
    expired = len(dropped) - missing
    return (f"to make room, reservations were dropped: {missing} of missing directories, {expired} expired",)
