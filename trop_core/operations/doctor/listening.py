"""Whether this process may see what listens."""

from __future__ import annotations

from trop_core.errors.system import SocketsUnreadable
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import PortRange
from trop_core.operations.doctor.finding import info, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject


def sockets(subject: Subject) -> Iterator[Finding]:
    """Whether the system lets this process look at ports, in the two ways in which trop does.

    Without its table of sockets, nobody is told that a port is in use, or by whom. Where none can be tried, as in some
    sandboxes, one may be given that is in use.
    """
    settings, context = subject.settings, subject.context
    if settings.occupancy.skip:
        told = f"nobody is to look whether something listens on a port {settings.unlooked}"
        yield info("sockets", told, "Take that away, unless it is meant: a port may be given that is in use.")
        return
    untried = _untried(settings, context)
    for told in untried:
        yield warning("sockets", told, "Let trop make sockets on this machine, if what it runs in can allow that.")
    try:
        table = context.sockets(PortRange(settings.port_min, settings.port_max), settings.occupancy, owners=False)
    except SocketsUnreadable as failure:
        yield warning("sockets", failure.message(context.spell), failure.hint(context.spell))
        return
    for told in table.warnings:
        yield info("sockets", told, "Nothing has to be done; trop that runs as root is shown all.")
    if not table.warnings and not untried:
        count = len(table.occupied)
        yield ok("sockets", f"{count:,} port{'s' * (count != 1)} of the range in use now")


def _untried(settings: Settings, context: Context) -> tuple[str, ...]:
    """Why nobody can try whether a port is free. Tries one, as a reservation would."""
    probe = context.probe(settings.occupancy)
    # The highest one: of those that everybody may bind, if any is.
    probe.obstacle(settings.port_max)
    return probe.told(context.spell)
