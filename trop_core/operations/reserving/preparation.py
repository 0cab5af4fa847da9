"""What every way to reserve has in common: one port or a whole group, the rules for what is stored are the same."""

from __future__ import annotations

from trop_core import fields
from trop_core.light_types import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar
from trop_core.models import PortRange, identifier
from trop_core.operations.looking.occupancy import occupancy_settings
from trop_core.operations.moving.arrival import Arriving
from trop_core.ports.avoidance import Avoidance
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.caller import Target
    from trop_core.config.settings import Settings
    from trop_core.context import Context, Probe
    from trop_core.operations.cleanup.survey import Survey

Outcome = Literal["created", "reused", "updated", "reallocated", "moved"]
GroupOutcome = Literal["created", "reused", "extended", "updated", "reallocated", "moved"]
"""The same for several at once, of which some may have been missing."""


_SETTINGS = frozenset(
    (
        *("allow_unrelated_path", "allow_change_project", "allow_change_task", "allow_change"),
        *("disable_autoprune", "disable_autoexpire"),
    )
)
"""The fields of a request that are settings of the same name."""


class ReservingRequest(Record):
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
        given = self.__dict__
        return {**{field: given[field] for field in _SETTINGS & given.keys()}, **occupancy_settings(self)}


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
    """All that a plan needs besides the store. What ``arriving`` lacks and ``survey`` is got when the plan asks for it.

    ``now`` is the time of the preparation. What is stored carries the time of the plan: a call may wait for the lock.
    """

    request: Request
    context: Context
    target: Target
    settings: Settings
    ports: PortRange
    avoidance: Avoidance
    project: Wish
    task: Wish
    probe: Probe
    now: int
    warnings: tuple[str, ...]
    arriving: Arriving
    for_group: bool
    survey: Survey | None = None

    def again(self, arriving: Arriving) -> Prepared[Request]:
        """The same, with more known of the directory."""
        return self._replace(arriving=arriving)


def prepare(
    request: Request,
    context: Context,
    target: Target,
    settings: Settings,
    *,
    project: Wish,
    task: Wish,
    for_group: bool = False,
) -> Prepared[Request]:
    """What a request, its directory and its settings come to. Raises ``UnrelatedPath``."""
    context.guard(target, allowed=request.force or settings.allow_unrelated_path)
    return Prepared(
        request=request,
        context=context,
        target=target,
        settings=settings,
        ports=PortRange(settings.port_min, settings.port_max),
        avoidance=Avoidance.of(settings.avoid, context.ephemeral),
        project=project,
        task=task,
        probe=context.probe(settings.occupancy),
        now=context.now(),
        warnings=target.warnings,
        arriving=Arriving.at(target, context, follow=settings.follow_moves),
        for_group=for_group,
    )


def for_reading(context: Context, target: Target, settings: Settings, probe: Probe) -> Prepared[None]:
    """The same for who only wants to know which ports could be had: anybody may ask, and nothing is wished for."""
    nothing = Wish(given=False, value=None, by="")
    return Prepared(
        request=None,
        context=context,
        target=target,
        settings=settings,
        ports=PortRange(settings.port_min, settings.port_max),
        avoidance=Avoidance.of(settings.avoid, context.ephemeral),
        project=nothing,
        task=nothing,
        probe=probe,
        now=context.now(),
        warnings=(),
        arriving=Arriving(context, target, settings.follow_moves, None),
        for_group=False,
    )
