"""The settings that the ``skip_…`` fields of a request stand for."""

from __future__ import annotations

from typing import Any

_SETTINGS = {
    "skip_occupancy_check": "occupancy_check__skip",
    "skip_tcp": "occupancy_check__skip_tcp",
    "skip_udp": "occupancy_check__skip_udp",
    "skip_ipv4": "occupancy_check__skip_ip4",
    "skip_ipv6": "occupancy_check__skip_ip6",
    "check_all_interfaces": "occupancy_check__check_all_interfaces",
}


def occupancy_settings(request: object) -> dict[str, Any]:
    """What a request says about the occupancy check, as ``Context.settings`` takes it.

    None where the request leaves the matter to the configuration; a field that it does not have is left out.
    """
    return {setting: getattr(request, field) for field, setting in _SETTINGS.items() if hasattr(request, field)}
