"""What every request that looks at the system's sockets has in common."""

from __future__ import annotations

from dataclasses import dataclass

from trop_core import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingRequest:
    """What not to look at."""

    skip_occupancy_check: bool | None = fields.switch("Do not look who uses a port.")
    skip_tcp: bool | None = fields.switch("Do not look at TCP.")
    skip_udp: bool | None = fields.switch("Do not look at UDP.")
    skip_ipv4: bool | None = fields.switch("Do not look at IPv4.")
    skip_ipv6: bool | None = fields.switch("Do not look at IPv6.")
