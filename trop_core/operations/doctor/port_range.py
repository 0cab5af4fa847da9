"""The range of ports: of what use its ports are, and how many are left."""

from __future__ import annotations

from trop_core.database import reservations
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import error, info, ok, warning
from trop_core.ports.avoidance import BROWSER, Avoidance
from trop_core.ports.exclusions import Exclusions, spelled
from trop_core.ports.privileges import told_of_privileges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import OpenStore, Subject

_FEW = 0.1
_WIDEN = "Widen it, with ports.min and ports.max in config.yaml; or see what trop autoclean --dry-run would remove."


def bounds(subject: Subject) -> Iterator[Finding]:
    """Which ports are given away, and who says so: a range that is not the expected one explains many a port."""
    settings = subject.settings
    origins = dict.fromkeys((settings.origin("ports.min"), settings.origin("ports.max")))
    yield ok("range", f"{settings.port_min} to {settings.port_max} ({', '.join(origins)})")


def privileged(subject: Subject) -> Iterator[Finding]:
    """Whether everybody may bind the ports of the range: below a number that the system knows, only root may."""
    settings = subject.settings
    for told in told_of_privileges(settings.port_min, settings.port_max):
        advice = f"Begin the range at 1024 or above: ports.min is set by {settings.origin('ports.min')}."
        yield warning("range", f"in the range, {told}", advice)


def ephemeral(subject: Subject) -> Iterator[Finding]:
    """Whether the system hands ports of the range out by itself: any program's outgoing connection may take one."""
    settings = subject.settings
    given = subject.context.ephemeral()
    if "ephemeral" not in settings.avoid and given.count_within(settings.port_min, settings.port_max):
        told = (
            f"the range, {settings.port_min}..{settings.port_max}, reaches into the ports that the system hands out by "
            f"itself, {', '.join(map(spelled, given.ranges))}"
        )
        words = ", ".join((*settings.avoid, "ephemeral"))
        yield warning("range", told, f"Let them be avoided, in config.yaml: ports: {{avoid: [{words}]}}")


def browsers(subject: Subject) -> Iterator[Finding]:
    """Whether browsers open every port that may be given: they refuse some (Fetch standard, section 2.9)."""
    settings = subject.settings
    refused = BROWSER.without(settings.excluded_ports).count_within(settings.port_min, settings.port_max)
    if refused and "browser" not in settings.avoid:
        told = f"{_ports(refused)} of the range may be given that no browser opens"
        words = ", ".join((*settings.avoid, "browser"))
        yield info("range", told, f"ports: {{avoid: [{words}]}} in config.yaml lets them be avoided.")


def room(store: OpenStore) -> Iterator[Finding]:
    """How many ports are left: where there is none, a new reservation fails unless something can be cleaned up."""
    subject, connection = store.subject, store.rows
    if connection is None:
        return
    settings = subject.settings
    low, high = settings.port_min, settings.port_max
    avoided = Avoidance.of(settings.avoid, subject.context.ephemeral).ports
    taken = [port for ports in reservations.taken_ports(connection, low, high) for port in ports]
    unusable = settings.excluded_ports | avoided
    used = unusable | Exclusions.of((port, port) for port in taken)
    total = high - low + 1
    left = total - used.count_within(low, high)
    told = (
        f"{left:,} of the {_ports(total)} from {low} to {high} are left: {len(taken):,} are reserved, "
        f"{settings.excluded_ports.count_within(low, high):,} excluded"
    )
    if not left:
        yield error("room", told, _WIDEN)
    elif left < total * _FEW:
        yield warning("room", told, _WIDEN)
    else:
        yield ok("room", told)


def _ports(count: int) -> str:
    return f"{count:,} port{'' if count == 1 else 's'}"
