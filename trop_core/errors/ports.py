"""Ports that cannot be given away."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.spelling import flag_name, quoted
from trop_core.light_types import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trop_core.errors.spelling import Spelling
    from trop_core.light_types import Protocol

    class Holding(Protocol):
        """What an error says of a process that holds a port; ``holder.Holder`` is one."""

        @property
        def pid(self) -> int: ...

        @property
        def name(self) -> str | None: ...

        @property
        def user(self) -> str | None: ...

        @property
        def directory(self) -> str | None: ...


Half: TypeAlias = Literal["autoprune", "autoexpire"]
"""Of the cleanup: dropping what belongs to missing directories, and what was not used for long."""

CLEANS_UP_NOTHING = "the opening of a folder cleans up nothing"
"""Why no half runs for a call that nobody asked for."""


class PortExhausted(TropError):
    """No port in the range is left, also after the cleanup that was allowed.

    Of the ``occupied`` ports, ``privileged`` are those that take privileges. ``off`` are the halves of the cleanup that
    did not run, autoprune and autoexpire, each with what switched it off. ``asked`` tells whether somebody wanted the
    port: for an editor that merely opens a folder, neither half runs.
    """

    kind = "port_exhausted"

    has_fields = True
    """Whether the call has fields for the range; else only settings widen it."""

    def __init__(
        self,
        *,
        minimum: int,
        maximum: int,
        reserved: int,
        excluded: int,
        avoided: int,
        occupied: int,
        off: Mapping[Half, str],
        privileged: int = 0,
        asked: bool = True,
    ) -> None:
        super().__init__(minimum, maximum)
        self.minimum = minimum
        self.maximum = maximum
        self.reserved = reserved
        self.excluded = excluded
        self.avoided = avoided
        self.occupied = occupied
        self.off = off
        self.privileged = privileged
        self.asked = asked

    @property
    def cleanup(self) -> bool:
        """Whether a half of the cleanup ran."""
        return len(self.off) < len(get_args(Half))

    def message(self, spell: Spelling = flag_name) -> str:
        cleaned = "a cleanup found nothing that helps" if self.cleanup else "cleanup is disabled"
        if not self.asked:
            cleaned = CLEANS_UP_NOTHING
        elif self.off:
            cleaned += f": {'; '.join(f'{half} is off, {reason}' for half, reason in self.off.items())}"
        occupied = f"{self.occupied} occupied"
        if self.privileged:
            occupied += f" (binding {self.privileged} of them takes privileges)"
        return (
            f"{self._lacking}: {self.reserved} reserved, "
            f"{self.excluded} excluded, {self.avoided} avoided, {occupied}; {cleaned}"
        )

    @property
    def _lacking(self) -> str:
        return f"no port from {self.minimum} to {self.maximum} is free"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"{self._widening(spell)}, or release what is yours.{self._more_advice(spell)}"

    def _widening(self, spell: Spelling) -> str:
        if self.has_fields:
            return f"Widen the range with {spell('min')} and {spell('max')}"
        return "Widen the range with ports.min and ports.max (TROP_PORT_MIN and TROP_PORT_MAX)"

    def _more_advice(self, spell: Spelling) -> str:
        advice = ""
        if self.avoided:
            advice += " Which ports are avoided, ports.avoid says; one that is preferred is given all the same."
        if not self.asked:
            advice += " When somebody asks for the port, what nobody needs any more makes room for it."
        elif not self.cleanup:
            off = f"{spell('disable_autoprune')} and {spell('disable_autoexpire')}"
            advice += f" Without {off}, what nobody needs any more would be released by itself."
        return advice

    def details(self) -> dict[str, object]:
        return {
            "min": self.minimum,
            "max": self.maximum,
            "reserved": self.reserved,
            "excluded": self.excluded,
            "avoided": self.avoided,
            "occupied": self.occupied,
            "cleanup": self.cleanup,
        }


class GroupExhausted(PortExhausted):
    """Some services of a group, ``tags``, have no port, and none of the range is left for them."""

    has_fields = False

    def __init__(self, *, tags: Sequence[str], **counts: Any) -> None:
        super().__init__(**counts)
        self.tags = tuple(tags)

    def message(self, spell: Spelling = flag_name) -> str:
        shown = ", ".join(map(quoted, self.tags[:10])) + (", …" if len(self.tags) > 10 else "")
        return f"{super().message(spell)}; without a port: {shown}"

    @property
    def _lacking(self) -> str:
        size = self.maximum - self.minimum + 1
        free = size - self.reserved - self.excluded - self.avoided - self.occupied
        if free <= 0:
            return super()._lacking
        ports = "port is" if free == 1 else "ports are"
        # Those that have no port are left over once the group has taken all that are free.
        needed = free + len(self.tags)
        return f"only {free} {ports} free from {self.minimum} to {self.maximum}, and the group needs {needed}"

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = ", or release what is yours." if self.reserved else "."
        return self._widening(spell) + advice + self._more_advice(spell)


class PortOccupied(TropError):
    """Something listens on a port, and that is in the way of what the call is for.

    ``holder`` is who, None where nobody can tell; ``path`` is what the port is reserved for; ``advice`` says what the
    caller can do besides, as a sentence.
    """

    kind = "port_occupied"

    def __init__(self, port: int, holder: Holding | None, *, path: str, advice: str) -> None:
        super().__init__(port, holder)
        self.advice = advice
        self.port = port
        self.holder = holder
        self.path = path

    def message(self, spell: Spelling = flag_name) -> str:
        return f"port {self.port}, which is reserved for {quoted(self.path)}, is in use by {self._who()}"

    def hint(self, spell: Spelling = flag_name) -> str:
        more = f"trop port-info {self.port} --include-occupancy tells more"
        return f"Stop that program if it is yours; {more}. {self.advice}"

    def details(self) -> dict[str, object]:
        return {"port": self.port, "holder": self.holder}

    def _who(self) -> str:
        if self.holder is None:
            return "a process that the system does not tell"
        name = "" if self.holder.name is None else f" ({self.holder.name})"
        user = "" if self.holder.user is None else f" of {self.holder.user}"
        where = "" if self.holder.directory is None else f", which belongs to {quoted(self.holder.directory)}"
        return f"process {self.holder.pid}{name}{user}{where}"
