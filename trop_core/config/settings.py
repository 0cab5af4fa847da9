"""What the layers of configuration come to for one call."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from trop_core.models import DEFAULT_MAXIMUM, DEFAULT_MINIMUM
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ORIGIN = "built-in default"


class OccupancyChecks(NamedTuple):
    """What is asked of the system before a port is given away."""

    skip: bool = False
    skip_ip4: bool = False
    skip_ip6: bool = False
    skip_tcp: bool = False
    skip_udp: bool = False
    check_all_interfaces: bool = False


class Service(NamedTuple):
    """One service of a group: its tag, and where its port lies relative to the group's base."""

    tag: str
    offset: int
    preferred: int | None = None
    env: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that the port is exported as: ``env``, else the tag in upper case, - as _."""
        return self.env if self.env is not None else self.tag.upper().replace("-", "_")


class Group(NamedTuple):
    """The ``reservations`` of a project: services whose ports keep their distances to one base."""

    services: tuple[Service, ...]
    base: int | None = None


class Settings(NamedTuple):
    """Every setting of a call. ``origins`` says of each that is no built-in default where it came from.

    The keys of ``origins`` are the dotted names of the configuration (``ports.min``, ``occupancy_check.skip_tcp``);
    its values are what a person needs to find the place (``/w/a/trop.yaml:3:8``, ``TROP_PORT_MIN``).
    ``config_directory`` is the directory whose project files apply, or None where there are none.
    """

    project: str | None = None
    port_min: int = DEFAULT_MINIMUM
    port_max: int = DEFAULT_MAXIMUM
    excluded_ports: Exclusions = Exclusions()
    expire_after_days: int = 30
    occupancy: OccupancyChecks = OccupancyChecks()
    disable_autoinit: bool = False
    disable_autoprune: bool = False
    disable_autoexpire: bool = False
    allow_unrelated_path: bool = False
    allow_change_project: bool = False
    allow_change_task: bool = False
    maximum_lock_wait_seconds: float = 5.0
    output_format: str = "table"
    group: Group | None = None
    config_directory: str | None = None
    origins: Mapping[str, str] = MappingProxyType({})

    def origin(self, key: str) -> str:
        """Where the value of a dotted key came from."""
        return self.origins.get(key, DEFAULT_ORIGIN)
