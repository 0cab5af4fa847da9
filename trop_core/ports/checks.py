"""What is asked of the system about a port."""

from __future__ import annotations

from trop_core.light_types import NamedTuple


class OccupancyChecks(NamedTuple):
    """What is asked of the system before a port is given away."""

    skip: bool = False
    skip_ip4: bool = False
    skip_ip6: bool = False
    skip_tcp: bool = False
    skip_udp: bool = False
    check_all_interfaces: bool = False

    @property
    def looks(self) -> bool:
        """Whether anything is left to look at."""
        return not (self.skip or (self.skip_ip4 and self.skip_ip6) or (self.skip_tcp and self.skip_udp))
