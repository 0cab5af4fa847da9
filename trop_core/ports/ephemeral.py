"""The ports that the system hands out by itself, to sockets that ask for none in particular."""

from __future__ import annotations

import re
import sys

from trop_core.models import is_port
from trop_core.ports.exclusions import Exclusions

LINUX_FILE = "/proc/sys/net/ipv4/ip_local_port_range"
_NONE = Exclusions()
_MACOS = Exclusions(((49152, 65535),))
"""The defaults of net.inet.ip.portrange.first and .last there; to read them takes another process."""


def ephemeral_ports(platform: str = sys.platform, file: str = LINUX_FILE) -> Exclusions:
    """The range of these ports; none where the system does not tell. On Linux, it is that of IPv6 as well (ip(7))."""
    if platform == "darwin":
        return _MACOS
    try:
        with open(file, encoding="ascii") as readable:
            told = re.fullmatch(r"\s*([0-9]{1,5})\s+([0-9]{1,5})\s*", readable.read(100))
    except (OSError, UnicodeDecodeError):
        return _NONE
    if told is None:
        return _NONE
    first, last = int(told[1]), int(told[2])
    return Exclusions(((first, last),)) if is_port(first) and is_port(last) and first <= last else _NONE
