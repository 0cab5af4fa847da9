"""The range of ports: of what use its ports are, and how many are left."""

from __future__ import annotations

import os
import re

from trop_core.config.names import GLOBAL_FILE, PROJECT_FILES
from trop_core.database import reservations
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import DEFAULT_MAXIMUM, DEFAULT_MINIMUM, HIGHEST_PORT
from trop_core.operations.doctor.finding import error, info, ok, warning
from trop_core.ports.avoidance import BROWSER, Avoidance, is_short
from trop_core.ports.exclusions import Exclusions, spelled
from trop_core.ports.privileges import told_of_privileges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trop_core.config.settings import Settings
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import OpenStore, Subject

_ENDS = ("ports.min", "ports.max")
_LOWEST_OF_ALL = 1024
"""The lowest port that is advised: below, most systems ask for privileges."""


class Counts(NamedTuple):
    """How many ports the range has, and how many of them cannot be chosen, each counted once."""

    total: int
    reserved: int
    excluded: int
    avoided: int

    @property
    def left(self) -> int:
        """How many can."""
        return self.total - self.reserved - self.excluded - self.avoided


class Ports(NamedTuple):
    """What is known of the ports: the settings' range and sets, and which are reserved.

    None are where there is no store. Where it cannot be told, ``taken`` is None: what none is left of without them,
    none is left of with them.
    """

    subject: Subject
    taken: Exclusions | None

    def counts(self, avoid: Iterable[str]) -> Counts:
        """How the ports of the range are used where the ports that some words mean are avoided."""
        settings, reserved = self.subject.settings, self.taken or Exclusions()
        low, high = settings.port_min, settings.port_max
        avoided = Avoidance.of(avoid, self.subject.context.ephemeral).ports
        return Counts(
            high - low + 1,
            reserved.count_within(low, high),
            settings.excluded_ports.without(reserved).count_within(low, high),
            avoided.without(reserved | settings.excluded_ports).count_within(low, high),
        )

    def elsewhere(self, avoid: Iterable[str]) -> tuple[int, int] | None:
        """A range with ports left where the ports that some words mean are avoided: the usual one, if it has."""
        avoided = Avoidance.of(avoid, self.subject.context.ephemeral).ports
        used = avoided | self.subject.settings.excluded_ports | (self.taken or Exclusions())
        usable = Exclusions(((_LOWEST_OF_ALL, HIGHEST_PORT),)).without(used)
        usual = (DEFAULT_MINIMUM, DEFAULT_MAXIMUM)
        if not is_short(usable.count_within(*usual), DEFAULT_MAXIMUM - DEFAULT_MINIMUM + 1):
            return usual
        return max(usable.ranges, key=lambda ports: ports[1] - ports[0], default=None)


def of_store(store: OpenStore) -> Ports:
    """What an open store tells of the ports."""
    if store.rows is None:
        return Ports(store.subject, None if store.inspection.violations else Exclusions())
    return Ports(store.subject, Exclusions.of(_ranges(reservations.taken_ports(store.rows, 1, HIGHEST_PORT))))


