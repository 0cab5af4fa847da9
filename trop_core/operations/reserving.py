"""What every way to reserve has in common: one port or a whole group, the rules for what is stored are the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from trop_core import fields
from trop_core.database import reservations
from trop_core.errors import StickyField
from trop_core.models import PortRange, identifier
from trop_core.operations.call import Unprepared
from trop_core.operations.occupancy_settings import occupancy_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context, Probe
    from trop_core.database.connection import StoreConnection
    from trop_core.git import GitFacts
    from trop_core.models import Reservation, ReservationKey
    from trop_core.operations.cleanup import Removal, Survey

Outcome = Literal["created", "reused", "updated", "reallocated"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False, init=False)
class ReservingRequest:
    """What a caller may say however it reserves."""

    allow_unrelated_path: bool | None = fields.switch("Allow a directory that is neither above nor below this one.")
    allow_change_project: bool | None = fields.switch("Allow the stored project to change.")
    allow_change_task: bool | None = fields.switch("Allow the stored task to change.")
    allow_change: bool | None = fields.switch("Allow the stored project and task to change.")
    disable_autoprune: bool | None = fields.switch("When no port is left, keep reservations of missing directories.")
    disable_autoexpire: bool | None = fields.switch("When no port is left, keep reservations that expired.")
    skip_occupancy_check: bool | None = fields.switch("Do not look whether something listens on a port.")
    skip_tcp: bool | None = fields.switch("Do not look at TCP.")
    skip_udp: bool | None = fields.switch("Do not look at UDP.")
    skip_ipv4: bool | None = fields.switch("Do not look at IPv4.")
    skip_ipv6: bool | None = fields.switch("Do not look at IPv6.")
    check_all_interfaces: bool | None = fields.switch("Look at the wildcard addresses too, not just at loopback.")
    dry_run: bool = fields.flag("Tell what would happen, and change nothing.")

    @property
    def settings(self) -> dict[str, Any]:
        """What the request says in place of the configuration, as ``Context.settings`` takes it."""
        return {
            "allow_unrelated_path": self.allow_unrelated_path,
            "allow_change_project": self.allow_change_project,
            "allow_change_task": self.allow_change_task,
            "allow_change": self.allow_change,
            "disable_autoprune": self.disable_autoprune,
            "disable_autoexpire": self.disable_autoexpire,
            **occupancy_settings(self),
        }


class Wish(NamedTuple):
    """A project or task as it was asked for: ``given`` says that somebody named it, or named it empty.

    ``by`` is the field or the variable that said so.
    """

    given: bool
    value: str | None
    by: str

    @classmethod
    def of(cls, field: str, argument: str | None, variable: str | None, *, clear: bool = False) -> Wish:
        """What an argument says, else the environment. Raises ``InvalidIdentifier``."""
        if clear:
            return cls(given=True, value=None, by=f"clear_{field}")
        if argument is None and variable:
            return cls(given=True, value=identifier(field, variable), by=f"TROP_{field.upper()}")
        return cls(given=argument is not None, value=argument, by=field)


Request = TypeVar("Request", bound=Any)


class Prepared(NamedTuple, Generic[Request]):
    """All that a plan needs besides the store. ``git`` and ``survey`` are got when the plan asks for them.

    ``now`` is the time of the preparation. What is stored carries the time of the plan: a call may wait for the lock.
    """

    request: Request
    context: Context
    target: Target
    settings: Settings
    ports: PortRange
    project: Wish
    task: Wish
    probe: Probe
    now: int
    warnings: tuple[str, ...]
    git: GitFacts | None = None
    survey: Survey | None = None


def prepare(
    request: Request, context: Context, target: Target, settings: Settings, *, project: Wish, task: Wish
) -> Prepared[Request]:
    """What a request, its directory and its settings come to. Raises ``UnrelatedPath``."""
    context.caller.guard(target, allowed=request.force or settings.allow_unrelated_path)
    return Prepared(
        request=request,
        context=context,
        target=target,
        settings=settings,
        ports=PortRange(settings.port_min, settings.port_max),
        project=project,
        task=task,
        probe=context.probe(settings.occupancy),
        now=context.now(),
        warnings=target.warnings,
    )


def keep_or_change(field: Literal["project", "task"], stored: Reservation, prepared: Prepared[Any]) -> str | None:
    """The project or task of a reservation that exists. Raises ``StickyField`` where it may not become another."""
    has: str | None = getattr(stored, field)
    wish: Wish = getattr(prepared, field)
    if not wish.given or wish.value == has:
        return has
    if not (prepared.request.force or getattr(prepared.settings, f"allow_change_{field}")):
        raise StickyField(field, path=stored.path, tag=stored.tag, stored=has, requested=wish.value, by=wish.by)
    return wish.value


def facts_of_new(prepared: Prepared[Any]) -> tuple[str | None, str | None]:
    """Project and task of a reservation that is new.

    Raises ``Unprepared`` where that takes a look at the git repository.
    """
    project, task = prepared.project, prepared.task
    if not project.given and prepared.settings.project is not None:
        project = Wish(given=True, value=prepared.settings.project, by="project")
    git = prepared.git
    if git is None and not (project.given and task.given):
        raise Unprepared(lambda: prepared._replace(git=prepared.context.infer(prepared.target.path)))
    return (
        project.value if project.given or git is None else git.project,
        task.value if task.given or git is None else git.task,
    )


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
    from trop_core.operations import cleanup

    survey = prepared.survey
    if survey is None or survey.is_outdated(connection):
        taken = cleanup.Survey.take(connection, survey)
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
