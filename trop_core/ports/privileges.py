"""Which ports the system keeps for processes with privileges."""

from __future__ import annotations

import re
import sys

from trop_core.models import HIGHEST_PORT

LINUX_FILE = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
_USUAL = 1024


def first_unprivileged_port(platform: str = sys.platform, file: str = LINUX_FILE) -> int:
    """The lowest port that everybody may bind, of IPv6 as well (ip(7)): 1024 where the system does not tell."""
    if platform != "linux":
        return _USUAL
    try:
        with open(file, "rb") as readable:
            told = re.fullmatch(rb"\s*([0-9]{1,5})\s*", readable.read(100))
    except OSError:
        return _USUAL
    return int(told[1]) if told is not None and int(told[1]) <= HIGHEST_PORT + 1 else _USUAL


def below(first: int) -> str:
    """What is told of a port below the first one that everybody may bind."""
    return f"below {first}, where binding takes privileges"


def told_of_privileges(minimum: int, maximum: int) -> tuple[str, ...]:
    """The warning that ports of a range take privileges."""
    first = first_unprivileged_port()
    if minimum >= first:
        return ()
    last = min(maximum, first - 1)
    which = f"port {minimum} is" if minimum == last else f"ports {minimum} to {last} are"
    return (f"{which} {below(first)}",)