def _ranges(chunks: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    """Ranges of ports that come in ascending order, each once. There may be tens of thousands without a gap."""
    for ports in chunks:
        if ports[-1] - ports[0] == len(ports) - 1:
            yield ports[0], ports[-1]
        else:
            yield from zip(ports, ports, strict=True)


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


def ephemeral(ports: Ports) -> Iterator[Finding]:
    """Whether the system hands ports of the range out by itself: any program's outgoing connection may take one."""
    settings = ports.subject.settings
    given = ports.subject.context.ephemeral()
    if "ephemeral" not in settings.avoid and given.count_within(settings.port_min, settings.port_max):
        told = (
            f"the range, {settings.port_min}..{settings.port_max}, reaches into the ports that the system hands out by "
            f"itself, {', '.join(map(spelled, given.ranges))}"
        )
        yield warning("range", told, _avoiding(ports, "ephemeral"))


def browsers(ports: Ports) -> Iterator[Finding]:
    """Whether browsers open every port that may be given: they refuse some (Fetch standard, section 2.9)."""
    settings = ports.subject.settings
    refused = BROWSER.without(settings.excluded_ports).count_within(settings.port_min, settings.port_max)
    if refused and "browser" not in settings.avoid:
        told = f"{_ports(refused)} of the range may be given that no browser opens"
        yield info("range", told, _avoiding(ports, "browser"))


def room(ports: Ports) -> Iterator[Finding]:
    """How many ports are left: where there is none, a new reservation fails unless something can be cleaned up."""
    settings = ports.subject.settings
    counts = ports.counts(settings.avoid)
    told = (
        f"{counts.left:,} of the {_ports(counts.total)} from {settings.port_min} to {settings.port_max} are left: "
        f"{counts.reserved:,} are reserved, {counts.excluded:,} excluded, {counts.avoided:,} avoided"
    )
    if not counts.left:
        yield error("room", told, _widening(ports.subject, counts))
    elif ports.taken is None:
        return
    elif is_short(counts.left, counts.total):
        yield warning("room", told, _widening(ports.subject, counts))
    else:
        yield ok("room", told)


def _avoiding(ports: Ports, word: str) -> str:
    """How the ports of a word come to be avoided, without that the range has too few left then."""
    settings = ports.subject.settings
    avoid = (*settings.avoid, word)
    listed = f"avoid: [{', '.join(avoid)}]"
    counts = ports.counts(avoid)
    if not is_short(counts.left, counts.total):
        return f"Let them be avoided, in {_file(settings, 'ports.avoid', *_ENDS)}: ports: {{{listed}}}"
    other = ports.elsewhere(avoid)
    where = _where(settings, "ports.avoid", *_ENDS)
    advice = f"To avoid them would leave {counts.left:,} ports of this range: take another one, in {where}"
    return advice if other is None else f"{advice}: ports: {{min: {other[0]}, max: {other[1]}, {listed}}}"


def _widening(subject: Subject, counts: Counts) -> str:
    """What makes room in the range, of what stands in the way."""
    settings = subject.settings
    advice = [f"Widen it, with ports.min and ports.max in {_where(settings, *_ENDS)}"]
    if counts.avoided:
        advice.append(f"let fewer be avoided, with ports.avoid ({settings.origin('ports.avoid')})")
    if counts.excluded:
        advice.append(f"exclude fewer, with excluded_ports ({settings.origin('excluded_ports')})")
    if counts.reserved:
        advice.append(f"see what {subject.command('autoclean --dry-run')} would remove")
    *others, last = advice
    return f"{'; '.join(others)}; or {last}." if others else f"{last}."


def _where(settings: Settings, *keys: str) -> str:
    """The file in which some keys are to be written, and which variables, that go before it, have to go.

    What a variable hides may be a project's word: what is to be heeded in its place goes before that as well.
    """
    origins = dict.fromkeys(settings.origins[key] for key in keys if key in settings.origins)
    variables = [origin for origin in origins if origin.isidentifier()]
    file = _file(settings, *keys)
    if variables and settings.config_files and file == GLOBAL_FILE:
        file = quoted(settings.config_files[-1])
    return ", without ".join(filter(None, (file, " and ".join(variables))))


def _file(settings: Settings, *keys: str) -> str:
    """The strongest of the files that give one of some keys: what is written there is heeded. Else the user's own."""
    found = [re.sub(r":\d+:\d+$", "", settings.origins[key]) for key in keys if key in settings.origins]
    for name in reversed(PROJECT_FILES):
        for path in found:
            if os.path.basename(path) == name:
                return quoted(path)
    return GLOBAL_FILE


def _ports(count: int) -> str:
    return f"{count:,} port{'' if count == 1 else 's'}"
