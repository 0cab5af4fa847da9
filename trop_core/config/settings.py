"""What the layers of configuration come to for one call."""

from __future__ import annotations

from types import MappingProxyType

from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import DEFAULT_MAXIMUM, DEFAULT_MINIMUM
from trop_core.ports.avoidance import usually_avoided
from trop_core.ports.checks import OccupancyChecks
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trop_core.config.layer import Place
    from trop_core.errors.base import TropError
    from trop_core.ports.services import Group

DEFAULT_ORIGIN = "built-in default"


class Settings(NamedTuple):
    """Every setting of a call. ``origins`` says of each that is no built-in default where it came from.

    The keys of ``origins`` are the dotted names of the configuration (``ports.min``, ``occupancy_check.skip_tcp``);
    its values are what a person needs to find the place (``/w/a/trop.yaml:3:8``, ``TROP_PORT_MIN``).
    ``config_directory`` is the directory whose project files apply, or None where there are none; ``config_files`` are
    those of them that were read, the stronger one last. ``group_place`` is where a file says which services there are,
    or that there are none.

    ``warnings`` are for the caller: what was not read, or has no effect. ``passed_over`` tells of all that a project's
    file says and may not decide. ``shaped_by`` are the values by which a project's file decides which ports there are.
    ``refusal`` is what is wrong with a project's files, where the call goes on without them.
    """

    project: str | None = None
    port_min: int = DEFAULT_MINIMUM
    port_max: int = DEFAULT_MAXIMUM
    avoid: tuple[str, ...] = usually_avoided()
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
    reserve_for: str = "directory"
    follow_moves: bool = True
    safe_directories: tuple[str, ...] = ()
    allowed_variables: tuple[str, ...] = ()
    group: Group | None = None
    group_place: Place | None = None
    config_directory: str | None = None
    config_files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    shaped_by: tuple[str, ...] = ()
    refusal: TropError | None = None
    origins: Mapping[str, str] = MappingProxyType({})

    def origin(self, key: str) -> str:
        """Where the value of a dotted key came from."""
        return self.origins.get(key, DEFAULT_ORIGIN)

    @property
    def unlooked(self) -> str:
        """What switches the occupancy check off, in parentheses."""
        origins = {key: origin for key, origin in self.origins.items() if key.startswith("occupancy_check.skip")}
        names = [origins["occupancy_check.skip"]] if self.occupancy.skip else sorted(set(origins.values()))
        return f"({', '.join(names)})"

    def require_project(self) -> None:
        """Raise what is wrong with the project's files, for who needs what they say."""
        if self.refusal is not None:
            raise self.refusal
