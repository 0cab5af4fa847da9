"""What requests say about looking at the system's sockets, and the settings that it stands for."""

from __future__ import annotations

from trop_core import fields
from trop_core.light_types import TYPE_CHECKING
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.light_types import Any

_SETTINGS = {
    "skip_occupancy_check": "occupancy_check__skip",
    "skip_tcp": "occupancy_check__skip_tcp",
    "skip_udp": "occupancy_check__skip_udp",
    "skip_ipv4": "occupancy_check__skip_ip4",
    "skip_ipv6": "occupancy_check__skip_ip6",
    "check_all_interfaces": "occupancy_check__check_all_interfaces",
}


class LookingRequest(Record):
    """What not to look at."""

    skip_occupancy_check: bool | None = fields.switch("Do not look who uses a port.")
    skip_tcp: bool | None = fields.switch("Do not look at TCP.")
    skip_udp: bool | None = fields.switch("Do not look at UDP.")
    skip_ipv4: bool | None = fields.switch("Do not look at IPv4.")
    skip_ipv6: bool | None = fields.switch("Do not look at IPv6.")


def occupancy_settings(request: Record) -> dict[str, Any]:
    """What a request says about the occupancy check, as ``Context.settings`` takes it.

    What the request leaves to the configuration is left out.
    """
    given = request.__dict__
    return {_SETTINGS[field]: given[field] for field in _SETTINGS.keys() & given.keys()}
