"""Whether this process may see what listens."""

from __future__ import annotations

from trop_core.errors.system import SocketsUnreadable
from trop_core.light_types import TYPE_CHECKING
from trop_core.models import PortRange
from trop_core.operations.doctor.finding import info, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject


def sockets(subject: Subject) -> Iterator[Finding]:
    """Whether the system shows its table of sockets: without, nobody is told that a port is in use, or by whom."""
    settings, context = subject.settings, subject.context
    if settings.occupancy.skip:
        told = f"nobody is to look whether something listens on a port {settings.unlooked}"
        yield info("sockets", told, "Take that away, unless it is meant: a port may be given that is in use.")
        return
    try:
        table = context.sockets(PortRange(settings.port_min, settings.port_max), settings.occupancy, owners=False)
    except SocketsUnreadable as failure:
        yield warning("sockets", failure.message(context.spell), failure.hint(context.spell))
        return
    for told in table.warnings:
        yield info("sockets", told, "Nothing has to be done; trop that runs as root is shown all.")
    if not table.warnings:
        count = len(table.occupied)
        yield ok("sockets", f"{count:,} port{'s' * (count != 1)} of the range in use now")
